"""How people write numbers, times and fractions in an election file, and what the manifest holds instead."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from .errors import DefinitionError
from .text import shown

_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?) ?%", re.ASCII)
_RATIO = re.compile(r"([0-9]{1,10})/([0-9]{1,10})", re.ASCII)
_DURATION = re.compile(r"([0-9]{1,9}) ?(s|min|h|d)", re.ASCII)
_DEGREES = re.compile(r"-?[0-9]{1,3}(?:\.[0-9]{1,6})?", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,15}", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)
_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86_400}


def fraction_of(value: object, path: str) -> object:
    """``"5 %"`` or ``"1/20"`` to [1, 20]; a list is passed on."""
    if isinstance(value, list):
        return value
    if isinstance(value, str):
        if found := _PERCENT.fullmatch(value):
            exact = Fraction(found[1]) / 100
            return [exact.numerator, exact.denominator]
        if (found := _RATIO.fullmatch(value)) and int(found[2]):
            exact = Fraction(int(found[1]), int(found[2]))
            return [exact.numerator, exact.denominator]
    raise DefinitionError(path, f'expected a fraction such as "5 %" or "1/20", found {shown(value)}')


def seconds_of(value: object, path: str) -> object:
    """``"48 h"`` to seconds; an integer is passed on."""
    if type(value) is int:
        return value
    if isinstance(value, str) and (found := _DURATION.fullmatch(value)):
        return int(found[1]) * _SECONDS[found[2]]
    raise DefinitionError(path, f'expected a duration such as "10 min" or "48 h", found {shown(value)}')


def time_of(value: object, path: str) -> object:
    """``"2026-11-29T08:00:00+06:00"`` to Unix seconds; an integer is passed on."""
    if type(value) is int:
        return value
    reason = f'expected a time with its offset such as "2026-11-29T08:00:00+06:00", found {shown(value)}'
    if not isinstance(value, str):
        raise DefinitionError(path, reason)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise DefinitionError(path, reason) from None
    if moment.tzinfo is None or moment.microsecond:
        raise DefinitionError(path, reason)
    return int(moment.timestamp())


def microdegrees_of(value: object, path: str) -> object:
    """``"42.875"`` to 42875000; an integer is passed on as millionths of a degree."""
    if type(value) is int:
        return value
    if isinstance(value, str) and _DEGREES.fullmatch(value):
        return int(Decimal(value) * 1_000_000)
    raise DefinitionError(path, f'expected degrees such as "42.875", found {shown(value)}')


def number_of(text: str, path: str) -> int:
    """Digits of a table cell to an integer."""
    if not _NUMBER.fullmatch(text):
        raise DefinitionError(path, f"expected a whole number, found {shown(text)}")
    return int(text)


def key_of(value: object, path: str) -> bytes:
    """64 hexadecimal digits to a public key."""
    if isinstance(value, str) and _HEX.fullmatch(value):
        return bytes.fromhex(value)
    raise DefinitionError(path, f"expected a public key of 64 hexadecimal digits 0-9a-f, found {shown(value)}")
