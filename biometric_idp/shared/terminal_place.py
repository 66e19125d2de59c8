"""What an officer's passkey signs to learn where a voter at a terminal stands on the roll (section 5.4)."""

from __future__ import annotations

from hashlib import sha256

from crypto.hashing import frames, u64

PLACE_DOMAIN = "evoting/v1/terminal-place"


def place_challenge(fingerprint: bytes, pin: str, date: int) -> bytes:
    """WebAuthn challenge. Date: days since 1970-01-01."""
    return sha256(frames(PLACE_DOMAIN, (fingerprint, pin.encode(), u64(date)))).digest()
