"""From the names and values of a foreign record to a ``Person``; a value that does not fit names its field."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date

from biometric_idp.population.pin import Sex, parse_pin
from biometric_idp.population.register import Contacts, DocumentKind, IdentityDocument, Person
from biometric_idp.population.text import escape, is_plain

MAX_NAME = 120
MAX_DOCUMENTS = 16
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_NUMBER = re.compile(r"[A-Z0-9]{1,24}", re.ASCII)
_UNIT = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)
# Not the grammar of RFC 5321, but what a message can be sent to safely: no blanks, quotes or routes.
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+", re.ASCII)
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)

PERSON_FIELDS = frozenset(
    {"pin", "surname", "given_names", "birth_date", "sex", "documents", "email", "phone", "unit", "deceased"}
)
_REQUIRED = ("pin", "surname", "given_names", "birth_date", "sex")


class FieldError(ValueError):
    """A field of a record does not fit. The message never repeats a person's data.

    Attributes:
        field: its name.
        reason: what is wrong with it.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def decode_person(record: Mapping[str, object]) -> Person:
    """A person out of a record with the names of ``PERSON_FIELDS``.

    Raises:
        FieldError: names the first field that is missing, unknown or does not fit.
    """
    for name in record:
        if name not in PERSON_FIELDS:
            raise FieldError(escape(name), "there is no such field")
    for name in _REQUIRED:
        if record.get(name) in (None, "") and name != "given_names":
            raise FieldError(name, "is missing")
    try:
        pin = parse_pin(record["pin"])
    except ValueError as error:
        raise FieldError("pin", str(error)) from None
    birth_date = decode_date(record["birth_date"], "birth_date")
    sex = decode_sex(record["sex"])
    if birth_date != pin.birth_date:
        raise FieldError("birth_date", "is not the date in the PIN")
    if sex is not pin.sex:
        raise FieldError("sex", "is not the sex in the PIN")
    return Person(
        pin.text,
        decode_name(record["surname"], "surname"),
        # Some people have a single name.
        decode_name(record["given_names"], "given_names") if record.get("given_names") else "",
        birth_date,
        sex,
        decode_documents(record.get("documents")),
        Contacts(
            _optional(record.get("email"), "email", _EMAIL, "is no e-mail address"),
            _optional(record.get("phone"), "phone", _PHONE, "is no number like +996700123456"),
        ),
        decode_unit(record.get("unit")),
        _flag(record.get("deceased")),
    )


def decode_name(value: object, field: str) -> str:
    if type(value) is not str or not is_plain(value, MAX_NAME):
        raise FieldError(field, f"is no text of 1 to {MAX_NAME} characters in form NFC without control characters")
    return value


def decode_date(value: object, field: str) -> date:
    if type(value) is not str or not _DATE.fullmatch(value):
        raise FieldError(field, "is no date YYYY-MM-DD")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise FieldError(field, "is no calendar date") from None


def decode_sex(value: object) -> Sex:
    if value not in ("F", "M"):
        raise FieldError("sex", "is not F or M")
    return Sex(str(value))


def decode_unit(value: object) -> str | None:
    return _optional(value, "unit", _UNIT, "is no id of [a-z0-9-]")


def decode_document(value: object, field: str) -> IdentityDocument:
    if not isinstance(value, Mapping) or not {"kind", "number"} <= value.keys() <= {"kind", "number", "expires"}:
        raise FieldError(field, "is no object with kind, number and expires")
    kind, number, expires = value["kind"], value["number"], value.get("expires")
    if type(kind) is not str or kind not in {item.value for item in DocumentKind}:
        raise FieldError(f"{field}.kind", f"is none of {', '.join(DocumentKind)}")
    if type(number) is not str or not _NUMBER.fullmatch(number):
        raise FieldError(f"{field}.number", "is not 1 to 24 of A-Z and 0-9")
    return IdentityDocument(
        DocumentKind(kind), number, None if expires is None else decode_date(expires, f"{field}.expires")
    )


def decode_documents(value: object) -> tuple[IdentityDocument, ...]:
    if value is None:
        return ()
    if not isinstance(value, Sequence) or isinstance(value, str | bytes) or len(value) > MAX_DOCUMENTS:
        raise FieldError("documents", f"is no list of at most {MAX_DOCUMENTS} documents")
    documents = tuple(decode_document(item, f"documents[{index}]") for index, item in enumerate(value))
    if len({(document.kind, document.number) for document in documents}) != len(documents):
        raise FieldError("documents", "one document is there twice")
    return documents


def _flag(value: object) -> bool:
    if value is None:
        return False
    if type(value) is not bool:
        raise FieldError("deceased", "is not true or false")
    return value


def _optional(value: object, field: str, form: re.Pattern[str], reason: str) -> str | None:
    if value is None or value == "":
        return None
    if type(value) is not str or not form.fullmatch(value):
        raise FieldError(field, reason)
    return value
