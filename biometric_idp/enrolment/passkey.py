"""Software passkeys: authenticators without hardware, for demonstrations, load tests and tests.

They produce byte for byte what a platform authenticator and a browser would, user verification included; a real
election meets them only as an attack that the registrar's own channel and attestation policy have to stop.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from nacl.signing import SigningKey

from biometric_idp.request import Assertion
from biometric_idp.shared.fields import encode_base64url
from biometric_idp.webauthn import (
    ATTESTED_DATA,
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
from crypto import cbor

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


def assertion_json(assertion: Assertion) -> dict[str, object]:
    """The assertion as ``AuthenticationResponseJSON``, which is how pages send it."""
    id_ = encode_base64url(assertion.credential)
    return {
        "id": id_,
        "rawId": id_,
        "type": "public-key",
        "response": {
            "clientDataJSON": encode_base64url(assertion.client_data),
            "authenticatorData": encode_base64url(assertion.authenticator_data),
            "signature": encode_base64url(assertion.signature),
        },
        "clientExtensionResults": {},
    }


@dataclass(frozen=True, slots=True)
class Attestor:
    """A manufacturer's attestation key, and its certificates in DER from the leaf upwards without the root."""

    key: ec.EllipticCurvePrivateKey
    chain: tuple[bytes, ...]


def make_registration(
    passkey: Passkey,
    party: RelyingParty,
    challenge: bytes,
    *,
    attestation: str = "none",
    attestor: Attestor | None = None,
    aaguid: bytes = bytes(16),
    counter: int = 0,
    flags: int = USER_PRESENT | USER_VERIFIED,
    key: bytes | None = None,
) -> dict[str, object]:
    """What ``navigator.credentials.create`` returns, as ``RegistrationResponseJSON``.

    Args:
        attestation: ``none``; or ``packed``, signed by the attestor, and by the passkey itself where there is none.
        key: the COSE key to show, where it is not the passkey's own encoding.
    """
    public = passkey.public
    client_data = (
        f'{{"type":"webauthn.create","challenge":"{encode_challenge(challenge)}",'
        f'"origin":"{party.origin}","crossOrigin":false}}'
    ).encode()
    authenticator_data = b"".join(
        (
            sha256(party.rp_id.encode()).digest(),
            bytes([flags | ATTESTED_DATA]),
            counter.to_bytes(4, "big"),
            aaguid,
            len(public.credential).to_bytes(2, "big"),
            public.credential,
            public.key if key is None else key,
        )
    )
    statement: dict[str, object] = {}
    if attestation == "packed":
        signed = authenticator_data + sha256(client_data).digest()
        if attestor is None:
            statement = {"alg": public.algorithm, "sig": passkey.sign(signed)}
        else:
            signature = attestor.key.sign(signed, ec.ECDSA(SHA256()))
            statement = {"alg": ES256, "sig": signature, "x5c": list(attestor.chain)}
    parts = {"fmt": attestation, "attStmt": statement, "authData": authenticator_data}
    id_ = encode_base64url(public.credential)
    return {
        "id": id_,
        "rawId": id_,
        "type": "public-key",
        "response": {
            "clientDataJSON": encode_base64url(client_data),
            "attestationObject": encode_base64url(cbor.encode(parts)),
            "transports": ["internal"],
        },
        "clientExtensionResults": {},
    }
