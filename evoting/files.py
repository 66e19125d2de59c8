"""Files that people give to the office's command and get from it."""

from __future__ import annotations

import os
from pathlib import Path

from evoting.errors import RecordError


def read_limited(path: Path, limit: int) -> bytes:
    """The whole of a file.

    Raises:
        RecordError: it is longer than ``limit`` bytes.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise RecordError(f"{path} has more than {limit} bytes")
    return data


def write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet, durably and whole; the same bytes once more are fine.

    Raises:
        RecordError: something else is there already.
        OSError: it cannot be written.
    """
    if path.exists():
        if path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data:
            return
        raise RecordError(f"{path} exists already and is not overwritten")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with unfinished.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def synchronise_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
