"""Values of CBOR as tests tamper with them: of any type."""

from __future__ import annotations

from typing import Any

from crypto import cbor


def decode(data: bytes) -> Any:
    """What ``data`` encodes."""
    return cbor.decode(data)
