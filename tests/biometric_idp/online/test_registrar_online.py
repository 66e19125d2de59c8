"""The registrar's half: codes by its own channel, swapped keys, requests that nobody signed, officers in person."""

from __future__ import annotations

import json
import os
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from nacl.signing import SigningKey

from biometric_idp.enrolment.log import Enrolment, decode_enrolments, encode_enrolments, encode_entry, sign_enrolments
from biometric_idp.enrolment.passkey import Ed25519Passkey, make_assertion
from biometric_idp.registrar.officers.service import in_person_challenge
from biometric_idp.role_key import read_role_key
from biometric_idp.shared.fields import decode_base64url, encode_base64url
from biometric_idp.shared.request_signature import sign_request
from tests.biometric_idp.online.parties import (
    ELECTION,
    FINGERPRINT,
    OFFICE,
    ORIGIN,
    Device,
    Refused,
    answer_of,
    officer,
)

pytestmark = pytest.mark.slow


def refused(call: Any, *arguments: Any, **options: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        call(*arguments, **options)
    return caught.value


def pending(device: Device) -> str:
    device.enrol()
    device.handoff()
    return str(device.register_voting(key="only-registration")["enrolment"])


def idp_key(device: Device) -> SigningKey:
    return read_role_key(device.parties.idp_config.parent / "role.key")


def ask(
    device: Device, members: dict[str, object], *, key: SigningKey, at: int | None = None, path: str = "/v1/enrolments"
) -> dict[str, Any]:
    body = json.dumps(members).encode()
    headers = sign_request(key, "POST", path, body, int(time.time()) if at is None else at)
    headers["content-type"] = "application/json"
    return answer_of(server_to_server(device, path, body, headers))


def server_to_server(device: Device, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
    """A request as the identity provider makes it: without an origin."""
    port = device.parties.registrar.port
    host = {"host": f"registrar.localhost:{port}", "content-type": "application/json"}
    return httpx.post(f"http://127.0.0.1:{port}{path}", content=body, headers={**host, **headers}, trust_env=False)


def members_for(device: Device, passkey: Ed25519Passkey) -> dict[str, object]:
    return {
        "election": ORIGIN,
        "pin": device.person.pin,
        "credential": encode_base64url(passkey.public.credential),
        "key": encode_base64url(passkey.public.key),
        "algorithm": passkey.public.algorithm,
        "language": "ky",
        "nonce": encode_base64url(os.urandom(16)),
    }


def fresh() -> Ed25519Passkey:
    return Ed25519Passkey(os.urandom(32), os.urandom(16))


def test_wrong_codes_are_counted_and_make_the_code_void(device: Device) -> None:
    enrolment = pending(device)
    right = device.parties.code_for(str(device.person.record["phone"]), device.key_digest)
    wrong = f"{(int(right) + 1) % 10**8:08d}"
    assert [refused(device.confirm, enrolment, code=wrong).body["detail"]["left"] for _ in range(4)] == [4, 3, 2, 1]
    assert refused(device.confirm, enrolment, code=wrong).code == "code-void"
    assert refused(device.confirm, enrolment, code=right).code == "code-void"
    assert device.complete(enrolment)["state"] == "pending"


def test_a_fresh_code_takes_the_place_of_the_earlier_one(device: Device) -> None:
    enrolment = pending(device)
    phone = str(device.person.record["phone"])
    first = device.parties.code_for(phone, device.key_digest)
    device.post("/v1/resends", {"enrolment": enrolment}, client=device.reg)
    deadline = time.monotonic() + 10
    codes: set[str] = set()
    while len(codes) < 2 and time.monotonic() < deadline:
        texts = [item["text"] for item in device.parties.messages() if item["to"] == phone]
        codes = {text.split("код ")[1][:8] for text in texts if "код " in text}
        time.sleep(0.05)
    (second,) = codes - {first}
    assert refused(device.confirm, enrolment, code=first).code == "code-wrong"
    assert device.confirm(enrolment, code=second) == {"state": "confirmed"}
    assert device.confirm(enrolment, code=second) == {"state": "confirmed"}


def test_C14_a_swapped_key_is_caught_by_the_devices_digest_and_notified(device: Device) -> None:
    """The identity provider sends a key of its own; the citizen's device shows the digest of the one that it made."""
    own = fresh()
    started = ask(device, members_for(device, own), key=idp_key(device))
    code = device.parties.code_for(str(device.person.record["phone"]), sha256(own.public.key).hexdigest())
    answer = refused(device.confirm, started["id"], code=code)
    assert answer.code == "other-key"
    # Stopped for good, also for the one who swapped it.
    digest = sha256(own.public.key).hexdigest()
    assert refused(device.confirm, started["id"], code=code, digest=digest).code in ("code-void", "code-expired")
    deadline = time.monotonic() + 10
    texts: list[str] = []
    while len(texts) < 2 and time.monotonic() < deadline:
        texts = [item["text"] for item in device.parties.messages() if item["to"] == device.person.record["phone"]]
        time.sleep(0.05)
    assert len(texts) == 2


def test_C14_the_identity_providers_own_signature_makes_no_entry(device: Device, tmp_path: Path) -> None:
    """An entry that only the identity provider signed, twice, is refused by whoever reads the log."""
    from biometric_idp.enrolment.log import EnrolmentSource, read_enrolment_log, sign_enrolment_checkpoint
    from biometric_idp.errors import FormatError

    own = idp_key(device)
    body = encode_enrolments([Enrolment(0, "north", fresh().public, "code", int(time.time()))])
    signature = sign_enrolments(own, ORIGIN, body)
    entries = [encode_entry(body, signature, signature)]
    keys = device.parties.keys
    note = sign_enrolment_checkpoint(own, ORIGIN, entries)
    source = EnrolmentSource(ORIGIN, keys["idp"], keys["registrar"], note, int(time.time()) + 10)
    with pytest.raises(FormatError, match="registrar does not verify"):
        list(read_enrolment_log(source, entries))


def test_C14_requests_that_the_identity_provider_did_not_sign_are_refused(device: Device) -> None:
    members = members_for(device, fresh())
    own = idp_key(device)
    now = int(time.time())
    assert refused(ask, device, members, key=SigningKey.generate()).code == "not-the-identity-provider"
    assert refused(ask, device, members, key=own, at=now - 300).code == "not-the-identity-provider"
    assert refused(ask, device, members, key=own, at=now + 300).code == "not-the-identity-provider"
    body = json.dumps(members).encode()
    assert server_to_server(device, "/v1/enrolments", body, {}).status_code == 401
    headers = sign_request(own, "POST", "/v1/positions", body, now)
    assert server_to_server(device, "/v1/enrolments", body, headers).status_code == 401
    headers = sign_request(own, "POST", "/v1/enrolments", body, now)
    assert server_to_server(device, "/v1/enrolments", body, headers).status_code == 202
    again = server_to_server(device, "/v1/enrolments", body, headers)
    assert again.json()["code"] == "request-replayed"


def say(passkeys: list[Any], challenge: bytes) -> list[dict[str, str]]:
    made = [make_assertion(passkey, OFFICE, challenge) for passkey in passkeys]
    return [
        {
            "credential": encode_base64url(item.credential),
            "client_data": encode_base64url(item.client_data),
            "authenticator_data": encode_base64url(item.authenticator_data),
            "signature": encode_base64url(item.signature),
        }
        for item in made
    ]


def test_nobody_fills_logs_and_telephones_with_passkeys_of_one_person(device: Device) -> None:
    """Ten registrations a day at the identity provider; the registrar has a limit of its own against that one."""
    device.confirm(pending(device))
    codes = set()
    for _ in range(9):
        device.voting_key = fresh()
        codes.add(refused(device.register_voting).code)
    assert codes == {"change-in-person"}
    device.voting_key = fresh()
    late = refused(device.register_voting)
    assert (late.status, late.code) == (429, "too-many-requests")
    assert int(late.headers["retry-after"]) > 0
    own, answers = idp_key(device), set()
    for _ in range(50):
        answers.add(refused(ask, device, members_for(device, fresh()), key=own).code)
    assert answers == {"change-in-person", "too-many-requests"}


def test_a_second_passkey_counts_only_in_person_with_two_officers(device: Device) -> None:
    enrolment = pending(device)
    device.confirm(enrolment)
    first = device.complete(enrolment)
    assert device.complete(enrolment) == first
    device.voting_key = fresh()
    device.handoff()
    answer = refused(device.register_voting, key="second-registration")
    assert answer.code == "change-in-person"
    second = answer.body["detail"]["enrolment"]
    assert device.complete(second)["state"] == "pending"
    public = device.voting_key.public
    today = int(time.time()) // 86_400
    challenge = in_person_challenge(ORIGIN, first["position"], public.credential, public.key, today)
    members: dict[str, Any] = {
        "election": ORIGIN,
        "pin": device.person.pin,
        "credential": encode_base64url(public.credential),
        "key": encode_base64url(public.key),
        "algorithm": public.algorithm,
        "date": today,
    }
    other = in_person_challenge(ORIGIN, first["position"] + 1, public.credential, public.key, today)
    for assertions in (
        say([officer(1), officer(1)], challenge),
        say([officer(1), officer(3)], challenge),
        say([officer(1), officer(2)], other),
    ):
        body = {**members, "assertions": assertions}
        refusal = refused(device.post, "/v1/in-person", body, client=device.reg, origin=OFFICE.origin)
        assert refusal.code == "officers-refused"
    body = {**members, "assertions": say([officer(1), officer(2)], challenge)}
    signed = device.post("/v1/in-person", body, client=device.reg, origin=OFFICE.origin)
    (item,) = decode_enrolments(decode_base64url(signed["body"]), "body")
    assert (item.method, item.passkey) == ("in-person", public)
    assert device.post("/v1/in-person", body, client=device.reg, origin=OFFICE.origin) == signed
    logged = device.complete(second)
    assert logged["index"] > first["index"]
    kinds = [notice["kind"] for notice in device.get("/v1/account", device.session)["notices"]]
    assert kinds[-1] == "voting-passkey-in-person"


def test_a_ticket_is_for_ones_own_position_and_passkey_only(device: Device) -> None:
    enrolment = pending(device)
    device.confirm(enrolment)
    place = device.complete(enrolment)
    device.handoff("ticket")
    blinded = os.urandom(48)
    other = encode_base64url(fresh().public.credential)
    for changes in ({"position": place["position"] + 1}, {"style": "elsewhere"}, {"credential": other}):
        assert refused(device.ticket, place, blinded, **changes).code == "not-your-request"
    assert refused(device.ticket, place, blinded, election="00" * 32).code == "unknown-election"
    device.ticket(place, blinded)


def test_C11_the_registrar_neither_logs_nor_counts_looks_at_positions(device: Device) -> None:
    device.enrol()
    device.handoff("ticket")
    body = {"election": FINGERPRINT.hex(), "issuer": 0}
    inquiry = device.post("/v1/voting/inquiries", body, device.voting_session)["inquiry"]
    path = f"/v1/elections/{ELECTION}/roll/proof"
    assert device.reg.get(path, headers={"authorization": f"Bearer {inquiry}"}).status_code == 200
    device.reg.get("/v1/nowhere")
    said = device.reg.get("/metrics").text + (device.parties.directory / "registrar.log").read_text()
    assert '"route": "-"' in said
    assert not [route for route in ("/v1/positions", "/roll/proof") if route in said]


def test_A4_the_same_key_gives_the_same_answer_and_another_body_a_conflict(device: Device) -> None:
    device.enrol()
    device.handoff()
    body = device.voting_registration()
    first = device.post("/v1/voting/passkey", body, device.voting_session, key="registration-1")
    assert device.post("/v1/voting/passkey", body, device.voting_session, key="registration-1") == first
    body["language"] = "ky"
    again = refused(device.post, "/v1/voting/passkey", body, device.voting_session, key="registration-1")
    assert (again.code, again.status) == ("idempotency-conflict", 409)
    device.confirm(first["enrolment"])
    place = device.complete(first["enrolment"])
    device.handoff("ticket")
    answers = [device.ticket(place, bytes(48), key="ticket-1-key") for _ in range(2)]
    assert answers[0] == answers[1]
    assert refused(device.ticket, place, bytes(47) + b"\1", key="ticket-1-key").code == "idempotency-conflict"
