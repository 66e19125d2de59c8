"""The issuer's store on both databases: constraint, order, audit chain, several processes of one issuer."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from biometric_idp.enrolment.log import Enrolment
from biometric_idp.enrolment.passkey import Ed25519Passkey, Passkey, make_assertion
from biometric_idp.errors import StateError
from biometric_idp.issuer.checks import DAY, counter_id
from biometric_idp.issuer.models import MIGRATIONS, SERVICE, counters, enrolments, ledger, meta, metadata, refusals
from biometric_idp.issuer.store import IssuerStore, NoStore, create_store
from biometric_idp.logs.models import log_entries
from biometric_idp.logs.models import metadata as log_metadata
from biometric_idp.request import Answer, Refusal
from crypto import cbor
from services.database import open_engine, reading, transaction
from services.migrations import differences, upgrade
from tests.biometric_idp.world import NOW, PARTY, World, passkey, refused


@pytest.fixture(name="world")
def fixture_world(tmp_path: Path, database: str) -> World:
    return World(tmp_path, databases={1: database})


def test_revisions_make_the_tables_of_the_models(database: str) -> None:
    engine = open_engine(database)
    upgrade(engine, MIGRATIONS, SERVICE)
    upgrade(engine, MIGRATIONS, SERVICE)
    with reading(engine) as connection:
        assert differences(connection, metadata, SERVICE) == []
        assert differences(connection, log_metadata, SERVICE) == []


def test_a_database_of_the_first_revision_keeps_its_voters_counters(database: str, tmp_path: Path) -> None:
    first = tmp_path / "first"
    (first / "versions").mkdir(parents=True)
    shutil.copy(MIGRATIONS / "versions/0001_first.py", first / "versions")
    engine = open_engine(database)
    upgrade(engine, first, SERVICE)
    voter, officer = passkey("voter").public, passkey("officer").public

    def fill(connection: Connection) -> None:
        row = {"position": 3, "credential": voter.credential, "algorithm": voter.algorithm, "key": voter.key}
        connection.execute(insert(enrolments), row)
        for value, known in enumerate((voter, officer), start=7):
            statement = text("INSERT INTO counter (credential, value) VALUES (:credential, :value)")
            connection.execute(statement, {"credential": known.credential, "value": value})

    transaction(engine, fill)
    upgrade(engine, MIGRATIONS, SERVICE)
    with reading(engine) as connection:
        assert differences(connection, metadata, SERVICE) == []
        assert connection.execute(select(counters)).all() == [(counter_id(voter), 7)]


def test_an_empty_or_foreign_database_is_refused(world: World, database: str) -> None:
    with pytest.raises(NoStore, match="open the election first"):
        IssuerStore(database, world.fingerprint, 1)
    world.store(1)
    with pytest.raises(StateError, match="already here"):
        create_store(database, world.fingerprint, 1, world.roll, world.policy.enrolment, world.entries)
    with pytest.raises(StateError, match="another issuer"):
        IssuerStore(database, world.fingerprint, 2)


def test_ledger_sequence_is_the_index_in_the_log(world: World) -> None:
    issuer, store = world.issuer(1), world.store(1)
    requests = [world.request(world.wallet(position)) for position in (3, 0, 2)]
    assert refused(issuer.answer([request.encode() for request in requests[:2]], NOW)) == [None, None]
    assert refused(issuer.answer([requests[2].encode()], NOW)) == [None]
    with store.snapshot() as snapshot:
        entries = [cbor.decode(entry) for entry in snapshot.entries()]
        assert [entry["request"] for entry in entries] == [request.encode() for request in requests]  # type: ignore[index]
        assert snapshot.counts() == {"abroad": (2, 0), "bishkek": (1, 0)}
        assert snapshot.counts(2) == {"abroad": (1, 0)}
        assert set(snapshot.until(2).hashes()) == {0, 3}
        assert set(snapshot.hashes(1, 3)) == {2}
    with reading(store.engine) as connection:
        rows = connection.execute(select(ledger.c.sequence, ledger.c.position).order_by(ledger.c.sequence)).all()
    assert [tuple(row) for row in rows] == [(0, 3), (1, 0), (2, 2)]


def test_uniqueness_is_a_constraint_of_the_database(world: World) -> None:
    """Whoever writes past this program's checks still cannot record a second credential for a voter."""
    world.issuer(1).answer([world.request(world.wallet(0)).encode()], NOW)
    store = world.store(1)

    def second(connection: Connection) -> None:
        row = connection.execute(select(ledger)).one()._asdict()
        connection.execute(insert(ledger).values(**{**row, "sequence": 1, "hash": bytes(32)}))

    with pytest.raises(IntegrityError):
        transaction(store.engine, second)


def test_within_one_batch_the_first_request_of_a_voter_wins(world: World) -> None:
    first, second = (world.request(world.wallet(0)) for _ in range(2))
    batch = [first.encode(), second.encode(), first.encode()]
    answers = world.issuer(1).answer(batch, NOW)
    assert refused(answers) == [None, "already-issued", None]
    assert answers[0] == answers[2]
    assert [row[:1] + row[2:] for row in world.store(1).refusals()] == [(0, "already-issued", NOW // 86_400)]


def test_counters_rise_within_a_batch_and_never_fall(world: World) -> None:
    stored = world.wallet(0)
    requests = [world.request(stored, counter=counter).encode() for counter in (5, 7, 6, 5)]
    issuer = world.issuer(1)
    # The last repeats what is on the ledger byte by byte.
    assert refused(issuer.answer(requests, NOW)) == [None, None, "counter", None]
    assert world.store(1).counter(world.passkeys[0].public) == 7
    assert refused(issuer.answer(requests[2:], NOW)) == ["counter", None]


def test_bytes_that_were_signed_anew_and_answered_get_the_same_answer_again(world: World) -> None:
    """An answer is lost, the device signs again, and the connection is lost once more."""
    stored, issuer = world.wallet(0), world.issuer(1)
    first, second, third = (world.request(stored, counter=counter).encode() for counter in (5, 6, 7))
    answers = issuer.answer([first], NOW)
    assert issuer.answer([second], NOW) == answers
    # Neither counter rises any more, and issuance is over.
    for request in (second, first):
        assert world.issuer(1).answer([request], NOW + 9 * DAY) == answers
    assert issuer.answer([third, third], NOW) == answers * 2
    with world.store(1).snapshot() as ledger:
        assert ledger.size == 1


def test_C8_a_voter_who_enrols_under_an_officers_id_does_not_use_up_the_officers_counter(
    tmp_path: Path, database: str
) -> None:
    class Squatting(World):
        def enrolment(self, position: int, chosen: Passkey | None = None, method: str = "code") -> Enrolment:
            if position == 0:
                self.passkeys[0] = Ed25519Passkey(bytes(32), self.officers[0].public.credential)
            return super().enrolment(position, chosen, method)

    world = Squatting(tmp_path, databases={1: database})
    issuer = world.issuer(1)
    assert refused(issuer.answer([world.request(world.wallet(0), counter=2**32 - 1).encode()], NOW)) == [None]
    stored = world.wallet(world.voters - 1)
    hash_ = world.hash_of(stored, b"")
    said = [make_assertion(own, PARTY, hash_, counter=1) for own in world.officers]
    assert refused(issuer.answer([world.request_with(stored, b"", said).encode()], NOW)) == [None]
    assert [world.store(1).counter(own.public) for own in world.officers] == [1, 1]


def _remove_first(connection: Connection) -> None:
    connection.execute(delete(refusals).where(refusals.c.sequence == 0))


def _remove_last(connection: Connection) -> None:
    connection.execute(delete(refusals).where(refusals.c.sequence == 2))


def _renumber(connection: Connection) -> None:
    connection.execute(delete(refusals).where(refusals.c.sequence == 1))
    connection.execute(update(refusals).where(refusals.c.sequence == 2).values(sequence=1))


def _change(connection: Connection) -> None:
    connection.execute(update(refusals).where(refusals.c.sequence == 1).values(position=3))


def _empty(connection: Connection) -> None:
    connection.execute(delete(refusals))


@pytest.mark.parametrize("tamper", [_remove_first, _remove_last, _renumber, _change, _empty])
def test_a_row_that_is_gone_from_the_audit_table_shows(world: World, tamper: Callable[[Connection], None]) -> None:
    issuer, store = world.issuer(1), world.store(1)
    issuer.answer([world.request(world.wallet(0)).encode()], NOW)
    for _ in range(3):
        assert refused(issuer.answer([world.request(world.wallet(0)).encode()], NOW)) == ["already-issued"]
    assert len(store.refusals()) == 3
    transaction(store.engine, tamper)
    with pytest.raises(StateError, match="audit table"):
        store.refusals()


def test_the_audit_table_stores_no_time_of_day(world: World) -> None:
    assert {column.name for column in refusals.columns} == {"sequence", "position", "hash", "code", "date", "chain"}
    assert {column.name for column in ledger.columns} & {"time", "date"} == set()


def _answer_all(world: World, requests: list[bytes], results: Path) -> None:
    issuer = world.issuer(1)
    answers = [issuer.answer(requests[start : start + 3], NOW) for start in range(0, len(requests), 3)]
    results.write_bytes(
        b"".join(answer.encode() for batch in answers for answer in batch if isinstance(answer, Answer))
    )


def _run_worker(directory: Path, databases: dict[int, str], worker: int, voters: int) -> None:
    world = World(directory / f"worker-{worker}", databases=databases, voters=voters)
    world.directory.mkdir()
    requests = [world.request(world.wallet(position)).encode() for position in range(voters - 2)]
    shift = worker * 7 % len(requests)
    _answer_all(world, requests[shift:] + requests[:shift], directory / f"results-{worker}")


@pytest.mark.slow
def test_C1_processes_of_one_issuer_share_a_database_and_no_voter_gets_two(tmp_path: Path, database: str) -> None:
    """Four processes, each with a request of its own for every voter: one of the four is served, in gap-free order."""
    voters = 26
    world = World(tmp_path, databases={1: database}, voters=voters)
    world.store(1)
    context = get_context("spawn")
    processes = [
        context.Process(target=_run_worker, args=(tmp_path, world.databases, worker, voters)) for worker in range(4)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    store = world.store(1)
    answered = sum((tmp_path / f"results-{worker}").read_bytes().count(b"partial") for worker in range(4))
    assert answered == voters - 2
    assert len(store.refusals()) == 3 * (voters - 2)
    with store.snapshot() as snapshot:
        assert snapshot.size == voters - 2
        assert len(snapshot.hashes()) == voters - 2
        assert len(list(snapshot.entries())) == voters - 2
    with reading(store.engine) as connection:
        sequences = connection.execute(select(ledger.c.sequence).order_by(ledger.c.sequence)).scalars().all()
        assert connection.scalar(select(func.count()).select_from(log_entries)) == voters - 2
    assert sequences == list(range(voters - 2))
    world.close()


def _die_at(world: World, request: bytes, point: str) -> None:
    def probe(reached: str) -> None:
        if reached == point:
            os._exit(9)

    world.issuer(1, probe).answer([request], NOW)


def _answer_and_die(directory: Path, databases: dict[int, str], request: bytes, point: str) -> None:
    _die_at(World(directory, databases=databases), request, point)


@pytest.mark.parametrize(("point", "rows"), [("before-commit", 0), ("after-commit", 1)])
def test_killed_around_the_commit_on_either_database(world: World, database: str, point: str, rows: int) -> None:
    request = world.request(world.wallet(0)).encode()
    world.store(1)
    arguments = (world.directory, world.databases, request, point)
    process = get_context("spawn").Process(target=_answer_and_die, args=arguments)
    process.start()
    process.join(60)
    assert process.exitcode == 9
    with world.store(1).snapshot() as snapshot:
        assert snapshot.size == rows
    answer = world.issuer(1).answer([request], NOW)[0]
    assert not isinstance(answer, Refusal)
    world.close()


def test_a_database_of_a_newer_format_is_refused(world: World, database: str) -> None:
    store = world.store(1)
    transaction(
        store.engine,
        lambda connection: connection.execute(update(meta).where(meta.c.name == "format").values(value=b"v9")),
    )
    with pytest.raises(StateError, match="another format"):
        IssuerStore(database, world.fingerprint, 1)
    world.close()
