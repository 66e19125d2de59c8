"""Errors of the voter's tool."""

from __future__ import annotations

from evoting.errors import EvotingError


class VoterError(EvotingError):
    """A file, a choice or a moment that does not fit."""
