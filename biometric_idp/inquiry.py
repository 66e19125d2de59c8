"""Position inquiries: the identity provider's word that a person asks about their own roll position (section 5.7)."""

from __future__ import annotations

from dataclasses import dataclass

from nacl.signing import SigningKey

from biometric_idp.request import MAX_DATE
from biometric_idp.schema import decode_map, require_bytes, require_uint
from biometric_idp.signatures import frames_signature_holds, sign_frames
from crypto import cbor
from crypto.hashing import u64

INQUIRY_DOMAIN = "evoting/v1/position-inquiry"
#: Who is asked, where it is the registrar and not an issuer.
REGISTRAR = 0
MAX_INQUIRY_BYTES = 1024
_MEMBERS = frozenset({"fingerprint", "issuer", "position", "date", "signature"})


@dataclass(frozen=True, slots=True)
class PositionInquiry:
    """A person asks ``issuer`` about their own position. Date: days since 1970-01-01."""

    fingerprint: bytes
    issuer: int
    position: int
    date: int
    signature: bytes

    def encode(self) -> bytes:
        return cbor.encode(
            {
                "fingerprint": self.fingerprint,
                "issuer": self.issuer,
                "position": self.position,
                "date": self.date,
                "signature": self.signature,
            }
        )

    def holds(self, identity_provider: bytes) -> bool:
        """Whether the identity provider with this key signed it. Everything else is for the caller to judge."""
        parts = _parts(self.fingerprint, self.issuer, self.position, self.date)
        return frames_signature_holds(identity_provider, self.signature, INQUIRY_DOMAIN, *parts)


def sign_inquiry(key: SigningKey, fingerprint: bytes, issuer: int, position: int, date: int) -> PositionInquiry:
    """By the identity provider, for a person who has signed in and has this position."""
    signature = sign_frames(key, INQUIRY_DOMAIN, *_parts(fingerprint, issuer, position, date))
    return PositionInquiry(fingerprint, issuer, position, date, signature)


def decode_inquiry(data: bytes) -> PositionInquiry:
    """Strict inverse of ``PositionInquiry.encode``.

    Raises:
        FormatError: says which member is malformed.
    """
    members = decode_map(data, _MEMBERS, "inquiry", MAX_INQUIRY_BYTES)
    return PositionInquiry(
        require_bytes(members["fingerprint"], "fingerprint", 32),
        require_uint(members["issuer"], "issuer"),
        require_uint(members["position"], "position"),
        require_uint(members["date"], "date", MAX_DATE),
        require_bytes(members["signature"], "signature", 64),
    )


def _parts(fingerprint: bytes, issuer: int, position: int, date: int) -> tuple[bytes, ...]:
    return fingerprint, u64(issuer), u64(position), u64(date)
