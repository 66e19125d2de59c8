"""A record and its state in a directory, as the tests of the board build them."""

from __future__ import annotations

import shutil
from pathlib import Path

from crypto.log.checkpoint import Checkpoint
from crypto.log.cosignature import cosign
from crypto.log.merkle import hash_leaves, root_of_hashes
from crypto.log.note import Note
from evoting.board.layout import record_files
from evoting.board.store import Board
from tests.crypto.log.log_parties import LOG, NOW, WITNESSES
from tests.evoting.board.board_faults import FaultyStorage

WITNESS_KEYS = [witness.verifier for witness in WITNESSES]
ENTRIES = [b"entry %d" % i for i in range(1100)]


class Place:
    """A record and its state, opened with storage that does not wait for the disk."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.record = base / "record"
        self.state = base / "state"

    def create(self) -> Board:
        return Board.create(self.record, self.state, LOG, storage=FaultyStorage())

    def open(self, known: tuple[Note, ...] = ()) -> Board:
        return Board.open(self.record, self.state, LOG, known=known, storage=FaultyStorage())

    def files(self) -> dict[str, bytes]:
        return {name: (self.base / name).read_bytes() for name in record_files(self.base)}

    def copy(self, target: Path) -> Place:
        shutil.copytree(self.base, target)
        return Place(target)


def cosigned_publish(board: Board, time: int = NOW) -> Note:
    note = board.publish()
    return board.add_cosignatures([cosign(note.text, w, time) for w in WITNESSES[:3]], WITNESS_KEYS, time)


def finished_record(place: Place) -> Place:
    """A final record of 1,100 entries with an earlier checkpoint at 300."""
    with place.create() as board:
        board.append(ENTRIES[:300])
        cosigned_publish(board)
        board.append(ENTRIES[300:])
        board.put_blob(b"blob")
        cosigned_publish(board)
        board.prune()
    return place


def checkpoint_at(size: int, entries: list[bytes] = ENTRIES) -> Note:
    return Checkpoint(LOG.name, size, root_of_hashes(hash_leaves(entries[:size]))).sign(LOG)
