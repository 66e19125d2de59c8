"""Crash the sequencer at every system call of a small log's life, on three kinds of disk, and open it again (O1, O2, O8).

Held after every crash: what was acknowledged is there, an append that was not is there whole or not at all, and no
size was ever signed with two roots, even though the entries of a lost append are replaced by others.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from crypto.log.checkpoint import decode_checkpoint_text
from crypto.log.cosignature import cosign
from crypto.log.note import Note, decode_note
from evoting.board.audit import audit_log
from evoting.board.errors import BoardError, StorageFailed
from evoting.board.layout import BlobRef, record_files
from evoting.board.state import HEAD, decode_state
from evoting.board.store import Board
from tests.crypto.log.log_parties import LOG, NOW, POLICY, WITNESSES
from tests.evoting.board.board_faults import DISKS, KILLED, FaultyStorage, PowerFailure

WITNESS_KEYS = [witness.verifier for witness in WITNESSES]
#: Sizes of the appends; together they cross the edge of a bundle, fill several at once, and end on an edge.
BATCHES = (3, 253, 1, 300, 467)
BLOB = b"a mixed list" * 50


@dataclass
class World:
    """Disk and memory of everybody outside the sequencer."""

    root: Path
    state: Path
    acknowledged: list[bytes] = field(default_factory=list)
    blobs: list[BlobRef] = field(default_factory=list)
    roots: dict[int, bytes] = field(default_factory=dict)
    attempt: int = 0

    def see(self, note: Note) -> None:
        checkpoint = decode_checkpoint_text(note.text)
        assert self.roots.setdefault(checkpoint.size, checkpoint.root) == checkpoint.root, "two roots for one size"

    def see_files(self) -> None:
        """What a mirror, or a thief of the state directory, can see at any time."""
        if (self.root / "checkpoint").exists():
            self.see(decode_note((self.root / "checkpoint").read_bytes()))
        if (self.state / HEAD).exists():
            signed = decode_state((self.state / HEAD).read_bytes()).signed
            if signed:
                self.see(signed)


def open_board(world: World, storage: FaultyStorage) -> Board:
    if (world.state / HEAD).exists():
        return Board.open(world.root, world.state, LOG, storage=storage)
    return Board.create(world.root, world.state, LOG, storage=storage)


def run(world: World, storage: FaultyStorage) -> None:
    """Bring the log from wherever it stands to the end of its life."""
    board = open_board(world, storage)
    try:
        check(world, board)
        done = 0
        for number, count in enumerate(BATCHES):
            done += count
            if board.size < done:
                assert board.size == done - count, "part of an append"
                batch = [b"%d.%d attempt %d" % (number, i, world.attempt) for i in range(count)]
                assert board.append(iter(batch)) == range(done - count, done)
                world.acknowledged += batch
            if number == 1:
                world.blobs.append(board.put_blob(BLOB))
            if number != 3:  # one append stays unpublished until the next
                note = board.publish()
                world.see(note)
                lines = [cosign(note.text, witness, NOW) for witness in WITNESSES[:3]]
                board.add_cosignatures(lines, WITNESS_KEYS, NOW)
        board.prune()
    finally:
        board.close()


def check(world: World, board: Board) -> None:
    present = list(board.read_entries(0, board.size))
    done = len(world.acknowledged)
    assert present[:done] == world.acknowledged, "an acknowledged entry is lost or changed"
    if len(present) > done:
        # The append that was under way took effect whole; the caller learns it from the size.
        sizes = [sum(BATCHES[: number + 1]) for number in range(len(BATCHES))]
        assert len(present) in sizes
        assert sizes.index(len(present)) == (sizes.index(done) + 1 if done else 0)
        world.acknowledged = present
    for ref in world.blobs:
        assert board.get_blob(ref) == BLOB
    if board.published:
        world.see(board.published)
        head = board.head
        assert head is not None
        assert decode_checkpoint_text(board.published.text) == head


def finish(world: World) -> None:
    world.attempt += 1
    run(world, FaultyStorage())
    world.see_files()
    trusted = audit_log(world.root, POLICY, NOW)
    assert trusted.checkpoint.size == sum(BATCHES)
    assert len(world.acknowledged) == sum(BATCHES)
    assert {path for path in record_files(world.root) if path.startswith("blob/")} == {BlobRef_of_blob().path()}
    assert not [path for path in world.state.iterdir() if path.name not in ("head", "lock") and "tail" not in path.name]
    for size, root in world.roots.items():
        board_root = trusted.checkpoint.root if size == trusted.checkpoint.size else None
        assert board_root in (None, root)


def BlobRef_of_blob() -> BlobRef:
    from evoting.board.blobs import describe_blob

    return describe_blob(BLOB)


def worlds(tmp_path: Path) -> Iterator[World]:
    number = 0
    while True:
        yield World(tmp_path / str(number) / "record", tmp_path / str(number) / "state")
        number += 1


def total_calls(tmp_path: Path) -> int:
    storage = FaultyStorage()
    run(World(tmp_path / "whole" / "record", tmp_path / "whole" / "state"), storage)
    return len(storage.calls)


@pytest.mark.parametrize("disk", DISKS)
def test_O1_crash_at_every_system_call_loses_and_doubles_nothing(disk: str, tmp_path: Path) -> None:
    points = total_calls(tmp_path)
    assert points > 150
    for point, world in zip(range(points), worlds(tmp_path), strict=False):
        storage = FaultyStorage(fail_at=point)
        with pytest.raises(PowerFailure):
            run(world, storage)
        world.see_files()
        storage.fail_disk(disk)
        world.see_files()
        finish(world)
