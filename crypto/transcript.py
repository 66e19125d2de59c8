"""Labelled Fiat-Shamir transcript (docs/spec/01-encoding.md section 1.3)."""

from __future__ import annotations

import hashlib

from crypto.errors import InvalidProof
from crypto.group.interface import ORDER
from crypto.hashing import frame


class Transcript:
    """One running SHA-512 state that prover and verifier feed alike. The caller makes it and binds the context."""

    def __init__(self, domain: str) -> None:
        self._state = hashlib.sha512(frame(b"evoting/v1/transcript") + frame(domain.encode()))

    def append(self, label: str, data: bytes) -> None:
        """Absorb one labelled message."""
        self._state.update(frame(label.encode()) + len(data).to_bytes(8, "big"))
        self._state.update(data)

    def challenge(self, label: str) -> int:
        """A challenge in 1..ORDER-1 that depends on everything absorbed so far.

        Raises:
            InvalidProof: the challenge is zero.
        """
        self._state.update(frame(b"challenge") + frame(label.encode()))
        value = int.from_bytes(self._state.digest(), "little") % ORDER
        if value == 0:
            raise InvalidProof("transcript.zero-challenge", f"challenge {label!r} is zero")
        return value

    def stream(self, label: str, length: int) -> bytes:
        """``length`` pseudo-random bytes that depend on everything absorbed so far."""
        self._state.update(frame(b"stream") + frame(label.encode()))
        seed = frame(b"evoting/v1/transcript-stream") + frame(self._state.digest())
        return hashlib.shake_256(seed).digest(length)

    def clone(self) -> Transcript:
        """An independent copy, for a prover that must try again."""
        copy = object.__new__(Transcript)
        copy._state = self._state.copy()
        return copy
