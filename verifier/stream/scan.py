"""First pass: leaf hashes, kinds of entries, order within batches, hash tiles of level 0."""

from __future__ import annotations

import hashlib
from array import array
from dataclasses import dataclass, field

from verifier.failure import Failure
from verifier.hashing import frame, u64
from verifier.record.entries import split_voter_entry
from verifier.record.errors import FormatError
from verifier.record.files import TILE_WIDTH, LogFiles
from verifier.record.merkle import root_of

#: Kinds of entries as the scan sees them.
ROLE, BALLOT, CHALLENGE, UNREADABLE = range(4)

_ORDER_PREFIX = frame("evoting/v1/ballot-order")


@dataclass
class ScanChunk:
    """What a run of bundles gives."""

    first: int  # index of the first entry
    kinds: bytearray = field(default_factory=bytearray)
    lengths: array[int] = field(default_factory=lambda: array("H"))
    roots: list[bytes] = field(default_factory=list)  # of each bundle; the last one's may be of fewer leaves
    roles: list[tuple[int, bytes]] = field(default_factory=list)
    unsorted: list[int] = field(default_factory=list)  # entries that stand before the one they should follow
    first_order: bytes = b""  # order hash of the first entry, if it is a ballot or challenge
    last_order: bytes = b""
    unreadable: list[Failure] = field(default_factory=list)
    wrong_tiles: list[Failure] = field(default_factory=list)


def order_hash(entry: bytes) -> bytes:
    """``sha("evoting/v1/ballot-order", entry)``."""
    return hashlib.sha256(_ORDER_PREFIX + u64(len(entry)) + entry).digest()


def scan_chunk(log: LogFiles, bundles: tuple[int, int]) -> ScanChunk:
    """Scan bundles ``[start, end)``; hostile bytes become data."""
    chunk = ScanChunk(bundles[0] * TILE_WIDTH)
    for bundle in range(*bundles):
        try:
            entries = log.read_bundle(bundle)
        except FormatError as error:
            width = log.width(bundle)
            chunk.unreadable.append(Failure(str(error), entry=bundle * TILE_WIDTH))
            chunk.kinds += bytes([UNREADABLE]) * width
            chunk.lengths.extend([0] * width)
            chunk.roots.append(b"")
            chunk.last_order = b""
            continue
        leaves = [hashlib.sha256(b"\x00" + entry).digest() for entry in entries]
        chunk.roots.append(root_of(leaves))
        _compare_tile(log, bundle, leaves, chunk)
        for index, entry in enumerate(entries, bundle * TILE_WIDTH):
            _classify(entry, index, chunk)
    return chunk


def _compare_tile(log: LogFiles, bundle: int, leaves: list[bytes], chunk: ScanChunk) -> None:
    try:
        tile = log.read_hash_tile(0, bundle, len(leaves))
    except FormatError as error:
        chunk.wrong_tiles.append(Failure(str(error), entry=bundle * TILE_WIDTH))
        return
    for offset, leaf in enumerate(leaves):
        if tile[32 * offset : 32 * offset + 32] != leaf:
            chunk.wrong_tiles.append(
                Failure(f"hash tile 0/{bundle} holds another hash for this entry", entry=bundle * TILE_WIDTH + offset)
            )


def _classify(entry: bytes, index: int, chunk: ScanChunk) -> None:
    voter = split_voter_entry(entry)
    chunk.lengths.append(len(entry))
    if voter is None:
        chunk.kinds.append(ROLE)
        chunk.roles.append((index, entry))
        chunk.last_order = b""
        return
    chunk.kinds.append(BALLOT if voter.type == "ballot" else CHALLENGE)
    order = order_hash(entry)
    if index == chunk.first:
        chunk.first_order = order
    if chunk.last_order and order < chunk.last_order:
        chunk.unsorted.append(index)
    chunk.last_order = order


@dataclass
class Scan:
    """The whole log as the first pass saw it."""

    kinds: bytearray = field(default_factory=bytearray)
    lengths: array[int] = field(default_factory=lambda: array("H"))
    roots: list[bytes] = field(default_factory=list)
    roles: list[tuple[int, bytes]] = field(default_factory=list)
    unsorted: list[int] = field(default_factory=list)
    unreadable: list[Failure] = field(default_factory=list)
    wrong_tiles: list[Failure] = field(default_factory=list)
    _last_order: bytes = b""

    def add(self, chunk: ScanChunk) -> None:
        """Append the next chunk."""
        if self._last_order and chunk.first_order and chunk.first_order < self._last_order:
            self.unsorted.append(chunk.first)
        self._last_order = chunk.last_order
        self.kinds += chunk.kinds
        self.lengths += chunk.lengths
        self.roots += chunk.roots
        self.roles += chunk.roles
        self.unsorted += chunk.unsorted
        self.unreadable += chunk.unreadable
        self.wrong_tiles += chunk.wrong_tiles


def bundle_runs(log: LogFiles, entries_per_chunk: int) -> list[tuple[int, int]]:
    """Cut the log into runs of whole bundles."""
    step = max(1, entries_per_chunk // TILE_WIDTH)
    return [(start, min(start + step, log.bundles)) for start in range(0, log.bundles, step)]
