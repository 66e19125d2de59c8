"""Exclusive use of a log by one process."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from evoting.board.errors import BoardError, BoardLocked
from evoting.board.state import LOCK


class WriterLock:
    """Holds a lock on the state directory and one on the record, so that copied states cannot write one record twice.

    The kernel lets go of both when the process ends, however it ends.
    """

    def __init__(self, root: Path, state_dir: Path) -> None:
        self._descriptors: list[int] = []
        try:
            self._take(state_dir / LOCK, os.O_RDWR | os.O_CREAT)
            self._take(root, os.O_RDONLY | os.O_DIRECTORY)
        except BaseException:
            self.release()
            raise

    def _take(self, path: Path, flags: int) -> None:
        try:
            descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise BoardError(f"{path} cannot be opened: {error.strerror}") from error
        self._descriptors.append(descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BoardLocked(f"{path} is in use by another process") from error

    def release(self) -> None:
        while self._descriptors:
            os.close(self._descriptors.pop())

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        self.release()
