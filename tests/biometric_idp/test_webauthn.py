"""Attack C8 and its relatives on single assertions, for both algorithms."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256

import pytest

from biometric_idp.enrolment.passkey import Es256Passkey, Passkey, make_assertion
from biometric_idp.errors import FormatError, Refused
from biometric_idp.request import Assertion
from biometric_idp.webauthn import EDDSA, ES256, PublicPasskey, check_assertion, encode_challenge, require_cose_key
from tests.biometric_idp.world import KINDS, NOW, PARTY, World, passkey, refused

CHALLENGE = sha256(b"a request").digest()


@pytest.fixture(params=KINDS, ids=["Ed25519", "ES256"], name="own")
def fixture_own(request: pytest.FixtureRequest) -> Passkey:
    return passkey("own", request.param)


def check(own: Passkey, assertion: Assertion, last: int = 0, key: PublicPasskey | None = None) -> int:
    return check_assertion(assertion, key or own.public, PARTY, CHALLENGE, last)


def resigned(own: Passkey, client_data: bytes | None = None, authenticator_data: bytes | None = None) -> Assertion:
    """An assertion with these parts, properly signed by the passkey: nothing cheaper than the check catches it."""
    honest = make_assertion(own, PARTY, CHALLENGE)
    data = honest.client_data if client_data is None else client_data
    authenticator = honest.authenticator_data if authenticator_data is None else authenticator_data
    return Assertion(honest.credential, data, authenticator, own.sign(authenticator + sha256(data).digest()))


def client_data(**changes: object) -> bytes:
    members: dict[str, object] = {
        "type": "webauthn.get",
        "challenge": encode_challenge(CHALLENGE),
        "origin": PARTY.origin,
        "crossOrigin": False,
    }
    members.update(changes)
    return json.dumps({name: value for name, value in members.items() if value is not ...}).encode()


def test_an_honest_assertion_passes(own: Passkey) -> None:
    assert check(own, make_assertion(own, PARTY, CHALLENGE)) == 0
    assert check(own, make_assertion(own, PARTY, CHALLENGE, counter=9), last=8) == 9
    assert check(own, resigned(own, client_data(crossOrigin=..., other={"a": [1]}))) == 0
    extensions = make_assertion(own, PARTY, CHALLENGE, flags=0x85).authenticator_data + b"\xa1\x61a\x01"
    assert check(own, resigned(own, authenticator_data=extensions)) == 0


@pytest.mark.parametrize(
    ("defect", "data", "code"),
    [
        ("wrong origin", client_data(origin="https://vote.example.evil"), "client-data"),
        ("origin with a slash", client_data(origin=PARTY.origin + "/"), "client-data"),
        ("origin of the identity provider", client_data(origin="https://id.example"), "client-data"),
        ("registration instead of assertion", client_data(type="webauthn.create"), "client-data"),
        ("framed by another origin", client_data(crossOrigin=True), "client-data"),
        ("crossOrigin that is no boolean", client_data(crossOrigin=0), "client-data"),
        ("a top origin", client_data(topOrigin="https://evil.example"), "client-data"),
        ("another challenge", client_data(challenge=encode_challenge(bytes(32))), "challenge"),
        ("a padded challenge", client_data(challenge=encode_challenge(CHALLENGE) + "="), "challenge"),
        ("no challenge", client_data(challenge=...), "client-data"),
        ("a challenge that is no text", client_data(challenge=5), "client-data"),
        ("a name twice", client_data()[:-1] + b', "origin": "https://evil.example"}', "client-data"),
        ("not JSON", b"type=webauthn.get", "client-data"),
        ("an array", b"[]", "client-data"),
        ("not UTF-8", b'{"type": "\xff"}', "client-data"),
        ("nested too deep", b"[" * 2000, "client-data"),
    ],
)
def test_C8_client_data(own: Passkey, defect: str, data: bytes, code: str) -> None:
    with pytest.raises(Refused) as caught:
        check(own, resigned(own, data))
    assert caught.value.code == code, defect


@pytest.mark.parametrize(
    ("defect", "change", "code"),
    [
        ("wrong RP ID", lambda d: sha256(b"id.example").digest() + d[32:], "rp-id"),
        ("user not verified", lambda d: d[:32] + b"\x01" + d[33:], "user-verified"),
        ("user not present", lambda d: d[:32] + b"\x04" + d[33:], "user-verified"),
        ("attested data", lambda d: d[:32] + b"\x45" + d[33:], "user-verified"),
        ("bytes without the extension flag", lambda d: d + b"\xa0", "user-verified"),
        ("the extension flag without bytes", lambda d: d[:32] + b"\x85" + d[33:], "user-verified"),
    ],
)
def test_C8_authenticator_data(own: Passkey, defect: str, change: object, code: str) -> None:
    honest = make_assertion(own, PARTY, CHALLENGE).authenticator_data
    with pytest.raises(Refused) as caught:
        check(own, resigned(own, authenticator_data=change(honest)))  # type: ignore[operator]
    assert caught.value.code == code, defect


def test_C8_another_users_key(own: Passkey) -> None:
    for kind in KINDS:
        with pytest.raises(Refused) as caught:
            check(own, make_assertion(own, PARTY, CHALLENGE), key=passkey("another user", kind).public)
        assert caught.value.code == "assertion"


def test_C8_any_bit_of_signed_data_flipped(own: Passkey) -> None:
    honest = make_assertion(own, PARTY, CHALLENGE)
    for at in range(8 * 33, 8 * 37):
        data = bytearray(honest.authenticator_data)
        data[at // 8] ^= 1 << at % 8
        with pytest.raises(Refused) as caught:
            check(own, replace(honest, authenticator_data=bytes(data)))
        assert caught.value.code == "assertion"
    for signature in (b"", honest.signature[:-1], honest.signature + b"\0", bytes(64), bytes(8), b"\xff" * 72):
        with pytest.raises(Refused) as caught:
            check(own, replace(honest, signature=signature))
        assert caught.value.code == "assertion"


@pytest.mark.parametrize(("counter", "last"), [(5, 5), (4, 5), (0, 1)])
def test_C8_counter_going_back_or_standing(own: Passkey, counter: int, last: int) -> None:
    with pytest.raises(Refused) as caught:
        check(own, make_assertion(own, PARTY, CHALLENGE, counter=counter), last)
    assert caught.value.code == "counter"


def test_C8_counter_going_back_at_an_issuer(world: World) -> None:
    """The counter is remembered by the issuer even when the request it came with was refused later."""
    issuer = world.issuer(1)
    first, second = world.wallet(0), world.wallet(0)
    codes = [
        refused(issuer.answer([world.request(first, counter=10).encode()], NOW)),
        refused(issuer.answer([world.request(second, counter=11).encode()], NOW)),
        refused(issuer.answer([world.request(first, counter=11).encode()], NOW)),
        refused(issuer.answer([world.request(first, counter=0).encode()], NOW)),
        refused(issuer.answer([world.request(first, counter=12).encode()], NOW)),
    ]
    assert codes == [[None], ["already-issued"], ["counter"], ["counter"], [None]]


def test_two_assertions_with_one_counter_in_one_batch_have_one_success(world: World) -> None:
    """A cloned authenticator: both pass the check before the transaction, the transaction decides."""
    requests = [world.request(world.wallet(0), counter=3).encode() for _ in range(2)]
    assert refused(world.issuer(1).answer(requests, NOW)) == [None, "counter"]


def test_an_ed25519_key_of_small_order_never_verifies() -> None:
    """With the identity as key, R = S*B verifies any message in a careless implementation."""
    identity = bytes([1]) + bytes(31)
    own = passkey("own")
    weak = PublicPasskey(own.public.credential, EDDSA, own.public.key[:10] + identity)
    honest = make_assertion(own, PARTY, CHALLENGE)
    with pytest.raises(Refused, match="signature"):
        check(own, replace(honest, signature=identity + bytes(32)), key=weak)


def test_cose_keys_have_one_encoding() -> None:
    ed25519, es256 = (passkey("own", kind).public for kind in KINDS)
    require_cose_key(ed25519.key, EDDSA)
    require_cose_key(es256.key, ES256)
    for key, algorithm in (
        (ed25519.key, ES256),
        (es256.key, EDDSA),
        (ed25519.key, -257),
        (ed25519.key + b"\0", EDDSA),
        (ed25519.key[:-1], EDDSA),
        (es256.key[:42] + b"\x22\x58\x21" + es256.key[45:], ES256),
        (b"\xa4\x03\x27\x01\x01" + ed25519.key[5:], EDDSA),
    ):
        with pytest.raises(FormatError):
            require_cose_key(key, algorithm)


def test_a_logged_es256_key_that_is_no_point_never_verifies() -> None:
    own = passkey("own", Es256Passkey)
    broken = PublicPasskey(own.public.credential, ES256, own.public.key[:-1] + bytes([own.public.key[-1] ^ 1]))
    with pytest.raises(Refused, match="signature"):
        check(own, make_assertion(own, PARTY, CHALLENGE), key=broken)
