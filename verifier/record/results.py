"""Schema of the result blob; docs/spec/10-results.md sections 10.1 and 10.3."""

from __future__ import annotations

from typing import Any

from verifier.record import schema
from verifier.record.errors import FormatError
from verifier.record.schema import array, identifier, nullable, octets, one_of, record, uint, uint_in

#: A step's values may be negative in the schema, though no rule of today produces one.
_INT = 2**53


def _integer(value: Any, path: str) -> int:
    if type(value) is not int or abs(value) >= _INT:
        raise FormatError(f"{path}: an integer is expected")
    return value


def _pair(first: schema.Schema, second: schema.Schema) -> schema.Schema:
    def check(value: Any, path: str) -> list[Any]:
        if type(value) is not list or len(value) != 2:
            raise FormatError(f"{path}: an array of two is expected")
        return [first(value[0], f"{path}[0]"), second(value[1], f"{path}[1]")]

    return check


def _step(value: Any, path: str) -> list[Any]:
    if type(value) is not list or len(value) != 3:
        raise FormatError(f"{path}: a step has name, subject and values")
    return [
        schema.text(value[0], f"{path}[0]"),
        schema.text(value[1], f"{path}[1]"),
        array(_integer)(value[2], f"{path}[2]"),
    ]


_RANKING = _pair(array(uint, minimum=1), uint_in(1, 2**53 - 1))
_COUNTS = nullable(array(uint, minimum=1))
_RANKINGS = nullable(array(_RANKING))
_OUTCOME = record(
    {
        "status": one_of("decided", "second-round", "repeat", "not-valid", "not-adopted", "withheld"),
        "elected": array(
            record(
                {
                    "id": schema.text,
                    "votes": uint,
                    "by": one_of("votes", "women-quota", "other-sex", "majority", "preferences", "runoff"),
                }
            )
        ),
        "seats": array(record({"party": identifier, "seats": uint})),
        "vacant": uint,
        "advance": array(schema.text),
        "adopted": nullable(identifier),
        "ties": array(
            record(
                {
                    "purpose": schema.text,
                    "ids": array(schema.text, minimum=2),
                    "places": uint,
                    "by": one_of("lot", "list-order"),
                }
            )
        ),
        "steps": array(_step),
    }
)
_GROUP = record(
    {
        "group": identifier,
        "styles": array(identifier, minimum=1),
        "counted": uint,
        "status": one_of("tallied", "withheld", "empty"),
        "counts": _COUNTS,
        "rankings": _RANKINGS,
        "invalid": nullable(uint),
    }
)
_TOTALS = record(
    {
        "registered": uint,
        "counted": uint,
        "invalid": uint,
        "valid": uint,
        "blank": nullable(uint),
        "choices": uint,
        "counts": _COUNTS,
        "rankings": _RANKINGS,
    }
)
RESULT = record(
    {
        "format": one_of("evoting-result/v1"),
        "fingerprint": octets(32),
        "contests": array(
            record(
                {
                    "contest": identifier,
                    "groups": array(_GROUP, minimum=1),
                    "totals": nullable(_TOTALS),
                    "withdrawn": array(schema.text),
                    "outcome": _OUTCOME,
                }
            ),
            minimum=1,
        ),
    }
)


def decode_result(data: bytes) -> dict[str, Any]:
    """Decode the result blob.

    Raises:
        FormatError: not of the schema.
    """
    result: dict[str, Any] = schema.decode_as(data, RESULT, "result")
    return result
