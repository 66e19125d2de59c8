"""What the body of every entry holds (docs/spec/02-record.md section 2.4), closed: no member more, none less.

An entry that is of no schema can be decoded by nobody, and one on the board makes the record unverifiable for ever. So
whatever a role signed elsewhere is held against this before it is appended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from evoting.definition.text import ID_PATTERN
from evoting.errors import RecordError


@dataclass(frozen=True)
class Octets:
    """A byte string, of a length if one is given."""

    length: int | None = None


@dataclass(frozen=True)
class Items:
    """An array of items of one shape."""

    shape: Shape
    least: int = 0


@dataclass(frozen=True)
class OneOf:
    """One of these texts."""

    texts: tuple[str, ...]


@dataclass(frozen=True)
class OrNull:
    """Something or null."""

    shape: Shape


#: ``uint``, ``text``, ``id``, or one of the above; a mapping is a map with exactly these members.
Shape: TypeAlias = "str | Octets | Items | OneOf | OrNull | Mapping[str, Shape]"

_BLOB: Shape = {"hash": Octets(32), "length": "uint"}
_SIZES = Items({"style": "id", "size": "uint"}, 1)
_FILE: Shape = {"path": "text", "hash": Octets(32)}
_LIST: dict[str, Shape] = {"contest": "id", "group": "id"}
_NOTICE: dict[str, Shape] = {"reason": "text", "time": "uint"}

BODIES: Mapping[str, Mapping[str, Shape]] = {
    "manifest": {"format": OneOf(("evoting-record/v1",)), "manifest": _BLOB},
    "roll": {"commitment": Octets(32), "size": "uint", "styles": _SIZES, "time": "uint"},
    "enrolment": {"checkpoint": "text", "time": "uint"},
    "trustee-ceremony": {"transcript": _BLOB, "time": "uint"},
    "issuer-ceremony": {"transcript": _BLOB, "time": "uint"},
    "opening": {
        "manifest": _BLOB,
        "roll": {"commitment": Octets(32), "size": "uint", "styles": _SIZES},
        "enrolment": Octets(32),
        "trustees": {"transcript": _BLOB, "key": Octets(32), "verification-keys": Octets()},
        "issuers": {"transcript": _BLOB, "keys": _BLOB},
        "code-books": Items({"contest": "id", "blob": _BLOB}),
        "partition": Items({"style": "id", "units": Items("id", 1)}, 1),
        "vote-page": Items(_FILE),
        "parameters": Octets(32),
        "origin": "text",
        "time": "uint",
    },
    "epoch": {"number": "uint", "time": "uint", "entries": "uint"},
    "terminal-opening": {"terminal": "id", "unit": "id", "time": "uint"},
    "terminal-closing": {"terminal": "id", "head": Octets(32), "count": "uint", "time": "uint"},
    "terminal-exclusion": {"terminal": "id", "count": "uint", **_NOTICE},
    "extension": {"closes": "uint", **_NOTICE},
    "vote-page": {"files": Items(_FILE, 1), **_NOTICE},
    "withdrawal": {"contest": "id", "subject": "text", **_NOTICE},
    "annulment": {"scope": "text", **_NOTICE},
    "complaint": {"number": "text", "subject": "text", "document": OrNull(_BLOB), "time": "uint"},
    "close": {"ballots": "uint", "challenges": "uint", "epochs": "uint", "time": "uint"},
    "ledger": {
        "issuer": "uint",
        "checkpoint": "text",
        "issued": Items({"style": "id", "count": "uint", "terminal": "uint"}),
        "tree": {"root": Octets(32), "size": "uint"},
        "time": "uint",
    },
    "selection": {
        "dispositions": _BLOB,
        "accounting": Items(
            {
                "style": "id",
                "appended": "uint",
                "counted": "uint",
                "superseded": "uint",
                "challenged": "uint",
                "rejected": Items({"reason": "text", "count": "uint"}),
            },
            1,
        ),
        "malformed": "uint",
        "groups": Items(
            {
                "contest": "id",
                "groups": Items(
                    {
                        "group": "id",
                        "styles": Items("id", 1),
                        "ballots": "uint",
                        "status": OneOf(("tallied", "withheld", "empty")),
                    },
                    1,
                ),
            },
            1,
        ),
        "time": "uint",
    },
    "aggregate": {**_LIST, "ballots": "uint", "ciphertexts": Octets()},
    "mix": {
        **_LIST,
        "stage": "uint",
        "count": "uint",
        "input": Octets(32),
        "output": _BLOB,
        "proof": _BLOB,
        "time": "uint",
    },
    "decryption": {
        **_LIST,
        "trustee": "uint",
        "list": Octets(32),
        "factors": _BLOB,
        "proof": Octets(64),
        "time": "uint",
    },
    "result": {"result": _BLOB, "lists": _BLOB, "time": "uint"},
}


def require_body(kind: str, body: object) -> None:
    """Check the body of an entry of a type.

    Raises:
        RecordError: names the member that is not as it must be.
    """
    _require(body, BODIES[kind], f"the {kind} entry")


def _require(value: object, shape: Shape, path: str) -> None:
    if isinstance(shape, OrNull):
        if value is not None:
            _require(value, shape.shape, path)
    elif isinstance(shape, Mapping):
        if not isinstance(value, dict) or value.keys() != shape.keys():
            raise RecordError(f"{path}: exactly the members {', '.join(sorted(shape))} are expected")
        for name, inner in shape.items():
            _require(value[name], inner, f"{path}, {name}")
    elif isinstance(shape, Items):
        if not isinstance(value, list) or len(value) < shape.least:
            raise RecordError(f"{path}: an array is expected, of at least {shape.least} items")
        for number, item in enumerate(value):
            _require(item, shape.shape, f"{path}[{number}]")
    elif isinstance(shape, Octets):
        if not isinstance(value, bytes) or shape.length not in (None, len(value)):
            raise RecordError(f"{path}: {shape.length or 'some'} bytes are expected")
    elif isinstance(shape, OneOf):
        if value not in shape.texts or not isinstance(value, str):
            raise RecordError(f"{path}: one of {', '.join(shape.texts)} is expected")
    elif shape == "uint":
        if type(value) is not int or value < 0:
            raise RecordError(f"{path}: a whole number that is not negative is expected")
    elif not isinstance(value, str) or (shape == "id" and not ID_PATTERN.fullmatch(value)):
        raise RecordError(f"{path}: {'an identifier' if shape == 'id' else 'a text'} is expected")
