"""A disk that fails: storage that stops at a chosen system call and then shows what a real disk might hold.

Three disks are modelled. ``killed``: the process died, everything it wrote is there. ``unsynced lost``: power failed,
and everything not made durable by fsync of the file and of its directory is gone. ``names kept``: power failed, names
reached the disk but the contents of files without fsync did not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from evoting.board.storage import Storage

KILLED, UNSYNCED_LOST, NAMES_KEPT = "killed", "unsynced lost", "names kept"
DISKS = (KILLED, UNSYNCED_LOST, NAMES_KEPT)


class PowerFailure(BaseException):
    """Like KeyboardInterrupt, not an Exception: nothing may handle it and go on."""


@dataclass
class FaultyStorage(Storage):
    """Counts system calls and fails instead of making call number ``fail_at`` (from 0); None never fails.

    Calls of fsync are only noted, which also makes tests fast.
    """

    fail_at: int | None = None
    error: Callable[[], BaseException] = PowerFailure
    calls: list[str] = field(default_factory=list)
    _dirty: set[Path] = field(default_factory=set)
    _undo: list[tuple[Path, Callable[[], None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def write_file(self, path: Path, data: bytes, mode: int = 0o644) -> None:
        self._writes(path)
        self._point(f"write {path.name}", lambda: Storage.write_file(self, path, data[: len(data) // 2], mode))
        super().write_file(path, data, mode)

    def copy_file(self, source: Path, target: Path) -> None:
        self._writes(target)
        self._point(f"copy {target.name}")
        super().copy_file(source, target)

    def make_directory(self, path: Path) -> None:
        self._point(f"mkdir {path.name}")
        super().make_directory(path)
        self._undo.append((path.parent, lambda: _remove_tree(path)))

    def rename(self, source: Path, target: Path) -> None:
        self._point(f"rename {source.name} {target.name}")
        old = target.read_bytes() if target.exists() else None
        super().rename(source, target)
        self._dirty.discard(target)
        if source in self._dirty:
            self._dirty.discard(source)
            self._dirty.add(target)
        self._undo.append((target.parent, lambda: _restore(target, old)))

    def remove_file(self, path: Path) -> None:
        self._point(f"remove {path.name}")
        old = path.read_bytes()
        super().remove_file(path)
        self._dirty.discard(path)
        self._undo.append((path.parent, lambda: _restore(path, old)))

    def remove_directory(self, path: Path) -> None:
        self._point(f"rmdir {path.name}")
        super().remove_directory(path)

    def sync_file(self, path: Path) -> None:
        self._point(f"fsync {path.name}")
        assert path.is_file()
        self._dirty.discard(path)

    def sync_directory(self, path: Path) -> None:
        self._point(f"fsync directory {path.name}")
        assert path.is_dir()
        self._undo = [(directory, undo) for directory, undo in self._undo if directory != path]

    def fail_disk(self, disk: str) -> None:
        """Bring the disk into the state in which the next process finds it."""
        if disk == UNSYNCED_LOST:
            for _, undo in reversed(self._undo):
                undo()
        if disk != KILLED:
            for path in self._dirty:
                if path.exists():
                    path.write_bytes(b"")

    def _writes(self, path: Path) -> None:
        if not path.exists():
            self._undo.append((path.parent, lambda: path.unlink(missing_ok=True)))
        self._dirty.add(path)

    def _point(self, name: str, halfway: Callable[[], None] | None = None) -> None:
        number = len(self.calls)
        self.calls.append(name)
        if number == self.fail_at:
            if halfway:
                halfway()
            raise self.error()


def _restore(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
    elif path.parent.is_dir():
        path.write_bytes(content)


def _remove_tree(path: Path) -> None:
    if path.is_dir():
        for item in path.iterdir():
            _remove_tree(item)
        path.rmdir()
    else:
        path.unlink(missing_ok=True)
