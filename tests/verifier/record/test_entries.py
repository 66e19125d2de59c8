"""Entries: closed schemas, and nothing but FormatError for hostile bytes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.record.cbor import Value, decode, encode
from verifier.record.entries import BODIES, SIGNERS, RoleEntry, blobrefs, decode_entry, decode_lists
from verifier.record.errors import FormatError
from verifier.record.manifest import decode_manifest
from verifier.record.results import decode_result

_REF: dict[str, Value] = {"hash": bytes(32), "length": 3}
_MIX: dict[str, Value] = {
    "contest": "list", "group": "east", "stage": 1, "count": 6, "input": bytes(32), "output": _REF,
    "proof": {"hash": b"\x01" * 32, "length": 4}, "time": 1,
}  # fmt: skip


def entry(kind: str = "mix", body: Value = None, **changes: Value) -> bytes:
    outer: dict[str, Value] = {
        "type": kind,
        "body": encode(_MIX if body is None else body),
        "signatures": [{"role": "mixer-1", "signature": bytes(64)}],
    }
    return encode({**outer, **changes})


def test_a_role_entry_is_read_with_its_blobs() -> None:
    decoded = decode_entry(entry(), 7)
    assert isinstance(decoded, RoleEntry)
    assert (decoded.index, decoded.type, decoded.time) == (7, "mix", 1)
    assert sorted(blobrefs(decoded.fields)) == [(bytes(32), 3), (b"\x01" * 32, 4)]


@pytest.mark.parametrize("name", sorted(_MIX))
def test_a_missing_field_is_refused(name: str) -> None:
    with pytest.raises(FormatError, match=name):
        decode_entry(entry(body={key: value for key, value in _MIX.items() if key != name}), 0)


@pytest.mark.parametrize(
    ("defect", "changes"),
    [
        ("unknown key", {"more": 0}),
        ("negative number", {"count": -1}),
        ("truth value as number", {"count": True}),
        ("text as bytes", {"input": "0" * 32}),
        ("short hash", {"input": bytes(31)}),
        ("null for a blob", {"output": None}),
        ("open blob reference", {"output": {**_REF, "path": "x"}}),
        ("id with a slash", {"group": "../east"}),
        ("empty id", {"group": ""}),
        ("id of 65 letters", {"group": "a" * 65}),
        ("id with a newline at its end", {"group": "east\n"}),
    ],
)
def test_a_field_of_another_form_is_refused(defect: str, changes: dict[str, Value]) -> None:
    with pytest.raises(FormatError):
        decode_entry(entry(body={**_MIX, **changes}), 0)


@pytest.mark.parametrize(
    ("defect", "raw"),
    [
        ("unknown type", entry("mixes")),
        ("body of another type", entry("epoch")),
        ("no signature", entry(signatures=[])),
        ("short signature", entry(signatures=[{"role": "a", "signature": bytes(63)}])),
        ("thousands of signatures", entry(signatures=[{"role": "a", "signature": bytes(64)}] * 700)),
        ("unknown key", entry(more=0)),
        ("body that is a map itself", encode({"type": "mix", "body": dict(_MIX), "signatures": []})),
        ("ballot signed by roles", entry("ballot")),
        ("an array", encode([1, 2])),
        ("nothing", b""),
    ],
)
def test_an_outer_form_of_another_kind_is_refused(defect: str, raw: bytes) -> None:
    with pytest.raises(FormatError):
        decode_entry(raw, 0)


def test_every_type_that_roles_sign_has_signers() -> None:
    assert BODIES.keys() == SIGNERS.keys()


@given(st.binary(max_size=300))
def test_arbitrary_bytes_raise_nothing_else(data: bytes) -> None:
    for read in (lambda raw: decode_entry(raw, 0), decode_lists, decode_result, decode_manifest):
        with pytest.raises(FormatError):
            read(data)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 300) | st.binary(max_size=33) | st.text(max_size=4),
    lambda items: st.lists(items, max_size=3) | st.dictionaries(st.text(max_size=5), items, max_size=3),
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        found += _places(item, (*path, key))
    return found


@given(st.data(), _VALUES)
def test_any_value_anywhere_in_a_body_raises_nothing_else(data: st.DataObject, value: Value) -> None:
    body: Any = decode(encode(_MIX))
    *path, last = data.draw(st.sampled_from([place for place in _places(body) if place]))
    target = body
    for step in path:
        target = target[step]
    target[last] = value
    try:
        decoded = decode_entry(entry(body=body), 0)
    except FormatError:
        return
    assert isinstance(decoded, RoleEntry)
    assert encode(dict(decoded.fields)) == encode(body)
