"""Closed schemas over decoded CBOR: a value is of its type, or a ``FormatError`` names where it is not."""

from __future__ import annotations

import re
from collections.abc import Mapping

from biometric_idp.errors import FormatError
from crypto import cbor
from crypto.errors import DecodeError

_ID = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)


def decode_map(data: bytes, names: frozenset[str], what: str, limit: int) -> dict[str, object]:
    """Decode a closed map with exactly these names.

    Raises:
        FormatError: too long, not deterministic CBOR, no map, or another set of names.
    """
    try:
        value = cbor.decode(data, limit=limit)
    except DecodeError as error:
        raise FormatError(f"{what}: {error}") from None
    return require_map(value, names, what)


def require_map(value: object, names: frozenset[str], what: str) -> dict[str, object]:
    if type(value) is not dict:
        raise FormatError(f"{what} is no map")
    if value.keys() != names:
        odd = sorted(value.keys() ^ names)
        raise FormatError(f"{what} has missing or unknown members: {', '.join(map(str, odd))}")
    return value


def require_bytes(value: object, what: str, least: int, most: int | None = None) -> bytes:
    """A byte string of ``least`` to ``most`` bytes; of exactly ``least`` where ``most`` is not given."""
    if type(value) is not bytes:
        raise FormatError(f"{what} is no byte string")
    if not least <= len(value) <= (least if most is None else most):
        raise FormatError(f"{what} has {len(value)} bytes")
    return value


def require_uint(value: object, what: str, below: int = 2**53) -> int:
    if type(value) is not int or not 0 <= value < below:
        raise FormatError(f"{what} is no unsigned integer below {below}")
    return value


def require_text(value: object, what: str) -> str:
    if type(value) is not str:
        raise FormatError(f"{what} is no text")
    return value


def require_id(value: object, what: str) -> str:
    if type(value) is not str or not _ID.fullmatch(value):
        raise FormatError(f"{what} is no id of [a-z0-9-]")
    return value


def require_list(value: object, what: str, least: int, most: int) -> list[object]:
    if type(value) is not list or not least <= len(value) <= most:
        raise FormatError(f"{what} is no array of {least} to {most} items")
    return value


def require_hex(members: Mapping[str, object], name: str, length: int | None, what: str) -> bytes:
    """Lower-case hexadecimal digits out of a JSON object."""
    value = members.get(name)
    if type(value) is not str or not re.fullmatch(r"(?:[0-9a-f]{2})*", value, re.ASCII):
        raise FormatError(f"{what}: {name} is not lower-case hexadecimal")
    data = bytes.fromhex(value)
    if length is not None and len(data) != length:
        raise FormatError(f"{what}: {name} has {len(data)} bytes, not {length}")
    return data
