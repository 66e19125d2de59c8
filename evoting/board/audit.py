"""Check the log of a record as a whole: docs/spec/02-log.md section 12.

For the office, log witnesses and mirrors. Auditors use ``evoting-verify``, which shares no code with this.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from crypto.log.checkpoint import verify_log_signature
from crypto.log.errors import LogError
from crypto.log.merkle import hash_leaves, tree_root
from crypto.log.note import Note
from crypto.log.policy import (
    MAX_FUTURE_SKEW,
    Policy,
    TrustedCheckpoint,
    verify_checkpoint,
)
from crypto.log.tiles import TILE_WIDTH, TileFrontier, TileId, tiles_of_size
from evoting.board.errors import RecordCorrupt
from evoting.board.layout import CHECKPOINT, parse_blob_path, record_files
from evoting.board.reader import RecordReader


def audit_log(
    root: Path,
    policy: Policy,
    now: int,
    *,
    earlier: Iterable[Note] = (),
    max_future_skew: int = MAX_FUTURE_SKEW,
) -> TrustedCheckpoint:
    """Check checkpoint, file set, every entry and tile, and consistency with earlier checkpoints.

    Raises:
        LogError: the checkpoint does not fulfil the policy.
        RecordCorrupt: names the first file or earlier checkpoint that is wrong.
    """
    reader = RecordReader(root)
    trusted = verify_checkpoint(reader.checkpoint(), policy, now, max_future_skew=max_future_skew)
    head = trusted.checkpoint
    _check_files(root, head.size)
    _check_content(reader, head.size, head.root)
    nodes = reader.nodes(head.size)
    for note in earlier:
        try:
            old = verify_log_signature(note, trusted.log)
        except LogError as error:
            raise RecordCorrupt(f"earlier checkpoint: {error}") from error
        if old.size > head.size:
            raise RecordCorrupt(f"an earlier checkpoint has size {old.size}, the record only {head.size}")
        if tree_root(old.size, nodes) != old.root:
            raise RecordCorrupt(f"the record does not contain the earlier checkpoint of size {old.size}")
    return trusted


def _check_files(root: Path, size: int) -> None:
    present = set(record_files(root))
    if size // TILE_WIDTH > len(present):
        raise RecordCorrupt(f"the record has {len(present)} files, too few for {size} entries")
    wanted = {tile.path() for tile in tiles_of_size(size)} | {CHECKPOINT}
    for name in sorted(present):
        if name not in wanted and not parse_blob_path(name):
            raise RecordCorrupt(f"{name} does not belong to a record of size {size}")
        if (root / name).is_symlink() or not (root / name).is_file():
            raise RecordCorrupt(f"{name} is no regular file")
    missing = sorted(wanted - present)
    if missing:
        raise RecordCorrupt(f"{missing[0]} is missing ({len(missing)} files in all)")


def _check_content(reader: RecordReader, size: int, root: bytes) -> None:
    frontier = TileFrontier()
    for start in range(0, size, TILE_WIDTH):
        entries = reader.bundle(start // TILE_WIDTH, min(TILE_WIDTH, size - start))
        for tile, data in frontier.extend(hash_leaves(entries)):
            _check_tile(reader, tile, data)
    for tile, data in frontier.partial_tiles():
        _check_tile(reader, tile, data)
    if frontier.root() != root:
        raise RecordCorrupt(f"the {size} entries do not hash to the root of the checkpoint")


def _check_tile(reader: RecordReader, tile: TileId, expected: bytes) -> None:
    if reader.tile(tile) != expected:
        raise RecordCorrupt(f"{tile.path()} is not the hashes of what lies below it")
