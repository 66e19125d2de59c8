"""Recognise a session that was recorded before, from keyed hashes alone.

A frame leaves two marks: a hash of its bytes, and hashes of the gradient bits of each tile around the face. Without the
key neither tells anything; with it one can only ask "was this frame here?". A recording that was compressed or scaled
anew keeps about two thirds of its tiles or more, another recording of the same portrait about an eighth (measured on
the packaged faces). One that was also shifted or cropped by some pixels is not recognised.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from biometric_idp.errors import FormatError

_TILES = 100
#: Frames of one session that are kept at most, evenly spread.
_MAX_FRAMES = 64
_MAX_EXACT = 2048
#: Share of equal tiles from which a frame counts as seen before, and share of frames that makes a replay.
_FRAME_SHARE, _SESSION_SHARE = 0.5, 0.5
_MIN_FRAMES = 5
_HEADER = struct.Struct("<HH")

Tiles = tuple[tuple[int, int], ...]


def exact_mark(key: bytes, frame: bytes) -> str:
    """Keyed hash of a frame's bytes."""
    return hashlib.blake2b(frame, key=key, digest_size=8, person=b"frame-bytes").hexdigest()


def tile_marks(key: bytes, tiles: Tiles) -> tuple[tuple[int, int], ...]:
    """Keyed hashes of a frame's tiles, 16 bits each and never zero."""
    return tuple((number, _tile_mark(key, number, bits)) for number, bits in tiles)


def _tile_mark(key: bytes, number: int, bits: int) -> int:
    data = struct.pack("<BH", number, bits)
    return int.from_bytes(hashlib.blake2b(data, key=key, digest_size=2, person=b"frame-tile").digest(), "little") or 1


@dataclass(frozen=True, slots=True, repr=False)
class SessionMarks:
    """The marks of one session.

    Attributes:
        exact: marks of bytes.
        tiles: of some frames: hash by tile number, zero where there is none; (frames, 100).
    """

    exact: frozenset[str]
    tiles: npt.NDArray[np.uint16]

    @classmethod
    def collect(cls, exact: Iterable[str], frames: list[Tiles]) -> SessionMarks:
        """From all frames of a session that show a face."""
        frames = [frame for frame in frames if frame]
        step = max(1, -(-len(frames) // _MAX_FRAMES))
        chosen = frames[::step]
        matrix = np.zeros((len(chosen), _TILES), dtype=np.uint16)
        for row, frame in enumerate(chosen):
            for number, mark in frame:
                matrix[row, number] = mark
        return cls(frozenset(exact), matrix)

    def encode(self) -> bytes:
        """A few kilobytes, to be deleted with the session's purpose."""
        exact = sorted(self.exact)[:_MAX_EXACT]
        body = _HEADER.pack(len(exact), len(self.tiles)) + bytes.fromhex("".join(exact)) + self.tiles.tobytes()
        return zlib.compress(body)

    @classmethod
    def decode(cls, data: bytes) -> SessionMarks:
        """Raises FormatError."""
        most = _HEADER.size + 8 * _MAX_EXACT + 2 * _TILES * _MAX_FRAMES
        try:
            body = zlib.decompressobj().decompress(data, most + 1)
            count, rows = _HEADER.unpack_from(body)
        except (zlib.error, struct.error):
            raise FormatError("marks of a session are damaged") from None
        stop = _HEADER.size + 8 * count
        if len(body) != stop + 2 * _TILES * rows:
            raise FormatError("marks of a session are damaged")
        exact = frozenset(body[at : at + 8].hex() for at in range(_HEADER.size, stop, 8))
        tiles = np.frombuffer(body[stop:], dtype="<u2").astype(np.uint16).reshape(rows, _TILES)
        return cls(exact, tiles)

    def repeats(self, earlier: SessionMarks) -> bool:
        """Whether this session is a recording of an earlier one.

        One equal frame is enough, because a camera's noise never repeats; or half of the frames nearly equal.
        """
        if self.exact & earlier.exact:
            return True
        if len(self.tiles) < _MIN_FRAMES or not len(earlier.tiles):
            return False
        there = earlier.tiles != 0
        found = 0
        for frame in self.tiles:
            here = frame != 0
            equal = ((earlier.tiles == frame) & here).sum(axis=1)
            either = (there | here).sum(axis=1)
            found += bool((equal >= _FRAME_SHARE * either).any())
        return found >= _SESSION_SHARE * len(self.tiles)
