"""Files of the mixer: written whole or not at all, durable when a function returns, refused as a whole."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mix_net.errors import InputError


def write_atomic(path: Path, chunks: bytes | Iterable[bytes], *, secret: bool = False) -> None:
    """Replace a file in one step. A crash leaves the old file or none, and at worst a ``.name.*`` beside it."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            for chunk in [chunks] if isinstance(chunks, bytes) else chunks:
                file.write(chunk)
            file.flush()
            os.fchmod(file.fileno(), 0o600 if secret else 0o644)
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(name)
        raise
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make renames in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_file(path: Path, limit: int | None = None) -> bytes:
    """A whole file.

    Raises:
        InputError: unreadable, or longer than ``limit`` bytes.
    """
    try:
        with path.open("rb") as file:
            data = file.read() if limit is None else file.read(limit + 1)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    if limit is not None and len(data) > limit:
        raise InputError(f"{path}: longer than {limit} bytes, which is no file of this kind")
    return data


def require_private(path: Path, mode: int) -> None:
    """Refuse a secret that other accounts can read.

    Raises:
        InputError: group or others have access.
    """
    if stat.S_IMODE(mode) & 0o077:
        raise InputError(f"{path} is open to other accounts (mode {stat.S_IMODE(mode):04o})", hint=f"chmod go= {path}")


@contextmanager
def locked_directory(path: Path) -> Iterator[None]:
    """Make a private directory if need be, and keep other processes out of it.

    Raises:
        InputError: it cannot be used, others can read it, or another process uses it.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    try:
        require_private(path, os.fstat(descriptor).st_mode)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"{path} is in use by another process") from None
        yield
    finally:
        os.close(descriptor)
