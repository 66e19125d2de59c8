"""Tiles and entry bundles: C2SP tlog-tiles; docs/spec/02-log.md sections 3 and 4."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from crypto.log.errors import LogFormatError
from crypto.log.merkle import HASH_BYTES, MAX_SIZE, NodeReader, root_of_hashes

#: Hashes in a full tile and entries in a full bundle.
TILE_WIDTH = 256
TILE_HEIGHT = 8
TILE_BYTES = TILE_WIDTH * HASH_BYTES
#: Bundles give the length of an entry in two bytes.
MAX_ENTRY_BYTES = 65_535
#: A tree of MAX_SIZE leaves has one hash at this level and none above.
MAX_LEVEL = 6

_PATH = re.compile(
    r"tile/(?P<level>entries|[0-6])/(?P<index>(?:x[0-9]{3}/){0,4}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class TileId:
    """One tile or bundle. ``level`` is None for an entry bundle; ``width`` is below 256 for a partial one."""

    level: int | None
    index: int
    width: int = TILE_WIDTH

    @property
    def is_partial(self) -> bool:
        return self.width < TILE_WIDTH

    @property
    def end(self) -> int:
        """Smallest tree size that contains this tile."""
        return (self.index * TILE_WIDTH + self.width) << (TILE_HEIGHT * (self.level or 0))

    def path(self) -> str:
        """Path below the root of the record, with forward slashes."""
        groups = [f"{self.index % 1000:03d}"]
        rest = self.index // 1000
        while rest:
            groups.append(f"x{rest % 1000:03d}")
            rest //= 1000
        level = "entries" if self.level is None else str(self.level)
        suffix = f".p/{self.width}" if self.is_partial else ""
        return f"tile/{level}/{'/'.join(reversed(groups))}{suffix}"


def parse_tile_path(path: str) -> TileId:
    """Strict inverse of ``TileId.path``.

    Raises:
        LogFormatError: the path is not the one spelling of a tile of a tree of at most 2^48 leaves.
    """
    match = _PATH.fullmatch(path)
    if match is None:
        raise LogFormatError(f"no tile path: {path!r}")
    level = None if match["level"] == "entries" else int(match["level"])
    index = int(match["index"].replace("/", "").replace("x", ""))
    tile = TileId(level, index, int(match["width"] or TILE_WIDTH))
    if tile.path() != path or tile.end > MAX_SIZE:
        raise LogFormatError(f"no canonical tile path: {path!r}")
    return tile


def tiles_of_size(size: int) -> Iterator[TileId]:
    """All tiles and bundles of the tree of that size: every full one, and the partial ones of its right edge."""
    level: int | None
    for level in (None, *range(MAX_LEVEL + 1)):
        count = size >> (TILE_HEIGHT * (level or 0))
        for index in range(count // TILE_WIDTH):
            yield TileId(level, index)
        if count % TILE_WIDTH:
            yield TileId(level, count // TILE_WIDTH, count % TILE_WIDTH)


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """Entries one after the other, each after its length in two bytes, big-endian.

    Raises:
        ValueError: an entry is longer than 65,535 bytes.
    """
    parts: list[bytes] = []
    for position, entry in enumerate(entries):
        if len(entry) > MAX_ENTRY_BYTES:
            raise ValueError(f"entry {position} has {len(entry)} bytes, more than {MAX_ENTRY_BYTES}")
        parts.append(len(entry).to_bytes(2, "big"))
        parts.append(entry)
    return b"".join(parts)


def decode_bundle(data: bytes, width: int = TILE_WIDTH) -> list[bytes]:
    """The ``width`` entries of a bundle.

    Raises:
        LogFormatError: the bundle is truncated, or bytes follow its last entry.
    """
    entries: list[bytes] = []
    at, total = 0, len(data)
    for position in range(width):
        start = at + 2
        if start > total:
            raise LogFormatError(f"bundle ends before the length of its entry {position} of {width}", position)
        at = start + (data[start - 2] << 8 | data[start - 1])
        if at > total:
            raise LogFormatError(f"bundle ends inside its entry {position} of {width}", position)
        entries.append(data[start:at])
    if at != total:
        raise LogFormatError(f"bundle holds {total - at} bytes after its {width} entries")
    return entries


class TileFrontier:
    """A growing tree of which only the partial tiles of the right edge are kept in memory (at most 7 x 8 KiB).

    Full tiles are handed out once, in the moment they fill.
    """

    def __init__(self) -> None:
        self._size = 0
        self._levels: list[bytearray] = []

    @classmethod
    def load(cls, size: int, read_tile: Callable[[TileId], bytes]) -> TileFrontier:
        """The frontier of an existing tree, from its partial tiles (not yet checked against any root)."""
        frontier = cls()
        frontier._size = size
        for level in range(MAX_LEVEL + 1):
            count = size >> (TILE_HEIGHT * level)
            if not count:
                break
            width = count % TILE_WIDTH
            hashes = read_tile(TileId(level, count // TILE_WIDTH, width)) if width else b""
            if len(hashes) != width * HASH_BYTES:
                raise LogFormatError(f"tile of level {level} has {len(hashes)} bytes, not {width * HASH_BYTES}")
            frontier._levels.append(bytearray(hashes))
        return frontier

    @property
    def size(self) -> int:
        return self._size

    def copy(self) -> TileFrontier:
        other = TileFrontier()
        other._size = self._size
        other._levels = [bytearray(level) for level in self._levels]
        return other

    def extend(self, leaf_hashes: bytes) -> list[tuple[TileId, bytes]]:
        """Append concatenated leaf hashes; return the tiles that became full, lower levels first within a subtree."""
        full: list[tuple[TileId, bytes]] = []
        at = 0
        while at < len(leaf_hashes):
            room = TILE_BYTES - (len(self._levels[0]) if self._levels else 0)
            chunk = leaf_hashes[at : at + room]
            at += len(chunk)
            self._push(0, chunk, full)
            self._size += len(chunk) // HASH_BYTES
        return full

    def _push(self, level: int, hashes: bytes, full: list[tuple[TileId, bytes]]) -> None:
        if level == len(self._levels):
            self._levels.append(bytearray())
        edge = self._levels[level]
        edge += hashes
        if len(edge) == TILE_BYTES:
            tile = bytes(edge)
            edge.clear()
            # At this moment _size still counts the leaves before the chunk, so it names the tile being filled.
            full.append((TileId(level, self._size >> (TILE_HEIGHT * (level + 1))), tile))
            self._push(level + 1, root_of_hashes(tile), full)

    def partial_tiles(self) -> list[tuple[TileId, bytes]]:
        """The partial hash tiles of the current size."""
        return [
            (TileId(level, self._size >> (TILE_HEIGHT * (level + 1)), len(edge) // HASH_BYTES), bytes(edge))
            for level, edge in enumerate(self._levels)
            if edge
        ]

    def root(self) -> bytes:
        """Root of the current tree."""
        below = b""
        for edge in self._levels:
            if edge or below:
                below = root_of_hashes(bytes(edge) + below)
        return below or root_of_hashes(b"")


def node_reader(size: int, read_tile: Callable[[TileId], bytes]) -> NodeReader:
    """Nodes of the tree of that size out of its hash tiles, which are read once each.

    ``read_tile`` is asked for exactly the tiles of that size; what it returns is checked for length only, so a root
    computed from the nodes must be compared with a trusted one.
    """
    cache: dict[TileId, bytes] = {}

    def node(level: int, index: int) -> bytes:
        tile_level = min(level // TILE_HEIGHT, MAX_LEVEL)
        inner = level - tile_level * TILE_HEIGHT
        first = index << inner
        count = size >> (TILE_HEIGHT * tile_level)
        tile_index = first // TILE_WIDTH
        width = min(TILE_WIDTH, count - tile_index * TILE_WIDTH)
        offset = first % TILE_WIDTH
        if offset + (1 << inner) > width:
            raise ValueError(f"no node {index} of level {level} in a tree of size {size}")
        tile = TileId(tile_level, tile_index, width)
        data = cache.get(tile)
        if data is None:
            data = read_tile(tile)
            if len(data) != width * HASH_BYTES:
                raise LogFormatError(f"{tile.path()} has {len(data)} bytes, not {width * HASH_BYTES}")
            cache[tile] = data
        return root_of_hashes(data[offset * HASH_BYTES : (offset + (1 << inner)) * HASH_BYTES])

    return node
