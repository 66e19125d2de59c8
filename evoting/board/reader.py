"""Reading a record: checkpoint, tiles, entries and proofs. Nothing here writes, and nothing read is trusted."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from crypto.log.checkpoint import decode_checkpoint_text
from crypto.log.errors import LogFormatError
from crypto.log.merkle import HASH_BYTES, NodeReader, prove_consistency, prove_inclusion
from crypto.log.note import MAX_NOTE_BYTES, Note, decode_note
from crypto.log.proof import InclusionReceipt
from crypto.log.tiles import (
    MAX_ENTRY_BYTES,
    TILE_WIDTH,
    TileId,
    decode_bundle,
    node_reader,
)
from evoting.board.errors import RecordCorrupt
from evoting.board.layout import CHECKPOINT, BlobRef

_MAX_BUNDLE_BYTES = TILE_WIDTH * (2 + MAX_ENTRY_BYTES)
_MAX_TILE_BYTES = TILE_WIDTH * HASH_BYTES


class RecordReader:
    """A record directory. Trees are named by their size, so one reader can serve several checkpoints."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def checkpoint(self) -> Note:
        """The checkpoint with all its signatures, unverified.

        Raises:
            RecordCorrupt: it is missing or malformed.
        """
        try:
            return decode_note(self._read(CHECKPOINT, MAX_NOTE_BYTES))
        except LogFormatError as error:
            raise RecordCorrupt(f"{CHECKPOINT}: {error}") from error

    def tile(self, tile: TileId) -> bytes:
        """Bytes of a hash tile. Where a partial tile is gone because the tile has grown, the full one answers."""
        source = self._existing(tile)
        data = self._read(source.path(), _MAX_TILE_BYTES)
        if len(data) != source.width * HASH_BYTES:
            raise RecordCorrupt(f"{source.path()} has {len(data)} bytes, not {source.width * HASH_BYTES}")
        return data[: tile.width * HASH_BYTES]

    def bundle(self, index: int, width: int = TILE_WIDTH) -> list[bytes]:
        """The first ``width`` entries of a bundle."""
        source = self._existing(TileId(None, index, width))
        try:
            return decode_bundle(self._read(source.path(), _MAX_BUNDLE_BYTES), source.width)[:width]
        except LogFormatError as error:
            raise RecordCorrupt(f"{source.path()}: {error}") from error

    def entries(self, start: int, stop: int, size: int) -> Iterator[bytes]:
        """Entries ``start`` to ``stop - 1`` of the tree of that size, one bundle in memory at a time."""
        if not 0 <= start <= stop <= size:
            raise ValueError(f"no entries {start} to {stop} in a log of size {size}")
        for index in range(start // TILE_WIDTH, -(-stop // TILE_WIDTH)):
            first = index * TILE_WIDTH
            entries = self.bundle(index, min(TILE_WIDTH, size - first))
            yield from entries[max(start - first, 0) : stop - first]

    def nodes(self, size: int) -> NodeReader:
        """Node reader over the hash tiles of the tree of that size."""
        return node_reader(size, self.tile)

    def consistency_proof(self, old_size: int, new_size: int) -> tuple[bytes, ...]:
        return prove_consistency(old_size, new_size, self.nodes(new_size))

    def receipt(self, index: int, extra: bytes = b"") -> InclusionReceipt:
        """Receipt for an entry under the record's current checkpoint."""
        note = self.checkpoint()
        size = decode_checkpoint_text(note.text).size
        return InclusionReceipt(index, prove_inclusion(index, size, self.nodes(size)), note, extra)

    def blob(self, ref: BlobRef) -> bytes:
        """Content of a blob, checked against its hash and length.

        Raises:
            RecordCorrupt: it is missing, or its content is not what the reference names.
        """
        data = self._read(ref.path(), ref.length)
        if len(data) != ref.length or sha256(data).digest() != ref.hash:
            raise RecordCorrupt(f"{ref.path()} is not the blob of {ref.length} bytes that its name says")
        return data

    def _existing(self, tile: TileId) -> TileId:
        if tile.is_partial and not (self.root / tile.path()).exists():
            return TileId(tile.level, tile.index)
        return tile

    def _read(self, path: str, limit: int) -> bytes:
        """A whole file of at most ``limit`` bytes."""
        try:
            with (self.root / path).open("rb") as file:
                data = file.read(limit + 1)
        except OSError as error:
            raise RecordCorrupt(f"{path} cannot be read: {error.strerror}") from error
        if len(data) > limit:
            raise RecordCorrupt(f"{path} has more than {limit} bytes")
        return data
