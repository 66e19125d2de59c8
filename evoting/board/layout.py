"""Names of the files of a record; docs/spec/02-log.md section 10."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from crypto.log.errors import LogFormatError
from crypto.log.tiles import TileId, parse_tile_path

CHECKPOINT = "checkpoint"
#: Unfinished files of a writer. No part of the record: a finished record does not have this directory.
TEMPORARY = ".tmp"

_BLOB = re.compile(r"blob/sha256/([0-9a-f]{2})/(\1[0-9a-f]{62})", re.ASCII)


@dataclass(frozen=True, slots=True)
class BlobRef:
    """A blob as entries name it: SHA-256 of its content, and its length in bytes."""

    hash: bytes
    length: int

    def path(self) -> str:
        """Path below the root of the record."""
        digest = self.hash.hex()
        return f"blob/sha256/{digest[:2]}/{digest}"


def parse_blob_path(path: str) -> bytes | None:
    """The hash in the path of a blob, or None where it is no such path."""
    match = _BLOB.fullmatch(path)
    return bytes.fromhex(match[2]) if match else None


def parse_tile(path: str) -> TileId | None:
    """The tile at this path, or None where it is no such path."""
    try:
        return parse_tile_path(path)
    except LogFormatError:
        return None


def record_files(root: Path) -> Iterator[str]:
    """Paths of all files below a record, with forward slashes, in no particular order; links are not followed."""
    stack = [root]
    while stack:
        for item in stack.pop().iterdir():
            if item.is_dir() and not item.is_symlink():
                stack.append(item)
            else:
                yield item.relative_to(root).as_posix()
