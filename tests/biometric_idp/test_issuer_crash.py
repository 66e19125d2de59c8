"""Crash injection at every durable point of an issuer: nothing issued twice, nobody locked out, a retry completes."""

from __future__ import annotations

import os
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import pytest

from biometric_idp.errors import StateError
from biometric_idp.files import frame_item, write_atomic
from biometric_idp.issuer import office, store
from biometric_idp.issuer.keys import IssuerDirectory
from biometric_idp.issuer.service import IssuerKeys
from biometric_idp.policy import write_policy
from biometric_idp.registrar.roll import write_roll
from biometric_idp.request import Refusal
from tests.biometric_idp.world import NOW, World, refused

KILLED = 9


def _die_at(point: str) -> Callable[[str], None]:
    def probe(reached: str) -> None:
        if reached == point:
            os._exit(KILLED)

    return probe


def _answer_and_die(directory: Path, requests: list[bytes], point: str) -> None:
    World(directory).issuer(1, _die_at(point)).answer(requests, NOW)


def run_until_killed(target: Callable[..., None], *arguments: object) -> None:
    process = get_context("spawn").Process(target=target, args=arguments)
    process.start()
    process.join(60)
    assert process.exitcode == KILLED


@pytest.mark.parametrize(("point", "rows"), [("before-commit", 0), ("after-commit", 3)])
def test_killed_around_the_commit(world: World, point: str, rows: int) -> None:
    wallets = [world.wallet(position) for position in (0, 1, 2)]
    requests = [world.request(stored).encode() for stored in wallets]
    world.store(1).close()
    run_until_killed(_answer_and_die, world.directory, requests, point)
    with world.store(1).snapshot() as ledger:
        assert ledger.size == rows
    # Whoever lost the answer asks again and is not locked out; whoever asks for something else is refused.
    other = world.request(world.wallet(0)).encode()
    if rows:
        assert refused(world.issuer(1).answer([other], NOW)) == ["already-issued"]
    answers = world.issuer(1).answer(requests, NOW)
    assert refused(answers) == [None] * 3
    assert refused(world.issuer(1).answer([other], NOW)) == ["already-issued"]
    with world.store(1).snapshot() as ledger:
        assert ledger.size == 3


def test_an_error_inside_the_transaction_undoes_the_whole_batch(world: World) -> None:
    request = world.request(world.wallet(0), counter=4).encode()

    def disk_full(_: str) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        world.issuer(1, disk_full).answer([request], NOW)
    with world.store(1).snapshot() as ledger:
        assert ledger.size == 0
    assert world.store(1).counter(world.passkeys[0].public) == 0
    assert refused(world.issuer(1).answer([request], NOW)) == [None]


def prepare_directory(world: World, monkeypatch: pytest.MonkeyPatch | None = None) -> tuple[IssuerDirectory, Path]:
    """The files of issuer 1 with the world's policy, and a file of four requests."""
    directory = IssuerDirectory(world.directory / "issuer-1")
    directory.path.mkdir()
    world.store(1).close()
    world.store_path(1).rename(directory.database)
    write_policy(directory.policy, world.policy)
    write_roll(directory.roll, world.roll)
    requests = world.directory / "requests"
    encoded = [frame_item(world.request(world.wallet(position)).encode()) for position in (0, 1, 2, 3)]
    write_atomic(requests, [office.REQUESTS_LINE, world.fingerprint, *encoded])
    return directory, requests


class KnownKeys(IssuerDirectory):
    """The directory with the world's secrets instead of files."""

    world: World

    def issuer_keys(self, policy: object) -> IssuerKeys:
        return IssuerKeys(1, self.world.signing[0], self.world.shares[1])


def answer(world: World, path: Path, requests: Path, report: Callable[[int], None]) -> tuple[int, int]:
    directory = KnownKeys(path)
    directory.world = world
    office.CHUNK = 2
    return office.answer_file(directory, requests, path / "answers", world.pairing, lambda: NOW, report)


def _answer_file_and_die(directory: Path, requests: Path, after: int) -> None:
    def report(done: int) -> None:
        if done == after:
            os._exit(KILLED)

    answer(World(directory), directory / "issuer-1", requests, report)


@pytest.mark.parametrize(("after", "rows"), [(2, 2), (4, 4)])
def test_killed_in_the_middle_of_a_file_of_requests(world: World, after: int, rows: int) -> None:
    directory, requests = prepare_directory(world)
    run_until_killed(_answer_file_and_die, world.directory, requests, after)
    assert not (directory.path / "answers").exists()
    with store.IssuerStore(directory.database, world.fingerprint, 1) as opened, opened.snapshot() as ledger:
        assert ledger.size == rows
    assert answer(world, directory.path, requests, lambda _: None) == (4, 0)
    index, answers = office.read_answers(directory.path / "answers", world.fingerprint)
    assert (index, len(answers)) == (1, 4)
    assert not any(isinstance(item, Refusal) for item in answers)
    assert [path.name for path in directory.path.iterdir() if "tmp" in path.name] == []


def _create_and_die(directory: Path, after: int) -> None:
    world = World(directory)
    entries = [world.enrolment_entry([world.enrolment(position)]) for position in range(3)]

    def produce() -> object:
        for index, entry in enumerate(entries):
            if index == after:
                os._exit(KILLED)
            yield entry

    store.create_store(
        directory / "new.sqlite",
        world.fingerprint,
        1,
        world.roll,
        world.source(entries),
        produce(),  # type: ignore[arg-type]
    )


def test_killed_while_the_enrolment_log_is_taken_in(world: World) -> None:
    path = world.directory / "new.sqlite"
    run_until_killed(_create_and_die, world.directory, 2)
    with pytest.raises(StateError, match="no store here"):
        store.IssuerStore(path, world.fingerprint, 1)
    objections = store.create_store(path, world.fingerprint, 1, world.roll, world.policy.enrolment, world.entries)
    assert objections == []
    with store.IssuerStore(path, world.fingerprint, 1) as opened:
        assert len(opened.passkeys(range(6))) == 4
    assert sorted(item.name for item in world.directory.iterdir()) == ["new.sqlite"]


def test_a_store_of_another_election_or_issuer_is_refused(world: World) -> None:
    world.store(1).close()
    for fingerprint, issuer in ((bytes(32), 1), (world.fingerprint, 2)):
        with pytest.raises(StateError, match="another"):
            store.IssuerStore(world.store_path(1), fingerprint, issuer)
    (world.directory / "text").write_text("no database\n" * 100)
    with pytest.raises(StateError, match="not an issuer's store"):
        store.IssuerStore(world.directory / "text", world.fingerprint, 1)
    with pytest.raises(StateError, match="already here"):
        store.create_store(world.store_path(1), world.fingerprint, 1, world.roll, world.policy.enrolment, world.entries)
