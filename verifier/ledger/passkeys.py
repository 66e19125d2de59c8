"""Passkeys and their assertions; docs/spec/05-credentials.md sections 5.3 and 5.5, rows 6 to 10.

Source: W3C Web Authentication Level 3 section 7.2. Ed25519 is the verifier's own strict one; P-256 is OpenSSL's.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from verifier.failure import Failure
from verifier.ledger.schemas import EDDSA
from verifier.record import ed25519

#: What a passkey is, in one byte of a table; 0 is none.
NO_PASSKEY, IS_ED25519, IS_P256 = range(3)

_ED25519_HEAD = bytes.fromhex("a4010103272006215820")
_P256_HEAD = bytes.fromhex("a5010203262001215820")
_P256_MIDDLE = bytes.fromhex("225820")

_USER_PRESENT, _USER_VERIFIED, _ATTESTED, _EXTENSIONS = 0x01, 0x04, 0x40, 0x80
_HEAD_BYTES = 37


@dataclass(frozen=True)
class Passkey:
    """A public key, and the SHA-256 of the credential id that names it."""

    kind: int
    credential: bytes  # 32
    key: bytes  # 32 bytes of Ed25519, or x and y of P-256


@dataclass(frozen=True)
class RelyingParty:
    """What assertions must be made for."""

    origin: str
    id_hash: bytes  # SHA-256 of the RP ID


def read_passkey(credential: bytes, algorithm: int, key: bytes) -> Passkey | None:
    """A passkey of one of the two exact encodings of section 5.3, or None."""
    digest = hashlib.sha256(credential).digest()
    if algorithm == EDDSA:
        fits = key[:10] == _ED25519_HEAD and len(key) == 42
        return Passkey(IS_ED25519, digest, key[10:]) if fits else None
    fits = key[:10] == _P256_HEAD and key[42:45] == _P256_MIDDLE and len(key) == 77
    return Passkey(IS_P256, digest, key[10:42] + key[45:]) if fits else None


def signature_holds(passkey: Passkey, message: bytes, signature: bytes) -> bool:
    """Whether a passkey signed a message. Variable time; everything is public."""
    if passkey.kind == IS_ED25519:
        return ed25519.verify(passkey.key, message, signature)
    x, y = (int.from_bytes(passkey.key[at : at + 32], "big") for at in (0, 32))
    try:
        public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        public.verify(signature, message, ec.ECDSA(SHA256()))
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def assertion_failures(
    assertion: Mapping[str, Any], passkey: Passkey, party: RelyingParty, request_hash: bytes
) -> Iterator[Failure]:
    """Rows 6 to 10 for one assertion; each failure has the row's code as its rule."""
    yield from _client_data(assertion["client-data"], party.origin, request_hash)
    data: bytes = assertion["authenticator-data"]
    if data[:32] != party.id_hash:
        yield Failure("the assertion was made for another RP ID", equation="rp-id")
    flags = data[32]
    if flags & _USER_PRESENT == 0:
        yield Failure("the user was not present", equation="user-verified")
    if flags & _USER_VERIFIED == 0:
        yield Failure("the user was not verified", equation="user-verified")
    if flags & _ATTESTED:
        yield Failure("the authenticator data hold a key", equation="user-verified")
    if (len(data) > _HEAD_BYTES) != bool(flags & _EXTENSIONS):
        yield Failure("authenticator data and their flags do not agree", equation="user-verified")
    signed = data + hashlib.sha256(assertion["client-data"]).digest()
    if not signature_holds(passkey, signed, assertion["signature"]):
        yield Failure("the passkey's signature does not hold", equation="assertion")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name is repeated")
    return members


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _client_data(data: bytes, origin: str, request_hash: bytes) -> Iterator[Failure]:
    try:
        members = json.loads(data.decode("utf-8"), object_pairs_hook=_distinct, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        yield Failure("the client data are not JSON with distinct names", equation="client-data")
        return
    if type(members) is not dict:
        yield Failure("the client data are no JSON object", equation="client-data")
        return
    if members.get("type") != "webauthn.get":
        yield Failure("the client data are of another type than webauthn.get", equation="client-data")
    if members.get("origin") != origin:
        yield Failure(f"the assertion comes from another origin than {origin}", equation="client-data")
    if members.get("crossOrigin", False) is not False or "topOrigin" in members:
        yield Failure("the assertion was made inside a page of another origin", equation="client-data")
    if members.get("challenge") != base64.urlsafe_b64encode(request_hash).rstrip(b"=").decode():
        yield Failure("the challenge is not the hash of this request", equation="challenge")
