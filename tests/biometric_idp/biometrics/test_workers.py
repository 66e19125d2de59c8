"""Matchers in processes: killed, stopped, starved or overrun, a pool answers every caller and goes on working."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from biometric_idp.biometrics.errors import Busy, ImageRefused, MatcherUnavailable, TemplateMismatch, WorkerFailed
from biometric_idp.biometrics.face_dlib import DlibFaceMatcher, compare_faces
from biometric_idp.biometrics.interface import Score, Template
from biometric_idp.biometrics.liveness import LivenessSession
from biometric_idp.biometrics.workers import MatcherPool, WorkerSettings
from biometric_idp.errors import FormatError, StateError
from tests.biometric_idp.biometrics.live import FPS, KEY, session, video
from tests.support.faces import finger, image, portrait

pytestmark = pytest.mark.slow
#: For tests that are not about time: a machine may be busy with other tests.
CALM = WorkerSettings(workers=2, deadline=60, patience=120)


@pytest.fixture(name="pool", scope="module")
def fixture_pool() -> Iterator[MatcherPool]:
    with MatcherPool(CALM) as pool:
        yield pool


def test_a_worker_answers_as_the_matcher_itself(pool: MatcherPool) -> None:
    template = pool.extract("face", portrait("obama"))
    assert template == DlibFaceMatcher().extract(portrait("obama"))
    other = pool.matcher("face").extract(portrait("biden"))
    assert pool.compare(template, other) == compare_faces(template, other)
    a, b = (pool.extract("finger", finger(name)) for name in ("p1_1.png", "p1_2.png"))
    assert pool.compare(a, b).matches


def test_a_frame_is_measured_and_embedded_only_if_asked(pool: MatcherPool) -> None:
    frame = image("obama/obama2.jpg")
    plain, embedded = pool.measure(frame, embed=False), pool.measure(frame, embed=True)
    assert plain.faces == 1
    assert plain.embedding == b""
    assert len(embedded.embedding) == 512
    assert (plain.yaw, plain.eyes, plain.tiles) == (embedded.yaw, embedded.eyes, embedded.tiles)


def test_refusals_and_misuse_come_back_as_they_are(pool: MatcherPool) -> None:
    with pytest.raises(ImageRefused) as refused:
        pool.extract("face", finger("p1_1.png"))
    assert refused.value.code == "no-face"
    with pytest.raises(TemplateMismatch):
        pool.compare(Template("face", "a", 1, b""), Template("face", "b", 1, b""))
    with pytest.raises(FormatError):
        pool.compare(*[Template("face", DlibFaceMatcher.algorithm, 1, b"short")] * 2)


def stop_the_busy_one(pool: MatcherPool, number: signal.Signals) -> int:
    """Send a signal to the worker that uses the processor."""

    def ticks(pid: int) -> int:
        with suppress(OSError):
            return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11])
        return 0

    while True:
        before = {pid: ticks(pid) for pid in pool.pids()}
        time.sleep(0.03)
        for pid, count in before.items():
            if ticks(pid) > count:
                os.kill(pid, number)
                return pid


def test_a_worker_killed_in_a_job_costs_that_job_only() -> None:
    photo = portrait("biden")
    with MatcherPool(CALM) as pool, ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda _: pool.extract("face", photo), range(2)))
        jobs: list[Future[Template]] = [threads.submit(pool.extract, "face", photo) for _ in range(12)]
        killed = stop_the_busy_one(pool, signal.SIGKILL)
        outcomes = [job.exception(timeout=200) for job in jobs]
        failed = [error for error in outcomes if error is not None]
        assert len(failed) == 1
        assert isinstance(failed[0], WorkerFailed)
        assert failed[0].code == "matcher-crashed"
        assert killed not in pool.pids()
        assert len(pool.pids()) == 2
        assert pool.extract("face", photo).modality == "face"


def test_a_worker_that_died_while_idle_costs_nobody_anything() -> None:
    with MatcherPool(WorkerSettings(workers=1)) as pool:
        pool.extract("face", portrait("obama"))
        os.kill(pool.pids()[0], signal.SIGKILL)
        time.sleep(0.2)
        assert pool.extract("face", portrait("obama")).modality == "face"


def test_a_job_that_hangs_is_killed_at_its_deadline_and_the_next_one_works() -> None:
    with MatcherPool(WorkerSettings(workers=1, deadline=3)) as pool, ThreadPoolExecutor(2) as threads:
        pool.extract("face", portrait("biden"))
        hung = pool.pids()[0]
        os.kill(hung, signal.SIGSTOP)
        start = time.monotonic()
        job = threads.submit(pool.extract, "face", portrait("biden"))
        with pytest.raises(WorkerFailed) as failed:
            job.result(timeout=30)
        assert failed.value.code == "matcher-timeout"
        assert 2.5 < time.monotonic() - start < 10
        assert not Path(f"/proc/{hung}").exists()
        assert pool.extract("face", portrait("biden")).modality == "face"


def test_a_full_queue_is_busy_at_once() -> None:
    with MatcherPool(WorkerSettings(workers=1, queue=1, deadline=4)) as pool, ThreadPoolExecutor(2) as threads:
        pool.extract("face", portrait("obama"))
        os.kill(pool.pids()[0], signal.SIGSTOP)
        waiting = [threads.submit(pool.extract, "face", portrait("obama")) for _ in range(2)]
        time.sleep(0.3)
        start = time.monotonic()
        with pytest.raises(Busy) as busy:
            pool.extract("face", portrait("obama"))
        assert time.monotonic() - start < 0.2
        assert busy.value.retry_after > 0
        codes = [getattr(job.exception(timeout=60), "code", "done") for job in waiting]
        assert sorted(codes) == ["done", "matcher-timeout"]


def test_who_waits_too_long_for_a_worker_is_told_busy() -> None:
    with MatcherPool(WorkerSettings(workers=1, deadline=4, patience=0.3)) as pool, ThreadPoolExecutor(1) as threads:
        pool.extract("face", portrait("obama"))
        os.kill(pool.pids()[0], signal.SIGSTOP)
        job = threads.submit(pool.extract, "face", portrait("obama"))
        time.sleep(0.2)
        with pytest.raises(Busy):
            pool.extract("face", portrait("obama"))
        assert isinstance(job.exception(timeout=30), WorkerFailed)


def test_workers_are_replaced_after_their_jobs() -> None:
    with MatcherPool(WorkerSettings(workers=1, recycle=2)) as pool:
        seen = []
        for _ in range(4):
            seen += pool.pids()
            pool.extract("face", portrait("obama"))
        assert seen[0] == seen[1]
        assert seen[2] == seen[3]
        assert seen[1] != seen[2]


def test_memory_is_limited() -> None:
    with MatcherPool(WorkerSettings(workers=1, memory=150 * 1024**2)) as pool:
        with pytest.raises((WorkerFailed, MatcherUnavailable)):
            pool.extract("face", portrait("obama"))
        with pytest.raises((WorkerFailed, MatcherUnavailable)):
            pool.extract("face", portrait("obama"))


def test_a_worker_cannot_write_files_nor_dump_its_memory(pool: MatcherPool) -> None:
    pool.extract("face", portrait("obama"))
    for pid in pool.pids():
        limits = Path(f"/proc/{pid}/limits").read_text()
        for name in ("Max file size", "Max core file size"):
            line = next(line for line in limits.splitlines() if line.startswith(name))
            assert line.split()[-3:-1] == ["0", "0"], line


def test_workers_end_with_the_pool_and_refuse_afterwards() -> None:
    pool = MatcherPool(WorkerSettings(workers=2))
    pids = pool.pids()
    pool.close()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    with pytest.raises((StateError, WorkerFailed, MatcherUnavailable)):
        pool.extract("face", portrait("obama"))


def test_many_threads_get_each_their_own_answer(pool: MatcherPool) -> None:
    names = ("obama/obama.jpg", "obama/obama2.jpg", "biden/biden.jpg")
    expected = {name: pool.extract("face", image(name)) for name in names}
    wrong: list[str] = []

    def ask(name: str) -> None:
        if pool.extract("face", image(name)) != expected[name]:
            wrong.append(name)

    threads = [threading.Thread(target=ask, args=(names[index % 3],)) for index in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert isinstance(pool.compare(expected[names[0]], expected[names[1]]), Score)


def test_liveness_runs_on_workers(pool: MatcherPool) -> None:
    """The one place where the session, the pool and the state in a database meet, as the service uses them."""
    live = session(("turn-left",))
    chance = random.Random(1)
    for index, frame in enumerate(video("biden", ("turn-left",))):
        now = live.started + 0.1 + index / FPS
        verdict = live.accept(index, frame, now=now, key=KEY, measure=pool.measure, random=chance)
        live = LivenessSession.from_json(live.to_json(KEY), live.settings, KEY)
        if verdict.state != "ongoing":
            break
    assert verdict.state == "passed"
    assert pool.compare(live.best_template(), pool.extract("face", portrait("biden"))).matches
