"""Errors of seat allocation."""

from __future__ import annotations

from evoting.errors import EvotingError


class ResultError(EvotingError, ValueError):
    """Totals that cannot be those of the contest, or a result that does not follow from them.

    Attributes:
        path: where, such as ``contests[1].groups[3].counts``.
        reason: what is wrong there.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.path = path
        self.reason = reason
