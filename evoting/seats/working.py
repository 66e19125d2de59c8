"""The working of a count: every step, every tie and what resolved it; docs/spec/10-results.md sections 10.4, 10.5."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from crypto.hashing import sha

LOT = "lot"
LIST_ORDER = "list-order"


@dataclass(frozen=True, slots=True)
class Step:
    """One line of arithmetic: its name says what the integers are (section 10.5)."""

    name: str
    subject: str
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Tie:
    """Equal scores of which only some could be chosen.

    ``ids`` are in the order that the rule gave them; the first ``places`` were chosen.
    """

    purpose: str
    ids: tuple[str, ...]
    places: int
    by: str


@dataclass
class Working:
    """Collects steps and ties while one contest is counted, and draws its lots."""

    fingerprint: bytes
    contest: str
    steps: list[Step] = field(default_factory=list)
    ties: list[Tie] = field(default_factory=list)

    def step(self, name: str, subject: str, *values: int) -> None:
        self.steps.append(Step(name, subject, values))

    def lot(self, id: str) -> bytes:
        """The lot of an option, party or candidate: fixed by the election fingerprint, the lower one goes first."""
        return sha("evoting/v1/tie", self.fingerprint, self.contest.encode(), id.encode())

    def pick(self, purpose: str, scores: Mapping[str, int | Fraction], places: int) -> list[str]:
        """The ``places`` highest scores, best first; equal ones in the order of their lots."""
        return self._pick(purpose, scores, places, self.lot, LOT)

    def pick_in_order(self, purpose: str, scores: Mapping[str, int], places: int, order: Sequence[str]) -> list[str]:
        """The ``places`` highest scores, best first; equal ones in the given order (a party's list)."""
        position = {id: index for index, id in enumerate(order)}
        return self._pick(purpose, scores, places, lambda id: position[id], LIST_ORDER)

    def _pick(
        self,
        purpose: str,
        scores: Mapping[str, int | Fraction],
        places: int,
        order: Callable[[str], bytes] | Callable[[str], int],
        by: str,
    ) -> list[str]:
        ranked = sorted(scores, key=lambda id: (-scores[id], order(id)))
        if 0 < places < len(ranked) and scores[ranked[places - 1]] == scores[ranked[places]]:
            edge = scores[ranked[places]]
            tied = tuple(id for id in ranked if scores[id] == edge)
            above = sum(1 for id in ranked if scores[id] > edge)
            self.ties.append(Tie(purpose, tied, places - above, by))
        return ranked[:places]
