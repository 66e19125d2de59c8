"""What a case is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from tests.support.small_election import SmallElection


class Case(SmallElection):
    """One defect.

    Attributes:
        attack: id of the attack that it plants, where there is one, and a word on the defect.
        checks: the checks that must fail; others may fail or not run as a consequence. Empty: the record is valid.
    """

    attack: ClassVar[str]
    checks: ClassVar[tuple[str, ...]]

    def tamper(self) -> None:
        """What somebody does to the files after publication."""

    def older_checkpoints(self) -> list[Path]:
        """Checkpoints that the verifier is given besides."""
        return []

    def run(self) -> Case:
        super().run()
        self.tamper()
        return self


REGISTRY: list[type[Case]] = []


def case(attack: str, *checks: str) -> Callable[[type[Case]], type[Case]]:
    """Register a case class."""

    def register(cls: type[Case]) -> type[Case]:
        cls.attack = attack
        cls.checks = checks
        REGISTRY.append(cls)
        return cls

    return register
