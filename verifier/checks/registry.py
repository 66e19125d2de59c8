"""The list of checks: stable names, in the order of docs/spec/11-checks.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from verifier.failure import Failure

if TYPE_CHECKING:
    from verifier.state import State

CheckFunction: TypeAlias = "Callable[[State], Iterable[Failure]]"


class NotRun(Exception):
    """A check has nothing to work on; ``cause`` names the check whose failure took it away."""

    def __init__(self, cause: str, sentence: str = "") -> None:
        super().__init__(f"{cause}: {sentence}" if sentence else cause)
        self.cause = cause
        self.sentence = sentence


@dataclass(frozen=True)
class Check:
    """One line of the report."""

    name: str
    group: int
    section: str
    holds: str  # what must hold, for the report
    function: CheckFunction


CHECKS: list[Check] = []


def check(name: str, group: int, section: str, holds: str) -> Callable[[CheckFunction], CheckFunction]:
    """Register a function that yields the failures of one check (and nothing where all holds).

    It may raise ``NotRun``. It is called once, after all earlier ones.
    """

    def register(function: CheckFunction) -> CheckFunction:
        CHECKS.append(Check(name, group, section, holds, function))
        return function

    return register
