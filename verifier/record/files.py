"""Files of a record directory: where each one lies, and how to read it without trusting anything about it."""

from __future__ import annotations

import hashlib
import mmap
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from verifier.record.errors import FormatError

#: Entries and hashes per tile (C2SP tlog-tiles, height 8).
TILE_WIDTH = 256
#: A bundle holds at most 256 entries of at most 65,535 bytes, each with a length of two bytes.
MAX_BUNDLE_BYTES = TILE_WIDTH * (2 + 65_535)
_HASH = 32


def _open_regular(path: Path) -> tuple[int, int]:
    """Open a regular file (never a link, pipe or device) and return descriptor and size."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "cannot be opened"
        raise FormatError(f"{path.name}: {reason}") from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise FormatError(f"{path.name}: not a regular file")
    return descriptor, status.st_size


def read_file(path: Path, limit: int) -> bytes:
    """The bytes of a regular file of at most ``limit`` bytes.

    Raises:
        FormatError: missing, not regular, longer, or unreadable.
    """
    descriptor, size = _open_regular(path)
    with os.fdopen(descriptor, "rb") as file:
        if size > limit:
            raise FormatError(f"{path.name}: {size} bytes are more than {limit}")
        try:
            data = file.read(limit + 1)
        except OSError as error:
            raise FormatError(f"{path.name}: {error.strerror}") from None
    if len(data) > limit:
        raise FormatError(f"{path.name}: grew beyond {limit} bytes while it was read")
    return data


def map_file(path: Path) -> memoryview:
    """A read-only view of a regular file of any size; pages are read as they are used.

    Raises:
        FormatError: missing, not regular, or unreadable.
    """
    descriptor, size = _open_regular(path)
    try:
        if size == 0:
            return memoryview(b"")
        return memoryview(mmap.mmap(descriptor, size, access=mmap.ACCESS_READ))
    except (OSError, ValueError) as error:
        raise FormatError(f"{path.name}: cannot be mapped: {error}") from None
    finally:
        os.close(descriptor)


def hash_file(path: Path) -> tuple[bytes, int]:
    """SHA-256 and size of a regular file, read in pieces.

    Raises:
        FormatError: as ``read_file``.
    """
    descriptor, _ = _open_regular(path)
    digest, size = hashlib.sha256(), 0
    with os.fdopen(descriptor, "rb") as file:
        try:
            while piece := file.read(1 << 20):
                digest.update(piece)
                size += len(piece)
        except OSError as error:
            raise FormatError(f"{path.name}: {error.strerror}") from None
    return digest.digest(), size


def _index_path(index: int) -> str:
    """``1234067`` becomes ``x001/x234/067``."""
    parts = [f"{index % 1000:03d}"]
    while index >= 1000:
        index //= 1000
        parts.append(f"x{index % 1000:03d}")
    return "/".join(reversed(parts))


def tile_path(level: str, index: int, width: int = TILE_WIDTH) -> str:
    """Path of a tile; ``level`` is ``entries`` or a number, ``width`` below 256 makes a partial one."""
    partial = f".p/{width}" if width < TILE_WIDTH else ""
    return f"tile/{level}/{_index_path(index)}{partial}"


def blob_path(digest: bytes) -> str:
    """Path of a blob."""
    name = digest.hex()
    return f"blob/sha256/{name[:2]}/{name}"


def tiles_of(level: str, count: int) -> Iterator[str]:
    """Paths of all tiles that hold ``count`` items of one level."""
    for index in range(count // TILE_WIDTH):
        yield tile_path(level, index)
    if count % TILE_WIDTH:
        yield tile_path(level, count // TILE_WIDTH, count % TILE_WIDTH)


def hash_levels(size: int) -> list[int]:
    """How many hashes each level of tiles holds in a log of this size."""
    levels = []
    while size:
        levels.append(size)
        size //= TILE_WIDTH
    return levels


@dataclass(frozen=True)
class LogFiles:
    """The tiles of a log of one size, in a directory."""

    root: Path
    size: int

    @property
    def bundles(self) -> int:
        """Number of entry bundles."""
        return -(-self.size // TILE_WIDTH)

    def width(self, bundle: int) -> int:
        """Number of entries in a bundle."""
        return min(TILE_WIDTH, self.size - bundle * TILE_WIDTH)

    def read_bundle(self, bundle: int) -> list[bytes]:
        """The entries of a bundle.

        Raises:
            FormatError: missing, or not exactly its number of entries.
        """
        width = self.width(bundle)
        data = read_file(self.root / tile_path("entries", bundle, width), MAX_BUNDLE_BYTES)
        entries, at = [], 0
        for _ in range(width):
            end = at + 2 + int.from_bytes(data[at : at + 2], "big")
            if end > len(data):
                raise FormatError(f"entry bundle {bundle}: truncated")
            entries.append(data[at + 2 : end])
            at = end
        if at != len(data):
            raise FormatError(f"entry bundle {bundle}: {len(data) - at} bytes after its last entry")
        return entries

    def read_hash_tile(self, level: int, index: int, width: int) -> bytes:
        """The hashes of a tile, concatenated.

        Raises:
            FormatError: missing or of another length.
        """
        data = read_file(self.root / tile_path(str(level), index, width), TILE_WIDTH * _HASH)
        if len(data) != width * _HASH:
            raise FormatError(f"hash tile {level}/{index}: {len(data)} bytes instead of {width * _HASH}")
        return data

    def expected_count(self) -> int:
        """How many files the log itself has."""
        return 1 + self.bundles + sum(-(-count // TILE_WIDTH) for count in hash_levels(self.size))

    def expected_paths(self) -> set[str]:
        """Every file of the log itself."""
        paths = {"checkpoint", *tiles_of("entries", self.size)}
        for level, count in enumerate(hash_levels(self.size)):
            paths.update(tiles_of(str(level), count))
        return paths


def walk(root: Path) -> Iterator[tuple[str, bool]]:
    """Every file below a directory as relative path, and whether it is a regular one; links are not followed."""
    pending = [""]
    while pending:
        prefix = pending.pop()
        try:
            with os.scandir(root / prefix) as listing:
                for item in listing:
                    path = f"{prefix}{item.name}"
                    if item.is_dir(follow_symlinks=False):
                        pending.append(path + "/")
                    else:
                        yield path, item.is_file(follow_symlinks=False)
        except OSError:
            yield prefix, False
