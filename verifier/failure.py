"""A failed check is data: what is wrong, where, and who is to blame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Failure:
    """One culprit of one check.

    Attributes:
        sentence: what does not hold, for a person; values from the record are already made printable.
        entry: index of the log entry, where one is at fault.
        blob: hash of the blob at fault, lower-case hex.
        role: id of the role to blame, where there is one.
        equation: name of the equation or rule of the specification (``shuffle.zero.A``), where one has a name.
    """

    sentence: str
    entry: int | None = None
    blob: str | None = None
    role: str | None = None
    equation: str | None = None


@dataclass(frozen=True)
class RowFailure:
    """A row of a batch (not yet tied to a log entry) that fails.

    Attributes:
        row: position in the batch.
        reason: the *first* reason of docs/spec/06-ballots.md section 6.5 (or 6.6) that applies: ``malformed``,
            ``credential``, ``signature``, ``proof``, ``opening``.
        equation: name of the equation that does not hold.
        sentence: what does not hold.
    """

    row: int
    reason: str
    equation: str
    sentence: str


#: Culprits that a report lists for one check; all are counted.
LISTED = 20


class Failures:
    """Failures of one check: all counted, the first few kept."""

    def __init__(self, failures: Iterable[Failure] = ()) -> None:
        self.listed: list[Failure] = []
        self.total = 0
        for failure in failures:
            self.add(failure)

    def add(self, failure: Failure) -> None:
        """One more."""
        self.total += 1
        if len(self.listed) < LISTED:
            self.listed.append(failure)

    def merge(self, other: Failures) -> None:
        """All of another list, which comes after this one."""
        self.listed += other.listed[: LISTED - len(self.listed)]
        self.total += other.total

    def __iter__(self) -> Iterator[Failure]:
        return iter(self.listed)

    def __bool__(self) -> bool:
        return self.total > 0
