"""The secret of a deployment: what is stored of codes, PINs and challenges is keyed with it."""

from __future__ import annotations

import os
from pathlib import Path

from biometric_idp.files import write_atomic
from services.errors import ConfigError

SECRET_BYTES = 32


def read_secret(path: Path) -> bytes:
    """Read it.

    Raises:
        ConfigError: missing, of another length, or readable by others.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigError(f"{path} can be read by others: chmod 600 it")
        secret = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    if len(secret) != SECRET_BYTES:
        raise ConfigError(f"{path}: not a secret of {SECRET_BYTES} bytes")
    return secret


def write_secret(path: Path) -> None:
    """Make one, unless it is there."""
    if not path.exists():
        write_atomic(path, os.urandom(SECRET_BYTES), secret=True)
