"""Strict decoding: one encoding of every value, nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.record.cbor import INTEGER_BOUND, Value, decode, encode
from verifier.record.errors import FormatError

_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-INTEGER_BOUND + 1, INTEGER_BOUND - 1)
    | st.binary(max_size=300)
    | st.text(max_size=40)
)
_VALUES = st.recursive(
    _LEAVES, lambda items: st.lists(items, max_size=5) | st.dictionaries(st.text(max_size=30), items, max_size=5)
)


@given(_VALUES)
def test_every_value_has_one_encoding_that_decodes_to_it(value: Value) -> None:
    assert decode(encode(value)) == value


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_or_encode_to_themselves(data: bytes) -> None:
    try:
        value = decode(data)
    except FormatError:
        return
    assert encode(value) == data


@given(_VALUES, st.data())
def test_a_changed_byte_never_gives_a_second_encoding_of_the_same_value(value: Value, data: st.DataObject) -> None:
    encoded = bytearray(encode(value))
    encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        other = decode(bytes(encoded))
    except FormatError:
        return
    assert encode(other) == bytes(encoded)
    assert repr(other) != repr(value)


@pytest.mark.parametrize(
    ("defect", "data"),
    [
        ("empty", ""),
        ("truncated", "1903"),
        ("truncated bytes", "4501020304"),
        ("trailing byte", "0000"),
        ("integer not in its shortest form", "1817"),
        ("length not in its shortest form", "5803010203"),
        ("2^53", "1b0020000000000000"),
        ("-2^53 - 1", "3b0020000000000000"),
        ("bignum", "c249010000000000000000"),
        ("tag", "c074323031332d30332d32315432303a30343a30305a"),
        ("a shared value and a reference to it", "82d81c80d81d00"),
        ("a value that holds itself", "d81c81d81d00"),
        ("half float", "f93c00"),
        ("double", "fb3ff199999999999a"),
        ("undefined", "f7"),
        ("unassigned simple value", "f0"),
        ("simple value in two bytes", "f818"),
        ("indefinite bytes", "5f42010243030405ff"),
        ("indefinite array", "9f01ff"),
        ("indefinite map", "bf6161019fff"),
        ("break alone", "ff"),
        ("reserved additional information", "1c"),
        ("repeated key", "a2616101616102"),
        ("keys out of order", "a2616201616102"),
        ("long key before short key", "a262616101616201"),
        ("integer as key", "a10102"),
        ("bytes as key", "a1416101"),
        ("not UTF-8", "61ff"),
        ("surrogate in UTF-8", "63eda080"),
        ("an array of four thousand million items", "9affffffff00"),
        ("a map of 2^64 - 1 pairs", "bbffffffffffffffff"),
        ("bytes of 2^63", "5b8000000000000000"),
        ("nesting of 17", "81" * 17 + "00"),
        ("a million open arrays", "81" * 1_000_000),
    ],
)  # the first dozen after RFC 8949, appendices A and F
def test_refused(defect: str, data: str) -> None:
    with pytest.raises(FormatError):
        decode(bytes.fromhex(data))


def test_nesting_of_16_is_the_deepest() -> None:
    assert encode(decode(bytes.fromhex("81" * 16 + "00"))) == bytes.fromhex("81" * 16 + "00")


# RFC 8949, appendix A: those of its examples that the format uses.
@pytest.mark.parametrize(
    ("value", "data"),
    [
        (0, "00"),
        (23, "17"),
        (24, "1818"),
        (100, "1864"),
        (1000, "1903e8"),
        (1000000, "1a000f4240"),
        (1000000000000, "1b000000e8d4a51000"),
        (-1, "20"),
        (-100, "3863"),
        (-1000, "3903e7"),
        (False, "f4"),
        (True, "f5"),
        (None, "f6"),
        (b"", "40"),
        (b"\x01\x02\x03\x04", "4401020304"),
        ("", "60"),
        ("IETF", "6449455446"),
        ('"\\', "62225c"),
        ("\u00fc", "62c3bc"),
        ("\u6c34", "63e6b0b4"),
        ("\U00010151", "64f0908591"),
        ([], "80"),
        ([1, [2, 3], [4, 5]], "8301820203820405"),
        (list(range(1, 26)), "98190102030405060708090a0b0c0d0e0f101112131415161718181819"),
        ({}, "a0"),
        ({"a": 1, "b": [2, 3]}, "a26161016162820203"),
        (["a", {"b": "c"}], "826161a161626163"),
    ],
)
def test_examples_of_rfc_8949(value: Value, data: str) -> None:
    assert encode(value) == bytes.fromhex(data)
    assert decode(bytes.fromhex(data)) == value
