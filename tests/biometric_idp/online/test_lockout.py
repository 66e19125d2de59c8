"""PIN and document: one answer for everything wrong, growing delays, and nobody locked out for ever."""

from __future__ import annotations

import statistics
import time
from typing import Any

import pytest

from biometric_idp.enrolment.passkey import Passkey, make_assertion
from biometric_idp.idp.config import EnrolmentConfig
from biometric_idp.idp.enrolment.throttle import delay_after
from biometric_idp.shared.fields import decode_base64url, encode_base64url
from tests.biometric_idp.online.parties import Device, Parties, Refused, officer

pytestmark = pytest.mark.slow


def answer(device: Device, **options: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        device.start(**options)
    return caught.value


def unknown_pin(number: int) -> str:
    return f"101019701{number:05d}"


def test_wrong_pin_wrong_document_and_nobody_get_the_same_answer(shared: Parties) -> None:
    device, other = Device(shared, shared.people[60]), shared.people[61]
    wrong_digit = [device.person.mrz[0][:5] + "XX" + device.person.mrz[0][7:], *device.person.mrz[1:]]
    answers = [
        answer(device, mrz=other.mrz),
        answer(device, mrz=wrong_digit),
        answer(device, pin=unknown_pin(1)),
        answer(device, pin=other.pin),
        answer(device, pin="00000000000000"),
    ]
    assert {item.code for item in answers} == {"identity-not-confirmed"}
    assert len({(item.status, str(item.body)) for item in answers}) == 1
    device.close()


def test_time_does_not_tell_who_is_on_the_roll(shared: Parties) -> None:
    """Medians over many attempts, each for a PIN of its own, differ by less than their spread."""
    device = Device(shared, shared.people[0])
    times: dict[str, list[float]] = {"known": [], "unknown": []}
    for number in range(60):
        for name, pin in (("known", shared.people[number % 30 + 25].pin), ("unknown", unknown_pin(100 + number))):
            started = time.perf_counter()
            answer(device, pin=pin, mrz=shared.people[62].mrz) if number < 30 else answer(
                device, pin=unknown_pin(5000 + number if name == "known" else 7000 + number), mrz=shared.people[62].mrz
            )
            if number < 30:
                times[name].append(time.perf_counter() - started)
    known, unknown = statistics.median(times["known"]), statistics.median(times["unknown"])
    spread = max(statistics.stdev(times["known"]), statistics.stdev(times["unknown"]), 0.001)
    assert abs(known - unknown) < 2 * spread
    device.close()


def test_failures_are_followed_by_a_delay_whoever_is_behind_the_pin(shared: Parties) -> None:
    device = Device(shared, shared.people[63])
    for pin in (shared.people[62].pin, unknown_pin(2)):
        for _ in range(3):
            assert answer(device, pin=pin).code == "identity-not-confirmed"
        late = answer(device, pin=pin)
        assert late.code == "too-many-attempts"
        assert 1 <= int(late.headers["retry-after"]) <= 2
    device.close()


def test_an_attacker_who_never_stops_does_not_make_the_delay_longer(shared: Parties) -> None:
    victim = Device(shared, shared.people[59])
    attacker = Device(shared, shared.people[58])
    for _ in range(3):
        answer(attacker, pin=victim.person.pin)
    until = time.monotonic() + 2.1
    while time.monotonic() < until:
        assert answer(attacker, pin=victim.person.pin).code in ("too-many-attempts", "identity-not-confirmed")
        time.sleep(0.1)
        if time.monotonic() > until - 0.3:
            break
    time.sleep(max(0, until - time.monotonic()) + 4.2)
    victim.enrol()
    # Who has a passkey is not touched by anything that is tried with the PIN.
    for _ in range(4):
        answer(attacker, pin=victim.person.pin)
    victim.sign_in()
    for device in (victim, attacker):
        device.close()


def test_delays_double_up_to_the_longest() -> None:
    config = EnrolmentConfig(failures=3, first_delay=30, longest_delay=3600)
    assert [delay_after(config, count) for count in (1, 2, 3, 4, 5, 9, 10, 500)] == [
        0,
        0,
        30,
        60,
        120,
        1920,
        3600,
        3600,
    ]


def officers_say(parties: Parties, challenge: bytes, *passkeys: Passkey) -> list[dict[str, str]]:
    said = []
    for passkey in passkeys:
        made = make_assertion(passkey, parties.party, challenge)
        said.append(
            {
                "credential": encode_base64url(made.credential),
                "client_data": encode_base64url(made.client_data),
                "authenticator_data": encode_base64url(made.authenticator_data),
                "signature": encode_base64url(made.signature),
            }
        )
    return said


def challenge_for(device: Device, **members: str) -> tuple[str, bytes]:
    text = device.post("/v1/officers/options", dict(members))["publicKey"]["challenge"]
    return text, decode_base64url(text)


def test_two_officers_let_in_who_is_locked_out(shared: Parties) -> None:
    device = Device(shared, shared.people[57])
    for _ in range(3):
        answer(device, mrz=shared.people[56].mrz)
    assert answer(device).code == "too-many-attempts"
    text, challenge = challenge_for(device, pin=device.person.pin)
    body = {"pin": device.person.pin, "challenge": text}
    said = officers_say(shared, challenge, officer(1), officer(2))
    device.session = device.post("/v1/officers/enrolments", {**body, "assertions": said})["session"]
    assert device.register() == {"account": "active"}
    assert device.get("/v1/account", device.session)["proofing"] == "officers"
    with pytest.raises(Refused) as caught:
        device.post("/v1/officers/enrolments", {**body, "assertions": said})
    assert caught.value.code == "challenge-invalid"
    device.close()


def test_C16_one_officer_alone_lets_nobody_in(device: Device) -> None:
    text, challenge = challenge_for(device, pin=device.person.pin)
    for passkeys in ((officer(1), officer(1)), (officer(1), officer(3)), (officer(3), officer(4))):
        body = {
            "pin": device.person.pin,
            "challenge": text,
            "assertions": officers_say(device.parties, challenge, *passkeys),
        }
        with pytest.raises(Refused) as caught:
            device.post("/v1/officers/enrolments", body)
        assert caught.value.code == "officers-refused"


def test_an_appointment_is_confirmed_for_the_person_in_the_document_only(device: Device) -> None:
    device.start()
    made = device.post("/v1/enrolments/appointment", {"consulate": "moscow"}, device.session)
    wrong = device.parties.people[55].pin
    for pin, code in ((wrong, "officers-refused"), (device.person.pin, None)):
        _, challenge = challenge_for(device, appointment=made["appointment"], pin=pin)
        body = {
            "appointment": made["appointment"],
            "pin": pin,
            "assertions": officers_say(device.parties, challenge, officer(1), officer(2)),
        }
        if code is None:
            assert device.post("/v1/officers/confirmations", body) == {"state": "confirmed"}
        else:
            with pytest.raises(Refused) as caught:
                device.post("/v1/officers/confirmations", body)
            assert caught.value.code == code
    device.register()
    assert device.get("/v1/account", device.session)["proofing"] == "officers"
