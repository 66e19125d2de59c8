"""The one encoding of structured values; docs/spec/01-encoding.md section 1.1.

Written here rather than taken from a library, because every library at hand accepts more than the specification does
(duplicate keys, indefinite lengths, floats, tags) and a second encoding of an entry must never pass.
"""

from __future__ import annotations

from typing import TypeAlias

from verifier.record.errors import FormatError

Value: TypeAlias = "int | bytes | str | bool | list[Value] | dict[str, Value] | None"

#: Nesting that a decoder accepts (section 1.1).
MAX_DEPTH = 16
#: Integers are of smaller magnitude (section 1.1), so that JavaScript reads them exactly.
INTEGER_BOUND = 2**53

_UINT, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = range(8)
_SIMPLE_VALUES = {20: False, 21: True, 22: None}


def decode(data: bytes) -> Value:
    """Decode exactly one deterministic item.

    Raises:
        FormatError: the bytes are anything else than the one encoding of a value.

    Cost: linear in ``len(data)``, whatever lengths it states: every item is read before room is made for it.
    """
    value, end = _item(data, 0, 0)
    if end != len(data):
        raise FormatError(f"{len(data) - end} bytes after the end of the value")
    return value


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    """Major type, argument and position after the head."""
    if at >= len(data):
        raise FormatError("the value is truncated")
    first = data[at]
    major, info = first >> 5, first & 31
    at += 1
    if info < 24:
        return major, info, at
    if info > 27:
        raise FormatError(f"indefinite or reserved length at byte {at - 1}")
    size = 1 << (info - 24)
    if at + size > len(data):
        raise FormatError("the value is truncated")
    argument = int.from_bytes(data[at : at + size], "big")
    if argument < (24 if size == 1 else 1 << (4 * size)):
        raise FormatError(f"integer or length at byte {at - 1} is not in its shortest form")
    return major, argument, at + size


def _item(data: bytes, at: int, depth: int) -> tuple[Value, int]:
    start = at
    major, argument, at = _head(data, at)
    if major <= _NEGATIVE:
        value = argument if major == _UINT else -1 - argument
        if abs(value) >= INTEGER_BOUND:
            raise FormatError(f"integer at byte {start} is not below 2^53")
        return value, at
    if major in (_BYTES, _TEXT):
        end = at + argument
        if end > len(data):
            raise FormatError("the value is truncated")
        if major == _BYTES:
            return data[at:end], end
        try:
            return data[at:end].decode("utf-8"), end
        except UnicodeDecodeError:
            raise FormatError(f"text at byte {start} is not UTF-8") from None
    if major in (_ARRAY, _MAP):
        if depth >= MAX_DEPTH:
            raise FormatError(f"nesting deeper than {MAX_DEPTH}")
        return _array(data, at, depth, argument) if major == _ARRAY else _map(data, at, depth, argument)
    if major == _SIMPLE and data[start] & 31 in _SIMPLE_VALUES:
        return _SIMPLE_VALUES[argument], at
    raise FormatError(f"a tag, float or simple value at byte {start}")


def _array(data: bytes, at: int, depth: int, count: int) -> tuple[list[Value], int]:
    items: list[Value] = []
    for _ in range(count):
        item, at = _item(data, at, depth + 1)
        items.append(item)
    return items, at


def _map(data: bytes, at: int, depth: int, count: int) -> tuple[dict[str, Value], int]:
    items: dict[str, Value] = {}
    previous = b""
    for _ in range(count):
        start = at
        key, at = _item(data, at, depth + 1)
        if not isinstance(key, str):
            raise FormatError(f"map key at byte {start} is not text")
        encoded = data[start:at]
        if encoded <= previous:
            raise FormatError(f"map key at byte {start} is repeated or out of order")
        previous = encoded
        items[key], at = _item(data, at, depth + 1)
    return items, at


def _encode_head(major: int, argument: int) -> bytes:
    if argument < 24:
        return bytes([major << 5 | argument])
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if argument < 1 << (8 * size):
            return bytes([major << 5 | info]) + argument.to_bytes(size, "big")
    raise ValueError("length beyond 64 bits")


def encode(value: Value) -> bytes:
    """The deterministic encoding of a value that ``decode`` would give back."""
    if value is None or isinstance(value, bool):
        return b"\xf6" if value is None else (b"\xf5" if value else b"\xf4")
    if isinstance(value, int):
        if abs(value) >= INTEGER_BOUND:
            raise ValueError("integer is not below 2^53")
        return _encode_head(_UINT, value) if value >= 0 else _encode_head(_NEGATIVE, -1 - value)
    if isinstance(value, bytes):
        return _encode_head(_BYTES, len(value)) + value
    if isinstance(value, str):
        data = value.encode("utf-8")
        return _encode_head(_TEXT, len(data)) + data
    if isinstance(value, list):
        return _encode_head(_ARRAY, len(value)) + b"".join(map(encode, value))
    pairs = sorted((encode(key), encode(item)) for key, item in value.items())
    return _encode_head(_MAP, len(pairs)) + b"".join(key + item for key, item in pairs)
