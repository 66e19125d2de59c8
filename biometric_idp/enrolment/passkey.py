"""Software passkeys: authenticators without hardware, for demonstrations, load tests and tests.

They produce byte for byte what a platform authenticator and a browser would, user verification included; a real
election meets them only as an attack that the registrar's own channel and attestation policy have to stop.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from nacl.signing import SigningKey

from biometric_idp.request import Assertion
from biometric_idp.webauthn import (
    EDDSA,
    ES256,
    USER_PRESENT,
    USER_VERIFIED,
    PublicPasskey,
    RelyingParty,
    encode_challenge,
    encode_cose_ed25519,
    encode_cose_es256,
)

_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class Passkey(Protocol):
    """A secret that signs messages, and its public half."""

    @property
    def public(self) -> PublicPasskey: ...
    def sign(self, message: bytes) -> bytes: ...


class Ed25519Passkey:
    """COSE algorithm -8. The 32-byte seed is the whole secret."""

    def __init__(self, seed: bytes, credential: bytes) -> None:
        self._key = SigningKey(seed)
        self.public = PublicPasskey(credential, EDDSA, encode_cose_ed25519(bytes(self._key.verify_key)))

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message).signature


class Es256Passkey:
    """COSE algorithm -7. The secret scalar is derived from a 32-byte seed."""

    def __init__(self, seed: bytes, credential: bytes) -> None:
        scalar = int.from_bytes(sha256(b"p256" + seed).digest(), "big") % (_P256_ORDER - 1) + 1
        self._key = ec.derive_private_key(scalar, ec.SECP256R1())
        numbers = self._key.public_key().public_numbers()
        key = encode_cose_es256(numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big"))
        self.public = PublicPasskey(credential, ES256, key)

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message, ec.ECDSA(SHA256()))


def make_assertion(
    passkey: Passkey,
    party: RelyingParty,
    challenge: bytes,
    *,
    counter: int = 0,
    flags: int = USER_PRESENT | USER_VERIFIED,
) -> Assertion:
    """What ``navigator.credentials.get`` returns for this challenge."""
    client_data = (
        f'{{"type":"webauthn.get","challenge":"{encode_challenge(challenge)}",'
        f'"origin":"{party.origin}","crossOrigin":false}}'
    ).encode()
    authenticator_data = sha256(party.rp_id.encode()).digest() + bytes([flags]) + counter.to_bytes(4, "big")
    signature = passkey.sign(authenticator_data + sha256(client_data).digest())
    return Assertion(passkey.public.credential, client_data, authenticator_data, signature)
