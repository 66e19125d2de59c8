"""The narrow seam through which the board and the witness change a disk.

One method is one system call that can fail, or before which a machine can lose power; tests replace single methods to
do exactly that at every point. After a failure nothing more is written: a failed fsync leaves it unknown what is on
disk, and asking again would report success for data that is gone.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evoting.board.errors import StorageFailed
from evoting.board.layout import TEMPORARY

_WRITE_CHUNK = 1 << 24


class Storage:
    """Durable, atomic changes to files. Owned by one writer; not thread-safe."""

    def __init__(self) -> None:
        self._failed = False
        self._unsettled_files: dict[Path, None] = {}
        self._unsettled_directories: dict[Path, None] = {}
        self._known_directories: set[Path] = set()

    # Primitives: each is one point of failure.

    def make_directory(self, path: Path) -> None:
        path.mkdir()

    def write_file(self, path: Path, data: bytes, mode: int = 0o644) -> None:
        """Create or truncate, and write; nothing is durable yet."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view[:_WRITE_CHUNK]) :]
        finally:
            os.close(descriptor)

    def copy_file(self, source: Path, target: Path) -> None:
        """Create or truncate, and copy; nothing is durable yet."""
        shutil.copyfile(source, target)

    def sync_file(self, path: Path) -> None:
        _fsync(path, os.O_RDONLY)

    def sync_directory(self, path: Path) -> None:
        _fsync(path, os.O_RDONLY | os.O_DIRECTORY)

    def rename(self, source: Path, target: Path) -> None:
        source.replace(target)

    def remove_file(self, path: Path) -> None:
        path.unlink()

    def remove_directory(self, path: Path) -> None:
        path.rmdir()

    # What the board is written with.

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Surrounds every change: refuses after a failure, and remembers one.

        Raises:
            StorageFailed: an earlier change failed.
        """
        if self._failed:
            raise StorageFailed("an earlier write failed; open the board again")
        try:
            yield
        except BaseException:
            self._failed = True
            raise

    def ensure_directory(self, path: Path, root: Path) -> None:
        """Make ``path`` and its parents below ``root`` where they are missing; durable after ``settle``.

        The first use of a directory counts as making it: an earlier process may have died before making it durable.
        """
        if path in self._known_directories:
            return
        if path != root:
            self.ensure_directory(path.parent, root)
        with self.changing():
            if not path.is_dir():
                self.make_directory(path)
            self._unsettled_directories[path.parent] = None
            self._known_directories.add(path)

    def temporary(self, root: Path) -> Path:
        """A name below ``root`` under which a file can be written before it gets its own."""
        self.ensure_directory(root / TEMPORARY, root)
        return root / TEMPORARY / "file"

    def place(self, root: Path, name: str, data: bytes) -> None:
        """Write a file that readers see whole or not at all; durable after ``settle``."""
        path, temporary = root / name, self.temporary(root)
        self.ensure_directory(path.parent, root)
        with self.changing():
            self.write_file(temporary, data)
            self.rename(temporary, path)
            self._unsettled_files[path] = None
            self._unsettled_directories[path.parent] = None

    def settle(self) -> None:
        """Make everything placed since the last call durable."""
        with self.changing():
            for path in self._unsettled_files:
                self.sync_file(path)
            for path in self._unsettled_directories:
                self.sync_directory(path)
        self._unsettled_files.clear()
        self._unsettled_directories.clear()

    def abandon(self) -> None:
        """The caller has rolled back: files placed and not settled no longer matter (directories still do)."""
        self._unsettled_files.clear()

    def replace(self, path: Path, data: bytes, temporary: Path, mode: int = 0o644) -> None:
        """Set the content of a file atomically and durably: before the return the old content, afterwards the new."""
        with self.changing():
            self.write_file(temporary, data, mode)
        self.finish(temporary, path)

    def finish(self, temporary: Path, path: Path) -> None:
        """Give a complete temporary file its name, durably."""
        with self.changing():
            self.sync_file(temporary)
            self.rename(temporary, path)
            self.sync_directory(path.parent)

    def remove(self, path: Path) -> None:
        """Remove a file that nothing refers to. A crash may bring it back, so its removal must be repeatable."""
        with self.changing():
            self.remove_file(path)

    def discard_directory(self, path: Path) -> None:
        """Remove an empty directory."""
        with self.changing():
            self._known_directories.discard(path)
            self.remove_directory(path)


def _fsync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
