"""Real processes of services in tests: started, waited for, and stopped by their own id."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path

from tests.support.forking import run_module, start_module

_START_SECONDS = 60.0


class Service:
    """A process that listens on loopback, from when it says so; as a context it is stopped at the end.

    Attributes:
        name, port: what it says of itself.
        errors: file of what it writes on standard error.
    """

    def __init__(self, module: str, *arguments: object, environment: Mapping[str, str] | None = None) -> None:
        """Start ``python -m module arguments`` and wait until it listens.

        Raises:
            RuntimeError: it ended or said nothing; the text is what it wrote on standard error.
        """
        descriptor, name = tempfile.mkstemp(prefix="service-", suffix=".err")
        self.errors = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            self.process = start_module(module, *arguments, stderr=file, environment=environment)
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
        self.process.stdout.close()
        self.errors.unlink(missing_ok=True)

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


def start_service(module: str, *arguments: object, environment: Mapping[str, str] | None = None) -> Service:
    """A service of a module.

    Raises:
        RuntimeError: it did not start.
    """
    return Service(module, *arguments, environment=environment)


def run_tool(module: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """One command to its end."""
    return run_module(module, *arguments)
