"""Schemas of bodies are written twice; the writer refuses exactly what the verifier cannot decode."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from evoting.errors import RecordError
from evoting.record.bodies import BODIES, Items, Octets, OneOf, OrNull, require_body
from verifier.record import entries as verifier
from verifier.record.errors import FormatError

OTHERS: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    7,
    "",
    "An id?",
    "an-id",
    "tallied",
    b"",
    bytes(31),
    bytes(32),
    bytes(64),
    [],
    {},
    [{}],
)


def example(shape: Any) -> Any:
    """A value of a shape."""
    if isinstance(shape, Mapping):
        return {name: example(inner) for name, inner in shape.items()}
    if isinstance(shape, Items):
        return [example(shape.shape)]
    if isinstance(shape, OrNull):
        return example(shape.shape)
    if isinstance(shape, Octets):
        return bytes(3 if shape.length is None else shape.length)
    if isinstance(shape, OneOf):
        return shape.texts[0]
    return {"uint": 5, "text": "a text", "id": "an-id"}[shape]


def variants(value: Any) -> Iterator[Any]:
    """The value with one thing in it changed."""
    yield from OTHERS
    if isinstance(value, dict):
        yield {**value, "more": 0}
        for name, inner in value.items():
            yield {key: item for key, item in value.items() if key != name}
            for changed in variants(inner):
                yield {**value, name: changed}
    elif isinstance(value, list):
        for changed in variants(value[0]):
            yield [*value, changed]


def writes(kind: str, body: Any) -> bool:
    try:
        require_body(kind, body)
    except RecordError:
        return False
    return True


def reads(kind: str, body: Any) -> bool:
    try:
        verifier.BODIES[kind](body, kind)
    except FormatError:
        return False
    return True


def test_the_types_are_the_verifiers() -> None:
    assert set(BODIES) == set(verifier.BODIES)


@pytest.mark.parametrize("kind", BODIES)
def test_what_may_be_written_can_be_read_and_nothing_else(kind: str) -> None:
    body = example(BODIES[kind])
    assert writes(kind, body)
    assert reads(kind, body)
    refused = 0
    for changed in variants(body):
        assert writes(kind, changed) == reads(kind, changed), changed
        refused += not writes(kind, changed)
    assert refused > len(OTHERS)
