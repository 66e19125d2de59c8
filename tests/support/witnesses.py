"""Log witnesses as real processes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from biometric_idp.logs.witnesses import Witness
from crypto.log.note import VerifierKey, decode_vkey
from tests.support.running import Service, run_tool, start_service

TOOL = "evoting.board.witness_cli"


@dataclass
class WitnessPlace:
    """A witness's directory, and its process while it runs; its port stays the same."""

    directory: Path
    key: VerifierKey
    service: Service | None = None
    port: int = 0

    def start(self) -> None:
        self.service = start_service(TOOL, "serve", self.directory, "--port", self.port)
        self.port = self.service.port

    def stop(self) -> None:
        if self.service is not None:
            self.service.end()
            self.service = None

    @property
    def witness(self) -> Witness:
        return Witness(self.key, f"http://127.0.0.1:{self.port}")


def start_witnesses(directory: Path, stack: ExitStack, logs: Sequence[VerifierKey], count: int) -> list[WitnessPlace]:
    """That many witnesses of these logs, stopped with the stack."""
    places = []
    for number in range(1, count + 1):
        place = directory / f"witness-{number}"
        name = f"witness{number}.example/w"
        arguments = [word for log in logs for word in ("--log", log.encode())]
        made = run_tool(TOOL, "init", place, "--name", name, *arguments)
        assert made.returncode == 0, made.stderr
        places.append(WitnessPlace(place, decode_vkey(made.stdout.strip())))
        places[-1].start()
        stack.callback(places[-1].stop)
    return places
