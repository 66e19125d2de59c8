"""Matchers in processes of their own: bounded in number, queue, time and memory; called from threads.

The caller's thread talks to one worker itself, so there is no dispatcher that could hang. A crash costs the job that
caused it and no other: every caller owns its worker for one job, and puts a fresh one back in place of a dead one.
"""

from __future__ import annotations

import os
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Self

from biometric_idp.biometrics import messages
from biometric_idp.biometrics.errors import Busy, MatcherUnavailable, WorkerFailed
from biometric_idp.biometrics.face_dlib import DlibFaceMatcher, FaceLimits
from biometric_idp.biometrics.finger_nbis import DEFAULT_THRESHOLD, NbisFingerMatcher
from biometric_idp.biometrics.frames import FrameMeasure
from biometric_idp.biometrics.interface import Modality, Score, Template
from biometric_idp.errors import FormatError, StateError

#: Reading 130 MB of weights on a busy machine.
_START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """How many workers, and what each may take.

    Attributes:
        workers: processes; a match keeps one core busy, so not more than cores.
        queue: callers that may wait beyond those being served; the next one is refused.
        deadline: seconds for one job, after which its worker is killed.
        patience: seconds that a caller waits for a worker before it is told ``busy``.
        recycle: jobs after which a worker is replaced, so that nothing accumulates in it.
        memory: bytes of address space for a worker; 0 for no limit.
    """

    workers: int = 2
    queue: int = 16
    deadline: float = 10.0
    patience: float = 10.0
    recycle: int = 1000
    memory: int = 2 * 1024**3
    face: FaceLimits = field(default_factory=FaceLimits)
    finger_threshold: float = DEFAULT_THRESHOLD


class _Process:
    """One worker, used by one thread at a time."""

    def __init__(self, settings: WorkerSettings) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "biometric_idp.biometrics.worker_main", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                # One core each: more threads per process would only contend.
                env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            )
        self._channel = ours
        self._ready = False
        self.jobs = 0
        self._deadline = settings.deadline
        with suppress(OSError):
            messages.send(
                ours,
                {
                    "memory": settings.memory,
                    "deadline": settings.deadline,
                    "face": asdict(settings.face),
                    "finger": settings.finger_threshold,
                },
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def wait_ready(self) -> None:
        """Raises MatcherUnavailable if it cannot start."""
        if self._ready:
            return
        try:
            messages.receive(self._channel, time.monotonic() + _START_SECONDS)
        except (OSError, EOFError, FormatError):
            self.close()
            raise MatcherUnavailable("matcher-unavailable", "a matcher process does not start") from None
        self._ready = True

    def ask(self, header: Mapping[str, object], body: bytes) -> dict[str, object]:
        """The answer to one job.

        Raises:
            WorkerFailed: killed at the deadline, or dead.
        """
        self.jobs += 1
        deadline = time.monotonic() + self._deadline
        try:
            messages.send(self._channel, header, body, deadline)
            answer, _ = messages.receive(self._channel, deadline)
        except TimeoutError:
            self.close()
            raise WorkerFailed("matcher-timeout", f"stopped after {self._deadline:.0f} s") from None
        except (OSError, EOFError, FormatError):
            self.close()
            raise WorkerFailed("matcher-crashed", f"ended with {self._process.returncode}") from None
        return answer

    def close(self) -> None:
        self._channel.close()
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()


class MatcherPool:
    """Runs matchers in worker processes. Every method blocks and may be called from any number of threads.

    All raise ``Busy`` (answer 503 with Retry-After), ``WorkerFailed``, ``MatcherUnavailable``, and what the job raises.
    """

    def __init__(self, settings: WorkerSettings | None = None) -> None:
        self.settings = settings or WorkerSettings()
        self._places = threading.BoundedSemaphore(self.settings.workers + self.settings.queue)
        self._idle: queue.LifoQueue[_Process] = queue.LifoQueue()
        self._lock = threading.Lock()
        self._all: set[_Process] = set()
        self._closed = False
        for _ in range(self.settings.workers):
            self._idle.put(self._start())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def extract(self, modality: Modality, image: bytes) -> Template:
        """``Matcher.extract`` in a worker."""
        return messages.read_template(self._run({"job": "extract", "modality": modality}, image).get("template"))

    def compare(self, a: Template, b: Template) -> Score:
        """``Matcher.compare`` in a worker."""
        a.require_same_kind(b)
        header = {
            "job": "compare",
            "modality": a.modality,
            "a": messages.template_header(a),
            "b": messages.template_header(b),
        }
        return messages.read_score(self._run(header, b"").get("score"))

    def measure(self, frame: bytes, *, embed: bool) -> FrameMeasure:
        """``measure_frame`` in a worker."""
        return messages.read_measure(self._run({"job": "measure", "embed": embed}, frame).get("measure"))

    def matcher(self, modality: Modality) -> PooledMatcher:
        """This pool as a ``Matcher`` of one modality."""
        kind = DlibFaceMatcher if modality == "face" else NbisFingerMatcher
        return PooledMatcher(self, modality, kind.algorithm, kind.version)

    def pids(self) -> list[int]:
        """Of the workers that live."""
        with self._lock:
            return [process.pid for process in self._all if process.alive]

    def close(self) -> None:
        """End all workers; jobs under way fail as crashed."""
        with self._lock:
            self._closed = True
            processes, self._all = self._all, set()
        for process in processes:
            process.close()

    def _start(self) -> _Process:
        process = _Process(self.settings)
        with self._lock:
            closed = self._closed
            self._all.add(process)
        if closed:
            process.close()
            raise StateError("the matchers are closed")
        return process

    def _replace(self, process: _Process) -> _Process:
        with self._lock:
            self._all.discard(process)
            closed = self._closed
        process.close()
        # Nobody takes it from a closed pool.
        return process if closed else self._start()

    def _run(self, header: Mapping[str, object], body: bytes) -> dict[str, object]:
        if not self._places.acquire(blocking=False):
            raise Busy(detail="the queue is full", retry_after=2)
        try:
            try:
                process = self._idle.get(timeout=self.settings.patience)
            except queue.Empty:
                raise Busy(detail="no worker became free", retry_after=5) from None
            try:
                if not process.alive:
                    # It died while idle, so this job is not to blame and gets a fresh one.
                    process = self._replace(process)
                process.wait_ready()
                answer = process.ask(header, body)
            finally:
                if not process.alive or process.jobs >= self.settings.recycle:
                    process = self._replace(process)
                self._idle.put(process)
        finally:
            self._places.release()
        messages.raise_error(answer)
        return answer


@dataclass(frozen=True, slots=True)
class PooledMatcher:
    """``Matcher`` that works in a pool."""

    pool: MatcherPool
    modality: Modality
    algorithm: str
    version: int

    def extract(self, image: bytes) -> Template:
        return self.pool.extract(self.modality, image)

    def compare(self, a: Template, b: Template) -> Score:
        return self.pool.compare(a, b)
