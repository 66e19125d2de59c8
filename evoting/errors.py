"""The root of the exceptions of this package that are not a definition's."""

from __future__ import annotations


class EvotingError(Exception):
    """Something a person can mend; the message says what is wrong and where."""


class RecordError(EvotingError):
    """The election record does not allow what was asked, or is not what it should be."""
