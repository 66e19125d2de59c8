"""Files beside a register file, by names that come out of it. A name cannot lead out of the directory."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}", re.ASCII)
_MAX_SEGMENTS = 4


def is_attachment_name(name: object) -> bool:
    """Whether a name is 1 to 4 plain segments with ``/`` between: no dots alone, no root, no drive, no blanks."""
    if type(name) is not str:
        return False
    parts = name.split("/")
    return len(parts) <= _MAX_SEGMENTS and all(_SEGMENT.fullmatch(part) for part in parts)


def read_attachment(root: Path, name: str, most: int) -> bytes:
    """The content of a regular file below ``root``; no part of the way may be a symbolic link.

    Raises:
        OSError: it cannot be opened, or is no regular file; the caller says which one.
        ValueError: the name is no attachment name, or the file is empty or longer than ``most`` bytes.
    """
    if not is_attachment_name(name):
        raise ValueError("is no plain file name")
    *folders, last = name.split("/")
    directory = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for folder in folders:
            # Opened one from another, so that nothing that is renamed meanwhile leads elsewhere.
            inner = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
            os.close(directory)
            directory = inner
        # A named pipe would otherwise wait for a writer that never comes.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with open(os.open(last, flags, dir_fd=directory), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ValueError("is no regular file")
            data = file.read(most + 1)
    finally:
        os.close(directory)
    if not 0 < len(data) <= most:
        raise ValueError(f"is empty or longer than {most} bytes")
    return data
