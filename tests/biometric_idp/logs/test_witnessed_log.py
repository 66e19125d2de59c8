"""A log and its witnesses, which are real processes: quorum, outages, liars, and databases that are old copies."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from sqlalchemy import Engine

from biometric_idp.logs.errors import NotCosigned, StaleLog
from biometric_idp.logs.models import metadata
from biometric_idp.logs.online import OnlineLog
from biometric_idp.logs.witnesses import Witness
from biometric_idp.signatures import note_verifier
from crypto.log.cosignature import cosign, verify_cosignature
from crypto.log.note import COSIGNATURE_KEY, NoteSigningKey, decode_note
from crypto.log.witness import decode_request
from services.database import open_engine
from tests.biometric_idp.logs.test_online_log import KEY, ORIGIN, add, decoded
from tests.support.witnesses import WitnessPlace, start_witnesses

pytestmark = pytest.mark.slow

#: Witnesses have the machine's clock.
NOW = int(time.time())


@pytest.fixture(autouse=True)
def _present() -> None:
    """Witnesses go by the clock, and between collection and a test there may be many minutes."""
    global NOW
    NOW = int(time.time())


@pytest.fixture(name="witnesses")
def fixture_witnesses(tmp_path: Path) -> Iterator[list[WitnessPlace]]:
    with ExitStack() as stack:
        yield start_witnesses(tmp_path, stack, [note_verifier(bytes(KEY.verify_key), ORIGIN)], 4)


@pytest.fixture(name="engine")
def fixture_engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(str(tmp_path / "log.sqlite"))
    metadata.create_all(engine)
    yield engine
    engine.dispose()


def opened(engine: Engine, witnesses: list[WitnessPlace], *more: Witness, quorum: int = 3) -> OnlineLog:
    return OnlineLog(engine, ORIGIN, KEY, [*[place.witness for place in witnesses], *more], quorum)


def cosigners(note: str, witnesses: list[WitnessPlace]) -> list[str]:
    """Names of the witnesses whose valid cosignature the note bears."""
    found = []
    parsed = decode_note(note.encode())
    for place in witnesses:
        line = parsed.signature_by(place.key)
        if line is not None:
            verify_cosignature(parsed.text, line, place.key)
            found.append(place.key.name)
    return found


def test_a_checkpoint_is_published_with_a_quorum_and_the_earlier_one_meanwhile(
    engine: Engine, witnesses: list[WitnessPlace]
) -> None:
    log = opened(engine, witnesses)
    add(log, *range(5))
    first = log.publish(NOW)
    assert (decoded(first).size, len(cosigners(first, witnesses))) == (5, 4)
    witnesses[0].stop()
    add(log, *range(5, 300))
    second = log.publish(NOW)
    assert (decoded(second).size, len(cosigners(second, witnesses))) == (300, 3)
    witnesses[1].stop()
    add(log, 300)
    with pytest.raises(NotCosigned, match="2 of 4 witnesses cosigned") as caught:
        log.publish(NOW)
    assert set(caught.value.failures) == {witnesses[0].key.name, witnesses[1].key.name}
    assert log.checkpoint() == second
    # Back again, one of them has missed two checkpoints.
    witnesses[0].start()
    third = log.publish(NOW)
    assert (decoded(third).size, len(cosigners(third, witnesses))) == (301, 3)


@pytest.mark.slow
def test_a_hanging_witness_costs_only_its_own_cosignature(engine: Engine, witnesses: list[WitnessPlace]) -> None:
    service = witnesses[2].service
    assert service is not None
    log = opened(engine, witnesses)
    os.kill(service.process.pid, signal.SIGSTOP)
    try:
        assert len(cosigners(log.publish(NOW), witnesses)) == 3
    finally:
        os.kill(service.process.pid, signal.SIGCONT)


def test_two_processes_publish_one_history(engine: Engine, witnesses: list[WitnessPlace], tmp_path: Path) -> None:
    logs = [opened(open_engine(str(tmp_path / "log.sqlite")), witnesses) for _ in range(2)]
    heads: list[str] = []

    def publish(log: OnlineLog, worker: int) -> None:
        for number in range(12):
            add(log, worker * 1000 + number)
            try:
                heads.append(log.publish(NOW))
            except NotCosigned:
                continue  # the other was faster everywhere; the next round has it

    threads = [threading.Thread(target=publish, args=(log, worker)) for worker, log in enumerate(logs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    final = logs[0].publish(NOW)
    assert decoded(final).size == 24
    by_size: dict[int, bytes] = {}
    for note in [*heads, final]:
        head = decoded(note)
        assert by_size.setdefault(head.size, head.root) == head.root
    for log in logs:
        log.close()


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


@pytest.mark.parametrize("regrown", [0, 1, 2, 9])
def test_O2_L3_an_old_copy_of_the_database_signs_nothing(
    engine: Engine, witnesses: list[WitnessPlace], tmp_path: Path, regrown: int
) -> None:
    """No head file: only the witnesses remember. One of them is away, one forgot nothing but is slow to come back."""
    log = opened(engine, witnesses)
    add(log, 0, 1, 2)
    log.publish(NOW)
    _copy(tmp_path / "log.sqlite", tmp_path / "old.sqlite")
    add(log, 3, 4)
    log.publish(NOW)
    witnesses[3].stop()
    old = open_engine(str(tmp_path / "old.sqlite"))
    restored = opened(old, witnesses)
    add(restored, *range(100, 100 + regrown))
    before = restored.checkpoint()
    with pytest.raises(StaleLog, match="old copy"):
        restored.publish(NOW)
    with pytest.raises(StaleLog):
        restored.sign()
    assert restored.checkpoint() == before
    with old.connect() as connection:
        assert connection.exec_driver_sql("SELECT signed_size FROM log_state").scalar() == 3


def test_O2_an_empty_database_in_place_of_the_log_signs_nothing(
    engine: Engine, witnesses: list[WitnessPlace], tmp_path: Path
) -> None:
    log = opened(engine, witnesses)
    add(log, 0, 1, 2)
    log.publish(NOW)
    empty = open_engine(str(tmp_path / "empty.sqlite"))
    metadata.create_all(empty)
    with pytest.raises(StaleLog):
        opened(empty, witnesses).publish(NOW)


def test_with_too_few_witnesses_at_the_start_nothing_is_signed(engine: Engine, witnesses: list[WitnessPlace]) -> None:
    add(opened(engine, witnesses), 0)
    for place in witnesses[:2]:
        place.stop()
    log = opened(engine, witnesses)
    with pytest.raises(NotCosigned, match="2 of 4 witnesses told what they remember"):
        log.publish(NOW)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT signed_size FROM log_state").scalar() is None
    witnesses[0].start()
    assert decoded(log.publish(NOW)).size == 1


class _Liar(BaseHTTPRequestHandler):
    """A corrupt witness: it answers what the test tells it to."""

    answer: tuple[int, str, bytes] = (200, "text/plain", b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        status, kind, data = self.make(body)
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def make(self, _: bytes) -> tuple[int, str, bytes]:
        return self.answer

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def liar(answer: tuple[int, str, bytes] | None, key: NoteSigningKey, timestamp: int = NOW) -> Iterator[Witness]:
    """A corrupt witness with a key of its own; without an answer it cosigns with this timestamp."""

    def make(_: _Liar, body: bytes) -> tuple[int, str, bytes]:
        if answer is not None:
            return answer
        return 200, "text/plain", cosign(decode_request(body).checkpoint.text, key, timestamp).encode().encode()

    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Liar,), {"make": make}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Witness(key.verifier, f"http://127.0.0.1:{server.server_address[1]}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


LIAR = NoteSigningKey("liar.example/w", COSIGNATURE_KEY, bytes(31) + b"\1")
STRANGER = NoteSigningKey("stranger.example/w", COSIGNATURE_KEY, bytes(31) + b"\2")


NONSENSE = [
    (409, "text/x.tlog.size", b"999999\n"),
    (409, "text/x.tlog.size", b"9" * 30),
    (409, "text/x.tlog.size", b"\xff\n"),
    (409, "text/html", b"<p>"),
    (422, "text/plain", b"never"),
    (200, "text/plain", b""),
    (200, "text/plain", b"\xff\xfe"),
    (200, "text/plain", cosign("other.example\n0\nAAAA\n", LIAR, NOW).encode().encode()),
    (200, "text/plain", cosign("x\n", STRANGER, NOW).encode().encode()),
    (200, "text/plain", b"\xe2\x80\x94 " + b"x" * 1_000_000),
    (302, "text/plain", b""),
    (500, "text/plain", b""),
]


def test_a_corrupt_witness_neither_counts_nor_stops_the_log(engine: Engine, witnesses: list[WitnessPlace]) -> None:
    """Three honest witnesses and one that answers nonsense, or claims to remember another log."""
    for size, answer in enumerate(NONSENSE):
        with liar(answer, LIAR) as corrupt:
            log = opened(engine, witnesses[:3], corrupt)
            add(log, 2 * size)
            note = log.publish(NOW)
            assert len(cosigners(note, witnesses)) == 3
            assert len(decode_note(note.encode()).signatures) == 4
            add(log, 2 * size + 1)
            assert decoded(log.publish(NOW)).size == 2 * size + 2
            log.close()


def test_L7_a_future_dated_cosignature_does_not_count(engine: Engine, witnesses: list[WitnessPlace]) -> None:
    witnesses[2].stop()
    with liar(None, LIAR, NOW + 301) as early:
        log = opened(engine, witnesses[:2], early)
        with pytest.raises(NotCosigned) as caught:
            log.publish(NOW)
        assert "future" in json.dumps(caught.value.failures)
    with liar(None, LIAR, NOW + 299) as early:
        assert decoded(opened(engine, witnesses[:2], early).publish(NOW)).size == 0


def test_impossible_quorums_are_refused(engine: Engine, witnesses: list[WitnessPlace]) -> None:
    for quorum in (0, 5):
        with pytest.raises(ValueError, match="quorum"):
            opened(engine, witnesses, quorum=quorum)


def test_a_witness_that_was_set_up_anew_gets_the_whole_proof(engine: Engine, witnesses: list[WitnessPlace]) -> None:
    """A witness that was set up anew cosigns from the beginning; the log proves everything to it."""
    log = opened(engine, witnesses)
    add(log, *range(300))
    log.publish(NOW)
    witnesses[0].stop()
    for path in witnesses[0].directory.glob("head-*"):
        path.unlink()
    witnesses[0].start()
    add(log, 300)
    assert len(cosigners(log.publish(NOW), witnesses)) == 4
