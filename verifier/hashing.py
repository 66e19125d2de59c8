"""Frames, hashes and transcripts; docs/spec/01-encoding.md sections 1.2 and 1.3."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeAlias

from crypto.group.interface import ORDER

if TYPE_CHECKING:
    from collections.abc import Iterable

Part: TypeAlias = bytes | bytearray | memoryview | str | int


def u64(value: int) -> bytes:
    """Eight bytes, big-endian."""
    return value.to_bytes(8, "big")


def part_bytes(part: Part) -> bytes | bytearray | memoryview:
    """Bytes as they are, text as UTF-8, integers as ``u64``."""
    if isinstance(part, str):
        return part.encode()
    if isinstance(part, int):
        return u64(part)
    return part


def frame(part: Part) -> bytes:
    """Length and content."""
    data = part_bytes(part)
    return len(data).to_bytes(8, "big") + bytes(data)


def frames(parts: Iterable[Part]) -> bytes:
    """The frames of all parts, concatenated."""
    return b"".join(map(frame, parts))


def sha(domain: str, *parts: Part) -> bytes:
    """``sha`` of section 1.2, 32 bytes."""
    return hashlib.sha256(frame(domain) + frames(parts)).digest()


def wide(domain: str, *parts: Part) -> bytes:
    """``wide`` of section 1.2, 64 bytes."""
    return hashlib.sha512(frame(domain) + frames(parts)).digest()


def scalar(domain: str, *parts: Part) -> int:
    """``scalar`` of section 1.2, an integer below the group's order."""
    return int.from_bytes(wide(domain, *parts), "little") % ORDER


def stream(domain: str, *parts: Part, length: int) -> bytes:
    """``stream`` of section 1.2, ``length`` bytes."""
    return hashlib.shake_256(frame(domain) + frames(parts)).digest(length)


class Transcript:
    """The running SHA-512 state of section 1.3."""

    def __init__(self, domain: str) -> None:
        self._state = hashlib.sha512(frame("evoting/v1/transcript") + frame(domain))

    def append(self, label: str, data: Part) -> None:
        """Absorb a label and data."""
        self._state.update(frame(label))
        content = part_bytes(data)
        self._state.update(len(content).to_bytes(8, "big"))
        self._state.update(content)

    def challenge(self, label: str) -> int:
        """A challenge that depends on everything absorbed so far. The caller refuses zero."""
        self._state.update(frame("challenge") + frame(label))
        return int.from_bytes(self._state.digest(), "little") % ORDER

    def stream(self, label: str, length: int) -> bytes:
        """Weights that depend on everything absorbed so far."""
        self._state.update(frame("stream") + frame(label))
        prefix = frame("evoting/v1/transcript-stream") + frame(self._state.digest())
        return hashlib.shake_256(prefix).digest(length)
