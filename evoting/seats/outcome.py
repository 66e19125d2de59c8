"""What a contest comes to; docs/spec/10-results.md section 10.3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from .working import Step, Tie, Working

Status: TypeAlias = Literal["decided", "second-round", "repeat", "not-valid", "not-adopted", "withheld"]
Reason: TypeAlias = Literal["votes", "women-quota", "other-sex", "majority", "preferences", "runoff"]

STATUSES = ("decided", "second-round", "repeat", "not-valid", "not-adopted", "withheld")


@dataclass(frozen=True, slots=True)
class Elected:
    """Who is elected, with how many votes (list contests: preferences), and by which part of the rule."""

    id: str
    votes: int
    by: Reason


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome of one contest with its working.

    ``seats`` are by party in ballot order (list contests only), ``advance`` go to a second round, ``vacant`` counts
    seats that nobody could take.
    """

    status: Status
    elected: tuple[Elected, ...]
    seats: tuple[tuple[str, int], ...]
    vacant: int
    advance: tuple[str, ...]
    adopted: str | None
    ties: tuple[Tie, ...]
    steps: tuple[Step, ...]


def conclude(
    working: Working,
    status: Status,
    *,
    elected: Sequence[Elected] = (),
    seats: Sequence[tuple[str, int]] = (),
    vacant: int = 0,
    advance: Sequence[str] = (),
    adopted: str | None = None,
) -> Outcome:
    """The outcome with everything the working has collected."""
    return Outcome(
        status=status,
        elected=tuple(elected),
        seats=tuple(seats),
        vacant=vacant,
        advance=tuple(advance),
        adopted=adopted,
        ties=tuple(working.ties),
        steps=tuple(working.steps),
    )
