"""The demonstration at a hundredth of its size, every party in this process, and interruptions wherever one likes."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from functools import cached_property
from importlib import import_module
from pathlib import Path

import pytest

from crypto import cbor
from evoting.board.store import Board
from evoting.demo import cli, counting, setup, voters
from evoting.demo.parties import MODULES, PartyFailed
from evoting.demo.places import Places
from evoting.demo.plan import Plan
from evoting.examples.kyrgyz2021 import DemoOptions
from verifier.cli import main as verify

Watch = Callable[..., None]


class SmallPlan(Plan):
    """Few parties, and units as small as this electorate."""

    @cached_property
    def options(self) -> DemoOptions:
        return DemoOptions(
            opens=self.opens, closes=self.opens + 2 * 86_400, epoch=1, homomorphic_minimum=2, mixed_minimum=2,
            trustees=(2, 1), issuers=(1, 1), mixers=2, witnesses=(1, 1),
        )  # fmt: skip


class SmallDemo:
    """Runs ``evoting-demo``; ``watch`` hears of every party and every append, before and after, and may raise."""

    def __init__(self, root: Path, patch: pytest.MonkeyPatch, contest: str = "both", scale: int = 12_000) -> None:
        self.places = Places(root)
        self.arguments = ["--out", str(root), "--scale", str(scale), "--contest", contest, "--jobs", "1"]
        self.arguments += ["--issuance", "files"]
        self.watch: Watch = lambda *_: None
        for module in (setup, counting, voters):
            patch.setattr(module, "run_party", self._run_party, raising=False)
            patch.setattr(module, "run_parties", self._run_parties, raising=False)
        patch.setattr(cli, "Plan", SmallPlan)
        patch.setattr(voters, "Plan", SmallPlan)
        patch.setattr(cli, "verify", self._verify)
        # Durability has tests of its own; interruptions here are exceptions, which lose nothing that was written.
        patch.setattr(os, "fsync", lambda descriptor: None)
        append = Board.append

        def watched(board: Board, entries: Sequence[bytes]) -> range:
            entries = list(entries)
            kind = cbor.decode(entries[-1])["type"]  # type: ignore[index]
            self.watch("append", "before", kind, board.size)
            indices = append(board, entries)
            self.watch("append", "after", kind, board.size)
            return indices

        patch.setattr(Board, "append", watched)

    def run(self, *more: str) -> tuple[int, str]:
        """Exit code and standard error."""
        error = io.StringIO()
        with redirect_stderr(error):
            code = cli.main([*self.arguments, *more])
        return code, error.getvalue()

    def _run_party(self, name: str, *arguments: object, cpus: int | None = None) -> str:
        """The party's own command in this process."""
        words = [str(argument) for argument in arguments]
        self.watch("party", "before", name, *words)
        output, error = io.StringIO(), io.StringIO()
        output.buffer = io.BytesIO()  # type: ignore[misc]
        module = import_module(MODULES[name] + (".cli" if name == "evoting-voters" else ""))
        with redirect_stdout(output), redirect_stderr(error):
            code = module.main(words)
        if code != 0:
            raise PartyFailed(f"{name} {words[0]} ended with code {code}: {error.getvalue().strip()}")
        self.watch("party", "after", name, *words)
        return output.getvalue() + output.buffer.getvalue().decode()

    def _run_parties(self, calls: Sequence[tuple[object, ...]], jobs: int) -> list[str]:
        return [self._run_party(str(call[0]), *call[1:]) for call in calls]

    def _verify(self, places: Places) -> bool:
        return verify(["run", str(places.record), "--trust-root", str(places.trust_root), "--jobs", "1"]) == 0
