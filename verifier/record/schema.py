"""Closed schemas over decoded values: small objects that mirror the CDDL of docs/spec.

A schema is called with a value and the path to it; it raises ``FormatError`` with that path and returns the value, so
that what is inside has the type that its schema names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from verifier.record.cbor import decode
from verifier.record.errors import FormatError

Schema: TypeAlias = Callable[[Any, str], Any]

_ID = re.compile(r"[a-z0-9-]{1,64}")


def _kind(value: object) -> str:
    names: dict[type, str] = {dict: "a map", list: "an array", bytes: "bytes", str: "text", int: "an integer"}
    return names.get(type(value), repr(value))


def uint(value: Any, path: str) -> int:
    """An unsigned integer (booleans are not integers)."""
    if type(value) is not int or value < 0:
        raise FormatError(f"{path}: an unsigned integer is expected, not {_kind(value)}")
    return value


def uint_in(minimum: int, maximum: int) -> Schema:
    """An unsigned integer within bounds, both included."""

    def check(value: Any, path: str) -> int:
        if not minimum <= uint(value, path) <= maximum:
            raise FormatError(f"{path}: {value} is not within {minimum}..{maximum}")
        return int(value)

    return check


def boolean(value: Any, path: str) -> bool:
    """``true`` or ``false``."""
    if type(value) is not bool:
        raise FormatError(f"{path}: true or false is expected, not {_kind(value)}")
    return value


def text(value: Any, path: str) -> str:
    """Any text."""
    if type(value) is not str:
        raise FormatError(f"{path}: text is expected, not {_kind(value)}")
    return value


def text_matching(pattern: str, what: str) -> Schema:
    """Text that a regular expression matches as a whole."""
    compiled = re.compile(pattern)

    def check(value: Any, path: str) -> str:
        if not compiled.fullmatch(text(value, path)):
            raise FormatError(f"{path}: {value[:80]!r} is not {what}")
        return str(value)

    return check


def identifier(value: Any, path: str) -> str:
    """An ``id``."""
    if not _ID.fullmatch(text(value, path)):
        raise FormatError(f"{path}: {value[:80]!r} is not an id")
    return str(value)


def one_of(*values: str) -> Schema:
    """One of some texts."""

    def check(value: Any, path: str) -> str:
        if value not in values:
            shown = repr(value)[:80]
            raise FormatError(f"{path}: {shown} is not one of {', '.join(values)}")
        return str(value)

    return check


def octets(size: int | None = None, *, minimum: int = 0, maximum: int | None = None) -> Schema:
    """Bytes, of one size or within bounds."""

    def check(value: Any, path: str) -> bytes:
        if type(value) is not bytes:
            raise FormatError(f"{path}: bytes are expected, not {_kind(value)}")
        if size is not None and len(value) != size:
            raise FormatError(f"{path}: {len(value)} bytes instead of {size}")
        if len(value) < minimum or (maximum is not None and len(value) > maximum):
            raise FormatError(f"{path}: {len(value)} bytes are out of bounds")
        return value

    return check


def array(item: Schema, *, minimum: int = 0, maximum: int | None = None) -> Schema:
    """An array of items of one schema."""

    def check(value: Any, path: str) -> list[Any]:
        if type(value) is not list:
            raise FormatError(f"{path}: an array is expected, not {_kind(value)}")
        if len(value) < minimum or (maximum is not None and len(value) > maximum):
            raise FormatError(f"{path}: {len(value)} items are out of bounds")
        return [item(entry, f"{path}[{index}]") for index, entry in enumerate(value)]

    return check


def nullable(item: Schema) -> Schema:
    """``null`` or an item."""
    return lambda value, path: None if value is None else item(value, path)


def table(item: Schema, key: Schema | None = None, *, minimum: int = 0) -> Schema:
    """A map from arbitrary keys of one schema to items of one schema."""

    def check(value: Any, path: str) -> dict[str, Any]:
        if type(value) is not dict:
            raise FormatError(f"{path}: a map is expected, not {_kind(value)}")
        if len(value) < minimum:
            raise FormatError(f"{path}: {len(value)} members are out of bounds")
        for name in value:
            (key or text)(name, f"{path} key")
        return {name: item(entry, f"{path}.{name}") for name, entry in value.items()}

    return check


def record(fields: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """A closed map: every field of ``fields``, possibly fields of ``optional``, nothing else."""
    extra = optional or {}

    def check(value: Any, path: str) -> dict[str, Any]:
        if type(value) is not dict:
            raise FormatError(f"{path}: a map is expected, not {_kind(value)}")
        for name in value:
            if name not in fields and name not in extra:
                raise FormatError(f"{path}: unknown key {name[:80]!r}")
        for name in fields:
            if name not in value:
                raise FormatError(f"{path}: key {name!r} is missing")
        return {name: (fields.get(name) or extra[name])(item, f"{path}.{name}") for name, item in value.items()}

    return check


def one_schema_of(select: str, choices: Mapping[str, Schema]) -> Schema:
    """A closed map whose member ``select`` chooses the schema of the whole."""

    def check(value: Any, path: str) -> dict[str, Any]:
        if type(value) is not dict:
            raise FormatError(f"{path}: a map is expected, not {_kind(value)}")
        choice = value.get(select)
        if type(choice) is not str or choice not in choices:
            raise FormatError(f"{path}.{select}: {repr(choice)[:80]} is not one of {', '.join(choices)}")
        return dict(choices[choice](value, path))

    return check


BLOBREF = record({"hash": octets(32), "length": uint})


def decode_as(data: bytes, schema: Schema, name: str) -> Any:
    """Decode deterministic CBOR and validate it.

    Raises:
        FormatError: names the first place where it differs.
    """
    try:
        value = decode(data)
    except FormatError as error:
        raise FormatError(f"{name}: {error}") from None
    return schema(value, name)
