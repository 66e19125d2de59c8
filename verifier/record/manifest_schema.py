"""Schema of the manifest; docs/spec/03-manifest.md sections 3.2 to 3.6."""

from __future__ import annotations

import math
import re
import unicodedata
from typing import Any

from verifier.record import schema
from verifier.record.errors import FormatError
from verifier.record.schema import Schema, array, identifier, nullable, octets, one_of, record, uint, uint_in

MAX_MANIFEST_BYTES = 33_554_432
_MAX = 2**53 - 1

#: Code points that a title must not hold (section 3.2), as a fixed list so that Unicode tables do not matter.
_FORBIDDEN = re.compile(
    "[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ud800-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\U000e0000-\U0010ffff]"
)


def title_text(value: Any, path: str) -> str:
    """A text that can be shown: no controls, marks or invisible characters."""
    text = schema.text(value, path)
    if not 1 <= len(text) <= 500:
        raise FormatError(f"{path}: a text has 1 to 500 characters")
    found = _FORBIDDEN.search(text)
    if found:
        raise FormatError(f"{path}: U+{ord(found[0]):04X} must not be in a text")
    if text != text.strip(" ") or not unicodedata.is_normalized("NFC", text):
        raise FormatError(f"{path}: a text must be in form C, without blanks at its ends")
    return text


_LANGUAGE = schema.text_matching(r"[a-z]{2,3}", "a language")
_TITLES = schema.table(title_text, _LANGUAGE, minimum=1)


def integer_in(minimum: int, maximum: int) -> Schema:
    """An integer, possibly negative, within bounds."""

    def check(value: Any, path: str) -> int:
        if type(value) is not int or not minimum <= value <= maximum:
            raise FormatError(f"{path}: an integer within {minimum}..{maximum} is expected")
        return value

    return check


def _fraction(value: Any, path: str) -> list[int]:
    numbers: list[int] = array(uint_in(0, 10**9), minimum=2, maximum=2)(value, path)
    numerator, denominator = numbers
    if numerator > denominator or math.gcd(numerator, denominator) != 1:  # of n/0 and 0/0 one is true as well
        raise FormatError(f"{path}: a fraction is in lowest terms and at most 1")
    return numbers


def _location(value: Any, path: str) -> list[int]:
    if type(value) is not list or len(value) != 2:
        raise FormatError(f"{path}: a location is latitude and longitude")
    integer_in(-90_000_000, 90_000_000)(value[0], f"{path}[0]")
    integer_in(-180_000_000, 180_000_000)(value[1], f"{path}[1]")
    return value


_SHARE = record(
    {"fraction": _fraction, "of": one_of("registered", "participants", "valid", "choices"), "strict": schema.boolean}
)
_QUOTA = record({"fraction": _fraction, "rounding": one_of("up", "down")})
_AGAINST = one_of("repeat", "ignore")
_SEATS = uint_in(1, 1000)

_RULES: dict[str, Schema] = {
    name: record({"kind": one_of(name), "against-all": _AGAINST, **fields})
    for name, fields in {
        "referendum": {"turnout": _SHARE, "adoption": _SHARE},
        "majority-second-round": {"majority": _SHARE, "advance": uint_in(2, 16)},
        "top-k": {"seats": _SEATS, "gender": one_of("none", "other-sex-last")},
        "council-majority": {"seats": _SEATS, "women": _QUOTA},
        "list-seats": {
            "seats": _SEATS,
            "method": one_of("hare", "dhondt"),
            "national": _SHARE,
            "area": nullable(record({"share": _SHARE, "regions": array(identifier, minimum=1, maximum=65536)})),
            "cap": nullable(uint_in(1, 1000)),
            "women": nullable(_QUOTA),
        },
        "instant-runoff": {},
    }.items()
}


def _rule(value: Any, path: str) -> dict[str, Any]:
    rule: dict[str, Any] = schema.one_schema_of("kind", _RULES)(value, path)
    if rule["kind"] == "list-seats" and rule["cap"] is not None and rule["cap"] > rule["seats"]:
        raise FormatError(f"{path}.cap: more than seats")
    return rule


_SEX = nullable(one_of("f", "m"))
_CANDIDATE = record({"id": identifier, "sex": _SEX, "title": _TITLES})
_OPTION = record(
    {
        "id": identifier,
        "role": one_of("candidate", "yes", "no", "answer", "against-all"),
        "sex": _SEX,
        "title": _TITLES,
    }
)
_PARTY = record({"id": identifier, "title": _TITLES, "candidates": array(_CANDIDATE, maximum=65536)})
_HOMOMORPHIC = record(
    {
        "id": identifier,
        "kind": one_of("homomorphic"),
        "title": _TITLES,
        "rule": _rule,
        "options": array(_OPTION, minimum=1, maximum=1024),
        "min": uint_in(0, 1024),
        "max": uint_in(1, 1024),
    }
)
_MIXED = {
    "open-list": record(
        {
            "id": identifier,
            "kind": one_of("mixed"),
            "ballot": one_of("open-list"),
            "title": _TITLES,
            "rule": _rule,
            "width": uint_in(1, 1),
            "against-all": nullable(_TITLES),
            "parties": array(_PARTY, minimum=1, maximum=1024),
        }
    ),
    "ranked": record(
        {
            "id": identifier,
            "kind": one_of("mixed"),
            "ballot": one_of("ranked"),
            "title": _TITLES,
            "rule": _rule,
            "width": uint_in(1, 64),
            "against-all": nullable(_TITLES),
            "candidates": array(_CANDIDATE, minimum=1, maximum=4096),
        }
    ),
}
_CONTEST = schema.one_schema_of("kind", {"homomorphic": _HOMOMORPHIC, "mixed": schema.one_schema_of("ballot", _MIXED)})

_ROLE_KINDS = (
    "officer ballot-box identity-provider registrar trustee issuer mixer witness terminal".split()  # noqa: SIM905
)

MANIFEST = record(
    {
        "format": one_of("evoting-manifest/v1"),
        "id": identifier,
        "title": _TITLES,
        "note": nullable(_TITLES),
        "model": schema.boolean,
        "languages": array(_LANGUAGE, minimum=1, maximum=16),
        "opens": uint,
        "closes": uint,
        "epoch": uint_in(1, 86400),
        "enrolment-age": uint,
        "origins": record({"voting": nullable(schema.text), "identity": nullable(schema.text)}),
        "unit-minimum": record({"homomorphic": uint_in(1, _MAX), "mixed": uint_in(1, _MAX)}),
        "limits": record(
            {
                "entry-bytes": uint_in(1024, 65535),
                "blob-bytes": uint_in(1024, _MAX),
                "ballots": uint_in(1, _MAX),
                "contests": uint_in(1, 256),
                "options": uint_in(1, 1024),
                "codes": uint_in(1, 65535),
                "challenges": uint_in(0, 16),
            }
        ),
        "trustees": record({"n": uint_in(2, 255), "t": uint_in(1, 254)}),
        "issuers": record({"m": uint_in(1, 255), "k": uint_in(1, 255)}),
        "mixers": uint_in(0, 64),
        "witnesses": record({"w": uint_in(1, 255), "q": uint_in(1, 255)}),
        "roles": array(
            record(
                {
                    "id": identifier,
                    "kind": one_of(*_ROLE_KINDS),
                    "index": uint_in(1, 65535),
                    "key": octets(32),
                    "title": _TITLES,
                }
            ),
            minimum=1,
            maximum=65536,
        ),
        "regions": array(
            record({"id": identifier, "kind": one_of("oblast", "city", "district", "abroad"), "title": _TITLES}),
            minimum=1,
            maximum=4096,
        ),
        "units": array(
            record(
                {
                    "id": identifier,
                    "kind": one_of("region", "precinct", "remote-precinct", "abroad"),
                    "title": _TITLES,
                    "region": identifier,
                    "location": nullable(_location),
                    "registered": uint,
                }
            ),
            minimum=1,
            maximum=65536,
        ),
        "styles": array(
            record(
                {
                    "id": identifier,
                    "title": _TITLES,
                    "units": array(identifier, minimum=1, maximum=65536),
                    "contests": array(identifier, minimum=1, maximum=256),
                    "roll": uint_in(1, _MAX),
                }
            ),
            minimum=1,
            maximum=65536,
        ),
        "contests": array(_CONTEST, minimum=1, maximum=256),
        "merge": one_of("smallest-into-next-smallest"),
        "tie": one_of("lot-by-fingerprint"),
    }
)
