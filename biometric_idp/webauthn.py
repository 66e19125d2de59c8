"""WebAuthn assertions as issuers check them: rows 6 to 11 of docs/spec/05-credentials.md section 5.5.

Source: W3C Web Authentication Level 3, section 7.2. Pure functions; counters belong to the store.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from biometric_idp.errors import FormatError, Refused
from biometric_idp.files import unique_names
from biometric_idp.request import Assertion
from biometric_idp.signatures import signature_holds

#: COSE algorithm identifiers (RFC 9053).
ES256 = -7
EDDSA = -8

USER_PRESENT = 0x01
USER_VERIFIED = 0x04
ATTESTED_DATA = 0x40
EXTENSION_DATA = 0x80

_ED25519_PREFIX = bytes.fromhex("a4010103272006215820")
_ES256_PREFIX = bytes.fromhex("a5010203262001215820")
_ES256_MIDDLE = bytes.fromhex("225820")
_CLIENT_DATA_MUST = ("type", "challenge", "origin")


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """What assertions must be made for: the voting host's RP ID and its exact origin."""

    rp_id: str
    origin: str


@dataclass(frozen=True, slots=True)
class PublicPasskey:
    """A passkey's public half, as the enrolment log or the policy holds it."""

    credential: bytes
    algorithm: int
    key: bytes


def encode_cose_ed25519(public_key: bytes) -> bytes:
    return _ED25519_PREFIX + public_key


def encode_cose_es256(x: bytes, y: bytes) -> bytes:
    return _ES256_PREFIX + x + _ES256_MIDDLE + y


def require_cose_key(key: bytes, algorithm: int) -> None:
    """Refuse everything but the two exact encodings of section 5.3.

    Raises:
        FormatError: another algorithm or encoding.
    """
    if algorithm == EDDSA:
        fits = len(key) == 42 and key.startswith(_ED25519_PREFIX)
    elif algorithm == ES256:
        fits = len(key) == 77 and key.startswith(_ES256_PREFIX) and key[42:45] == _ES256_MIDDLE
    else:
        raise FormatError(f"COSE algorithm {algorithm} is not accepted")
    if not fits:
        raise FormatError("COSE key is not in its canonical encoding")


def passkey_signature_holds(passkey: PublicPasskey, signature: bytes, message: bytes) -> bool:
    """Whether a signature by the passkey verifies. Variable time; everything is public."""
    if passkey.algorithm == EDDSA:
        return signature_holds(passkey.key[10:], signature, message)
    try:
        numbers = ec.EllipticCurvePublicNumbers(
            int.from_bytes(passkey.key[10:42], "big"), int.from_bytes(passkey.key[45:], "big"), ec.SECP256R1()
        )
        numbers.public_key().verify(signature, message, ec.ECDSA(SHA256()))
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        return False
    return True


def check_assertion(
    assertion: Assertion, passkey: PublicPasskey, party: RelyingParty, challenge: bytes, last_counter: int
) -> int:
    """Check one assertion in the order of the specification; return its signature counter.

    Args:
        passkey: the key that the enrolment log or the policy holds for ``assertion.credential``.
        challenge: the request hash, which the caller has computed itself.
        last_counter: highest counter seen from this passkey, zero where there was none.

    Raises:
        Refused: with the code of the first row that does not hold.
    """
    _check_client_data(assertion.client_data, party.origin, challenge)
    data = assertion.authenticator_data
    if data[:32] != _rp_id_hash(party.rp_id):
        raise Refused("rp-id", "the assertion was made for another RP ID")
    flags = data[32]
    if not flags & USER_PRESENT or not flags & USER_VERIFIED:
        raise Refused("user-verified", "the user was not present and verified")
    if flags & ATTESTED_DATA or (len(data) > 37) != bool(flags & EXTENSION_DATA):
        raise Refused("user-verified", "authenticator data and its flags do not agree")
    if not passkey_signature_holds(passkey, assertion.signature, data + sha256(assertion.client_data).digest()):
        raise Refused("assertion", "the passkey's signature does not verify")
    counter = int.from_bytes(data[33:37], "big")
    if counter <= last_counter and (counter or last_counter):
        raise Refused("counter", f"signature counter {counter} does not exceed {last_counter}")
    return counter


def _check_client_data(data: bytes, origin: str, challenge: bytes) -> None:
    try:
        members = json.loads(data.decode(), object_pairs_hook=unique_names)
    except (ValueError, RecursionError):
        raise Refused("client-data", "client data are not JSON") from None
    if type(members) is not dict or any(type(members.get(name)) is not str for name in _CLIENT_DATA_MUST):
        raise Refused("client-data", "client data lack type, challenge or origin")
    if members["type"] != "webauthn.get":
        raise Refused("client-data", f"client data are of type {members['type'][:40]!r}")
    if members["origin"] != origin:
        raise Refused("client-data", f"the assertion comes from another origin: {members['origin'][:80]!r}")
    if members.get("crossOrigin", False) is not False or "topOrigin" in members:
        raise Refused("client-data", "the assertion was made in a page of another origin")
    if members["challenge"] != encode_challenge(challenge):
        raise Refused("challenge", "the challenge is not the hash of this request")


def encode_challenge(challenge: bytes) -> str:
    """Base64url without padding, as browsers write it."""
    return base64.urlsafe_b64encode(challenge).rstrip(b"=").decode()


@lru_cache(maxsize=64)
def _rp_id_hash(rp_id: str) -> bytes:
    return sha256(rp_id.encode()).digest()
