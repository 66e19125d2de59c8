"""Services of other parties while the demonstration needs them: started, waited for, killed or stopped, all by id."""

from __future__ import annotations

import ctypes
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from evoting.demo.parties import PartyFailed, command

_PR_SET_PDEATHSIG = 1
_STOP_SECONDS = 30


def _end_with_parent() -> None:
    """Ask the kernel to end this process with the demonstration, however that one ends (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class ServicePool:
    """Services by name. Leaving the context stops those that still run."""

    def __init__(self, logs: Path) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self._logs = logs
        self._running: dict[str, tuple[subprocess.Popen[bytes], int]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.stop()

    def start(self, name: str, tool: str, *arguments: object, port: int = 0) -> str:
        """Start a service and wait until it listens; gives its address.

        Raises:
            PartyFailed: it ended before that; with its last words.
        """
        log = self._logs / f"{name}.log"
        with log.open("ab") as file:
            process = subprocess.Popen(
                command(tool, *arguments, "--host", "127.0.0.1", "--port", port),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=file,
                preexec_fn=_end_with_parent,
            )
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            process.wait(_STOP_SECONDS)
            last = log.read_text(errors="replace").strip().splitlines()[-1:]
            raise PartyFailed(f"{tool} serve did not start: {last[0] if last else 'no message'}")
        bound = int(json.loads(line)["port"])
        self._running[name] = (process, bound)
        return f"http://127.0.0.1:{bound}"

    def port(self, name: str) -> int:
        return self._running[name][1]

    def kill(self, name: str) -> int:
        """End one as a power failure would; gives the port that it had."""
        process, port = self._running.pop(name)
        process.kill()
        process.wait()
        return port

    def stop(self) -> None:
        """Ask all to end, and wait; whoever does not is ended."""
        running, self._running = self._running, {}
        for process, _ in running.values():
            process.send_signal(signal.SIGTERM)
        for process, _ in running.values():
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def watch_party(name: str, *arguments: object, heard: Callable[[str], None]) -> str:
    """Run a party's command and hear each line that it writes on standard error; gives its standard output.

    Raises:
        PartyFailed: it ended with another code than 0.
    """
    process = subprocess.Popen(
        command(name, *arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_end_with_parent,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    last = "no message"
    try:
        for line in process.stderr:
            last = line.strip() or last
            heard(last)
        output = process.stdout.read()
        code = process.wait()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    if code != 0:
        raise PartyFailed(f"{name} {arguments[0] if arguments else ''} ended with code {code}: {last}")
    return output


def write_toml(path: Path, members: Mapping[str, object]) -> None:
    """A configuration file; what JSON writes for texts, numbers and arrays is TOML as well."""
    unfinished = path.with_name(path.name + ".tmp")
    unfinished.write_text("".join(f"{name} = {_toml(value)}\n" for name, value in members.items()))
    unfinished.replace(path)


def _toml(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(str(name))} = {_toml(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, Path):
        return json.dumps(str(value))
    return json.dumps(value, ensure_ascii=False)
