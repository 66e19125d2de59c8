"""Real processes of services in tests: started, waited for, and stopped by their own id."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
_START_SECONDS = 60.0


class Service:
    """A process that listens on loopback, from when it says so; as a context it is stopped at the end.

    Attributes:
        name, port: what it says of itself.
        errors: file of what it writes on standard error.
    """

    def __init__(self, command: Sequence[object], environment: Mapping[str, str] | None = None) -> None:
        """Start it and wait until it listens.

        Raises:
            RuntimeError: it ended or said nothing; the text is what it wrote on standard error.
        """
        descriptor, name = tempfile.mkstemp(prefix="service-", suffix=".err")
        self.errors = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            self.process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=file,
                cwd=ROOT,
                env={**os.environ, **(environment or {})},
            )
        assert self.process.stdout is not None
        timer = threading.Timer(_START_SECONDS, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        if not line:
            self.process.wait(30)
            text = self.text()
            self.end()
            raise RuntimeError(text.strip())
        facts = json.loads(line)
        self.name, self.port = str(facts["service"]), int(facts["port"])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def text(self) -> str:
        """What it has written on standard error so far."""
        return self.errors.read_text(errors="replace")

    def log(self) -> list[dict[str, object]]:
        """Lines of the structured log so far."""
        return [json.loads(line) for line in self.text().splitlines() if line.startswith("{")]

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
        self.process.kill()
        self.process.wait(30)

    def end(self) -> None:
        """Stop it in whatever state it is, and forget its log."""
        if self.process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.errors.unlink(missing_ok=True)

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


def start_service(*words: object, environment: Mapping[str, str] | None = None) -> Service:
    """``python -m words``.

    Raises:
        RuntimeError: it did not start.
    """
    return Service([sys.executable, "-m", *words], environment)


def run_tool(module: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """One command to its end."""
    words: Sequence[str] = [sys.executable, "-m", module, *[str(word) for word in arguments]]
    return subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=False, timeout=120)
