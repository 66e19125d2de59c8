"""How many entries a log had when something about the last one left the house, in a file outside the database.

Checkpoints are minutes or hours apart; this file is raised before each answer, so an old copy of the database is
recognised even if it lacks a single entry. Eight bytes, big-endian; any number of processes raise it.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from biometric_idp.errors import StateError

_BYTES = 8


class SizeFile:
    """A number that only grows, durable when ``raise_to`` returns."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> int:
        """The number; 0 where there is no file yet.

        Raises:
            StateError: the file is damaged. It is never taken for an empty one.
        """
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return 0
        if len(data) not in (0, _BYTES):
            raise StateError(f"{self._path}: not the size of a log")
        return int.from_bytes(data, "big")

    def raise_to(self, size: int) -> None:
        """Remember a size, unless a larger one is there."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if size > int.from_bytes(os.pread(descriptor, _BYTES, 0), "big"):
                # Eight bytes within one sector: a crash leaves the old number or the new one.
                os.pwrite(descriptor, size.to_bytes(_BYTES, "big"), 0)
                os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
