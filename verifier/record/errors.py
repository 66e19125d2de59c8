"""Errors of reading a record."""

from __future__ import annotations


class VerifierError(Exception):
    """Root of every error that ``verifier`` raises on purpose."""


class FormatError(VerifierError, ValueError):
    """Bytes that are not the one encoding of a value of the schema; ``str()`` is a sentence for the report."""


class UnreadableError(VerifierError):
    """Nothing can be checked (exit code 2): path, trust root or checkpoint unreadable, or the format is foreign.

    Attributes:
        hint: what the person at the keyboard can do about it.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint
