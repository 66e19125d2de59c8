"""Inquiries: the identity provider's word that a person may ask about their own roll position (section 5.7).

Issuer 0 is the registrar, who answers about the roll; issuers 1..m answer about their ledgers.
"""

from __future__ import annotations

from dataclasses import dataclass

from nacl.signing import SigningKey

from biometric_idp.request import MAX_DATE
from biometric_idp.schema import decode_map, require_bytes, require_uint
from biometric_idp.signatures import frames_signature_holds, sign_frames
from crypto import cbor
from crypto.hashing import u64

INQUIRY_DOMAIN = "evoting/v1/position-inquiry"
_INQUIRY = frozenset({"fingerprint", "issuer", "position", "date", "signature"})


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Who may ask whom about which position, and on which day (days since 1970-01-01)."""

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

    def holds(self, public_key: bytes) -> bool:
        """Whether the identity provider with this key signed the inquiry."""
        parts = _parts(self.fingerprint, self.issuer, self.position, self.date)
        return frames_signature_holds(public_key, self.signature, INQUIRY_DOMAIN, *parts)


def sign_inquiry(key: SigningKey, fingerprint: bytes, issuer: int, position: int, date: int) -> Inquiry:
    signature = sign_frames(key, INQUIRY_DOMAIN, *_parts(fingerprint, issuer, position, date))
    return Inquiry(fingerprint, issuer, position, date, signature)


def decode_inquiry(data: bytes) -> Inquiry:
    """Strict inverse of ``Inquiry.encode``.

    Raises:
        FormatError: says which member is malformed.
    """
    members = decode_map(data, _INQUIRY, "inquiry", 1024)
    return Inquiry(
        require_bytes(members["fingerprint"], "fingerprint", 32),
        require_uint(members["issuer"], "issuer"),
        require_uint(members["position"], "position"),
        require_uint(members["date"], "date", MAX_DATE),
        require_bytes(members["signature"], "signature", 64),
    )


def _parts(fingerprint: bytes, issuer: int, position: int, date: int) -> tuple[bytes, ...]:
    return fingerprint, u64(issuer), u64(position), u64(date)
