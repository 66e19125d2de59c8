"""Commands and services as processes of their own, forked from one that has imported the libraries already.

Importing web framework, database toolkit and cryptography costs more than a second of processor time for each process,
and the tests start several hundred. A forked process is as real as another: it has its own memory, files, signals and
id, and executes the module named as ``python -m`` does. What it does not show is that the imports themselves work from
nothing; the tests of the documentation and of the command lines start theirs afresh.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[2]


class Forked:
    """A process, with what tests need of ``subprocess.Popen``.

    Attributes:
        pid: of the process.
        returncode: as in ``subprocess.Popen``; ``None`` while it runs or nobody asked.
        stdout: text of what it prints.
    """

    def __init__(self, pid: int, status: socket.socket, stdout: IO[str]) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdout = stdout
        self._status = status
        self._waiting = threading.Lock()

    def wait(self, timeout: float | None = None) -> int:
        """Raises subprocess.TimeoutExpired: it still runs."""
        with self._waiting:
            if self.returncode is None:
                ready = select.poll()
                ready.register(self._status, select.POLLIN)
                if not ready.poll(None if timeout is None else timeout * 1000):
                    raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
                answer = self._status.recv(4)
                self._status.close()
                if len(answer) != 4:
                    raise RuntimeError("the process that forks for the tests is gone")
                (self.returncode,) = struct.unpack("i", answer)
            return self.returncode

    def poll(self) -> int | None:
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def send_signal(self, number: int) -> None:
        # Reaped by its parent or not: an id is not given again while its status has not been read here.
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class _Server:
    """The process that has imported, and forks; one for each process that runs tests."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._asking = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.fork_server", str(theirs.fileno())],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        atexit.register(self.close)

    def close(self) -> None:
        self._socket.close()
        self._process.wait(30)

    def start(
        self, words: Sequence[str], stdout: int, stderr: int, environment: Mapping[str, str]
    ) -> tuple[int, socket.socket]:
        mine, theirs = socket.socketpair()
        request = json.dumps({"words": words, "environment": dict(environment)}).encode()
        with self._asking, theirs:
            socket.send_fds(self._socket, [request], [stdout, stderr, theirs.fileno()])
            answer = self._socket.recv(4)
        if len(answer) != 4:
            raise RuntimeError("the process that forks for the tests is gone")
        return struct.unpack("i", answer)[0], mine


_servers: dict[int, _Server] = {}


def _server() -> _Server:
    # By process: a test process that was itself forked must not share the connection.
    if os.getpid() not in _servers:
        _servers[os.getpid()] = _Server()
    return _servers[os.getpid()]


def start_module(
    module: str,
    *arguments: object,
    stderr: IO[bytes] | IO[str],
    environment: Mapping[str, str] | None = None,
) -> Forked:
    """``python -m module arguments``, forked; the caller reads ``stdout``.

    Args:
        stderr: where its standard error goes.
        environment: added to this process's own.
    """
    everything = {**os.environ, **(environment or {})}
    read, write = os.pipe()
    try:
        words = [module, *map(str, arguments)]
        pid, status = _server().start(words, write, stderr.fileno(), everything)
    except BaseException:
        os.close(read)
        raise
    finally:
        os.close(write)
    return Forked(pid, status, os.fdopen(read, encoding="utf-8", errors="replace"))


def run_module(
    module: str, *arguments: object, environment: Mapping[str, str] | None = None, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """``python -m module arguments`` to its end, forked.

    Raises:
        subprocess.TimeoutExpired: it did not end; it was killed.
    """
    with os.fdopen(os.memfd_create("stderr"), "w+b") as errors:
        process = start_module(module, *arguments, stderr=errors, environment=environment)
        expired = threading.Event()

        def stop() -> None:
            expired.set()
            process.kill()

        timer = threading.Timer(timeout, stop)
        timer.start()
        with process.stdout:
            printed = process.stdout.read()
        code = process.wait()
        timer.cancel()
        errors.seek(0)
        said = errors.read().decode(errors="replace")
    words = [sys.executable, "-m", module, *map(str, arguments)]
    if expired.is_set():
        raise subprocess.TimeoutExpired(words, timeout)
    return subprocess.CompletedProcess(words, code, printed, said)
