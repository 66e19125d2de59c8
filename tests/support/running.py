"""Real processes of services in tests: started, waited for, and stopped by their own id."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_START_SECONDS = 60.0


@dataclass
class Service:
    """A process that listens on loopback."""

    process: subprocess.Popen[bytes]
    name: str
    port: int
    errors: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def log(self) -> list[dict[str, object]]:
        """Lines of the structured log so far."""
        lines = self.errors.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def memory(self) -> int:
        """Largest resident size so far, in bytes."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmHWM")

    def stop(self) -> int:
        """Ask it to end, and wait."""
        self.process.terminate()
        return self.process.wait(30)

    def kill(self) -> None:
        """Power off."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)


def start_service(*command: object, environment: dict[str, str] | None = None) -> Service:
    """Start ``python -m <command>`` and wait until it says where it listens.

    Raises:
        RuntimeError: it ended or said nothing; the text is what it wrote on stderr.
    """
    descriptor, name = tempfile.mkstemp(prefix="service-", suffix=".err")
    errors = Path(name)
    with os.fdopen(descriptor, "wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", *[str(word) for word in command]],
            stdout=subprocess.PIPE,
            stderr=file,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
        )
    assert process.stdout is not None
    timer = threading.Timer(_START_SECONDS, process.kill)
    timer.start()
    line = process.stdout.readline()
    timer.cancel()
    if not line:
        process.wait(30)
        text = errors.read_text()
        errors.unlink()
        raise RuntimeError(text.strip())
    facts = json.loads(line)
    return Service(process, facts["service"], facts["port"], errors)


@contextmanager
def running(*command: object) -> Iterator[Service]:
    """A service for the time of a ``with`` block."""
    service = start_service(*command)
    try:
        yield service
    finally:
        end(service)


def end(service: Service) -> None:
    """Stop it in whatever state it is, and forget its log."""
    if service.process.poll() is None:
        service.stop()
    if service.process.stdout is not None:
        service.process.stdout.close()
    service.errors.unlink(missing_ok=True)


def run_tool(module: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """One command to its end."""
    words: Sequence[str] = [sys.executable, "-m", module, *[str(word) for word in arguments]]
    return subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=False, timeout=120)
