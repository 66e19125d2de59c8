"""WebAuthn at the identity provider: attacks C8, and C14 as far as challenges and assertions go."""

from __future__ import annotations

import os
from typing import Any

import pytest

from biometric_idp.enrolment.passkey import Es256Passkey, assertion_json, make_assertion, make_registration
from biometric_idp.request import request_hash
from biometric_idp.shared.fields import decode_base64url
from biometric_idp.webauthn import USER_PRESENT, USER_VERIFIED, RelyingParty
from tests.biometric_idp.online.parties import FINGERPRINT, ORIGIN, VOTING, Device, Parties, Refused

pytestmark = pytest.mark.slow


def refused(call: Any, *arguments: Any, **options: Any) -> str:
    with pytest.raises(Refused) as caught:
        call(*arguments, **options)
    return caught.value.code


def wrong_parties(parties: Parties) -> dict[str, RelyingParty]:
    own = parties.party
    return {
        "another origin": RelyingParty(own.rp_id, "https://id.localhost"),
        "a sub-domain's origin": RelyingParty(own.rp_id, own.origin.replace("id.", "x.id.")),
        "another RP ID": RelyingParty("localhost", own.origin),
        "the voting host": VOTING,
    }


@pytest.mark.parametrize("name", ["another origin", "a sub-domain's origin", "another RP ID", "the voting host"])
def test_C8_a_passkey_for_another_host_is_not_registered(device: Device, name: str) -> None:
    device.start()
    assert refused(device.register, party=wrong_parties(device.parties)[name]) == "passkey-refused"
    assert device.register() == {"account": "active"}


@pytest.mark.parametrize("name", ["another origin", "a sub-domain's origin", "another RP ID", "the voting host"])
def test_C8_an_assertion_for_another_host_signs_nobody_in(device: Device, name: str) -> None:
    device.enrol()
    assert refused(device.sign_in, party=wrong_parties(device.parties)[name]) == "passkey-refused"
    device.sign_in()


@pytest.mark.parametrize("flags", [0, USER_PRESENT, USER_VERIFIED])
def test_C8_without_user_verification_nothing_goes(device: Device, flags: int) -> None:
    device.start()
    assert refused(device.register, flags=flags) == "passkey-refused"
    device.register()
    assert refused(device.sign_in, flags=flags) == "passkey-refused"
    device.sign_in()
    device.handoff()
    assert refused(device.register_voting, flags=flags) == "passkey-refused"


def test_C8_a_challenge_works_once(device: Device) -> None:
    device.enrol()
    offered = device.post("/v1/sign-in/options", {})
    challenge = decode_base64url(offered["publicKey"]["challenge"])
    body = {
        "id": offered["id"],
        "credential": assertion_json(make_assertion(device.sign_in_key, device.parties.party, challenge)),
    }
    device.post("/v1/sign-in", body)
    assert refused(device.post, "/v1/sign-in", body) == "challenge-invalid"


def test_C8_a_challenge_of_ones_own_making_is_refused(device: Device) -> None:
    device.enrol()
    offered = device.post("/v1/sign-in/options", {})
    challenge = bytearray(decode_base64url(offered["publicKey"]["challenge"]))
    challenge[-1] ^= 1
    for forged in (bytes(challenge), os.urandom(32)):
        assertion = make_assertion(device.sign_in_key, device.parties.party, forged)
        body = {"id": offered["id"], "credential": assertion_json(assertion)}
        assert refused(device.post, "/v1/sign-in", body) == "challenge-invalid"


def test_C8_a_registration_challenge_of_another_session_is_refused(device: Device) -> None:
    device.start()
    other = Device(device.parties, device.person)
    other.start()
    offered = other.post("/v1/enrolments/passkey/options", {}, other.session)["publicKey"]
    made = make_registration(device.sign_in_key, device.parties.party, decode_base64url(offered["challenge"]))
    answer = refused(device.post, "/v1/enrolments/passkey", {"credential": made}, device.session)
    assert answer == "challenge-invalid"
    other.close()


def test_C8_another_users_key_signs_nobody_in(device: Device) -> None:
    device.enrol()
    mine = device.sign_in_key.public.credential
    thief = Es256Passkey(os.urandom(32), mine)
    assert refused(device.sign_in, passkey=thief) == "passkey-refused"
    assert refused(device.sign_in, passkey=Es256Passkey(os.urandom(32), b"never seen")) == "passkey-refused"


def test_C8_a_counter_that_goes_back_is_refused(device: Device) -> None:
    device.start()
    device.register(counter=5)
    device.sign_in(counter=6)
    for counter in (6, 5, 0):
        assert refused(device.sign_in, counter=counter) == "passkey-refused"
    device.sign_in(counter=7)


def test_C8_a_page_of_another_origin_around_ours_is_refused(device: Device) -> None:
    device.enrol()
    offered = device.post("/v1/sign-in/options", {})
    challenge = offered["publicKey"]["challenge"]
    from hashlib import sha256

    from biometric_idp.request import Assertion

    for extra in (
        ',"crossOrigin":true',
        ',"topOrigin":"https://evil.example"',
        f',"origin":"{device.parties.id_origin}"',
    ):
        data = (
            f'{{"type":"webauthn.get","challenge":"{challenge}","origin":"{device.parties.id_origin}"{extra}}}'
        ).encode()
        head = sha256(b"id.localhost").digest() + bytes([5]) + bytes(4)
        signature = device.sign_in_key.sign(head + sha256(data).digest())
        assertion = Assertion(device.sign_in_key.public.credential, data, head, signature)
        body = {"id": offered["id"], "credential": assertion_json(assertion)}
        assert refused(device.post, "/v1/sign-in", body) == "passkey-refused"


def test_C14_a_request_hash_is_no_sign_in_challenge_nor_the_other_way_round(device: Device) -> None:
    """The identity provider cannot offer a request's hash as its challenge and use what comes back."""
    device.enrol()
    hash_ = request_hash(FINGERPRINT, "north", 0, device.sign_in_key.public.credential, bytes(48))
    offered = device.post("/v1/sign-in/options", {})
    assertion = make_assertion(device.sign_in_key, device.parties.party, hash_)
    body = {"id": offered["id"], "credential": assertion_json(assertion)}
    assert refused(device.post, "/v1/sign-in", body) == "challenge-invalid"
    from biometric_idp.errors import Refused as IssuerRefused
    from biometric_idp.webauthn import check_assertion

    with pytest.raises(IssuerRefused) as caught:
        check_assertion(assertion, device.sign_in_key.public, VOTING, hash_, 0)
    assert caught.value.code == "client-data"


def test_a_sign_in_passkey_is_no_voting_passkey(device: Device) -> None:
    device.enrol()
    device.handoff()
    assert refused(device.register_voting, party=device.parties.party) == "passkey-refused"


def test_keys_that_the_log_cannot_hold_are_refused_for_voting(device: Device) -> None:
    device.enrol()
    device.handoff()
    from crypto import cbor

    body = device.voting_registration(key=cbor.encode({"x": 1}))
    assert refused(device.post, "/v1/voting/passkey", body, device.voting_session) == "passkey-refused"


def test_a_session_for_one_purpose_is_none_for_another(device: Device) -> None:
    device.enrol()
    device.handoff("ticket")
    answer = refused(device.post, "/v1/voting/passkey/options", {"election": ORIGIN}, device.voting_session)
    assert answer == "session-purpose"
    body = {"enrolment": "0" * 32}
    assert refused(device.post, "/v1/voting/passkey/complete", body, device.voting_session) == "session-purpose"
    assert refused(device.get, "/v1/account", device.voting_session) == "session-needed"
    assert refused(device.post, "/v1/voting/passkey/options", {"election": ORIGIN}, device.session) == "session-needed"


def test_a_session_for_a_voting_passkey_gets_no_ticket(device: Device) -> None:
    device.enrol()
    place = device.vote_ready()
    assert refused(device.ticket, place, bytes(48)) == "session-purpose"
    device.handoff("ticket")
    assert device.ticket(place, bytes(48)).keys() == {"hash", "ticket"}


def test_a_handoff_code_works_once_and_sign_out_ends_a_session(device: Device) -> None:
    device.enrol()
    code = device.post("/v1/handoff", {"election": ORIGIN, "purpose": "ticket"}, device.session)["code"]
    device.post("/v1/voting/session", {"code": code})
    assert refused(device.post, "/v1/voting/session", {"code": code}) == "handoff-invalid"
    device.post("/v1/sign-out", None, device.session)
    assert refused(device.get, "/v1/account", device.session) == "session-needed"


def test_the_last_passkey_is_not_revoked_and_a_revoked_one_signs_nobody_in(device: Device) -> None:
    from biometric_idp.shared.fields import encode_base64url

    device.enrol()
    first = device.sign_in_key
    body = {"credential": encode_base64url(first.public.credential)}
    assert refused(device.post, "/v1/account/passkeys/revoke", body, device.session) == "last-passkey"
    device.sign_in_key = Es256Passkey(os.urandom(32), os.urandom(16))
    device.enrol()
    for _ in range(2):
        assert device.post("/v1/account/passkeys/revoke", body, device.session) == {"state": "revoked"}
    assert refused(device.sign_in, passkey=first) == "passkey-refused"
    device.sign_in()
