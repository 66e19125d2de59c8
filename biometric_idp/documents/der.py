"""DER at the edge: bounded, without trailing bytes, and a refusal instead of any of the parser's exceptions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from biometric_idp.documents.errors import DocumentRefused

#: What asn1crypto raises on hostile input; it parses lazily, so also long after ``load``.
_PARSE_ERRORS = (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError, AttributeError)


@contextmanager
def refusing(code: str, what: str) -> Iterator[None]:
    """Turn the parser's exceptions into a refusal that names the structure."""
    try:
        yield
    except DocumentRefused:
        raise
    except _PARSE_ERRORS:
        raise DocumentRefused(code, f"{what} is malformed") from None


def decode_der(kind: Any, data: bytes, most: int, code: str, what: str) -> Any:
    """One value of an asn1crypto class out of exactly these bytes.

    Raises:
        DocumentRefused: too long, malformed, or bytes follow it.
    """
    if len(data) > most:
        raise DocumentRefused(code, f"{what} has {len(data)} bytes, more than {most}")
    with refusing(code, what):
        return kind.load(data, strict=True)


def read_tlv(data: bytes, at: int, tag: bytes, code: str, what: str) -> tuple[bytes, int]:
    """The content of the value with this tag at an offset, and the offset behind it. Lengths are DER's, minimal.

    Raises:
        DocumentRefused: another tag, a length that is not minimal, or one that leads beyond the data.
    """
    if data[at : at + len(tag)] != tag:
        raise DocumentRefused(code, f"{what} has another tag")
    at += len(tag)
    first = data[at] if at < len(data) else 0xFF
    at += 1
    if first < 0x80:
        length = first
    else:
        count = first & 0x7F
        digits = data[at : at + count]
        length = int.from_bytes(digits, "big")
        if not 1 <= count <= 4 or len(digits) != count or length < (0x80 if count == 1 else 1 << 8 * (count - 1)):
            raise DocumentRefused(code, f"{what} has no valid length")
        at += count
    if at + length > len(data):
        raise DocumentRefused(code, f"{what} is truncated")
    return data[at : at + length], at + length


def read_only_tlv(data: bytes, tag: bytes, code: str, what: str) -> bytes:
    """The content of the one value that the data are.

    Raises:
        DocumentRefused: also where bytes follow it.
    """
    value, end = read_tlv(data, 0, tag, code, what)
    if end != len(data):
        raise DocumentRefused(code, f"{what} is followed by {len(data) - end} bytes")
    return value
