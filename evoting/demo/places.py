"""Where a demonstration keeps its files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Places:
    """Paths below the demonstration's directory. Only ``record`` and ``trust_root`` are public."""

    root: Path

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
