"""Errors of the election definition."""

from __future__ import annotations

from evoting.errors import EvotingError


class DefinitionError(EvotingError, ValueError):
    """An election definition that cannot be accepted.

    Attributes:
        path: where the defect is, such as ``contests[1].options[3].id`` or ``candidates.csv, line 12``; may be
            empty.
        reason: what is wrong there and what is expected.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.path = path
        self.reason = reason
