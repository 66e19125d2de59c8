"""A log in a database: order under concurrent writers, heads that only grow, and old databases that are noticed."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path

import pytest
from nacl.signing import SigningKey
from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from biometric_idp.errors import FormatError
from biometric_idp.logs.entries import EntryLog
from biometric_idp.logs.errors import LogDamaged, StaleLog
from biometric_idp.logs.models import log_entries, log_states, log_tiles, metadata
from biometric_idp.logs.online import OnlineLog
from biometric_idp.signatures import note_verifier
from crypto.log.checkpoint import Checkpoint, verify_log_signature
from crypto.log.merkle import hash_leaf, hash_leaves, root_of_hashes, verify_consistency, verify_inclusion
from crypto.log.note import decode_note
from services.database import open_engine, transaction

pytestmark = pytest.mark.slow

ORIGIN = "elections.example/2030/log/ledger/1"
KEY = SigningKey(sha256(b"log").digest())
NOW = 1_800_000_000


def entry(index: int) -> bytes:
    return f"entry {index}".encode() * 3


def opened(engine: Engine, head_file: Path | None = None) -> OnlineLog:
    metadata.create_all(engine)
    return OnlineLog(engine, ORIGIN, KEY, head_file=head_file)


def add(log: EntryLog, *indices: int) -> int:
    return transaction(log.engine, lambda connection: log.append(connection, [entry(index) for index in indices]))


def decoded(note: str) -> Checkpoint:
    return verify_log_signature(decode_note(note.encode()), note_verifier(bytes(KEY.verify_key), ORIGIN))


@pytest.mark.parametrize("sizes", [(0, 1, 2), (255, 1, 1), (256, 300), (700, 0, 70_000)])
def test_checkpoints_are_those_of_the_entries_and_each_extends_the_one_before(
    engine: Engine, sizes: tuple[int, ...]
) -> None:
    log = opened(engine)
    assert log.checkpoint() is None
    total, before = 0, decoded(log.publish(NOW))
    leaves = hash_leaves(entry(index) for index in range(sum(sizes)))
    for count in sizes:
        assert add(log, *range(total, total + count)) == total
        total += count
        after = decoded(log.publish(NOW))
        assert (after.size, after.root) == (total, root_of_hashes(leaves[: 32 * total]))
        assert log.checkpoint() is not None
        proof = log.consistency_proof(before.size, after.size)
        verify_consistency(before.size, before.root, after.size, after.root, proof)
        before = after
    assert list(log.entries(0, total)) == [entry(index) for index in range(total)]
    for index in {0, total // 2, total - 1}:
        verify_inclusion(hash_leaf(entry(index)), index, total, log.inclusion_proof(index, total), before.root)
    # Another process goes on from what is durable, and signs the same bytes.
    assert OnlineLog(engine, ORIGIN, KEY).publish(NOW + 9) == log.checkpoint()
    width = min(total, 256)
    assert log.hash_tile(0, 0, width) == leaves[: 32 * width]
    assert log.hash_tile(0, total // 256, total % 256 + 1) is None


def test_tiles_beyond_the_published_size_are_not_shown(engine: Engine) -> None:
    log = opened(engine)
    add(log, *range(300))
    log.publish(NOW)
    add(log, *range(300, 600))
    log.sign()
    assert log.hash_tile(0, 1, 44) is not None
    assert log.hash_tile(0, 1, 45) is None
    assert log.hash_tile(1, 0, 1) == root_of_hashes(hash_leaves(entry(index) for index in range(256)))
    assert log.hash_tile(1, 0, 2) is None


def _append_many(database: str, worker: int, rounds: int) -> None:
    log = EntryLog(open_engine(database), ORIGIN)
    for number in range(rounds):
        entries = [f"{worker} {number} {index}".encode() for index in range(number % 5 + 1)]

        def work(connection: Connection, entries: list[bytes] = entries, number: int = number) -> None:
            log.append(connection, entries)
            if number % 7 == 3:
                raise RuntimeError

        try:
            transaction(log.engine, work)
        except RuntimeError:
            continue


def test_order_is_gap_free_and_checkpoints_are_prefixes_while_processes_append(engine: Engine, database: str) -> None:
    """Four processes append, and abort at times, while heads are signed: each head is a prefix of all later ones."""
    log = opened(engine)
    context = get_context("spawn")
    processes = [context.Process(target=_append_many, args=(database, worker, 60)) for worker in range(4)]
    for process in processes:
        process.start()
    seen = [decoded(log.publish(NOW))]
    while any(process.is_alive() for process in processes):
        head = decoded(log.publish(NOW))
        if head.size > seen[-1].size:
            seen.append(head)
    for process in processes:
        process.join()
        assert process.exitcode == 0
    seen.append(decoded(log.publish(NOW)))
    expected = 4 * sum(number % 5 + 1 for number in range(60) if number % 7 != 3)
    entries = list(log.entries(0, seen[-1].size))
    assert len(entries) == len(set(entries)) == expected
    leaves = hash_leaves(entries)
    assert len(seen) > 3
    assert [head.root for head in seen] == [root_of_hashes(leaves[: 32 * head.size]) for head in seen]
    # Every worker's own order is kept.
    for worker in range(4):
        own = [tuple(map(int, item.split())) for item in entries if item.startswith(f"{worker} ".encode())]
        assert own == sorted(own)


def test_a_writer_that_goes_around_the_lock_fails(engine: Engine) -> None:
    log = opened(engine)
    add(log, 0, 1)
    row = {"log": log.log, "position": 1, "entry": b"other", "leaf": hash_leaf(b"other")}
    with pytest.raises(IntegrityError):
        transaction(engine, lambda connection: connection.execute(insert(log_entries), [row]))


def test_two_logs_in_one_database_do_not_meet(engine: Engine) -> None:
    first = opened(engine)
    second = OnlineLog(engine, "elections.example/2031/log/ledger/1", KEY)
    add(first, 0, 1, 2)
    add(second, 7)
    assert decoded(first.publish(NOW)).size == 3
    assert list(second.entries(0, 1)) == [entry(7)]


@pytest.fixture(name="sqlite_log")
def fixture_sqlite_log(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "log.sqlite", tmp_path / "elsewhere-head"


def _copy(source: Path, target: Path) -> None:
    """An operator's back-up."""
    target.unlink(missing_ok=True)
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


@pytest.mark.parametrize("regrown", [0, 1, 5])
def test_O2_L3_an_old_database_signs_nothing(sqlite_log: tuple[Path, Path], regrown: int) -> None:
    """Restored from a copy that is one entry behind; then it grows again, to the same size and beyond, otherwise."""
    path, head_file = sqlite_log
    engine = open_engine(str(path))
    log = opened(engine, head_file)
    add(log, 0, 1, 2)
    log.publish(NOW)
    _copy(path, path.with_name("backup"))
    add(log, 3)
    log.publish(NOW)
    engine.dispose()
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    shutil.copy(path.with_name("backup"), path)
    engine = open_engine(str(path))
    restored = OnlineLog(engine, ORIGIN, KEY, head_file=head_file)
    add(restored, *range(100, 100 + regrown))
    before = restored.checkpoint()
    with pytest.raises((StaleLog, LogDamaged)):
        restored.publish(NOW)
    assert restored.checkpoint() == before
    with pytest.raises((StaleLog, LogDamaged)):
        restored.sign()


def test_a_damaged_head_file_is_not_taken_for_a_missing_one(sqlite_log: tuple[Path, Path]) -> None:
    path, head_file = sqlite_log
    log = opened(open_engine(str(path)), head_file)
    add(log, 0)
    log.publish(NOW)
    head_file.write_bytes(head_file.read_bytes()[:-9])
    add(log, 1)
    with pytest.raises(FormatError, match="elsewhere-head"):
        log.publish(NOW)


def _flip_tile(log: EntryLog, connection: Connection) -> None:
    table = log_tiles.c
    place = (table.log == log.log, table.level == 0, table.position == 1)
    hashes = connection.execute(select(table.hashes).where(*place)).scalar_one()
    connection.execute(update(log_tiles).where(*place).values(hashes=bytes([hashes[0] ^ 1]) + hashes[1:]))


def _drop_entry(log: EntryLog, connection: Connection) -> None:
    table = log_entries.c
    connection.execute(delete(log_entries).where(table.log == log.log, table.position == 301))


def _shrink(log: EntryLog, connection: Connection) -> None:
    connection.execute(update(log_states).where(log_states.c.log == log.log).values(tree_size=999))


@pytest.mark.parametrize("damage", [_flip_tile, _drop_entry, _shrink])
def test_L6_a_database_that_was_tampered_with_signs_nothing(
    engine: Engine, damage: Callable[[EntryLog, Connection], None]
) -> None:
    log = opened(engine)
    add(log, *range(300))
    log.publish(NOW)
    add(log, *range(300, 303))
    transaction(engine, lambda connection: damage(log, connection))
    with pytest.raises(LogDamaged):
        log.publish(NOW)


def _sign_and_die(database: str, head_file: Path, point: str) -> None:
    def probe(reached: str) -> None:
        if reached == point:
            os._exit(9)

    OnlineLog(open_engine(database), ORIGIN, KEY, head_file=head_file, probe=probe).publish(NOW)


@pytest.mark.parametrize("point", ["before-sign", "after-sign", "after-publish"])
def test_killed_while_signing_the_log_goes_on_with_the_same_head(
    engine: Engine, database: str, tmp_path: Path, point: str
) -> None:
    head_file = tmp_path / "head"
    log = opened(engine, head_file)
    add(log, *range(10))
    process = get_context("spawn").Process(target=_sign_and_die, args=(database, head_file, point))
    process.start()
    process.join(60)
    assert process.exitcode == 9
    signed = head_file.read_text()
    assert (log.checkpoint() is None) == (point != "after-publish")
    assert log.publish(NOW) == signed
    add(log, 10)
    assert decoded(log.publish(NOW)).size == 11
