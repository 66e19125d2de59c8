"""The roll and its commitment (docs/spec/05-credentials.md section 5.2)."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from biometric_idp.errors import FormatError
from biometric_idp.files import write_atomic
from biometric_idp.schema import decode_map, require_id, require_list, require_uint
from crypto import cbor
from crypto.hashing import frame, sha, u64
from crypto.log.merkle import hash_leaves, root_of_hashes

FIRST_LINE = b"evoting-roll/v1\n"
_HEADER = frozenset({"styles", "size"})
_MAX_HEADER_BYTES = 1_048_576
_MAX_STYLES = 4096


def roll_salt(secret: bytes, position: int) -> bytes:
    """Salt of a leaf; the registrar's secret is drawn for this roll alone."""
    return hmac.digest(secret, frame(b"evoting/v1/roll-salt") + frame(u64(position)), "sha256")


def roll_leaf(salt: bytes, position: int, style: str, person: str) -> bytes:
    """The entry of the commitment's tree for one voter."""
    return sha("evoting/v1/roll-leaf", salt, u64(position), style.encode(), person.encode())


def commit_roll(secret: bytes, voters: Iterable[tuple[str, str]]) -> bytes:
    """Roll commitment over (style, person) in order of position."""
    return root_of_hashes(
        hash_leaves(
            roll_leaf(roll_salt(secret, position), position, style, person)
            for position, (style, person) in enumerate(voters)
        )
    )


@dataclass(frozen=True)
class Roll:
    """What issuers know of the roll: the ballot style at each position, and nothing about persons."""

    styles: tuple[str, ...]
    style_indices: NDArray[np.uint16]

    def __len__(self) -> int:
        return len(self.style_indices)

    def style_of(self, position: int) -> str | None:
        """The style at a position, or None beyond the roll."""
        if not 0 <= position < len(self.style_indices):
            return None
        return self.styles[int(self.style_indices[position])]

    def sizes(self) -> list[tuple[str, int]]:
        """Voters per style, in the order of styles."""
        counts = np.bincount(self.style_indices, minlength=len(self.styles))
        return [(style, int(count)) for style, count in zip(self.styles, counts, strict=True)]

    def encode(self) -> bytes:
        header = cbor.encode({"styles": list(self.styles), "size": len(self)})
        return FIRST_LINE + len(header).to_bytes(4, "big") + header + self.style_indices.astype(">u2").tobytes()


def make_roll(styles: Sequence[str], style_indices: Sequence[int] | NDArray[np.uint16]) -> Roll:
    return Roll(tuple(styles), np.asarray(style_indices, np.uint16))


def write_roll(path: Path, roll: Roll) -> None:
    write_atomic(path, roll.encode())


def read_roll(path: Path) -> Roll:
    """Strict inverse of ``write_roll``.

    Raises:
        FormatError: names the file and what is wrong with it.
    """
    data = path.read_bytes()
    start = len(FIRST_LINE)
    if not data.startswith(FIRST_LINE) or len(data) < start + 4:
        raise FormatError(f"{path}: not a roll of format {FIRST_LINE.decode().strip()}")
    length = int.from_bytes(data[start : start + 4], "big")
    stop = start + 4 + length
    if length > _MAX_HEADER_BYTES or stop > len(data):
        raise FormatError(f"{path}: truncated in its header")
    header = decode_map(data[start + 4 : stop], _HEADER, f"{path}: header", _MAX_HEADER_BYTES)
    styles = [require_id(item, f"{path}: style") for item in require_list(header["styles"], "styles", 1, _MAX_STYLES)]
    size = require_uint(header["size"], f"{path}: size")
    if len(data) - stop != 2 * size:
        raise FormatError(f"{path}: {len(data) - stop} bytes after the header are not {size} positions")
    indices = np.frombuffer(data, ">u2", offset=stop).astype(np.uint16)
    if len(set(styles)) != len(styles) or (size and int(indices.max()) >= len(styles)):
        raise FormatError(f"{path}: a style is repeated or unknown")
    return Roll(tuple(styles), indices)
