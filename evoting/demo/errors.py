"""Errors of the demonstration."""

from __future__ import annotations

from evoting.errors import EvotingError


class DemoError(EvotingError):
    """A file of the demonstration is damaged or foreign; the message says which one."""
