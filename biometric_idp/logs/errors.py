"""Why a log does not sign or publish."""

from __future__ import annotations

from biometric_idp.errors import StateError


class LogStateError(StateError):
    """The log cannot be used as it is."""


class StaleLog(LogStateError):
    """The log is behind a head that it signed before: an old database was restored. It signs nothing more."""


class LogDamaged(LogStateError):
    """Entries, tiles and signed head contradict each other; the text says where."""


class NotCosigned(LogStateError):
    """Too few log witnesses answered; what was published before stays.

    Attributes:
        failures: what each of the others said, by name of its key.
    """

    def __init__(self, message: str, failures: dict[str, str]) -> None:
        super().__init__(message)
        self.failures = failures
