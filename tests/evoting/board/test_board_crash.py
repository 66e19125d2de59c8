"""Crash the sequencer at every system call of a small log's life, on three kinds of disk, and open it again.

Held after every crash: what was acknowledged is there, an append that was not is there whole or not at all, and no
size was ever signed with two roots, even though the entries of a lost append are replaced by others.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from crypto.log.checkpoint import decode_checkpoint_text
from crypto.log.cosignature import cosign
from crypto.log.merkle import hash_leaves, root_of_hashes
from crypto.log.note import Note, decode_note
from evoting.board.audit import audit_log
from evoting.board.blobs import describe_blob
from evoting.board.errors import BoardError, StorageFailed
from evoting.board.layout import BlobRef, record_files
from evoting.board.state import HEAD, LOCK, decode_state, tail_name
from evoting.board.store import Board
from tests.crypto.log.log_parties import LOG, NOW, POLICY, WITNESSES
from tests.evoting.board.board_faults import DISKS, KILLED, UNSYNCED_LOST, FaultyStorage, PowerFailure

pytestmark = pytest.mark.slow

WITNESS_KEYS = [witness.verifier for witness in WITNESSES]
#: Sizes of the appends; together they cross the edge of a bundle, fill several at once, and end on an edge.
BATCHES = (3, 253, 1, 300, 467)
BLOB = b"a mixed list" * 50


@pytest.fixture
def fast(tmp_path: Path) -> Iterator[Path]:
    """A directory in memory where there is one: fsync is only counted here, and thousands of files come and go."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory, prefix="board-crash-") as name:
        yield Path(name)


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
    assert trusted.checkpoint.size == len(world.acknowledged) == sum(BATCHES)
    assert root_of_hashes(hash_leaves(world.acknowledged)) == trusted.checkpoint.root
    for size, root in world.roots.items():
        assert root_of_hashes(hash_leaves(world.acknowledged[:size])) == root, "a checkpoint of another history"
    assert [name for name in record_files(world.root) if name.startswith("blob/")] == [describe_blob(BLOB).path()]
    tail = tail_name(trusted.checkpoint.size)
    assert {path.name for path in world.state.iterdir()} <= {HEAD, LOCK, tail}


def worlds(base: Path) -> Iterator[World]:
    while True:
        yield World(base / "world" / "record", base / "world" / "state")
        shutil.rmtree(base / "world")


def total_calls(fast: Path) -> int:
    storage = FaultyStorage()
    run(World(fast / "whole" / "record", fast / "whole" / "state"), storage)
    return len(storage.calls)


@pytest.mark.parametrize("disk", DISKS)
def test_O1_crash_at_every_system_call_loses_and_doubles_nothing(disk: str, fast: Path) -> None:
    points = total_calls(fast)
    assert points > 150
    for point, world in zip(range(points), worlds(fast), strict=False):
        storage = FaultyStorage(fail_at=point)
        with pytest.raises(PowerFailure):
            run(world, storage)
        world.see_files()
        storage.fail_disk(disk)
        world.see_files()
        finish(world)


@pytest.mark.parametrize("disk", [pytest.param(KILLED), pytest.param(UNSYNCED_LOST, marks=pytest.mark.full)])
def test_O1_crash_while_recovering_from_a_crash(disk: str, fast: Path) -> None:
    """Every point again, and for each the first calls of the recovery that follows."""
    for point, world in zip(range(0, total_calls(fast), 5), worlds(fast), strict=False):
        first = FaultyStorage(fail_at=point)
        with pytest.raises(PowerFailure):
            run(world, first)
        first.fail_disk(disk)
        for later in range(6):
            storage = FaultyStorage(fail_at=later)
            world.attempt += 1
            try:
                run(world, storage)
            except PowerFailure:
                storage.fail_disk(disk)
            world.see_files()
        finish(world)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_O8_failing_disk_stops_acknowledging_until_the_board_is_opened_again(code: int, fast: Path) -> None:
    points = total_calls(fast)
    for point, world in zip(range(0, points, 3), worlds(fast), strict=False):
        storage = FaultyStorage(fail_at=point, error=lambda: OSError(code, os.strerror(code)))
        with pytest.raises(OSError, match=os.strerror(code)):
            run(world, storage)
        finish(world)


def test_O8_after_a_failed_fsync_nothing_is_written_any_more(tmp_path: Path) -> None:
    storage = FaultyStorage(error=lambda: OSError(errno.EIO, "Input/output error"))
    with Board.create(tmp_path / "record", tmp_path / "state", LOG, storage=storage) as board:
        board.append([b"one"])
        board.publish()
        storage.fail_at = len(storage.calls) + 1
        with pytest.raises(OSError, match="Input/output"):
            board.append([b"two"])
        calls = len(storage.calls)
        for action in (lambda: board.append([b"three"]), lambda: board.put_blob(b"blob"), board.prune):
            with pytest.raises((StorageFailed, BoardError)):
                action()
        assert len(storage.calls) == calls
    with Board.open(tmp_path / "record", tmp_path / "state", LOG) as board:
        assert list(board.read_entries(0, board.size)) == [b"one"]


def test_refused_entry_leaves_the_board_as_it_was(tmp_path: Path) -> None:
    """The bad entry comes after whole bundles have been written; the next append writes over them."""

    def entries() -> Iterator[bytes]:
        yield from (b"entry %d" % i for i in range(700))
        yield bytes(65_536)

    with Board.create(tmp_path / "record", tmp_path / "state", LOG) as board:
        with pytest.raises(ValueError, match="65535"):
            board.append(entries())
        assert board.size == 0
        good = [b"good %d" % i for i in range(600)]
        assert board.append(good) == range(600)
        note = board.publish()
        board.add_cosignatures([cosign(note.text, witness, NOW) for witness in WITNESSES], WITNESS_KEYS, NOW)
        board.prune()
        assert list(board.read_entries(0, 600)) == good
    audit_log(tmp_path / "record", POLICY, NOW)


def test_interrupted_source_of_entries_leaves_the_board_as_it_was(tmp_path: Path) -> None:
    def entries() -> Iterator[bytes]:
        yield from [b"x"] * 300
        raise KeyboardInterrupt

    with Board.create(tmp_path / "record", tmp_path / "state", LOG) as board:
        with pytest.raises(KeyboardInterrupt):
            board.append(entries())
        assert board.append([b"y"]) == range(1)


def test_signed_checkpoint_that_did_not_reach_the_record_is_put_there_on_opening(tmp_path: Path) -> None:
    storage = FaultyStorage()
    board = Board.create(tmp_path / "record", tmp_path / "state", LOG, storage=storage)
    board.append([b"entry %d" % i for i in range(300)])
    calls = len(storage.calls)
    expected = board.publish()
    renames = [at for at, name in enumerate(storage.calls) if at >= calls and name.startswith("rename")]
    assert storage.calls[renames[-1]] == "rename file checkpoint"
    board.close()
    whole = {name: (tmp_path / "record" / name).read_bytes() for name in record_files(tmp_path / "record")}

    again = FaultyStorage(fail_at=renames[-1])
    board = Board.create(tmp_path / "again", tmp_path / "again state", LOG, storage=again)
    board.append([b"entry %d" % i for i in range(300)])
    with pytest.raises(PowerFailure):
        board.publish()
    board.close()
    assert not (tmp_path / "again" / "checkpoint").exists()
    with Board.open(tmp_path / "again", tmp_path / "again state", LOG) as board:
        assert board.published == expected
    assert {name: (tmp_path / "again" / name).read_bytes() for name in record_files(tmp_path / "again")} == whole


@pytest.mark.full
def test_O1_kill_9_at_random_moments(tmp_path: Path) -> None:
    """A real process, really killed; it acknowledges on a pipe what the next one must find."""
    program = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from evoting.board.store import Board
        from tests.crypto.log.log_parties import LOG
        base, number = Path(sys.argv[1]), sys.argv[2]
        make = Board.open if (base / "state" / "head").exists() else Board.create
        with make(base / "record", base / "state", LOG) as board:
            for i in range(10_000):
                batch = [b"%s.%d.%d" % (number.encode(), i, j) for j in range(i * 37 % 300)]
                indices = board.append(batch)
                sys.stdout.buffer.write(b"".join(b"%d %s\\n" % (at, e) for at, e in zip(indices, batch)))
                sys.stdout.flush()
                if i % 3 == 0:
                    sys.stdout.write("published " + board.publish().text.replace("\\n", " ") + "\\n")
                    sys.stdout.flush()
        """
    )
    acknowledged: dict[int, bytes] = {}
    roots: dict[str, str] = {}
    for number in range(25):
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path), str(number)],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[3],
        )
        try:
            output = process.communicate(timeout=0.4 + 0.037 * number)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            output = process.communicate()[0]
        for line in output.split(b"\n")[:-1]:
            if line.startswith(b"published "):
                _, _, size, root, _ = line.decode().split(" ")
                assert roots.setdefault(size, root) == root
            else:
                index, entry = line.split(b" ")
                assert acknowledged.setdefault(int(index), entry) == entry
    with Board.open(tmp_path / "record", tmp_path / "state", LOG) as board:
        entries = list(board.read_entries(0, board.size))
        assert acknowledged
        for at, entry in acknowledged.items():
            assert entries[at] == entry
        assert len(set(entries)) == len(entries)
