"""The one tree of exceptions of this package."""

from __future__ import annotations


class CryptoError(Exception):
    """Root of every error that ``crypto`` raises on purpose."""


class DecodeError(CryptoError, ValueError):
    """Bytes that are not the canonical encoding of a valid value.

    Attributes:
        index: position of the first bad item in a vector, or None where the whole is malformed.
    """

    def __init__(self, message: str, index: int | None = None) -> None:
        super().__init__(message)
        self.index = index


class InvalidProof(CryptoError):
    """A proof or signature does not hold.

    Attributes:
        check: short name of the equation or rule that failed.
        index: position of the first culprit in a batch, where there is one.
    """

    def __init__(self, check: str, message: str, index: int | None = None) -> None:
        super().__init__(message)
        self.check = check
        self.index = index


class CeremonyError(CryptoError):
    """A distributed key generation cannot go on; ``culprit`` is the participant's index where one is to blame."""

    def __init__(self, message: str, culprit: int | None = None) -> None:
        super().__init__(message)
        self.culprit = culprit
