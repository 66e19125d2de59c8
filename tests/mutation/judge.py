"""A pytest session that runs its tests again and again, each time in a fork with one mutant.

Tests are collected once. A fork takes milliseconds, sees the verifier as it was imported, and changes it only for
itself.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from tests.mutation.install import Functions, install
from tests.mutation.mutants import PACKAGE, Mutant

#: CPU seconds for one test (a busy machine must not kill a mutant), seconds for all of one mutant; memory of a fork.
TEST_SECONDS, MUTANT_SECONDS = 60, 900
MEMORY = 6 << 30


class TooSlow(BaseException):
    """A test takes too long: an edit can make a loop endless."""


@dataclass(frozen=True)
class Outcome:
    """What a test gave."""

    failed: bool
    message: str = ""


@dataclass
class Seen:
    """What one test did with the verifier as it is."""

    lines: set[tuple[str, int]] = field(default_factory=set)
    refusing: set[tuple[str, int]] = field(default_factory=set)  # functions (by first line) that returned False
    seconds: float = 0.0
    failure: str = ""


def run_item(item: pytest.Item, following: pytest.Item | None) -> Outcome:
    """Run one test with its fixtures."""
    signal.setitimer(signal.ITIMER_PROF, TEST_SECONDS)
    try:
        reports = runtestprotocol(item, log=False, nextitem=following)
    except TooSlow:
        return Outcome(True, "TooSlow")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    for report in reports:
        if report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            text = crash.message if crash is not None else str(report.longrepr)
            return Outcome(True, " ".join(text.split())[:200])
    return Outcome(False)


def _prepare_child(session: pytest.Session, directory: Path) -> None:
    from crypto.group import set_threads

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise TooSlow

    set_threads(1)
    signal.signal(signal.SIGPROF, interrupt)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    directory.mkdir(parents=True)
    os.environ["TMPDIR"] = tempfile.tempdir = str(directory)
    session.config._tmp_path_factory._basetemp = directory  # type: ignore[attr-defined]


class Forks:
    """Runs functions in forked children, a few at a time, and brings back what they return."""

    def __init__(self, session: pytest.Session, jobs: int, scratch: Path) -> None:
        self._session, self._jobs, self._scratch = session, jobs, scratch
        self._running: dict[int, tuple[int, Any, float]] = {}
        self._stopping = False
        # An exception out of the handler could be lost, since it may come in the middle of a fork.
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True

    def run(self, tasks: Sequence[tuple[Any, Callable[[], Any]]]) -> Iterator[tuple[Any, Any]]:
        """Key and result of every task in the order of completion; None where the child died."""
        waiting = list(reversed(tasks))
        try:
            while waiting or self._running:
                if self._stopping:
                    raise RuntimeError("interrupted; what was judged is kept")
                while waiting and len(self._running) < self._jobs:
                    self._start(*waiting.pop())
                yield self._wait()
        finally:
            for process in self._running:
                os.kill(process, signal.SIGKILL)
                os.waitpid(process, 0)

    def _start(self, key: Any, function: Callable[[], Any]) -> None:
        reader, writer = os.pipe()
        process = os.fork()
        if process == 0:
            code = 1
            with contextlib.suppress(BaseException):
                os.close(reader)
                _prepare_child(self._session, self._scratch / str(os.getpid()))
                data = pickle.dumps(function())
                with os.fdopen(writer, "wb") as file:
                    file.write(data)
                code = 0
            os._exit(code)
        os.close(writer)
        self._running[process] = (reader, key, time.monotonic())

    def _wait(self) -> tuple[Any, Any]:
        import select

        while True:
            readers = {reader: process for process, (reader, _, _) in self._running.items()}
            ready, _, _ = select.select(list(readers), [], [], 5)
            if self._stopping:
                raise RuntimeError("interrupted; what was judged is kept")
            for process, (_, _, started) in self._running.items():
                if time.monotonic() - started > MUTANT_SECONDS:
                    os.kill(process, signal.SIGKILL)
            if ready:
                break
        process = readers[ready[0]]
        reader, key, _ = self._running.pop(process)
        with os.fdopen(reader, "rb") as file:
            data = file.read()
        os.waitpid(process, 0)
        shutil.rmtree(self._scratch / str(process), ignore_errors=True)
        return key, pickle.loads(data) if data else None


def observe(items: Sequence[pytest.Item]) -> dict[str, Seen]:
    """Run tests as they are, and note which lines of the verifier each executes."""
    prefix, found = f"{PACKAGE}/", {}
    ours: dict[CodeType, bool] = {}
    for position, item in enumerate(items):
        seen = found[item.nodeid] = Seen()
        lines, refusing = seen.lines, seen.refusing

        def local(frame: FrameType, event: str, argument: Any, lines: Any = lines, refusing: Any = refusing) -> Any:
            if event == "line":
                lines.add((frame.f_code.co_filename, frame.f_lineno))
            elif event == "return" and argument is False:
                refusing.add((frame.f_code.co_filename, frame.f_code.co_firstlineno))
            return local

        def tracer(frame: FrameType, event: str, argument: Any, local: Any = local) -> Any:
            code = frame.f_code
            mine = ours.get(code)
            if mine is None:
                mine = ours[code] = code.co_filename.startswith(prefix)
            return local if mine else None

        started = time.process_time()
        sys.settrace(tracer)
        try:
            outcome = run_item(item, items[position + 1] if position + 1 < len(items) else None)
        finally:
            sys.settrace(None)
        seen.seconds = time.process_time() - started
        seen.failure = outcome.message if outcome.failed else ""
    return found


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant."""

    killed_by: str | None
    message: str
    tests: int
    seconds: float


def judge(mutant: Mutant | None, source: str, functions: Functions, items: Sequence[pytest.Item]) -> Verdict:
    """Run tests in this process with a mutant (None: no edit at all) until one fails."""
    started = time.process_time()
    if mutant is not None:
        install(mutant, source, functions)
    for position, item in enumerate(items):
        outcome = run_item(item, items[position + 1] if position + 1 < len(items) else None)
        if outcome.failed:
            return Verdict(item.nodeid, outcome.message, position + 1, time.process_time() - started)
    return Verdict(None, "", len(items), time.process_time() - started)
