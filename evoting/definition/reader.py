"""Reading a tree of maps and lists strictly, with the path of the first defect in the error."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TypeVar

from .errors import DefinitionError
from .text import id_defect, shown, text_defect

T = TypeVar("T")

MAX_INTEGER = 2**53 - 1


class MapReader:
    """One map: every field must be read exactly once, and ``close`` refuses what is left."""

    def __init__(self, value: object, path: str) -> None:
        if not isinstance(value, dict):
            raise DefinitionError(path, f"expected a map, found {shown(value)}")
        self.fields = dict(value)
        self.path = path

    def at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def fail(self, key: str, reason: str) -> DefinitionError:
        return DefinitionError(self.at(key), reason)

    def take(self, key: str) -> object:
        if key not in self.fields:
            raise self.fail(key, "missing")
        return self.fields.pop(key)

    def close(self) -> None:
        for key in self.fields:
            raise DefinitionError(self.path, f"unknown field {shown(key)}")

    def uint(self, key: str, low: int = 0, high: int = MAX_INTEGER) -> int:
        return require_int(self.take(key), self.at(key), low, high)

    def boolean(self, key: str) -> bool:
        value = self.take(key)
        if not isinstance(value, bool):
            raise self.fail(key, f"expected true or false, found {shown(value)}")
        return value

    def text(self, key: str) -> str:
        return require_text(self.take(key), self.at(key))

    def id(self, key: str) -> str:
        return require_id(self.take(key), self.at(key))

    def word(self, key: str, allowed: Sequence[str]) -> str:
        value = self.take(key)
        if not isinstance(value, str) or value not in allowed:
            raise self.fail(key, f"expected one of {', '.join(allowed)}, found {shown(value)}")
        return value

    def octets(self, key: str, length: int) -> bytes:
        value = self.take(key)
        if not isinstance(value, bytes) or len(value) != length:
            raise self.fail(key, f"expected {length} bytes, found {shown(value)}")
        return value

    def map(self, key: str) -> MapReader:
        return MapReader(self.take(key), self.at(key))

    def optional(self, key: str, read: Callable[[object, str], T]) -> T | None:
        value = self.take(key)
        return None if value is None else read(value, self.at(key))

    def list(self, key: str, read: Callable[[object, str], T], low: int = 0, high: int = 65_536) -> tuple[T, ...]:
        return require_list(self.take(key), self.at(key), read, low, high)


def require_list(
    value: object, path: str, read: Callable[[object, str], T], low: int = 0, high: int = 65_536
) -> tuple[T, ...]:
    if not isinstance(value, list):
        raise DefinitionError(path, f"expected a list, found {shown(value)}")
    if not low <= len(value) <= high:
        raise DefinitionError(path, f"expected {low} to {high} items, found {len(value)}")
    return tuple(read(item, f"{path}[{index}]") for index, item in enumerate(value))


def require_int(value: object, path: str, low: int = 0, high: int = MAX_INTEGER) -> int:
    if type(value) is not int:
        raise DefinitionError(path, f"expected an integer, found {shown(value)}")
    if not low <= value <= high:
        raise DefinitionError(path, f"expected an integer from {low} to {high}, found {shown(value)}")
    return value


def require_text(value: object, path: str) -> str:
    if not isinstance(value, str):
        raise DefinitionError(path, f"expected text, found {shown(value)}")
    defect = text_defect(value)
    if defect:
        raise DefinitionError(path, defect)
    return value


def require_id(value: object, path: str) -> str:
    if not isinstance(value, str):
        raise DefinitionError(path, f"expected an identifier, found {shown(value)}")
    defect = id_defect(value)
    if defect:
        raise DefinitionError(path, defect)
    return value


def require_fraction(value: object, path: str) -> Fraction:
    """[numerator, denominator] in lowest terms, from 0 to 1."""
    parts = require_list(value, path, lambda item, where: require_int(item, where, 0, 10**9), 2, 2)
    numerator, denominator = parts
    if denominator == 0 or numerator > denominator:
        raise DefinitionError(path, f"expected a fraction from 0 to 1, found {numerator}/{denominator}")
    if math.gcd(numerator, denominator) != 1:
        raise DefinitionError(path, f"fraction {numerator}/{denominator} is not in lowest terms")
    return Fraction(numerator, denominator)
