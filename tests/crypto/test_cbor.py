"""Deterministic CBOR: the examples of RFC 8949 within the profile, and every way to write a value otherwise."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import cbor
from crypto.errors import DecodeError
from verifier.record import cbor as second_implementation
from verifier.record.errors import FormatError

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "rfc8949-appendix-a.json").read_text("utf-8"))


def value_of(item: Any) -> Any:
    """The value that a vector's JSON stands for."""
    if isinstance(item, dict):
        if "bytes" in item:
            return bytes.fromhex(item["bytes"])
        return {key: value_of(inner) for key, inner in item["map"].items()}
    return [value_of(inner) for inner in item] if isinstance(item, list) else item


def test_the_appendix_is_complete() -> None:
    assert len(VECTORS["accepted"]) + len(VECTORS["refused"]) == 82


@pytest.mark.parametrize("vector", VECTORS["accepted"], ids=lambda vector: vector["hex"])
def test_rfc8949_examples_within_the_profile(vector: dict[str, Any]) -> None:
    data, value = bytes.fromhex(vector["hex"]), value_of(vector["value"])
    assert cbor.decode(data) == value
    assert type(cbor.decode(data)) is type(value)
    assert cbor.encode(value) == data


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: vector["hex"])
def test_rfc8949_examples_outside_the_profile(vector: dict[str, Any]) -> None:
    with pytest.raises(DecodeError):
        cbor.decode(bytes.fromhex(vector["hex"]))


NOT_CANONICAL = {
    "an integer in two bytes that fits one": "1817",
    "an integer in three bytes that fits two": "1900ff",
    "an integer in five bytes that fits three": "1a0000ffff",
    "an integer in nine bytes that fits five": "1b00000000ffffffff",
    "a negative integer that is not shortest": "3800",
    "a byte string's length that is not shortest": "580161",
    "a text's length that is not shortest": "780161",
    "an array's length that is not shortest": "980100",
    "a map's length that is not shortest": "b801616100",
    "B12 keys in another order": "a2616200616100",
    "B12 longer keys first": "a262616100616200",
    "B12 a key twice": "a2616100616100",
    "B12 a key twice with other values": "a2616100616101",
    "B12 bytes after the end": "0000",
    "B12 a second value after the end": "a0a0",
    "2^53": "1b0020000000000000",
    "-2^53": "3b001fffffffffffff",
    "text that is not UTF-8": "62c328",
    "text with a surrogate": "63eda080",
    "overlong UTF-8": "62c080",
    "a reserved length": "1c",
    "a break alone": "ff",
    "a truncated integer": "18",
    "a truncated string": "4401",
    "a truncated array": "8201",
    "a truncated map": "a16161",
    "nothing": "",
    "false as a two-byte simple value": "f814",
    "a string of 2^63 bytes": "5b8000000000000000",
    "an array of 2^62 items": "9b4000000000000000",
    "a map of 2^62 items": "bb4000000000000000",
    "a shared value": "d81c80",
    "a value that is its own part": "d81c81d81d00",
    "a regular expression (tag 35)": "d8236128",
    "a rational number with denominator 0": "d81e820100",
    "a decimal fraction of an exponent of 2^53": "c4821b001fffffffffffff01",
    "a set": "d9010280",
    "self-described CBOR": "d9d9f700",
}


@pytest.mark.parametrize("name", NOT_CANONICAL)
def test_every_other_form_is_refused(name: str) -> None:
    data = bytes.fromhex(NOT_CANONICAL[name])
    for wrapped in (data, b"\x81" + data, b"\xa1\x61k" + data):
        with pytest.raises(DecodeError):
            cbor.decode(wrapped)


@pytest.mark.parametrize("value", [1.5, {1: 2}, 2**53, -(2**53), (1, 2), {"a": object()}, {b"k": 1}, "\ud800"])
def test_values_outside_the_profile_are_not_encoded(value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        cbor.encode(value)


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth - 1):
        value = [value]
    return value


def test_lists_and_maps_may_be_sixteen_deep() -> None:
    assert cbor.decode(cbor.encode(nested(16))) == nested(16)
    with pytest.raises(ValueError, match="deeper than 16"):
        cbor.encode(nested(17))
    # An innermost list that is empty counts like any other.
    for deep in (b"\x81" * 16 + b"\x80", b"\xa1\x61k" * 16 + b"\xa0", b"\x81" * 50_000 + b"\x80"):
        with pytest.raises(DecodeError):
            cbor.decode(deep)


def test_the_limit_is_looked_at_before_anything_else() -> None:
    with pytest.raises(DecodeError, match="exceeds the limit of 8"):
        cbor.decode(b"\x9f" * 9, limit=8)
    assert cbor.decode(b"\x47" + bytes(7), limit=8) == bytes(7)


def test_nested_references_cost_no_time() -> None:
    """Shared references let a few hundred bytes stand for 2^40 items; they are refused before anybody walks there."""
    bomb = b"\xd8\x1c\x80"
    for level in range(40):
        bomb = b"\xd8\x1c\x82" + bomb + b"\xd8\x1d" + bytes([level if level < 24 else 0])
    start = time.monotonic()
    with pytest.raises(DecodeError):
        cbor.decode(bomb)
    assert time.monotonic() - start < 1


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.binary(max_size=300)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(st.text(max_size=30), inner, max_size=8),
    max_leaves=40,
)


@given(VALUES)
@settings(deadline=None)
def test_what_is_encoded_decodes_to_itself_in_both_implementations(value: Any) -> None:
    data = cbor.encode(value)
    assert cbor.decode(data) == value
    assert second_implementation.encode(value) == data
    assert second_implementation.decode(data) == value


def verdicts(data: bytes) -> tuple[object, object]:
    """What the two implementations make of some bytes; None stands for a refusal."""
    try:
        first: object = [cbor.decode(data)]
    except DecodeError:
        first = None
    try:
        second: object = [second_implementation.decode(data)]
    except FormatError:
        second = None
    return first, second


@given(VALUES, st.data())
@settings(deadline=None, max_examples=300)
def test_B13_both_implementations_accept_the_same_bytes(value: Any, data: st.DataObject) -> None:
    encoded = bytearray(cbor.encode(value))
    at = data.draw(st.integers(0, len(encoded) - 1))
    encoded[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    first, second = verdicts(bytes(encoded))
    assert first == second


@given(st.binary(max_size=40))
@settings(deadline=None, max_examples=300)
def test_B13_both_implementations_agree_on_any_bytes(data: bytes) -> None:
    first, second = verdicts(data)
    assert first == second
