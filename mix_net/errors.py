"""The one tree of exceptions of this package; a proof that does not hold is ``crypto.errors.InvalidProof``."""

from __future__ import annotations


class MixError(Exception):
    """Root of every error that ``mix_net`` raises on purpose.

    Attributes:
        hint: what the operator can do about it, or an empty string.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class InputError(MixError):
    """A file, list, key or context that cannot be used."""


class PairsError(MixError):
    """A file of prepared re-encryption pairs that is damaged, foreign, or used up."""


class AlreadyMixed(MixError):
    """This stage was mixed before, and the outputs are not at hand any more to be published again."""
