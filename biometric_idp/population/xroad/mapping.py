"""From the JSON of a register's answer to a ``Person``: where things stand and how they are written is configuration.

Places are JSON Pointers (RFC 6901). What a register writes differently is put right here and then decoded as strictly
as everything else.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from biometric_idp.errors import FormatError
from biometric_idp.files import unique_names
from biometric_idp.population.decode import MAX_DOCUMENTS, FieldError, decode_person
from biometric_idp.population.register import FingerprintTemplate, Person, RegisterError
from biometric_idp.population.text import escape

_PLAIN = ("pin", "surname", "given_names", "birth_date", "sex", "unit", "email", "phone", "deceased")
_REQUIRED = ("pin", "surname", "given_names", "birth_date", "sex")
_DATE_FORMS = {"YYYY-MM-DD": "%Y-%m-%d", "DD.MM.YYYY": "%d.%m.%Y", "DDMMYYYY": "%d%m%Y", "YYYYMMDD": "%Y%m%d"}
_MAX_FINGERPRINTS = 20
_MAX_TEMPLATE_BYTES = 65_536


@dataclass(frozen=True)
class AnswerMapping:
    """Where a person's data stand in an answer.

    Attributes:
        root: pointer to the person; where there is JSON ``null``, there is no such person.
        fields: pointer below the root, by name of field.
        date_form: how dates are written.
        sexes, deceased, kinds: what the register writes, and what it means. Documents of other kinds are left out.
        documents: pointer to an array, with pointers to kind, number and expires in each item.
        portrait: pointer to a base64 image.
        fingerprints: pointer to an array, with pointers to finger, format and data (base64) in each item.
    """

    root: str
    fields: Mapping[str, str]
    date_form: str = "YYYY-MM-DD"
    sexes: Mapping[str, str] = field(default_factory=lambda: {"F": "F", "M": "M"})
    deceased: Mapping[str, bool] = field(default_factory=lambda: {"true": True, "false": False})
    kinds: Mapping[str, str] = field(default_factory=lambda: {"id-card": "id-card", "passport": "passport"})
    documents: tuple[str, str, str, str] | None = None
    portrait: str | None = None
    fingerprints: tuple[str, str, str, str] | None = None

    def __post_init__(self) -> None:
        """Raises ``FormatError`` where a required field has no place, or a place is no pointer."""
        if not set(_REQUIRED) <= self.fields.keys() <= set(_PLAIN):
            raise FormatError(f"the mapping needs {', '.join(_REQUIRED)} and may have {', '.join(_PLAIN[5:])}")
        if self.date_form not in _DATE_FORMS:
            raise FormatError(f"the mapping's date_form is none of {', '.join(_DATE_FORMS)}")
        pointers = [self.root, *self.fields.values(), *(self.documents or ()), *(self.fingerprints or ())]
        if any(pointer and not pointer.startswith("/") for pointer in [*pointers, self.portrait or ""]):
            raise FormatError("the mapping has a place that is no JSON Pointer")


def decode_json(body: bytes) -> object:
    """The JSON in a body.

    Raises:
        RegisterError: ``register-answer``.
    """
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=unique_names, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise RegisterError("register-answer", "the answer is no JSON") from None


def map_person(value: object, pin: str, mapping: AnswerMapping) -> Person | None:
    """The person in an answer.

    Args:
        pin: the one that was asked for.

    Raises:
        RegisterError: ``register-wrong-person``, or ``register-answer``, naming the field and not its content.
    """
    person = point(value, mapping.root)
    if person is None:
        return None
    try:
        record = _record(person, mapping)
        if record.get("pin") != pin:
            # Told apart from a malformed answer: somebody else's data were sent to us.
            raise RegisterError("register-wrong-person", "the register answered with another person's data")
        decoded = decode_person(record)
        return replace(
            decoded,
            portrait=map_image(person, mapping.portrait) if mapping.portrait else None,
            fingerprints=map_fingerprints(person, mapping.fingerprints) if mapping.fingerprints else None,
        )
    except FieldError as error:
        raise RegisterError("register-answer", f"the answer's {error}") from None


def point(value: object, pointer: str) -> object:
    """The value at a JSON Pointer; None where there is nothing."""
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isdecimal() and name.isascii() and len(name) < 6:
            value = value[int(name)] if int(name) < len(value) else None
        else:
            return None
    return value


def map_image(value: object, pointer: str) -> bytes | None:
    """A base64 image.

    Raises:
        RegisterError: ``register-answer``.
    """
    text = point(value, pointer)
    return None if text is None else _base64(text, "portrait")


def map_fingerprints(value: object, places: tuple[str, str, str, str]) -> tuple[FingerprintTemplate, ...]:
    """Fingerprint templates.

    Raises:
        RegisterError: ``register-answer``.
    """
    items = point(value, places[0])
    if items is None:
        return ()
    if not isinstance(items, list) or len(items) > _MAX_FINGERPRINTS:
        raise RegisterError("register-answer", "the answer's fingerprints are no short list")
    templates = []
    for item in items:
        finger, form = point(item, places[1]), point(item, places[2])
        data = _base64(point(item, places[3]), "fingerprints")
        if type(finger) is not int or not 0 <= finger <= 10 or type(form) is not str or not 0 < len(form) <= 32:
            raise RegisterError("register-answer", "the answer's fingerprints have no finger or format")
        if len(data) > _MAX_TEMPLATE_BYTES:
            raise RegisterError("register-answer", "the answer's fingerprints are too long")
        templates.append(FingerprintTemplate(finger, form, data))
    return tuple(templates)


def _record(person: object, mapping: AnswerMapping) -> dict[str, object]:
    record = {name: point(person, pointer) for name, pointer in mapping.fields.items()}
    record["birth_date"] = _date(record["birth_date"], "birth_date", mapping)
    record["sex"] = _translated(record["sex"], mapping.sexes, "sex")
    if record.get("deceased") is not None:
        record["deceased"] = _translated(record["deceased"], mapping.deceased, "deceased")
    if mapping.documents is not None:
        record["documents"] = _documents(person, mapping, mapping.documents)
    return record


def _documents(person: object, mapping: AnswerMapping, places: tuple[str, str, str, str]) -> list[object]:
    items = point(person, places[0])
    if items is None:
        return []
    if not isinstance(items, list) or len(items) > 10 * MAX_DOCUMENTS:
        raise FieldError("documents", "is no short list")
    documents: list[object] = []
    for item in items:
        kind, number, expires = (point(item, place) for place in places[1:])
        if _key(kind) not in mapping.kinds:
            continue
        plain = number.replace(" ", "").upper() if isinstance(number, str) else number
        ends = None if expires is None else _date(expires, "documents.expires", mapping)
        documents.append({"kind": mapping.kinds[_key(kind)], "number": plain, "expires": ends})
    return documents


def _date(value: object, name: str, mapping: AnswerMapping) -> str:
    form = mapping.date_form
    if type(value) is not str or len(value) != len(form) or not value.isascii():
        raise FieldError(name, f"is no date {form}")
    try:
        # Only the day is taken; there is no time of day, hence no zone.
        return datetime.strptime(value, _DATE_FORMS[form]).strftime("%Y-%m-%d")  # noqa: DTZ007
    except ValueError:
        raise FieldError(name, f"is no date {form}") from None


def _translated(value: object, meanings: Mapping[str, object], name: str) -> object:
    if _key(value) not in meanings:
        raise FieldError(name, "is none of the configured values")
    return meanings[_key(value)]


def _key(value: object) -> str:
    """How a JSON value is written in the configuration: ``true``, ``1``, or the text itself."""
    if isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, bool | int) else ""


def _base64(value: object, name: str) -> bytes:
    try:
        if type(value) is not str:
            raise ValueError("no text")
        data = base64.b64decode(value, validate=True)
        if not data:
            raise ValueError("empty")
    except (ValueError, binascii.Error):
        raise RegisterError("register-answer", f"the answer's {escape(name)} is no base64") from None
    return data


def _no_constant(text: str) -> object:
    raise ValueError(f"{text} is no JSON")
