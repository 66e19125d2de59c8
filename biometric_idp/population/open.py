"""A register by its configuration: a file register, or one over X-Road."""

from __future__ import annotations

import json
from pathlib import Path

from biometric_idp.population.file_register import FileRegister
from biometric_idp.population.register import Register
from biometric_idp.population.xroad.config import FORMAT, open_xroad_register

_PEEK_BYTES = 65_536


def open_register(path: Path) -> Register:
    """The register that a file is or describes.

    Args:
        path: a file register (.json or .csv), or an ``evoting-xroad-register/v1`` configuration.

    Raises:
        RegisterError, FormatError: the file does not hold.
        OSError: it cannot be read.
    """
    return open_xroad_register(path) if _is_xroad(path) else FileRegister(path)


def _is_xroad(path: Path) -> bool:
    if path.suffix != ".json" or path.stat().st_size > _PEEK_BYTES:
        return False
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and value.get("format") == FORMAT
