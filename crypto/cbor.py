"""Deterministic CBOR (RFC 8949 section 4.2.1) in the restricted profile of docs/spec/01-encoding.md section 1.1.

``cbor2`` does the work; what it would tolerate is refused here. Its canonical mode orders keys length-first, which for
text keys, the only ones allowed, is the bytewise order that RFC 8949 asks for.
"""

from __future__ import annotations

from io import BytesIO

import cbor2

from crypto.errors import DecodeError

#: What a value may be: int, bytes, str, bool, None, list or dict with text keys.
Value = object

_MAX_DEPTH = 16
_MAX_INTEGER = 2**53 - 1


def encode(value: Value) -> bytes:
    """The one encoding of a value.

    Raises:
        ValueError: the value is outside the profile (a float, a key that is no text, an integer of 2^53 or more, a
            nesting deeper than 16).
    """
    _require_profile(value, 0, None)
    return cbor2.dumps(value, canonical=True)


def decode(data: bytes, *, limit: int | None = None) -> Value:
    """The value that ``data`` encodes, if ``data`` is its one encoding.

    Args:
        data: the whole encoding.
        limit: largest accepted length in bytes, checked before any other work.

    Raises:
        DecodeError: too long, malformed, not canonical, or outside the profile.
    """
    if limit is not None and len(data) > limit:
        raise DecodeError(f"CBOR of {len(data)} bytes exceeds the limit of {limit}")
    stream = BytesIO(data)
    try:
        value = cbor2.CBORDecoder(stream).decode()
        # Every item takes a byte at least. More of them than bytes come from shared references (tags 28 and 29), with
        # which a few hundred bytes could ask for a walk without end.
        _require_profile(value, 0, [len(data)])
        again = cbor2.dumps(value, canonical=True)
    except DecodeError:
        raise
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, EOFError, RecursionError, MemoryError) as error:
        raise DecodeError(f"not CBOR of this profile: {error}") from None
    if again != data:
        raise DecodeError("CBOR is not in its deterministic encoding, or bytes follow it")
    return value


def _require_profile(value: object, depth: int, budget: list[int] | None) -> None:
    """Refuse a value outside the profile; ``depth`` is the number of lists and maps around it."""
    if budget is not None:
        budget[0] -= 1
        if budget[0] < 0:
            raise DecodeError("CBOR refers to its own parts")
    kind = type(value)
    if kind in (list, dict) and depth >= _MAX_DEPTH:
        raise DecodeError(f"CBOR is nested deeper than {_MAX_DEPTH}")
    if kind is int:
        if not -_MAX_INTEGER <= value <= _MAX_INTEGER:  # type: ignore[operator]
            raise DecodeError("an integer is not below 2^53")
    elif kind is list:
        for item in value:  # type: ignore[attr-defined]
            _require_profile(item, depth + 1, budget)
    elif kind is dict:
        for key, item in value.items():  # type: ignore[attr-defined]
            if type(key) is not str:
                raise DecodeError("a map key is not text")
            _require_profile(item, depth + 1, budget)
    elif kind not in (bytes, str, bool, type(None)):
        raise DecodeError(f"a value of type {kind.__name__} is outside the profile")
