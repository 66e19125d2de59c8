"""Services as processes of their own: started on a free port, spoken to over loopback, ended by id."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import IO

START_SECONDS = 60


class ServiceProcess:
    """A running service that has said that it listens.

    Attributes:
        port: where it listens.
    """

    def __init__(self, command: Sequence[object], environment: Mapping[str, str] | None = None) -> None:
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (lives as long as the process)
        self.process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, **(environment or {})},
        )
        try:
            self.port = int(json.loads(self._first_line())["port"])
        except BaseException:
            self.kill()
            raise

    @classmethod
    def module(cls, module: str, *arguments: object, environment: Mapping[str, str] | None = None) -> ServiceProcess:
        """``python -m module arguments``."""
        return cls([sys.executable, "-m", module, *arguments], environment)

    def _first_line(self) -> bytes:
        assert self.process.stdout is not None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            ready, _, _ = select.select([self.process.stdout], [], [], 0.2)
            if ready:
                line = self.process.stdout.readline()
                if line:
                    return line
                break
        raise RuntimeError(f"the service did not start: {self.log()[-2000:]}")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def log(self) -> str:
        """What the process has written to stderr so far."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def peak_memory(self) -> int:
        """Largest resident size so far, in bytes."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return 1024 * next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))

    def kill(self) -> None:
        """End it at once, as a power failure would."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Ask it to end, and wait; gives its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def __enter__(self) -> ServiceProcess:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self._log.close()
