"""Where a demonstration keeps its files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evoting.demo.errors import DemoError


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object in a file.

    Raises:
        DemoError: it is none, or the file cannot be read.
    """
    try:
        value = json.loads(path.read_bytes())
    except OSError as error:
        raise DemoError(f"{path}: {error.strerror}") from None
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise DemoError(f"{path} is damaged: it holds no JSON object")
    return value


def write_whole(path: Path, text: str) -> None:
    """Write a small file so that after an interruption there is the old one, none, or the whole new one."""
    unfinished = path.with_name(path.name + ".tmp")
    unfinished.write_text(text)
    unfinished.replace(path)


@dataclass(frozen=True)
class Places:
    """Paths below the demonstration's directory. Only ``record`` and ``trust_root`` are public.

    Attributes:
        databases: addresses of databases by role, where they are not SQLite files in the role's own directory.
        checkpoint_seconds: between checkpoints of enrolment log and ledgers.
    """

    root: Path
    databases: Mapping[str, str] = field(default_factory=dict)
    checkpoint_seconds: float = 1.0

    @property
    def record(self) -> Path:
        return self.root / "record"

    @property
    def trust_root(self) -> Path:
        return self.root / "trust-root.json"

    @property
    def result(self) -> Path:
        return self.root / "result.json"

    @property
    def report(self) -> Path:
        return self.root / "report.html"

    @property
    def challenged_ballot(self) -> Path:
        """One published challenge as the file that a second device reads."""
        return self.root / "challenged-ballot.cbor"

    @property
    def stick(self) -> Path:
        """Files that parties hand to each other: ceremony messages, mixed lists, decryption factors."""
        return self.root / "stick"

    @property
    def work(self) -> Path:
        """Intermediate files of the demonstration itself."""
        return self.root / "work"

    @property
    def plan(self) -> Path:
        """What this directory was started with; a run with other settings is refused."""
        return self.root / "plan.json"

    def secrets(self, role: str) -> Path:
        """One role's own directory."""
        return self.root / "secrets" / role

    def issuer(self, role: str) -> list[object]:
        """Where an issuer is, in the words of its commands: its directory, and its database where that is elsewhere."""
        database = self.databases.get(role)
        return ["--dir", self.secrets(role), *([] if database is None else ["--database", database])]
