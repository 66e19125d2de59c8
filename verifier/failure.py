"""A failed check is data: what is wrong, where, and who is to blame."""

from __future__ import annotations

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
