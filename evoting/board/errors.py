"""Errors of the bulletin board."""

from __future__ import annotations

from evoting.errors import EvotingError


class BoardError(EvotingError):
    """Root of every error that the bulletin board raises on purpose."""


class BoardLocked(BoardError):
    """Another process writes this record or uses this state."""


class StaleState(BoardError):
    """The state is older than what the log has signed elsewhere: an old copy was restored, and must not sign."""


class RecordCorrupt(BoardError):
    """Files of the record or the state are missing, foreign, or do not hash to the root that was committed to."""


class StorageFailed(BoardError):
    """An earlier write or fsync failed; what is on disk is unknown, so the board has to be opened again."""


class CosignatureRefused(BoardError):
    """A cosignature that must not be published: it is dated in the future."""


class KeyFileError(BoardError):
    """A key file cannot be used; the message says which file and why."""


class WitnessStateError(BoardError):
    """A log witness's own files are missing or damaged; without them it must not cosign."""
