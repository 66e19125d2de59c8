"""``evoting-voter-list/v1``: a header line and one line per entry (docs/spec/05-voter-lists.md)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from biometric_idp.files import unique_names
from biometric_idp.population.decode import (
    FieldError,
    decode_date,
    decode_documents,
    decode_name,
    decode_sex,
    decode_unit,
)
from biometric_idp.population.lists.errors import ListRefused
from biometric_idp.population.pin import PinError, parse_pin
from biometric_idp.population.text import escape

FORMAT = "evoting-voter-list/v1"
MAX_LINE_BYTES = 16_384
MAX_ENTRIES = 100_000_000
_ID = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MESSAGE_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}", re.ASCII)
_BIOMETRIC = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_HEADER = {"format", "election", "number", "kind", "issued", "message_id", "entries"}
_ENTRY = {"pin", "surname", "given_names", "birth_date", "sex", "documents", "unit", "status"}
_MERGE = {"biometric", "merged_into"}


class ListKind(StrEnum):
    PRELIMINARY = "preliminary"
    FINAL = "final"


class Status(StrEnum):
    ACTIVE = "active"
    DECEASED = "deceased"
    MERGED = "merged"


@dataclass(frozen=True)
class Header:
    """The first line.

    Attributes:
        number: of the list within the election; later lists have higher ones.
        issued: seconds since 1970.
        message_id: under which the list travelled over X-Road; it is kept with the import.
        follows: number and SHA-256 of the preliminary list that a final list completes.
    """

    election: str
    number: int
    kind: ListKind
    issued: int
    message_id: str
    entries: int
    follows: tuple[int, str] | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a list whose fields are in their form.

    Attributes:
        documents: ``kind:number`` of each.
        digest: SHA-256 of names, day of birth, sex and documents: what tells whether they changed. They themselves are
            not stored.
        born: ordinal of the day of birth, as ``date.toordinal`` counts.
    """

    pin: str = field(repr=False)
    unit: str | None
    status: Status
    born: int = field(repr=False)
    documents: tuple[str, ...] = field(repr=False)
    digest: bytes = field(repr=False)
    biometric: str | None = field(repr=False)
    merged_into: str | None = field(repr=False)


class EntryError(Exception):
    """A line that is no entry.

    Attributes:
        code: of ``rejects.toml``.
        field: the field, where it is one.
        pin: the line's PIN where that one is in order, so that a second line with it is seen.
    """

    def __init__(self, code: str, field: str | None = None, pin: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.field = field
        self.pin = pin


class ListFile:
    """An open list file. Every reading of it is hashed and must give the hash of the first."""

    def __init__(self, path: Path) -> None:
        """Read the header and hash the whole.

        Raises:
            ListRefused: ``list-form``.
        """
        self.path = path
        self._file: BinaryIO = path.open("rb")
        try:
            self.header = _header(path, self._file.readline(MAX_LINE_BYTES + 1))
            self._start = self._file.tell()
            self._file.seek(0)
            digest = hashlib.file_digest(self._file, "sha256")
        except BaseException:
            self._file.close()
            raise
        self.sha256 = digest.hexdigest()

    def close(self) -> None:
        self._file.close()

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """(line number, line without its end) of every entry.

        Raises:
            ListRefused: ``list-form`` (too few or many lines, one too long, no end) or ``list-changed``.
        """
        self._file.seek(0)
        digest = sha256()
        for number in range(1, self.header.entries + 2):
            line = self._file.readline(MAX_LINE_BYTES + 1)
            digest.update(line)
            if not line:
                raise self._error(f"ends after {number - 2} entries; the header says {self.header.entries}")
            if len(line) > MAX_LINE_BYTES:
                raise self._error(f"line {number} has more than {MAX_LINE_BYTES} bytes")
            if not line.endswith(b"\n"):
                raise self._error(f"line {number} does not end with a line feed")
            if number > 1:
                yield number, line[:-1]
        if self._file.read(1):
            raise self._error(f"goes on after {self.header.entries} entries, which is what the header says")
        if digest.hexdigest() != self.sha256:
            raise ListRefused("list-changed", f"{escape(str(self.path), 400)} changed while it was read")

    def _error(self, text: str) -> ListRefused:
        return _form(self.path, text)


def decode_entry(line: bytes, kind: ListKind) -> Entry:
    """One entry.

    Raises:
        EntryError: names the code and the field.
    """
    try:
        record = json.loads(line.decode("utf-8"), object_pairs_hook=unique_names, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise EntryError("entry-form") from None
    if type(record) is not dict:
        raise EntryError("entry-form")
    try:
        pin = parse_pin(record.get("pin"))
    except PinError as error:
        raise EntryError(error.code, "pin") from None
    allowed = _ENTRY | _MERGE if kind is ListKind.FINAL else _ENTRY
    for name in record:
        if name not in allowed:
            raise EntryError("entry-form", escape(name, 40), pin.text)
    try:
        return _entry(record, kind, pin.text, pin.birth_date.toordinal(), pin.sex)
    except FieldError as error:
        raise EntryError("entry-form", error.field, pin.text) from None
    except EntryError as error:
        raise EntryError(error.code, error.field, pin.text) from None


def _entry(record: dict[str, object], kind: ListKind, pin: str, born: int, sex: str) -> Entry:
    status = record.get("status")
    known = {"active", "deceased", "merged"} if kind is ListKind.FINAL else {"active", "deceased"}
    if type(status) is not str or status not in known:
        raise FieldError("status", "is not one of them")
    if status == Status.MERGED:
        return _merged(record, pin, born)
    if "merged_into" in record:
        raise FieldError("merged_into", "belongs to a merged entry")
    surname = decode_name(record.get("surname"), "surname")
    given = decode_name(record["given_names"], "given_names") if record.get("given_names") else ""
    if decode_date(record.get("birth_date"), "birth_date").toordinal() != born:
        raise EntryError("pin-disagrees", "birth_date")
    if decode_sex(record.get("sex")) != sex:
        raise EntryError("pin-disagrees", "sex")
    documents = decode_documents(record.get("documents"))
    unit = decode_unit(record.get("unit"))
    biometric = record.get("biometric")
    if biometric is not None and (type(biometric) is not str or not _BIOMETRIC.fullmatch(biometric)):
        raise FieldError("biometric", "is no id")
    held = sorted((item.kind.value, item.number, str(item.expires)) for item in documents)
    details = json.dumps([surname, given, born, sex, held], ensure_ascii=False, separators=(",", ":"))
    return Entry(
        pin,
        unit,
        Status(status),
        born,
        tuple(f"{item.kind}:{item.number}" for item in documents),
        sha256(details.encode()).digest(),
        biometric,
        None,
    )


def _merged(record: dict[str, object], pin: str, born: int) -> Entry:
    for name in record:
        if name not in ("pin", "status", "merged_into"):
            raise FieldError(name, "does not belong to a merged entry")
    try:
        survivor = parse_pin(record.get("merged_into")).text
    except PinError:
        raise FieldError("merged_into", "is no PIN") from None
    if survivor == pin:
        raise EntryError("merge-self", "merged_into")
    return Entry(pin, None, Status.MERGED, born, (), bytes(32), None, survivor)


def _header(path: Path, line: bytes) -> Header:
    try:
        record = json.loads(line.decode("utf-8"), object_pairs_hook=unique_names, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise _form(path, "line 1 is no JSON") from None
    if type(record) is not dict or record.get("format") != FORMAT:
        raise _form(path, f"is not of format {FORMAT}")
    if not _HEADER <= record.keys() <= _HEADER | {"follows"}:
        raise _form(path, f"line 1 has other members than {', '.join(sorted(_HEADER))} and follows")
    election, kind, message_id = record["election"], record["kind"], record["message_id"]
    if type(election) is not str or not _ID.fullmatch(election):
        raise _form(path, "line 1, election: is no id of [a-z0-9-]")
    if type(message_id) is not str or not _MESSAGE_ID.fullmatch(message_id):
        raise _form(path, "line 1, message_id: is no id of 1 to 128 letters, digits and . _ : -")
    if type(kind) is not str or kind not in {item.value for item in ListKind}:
        raise _form(path, f"line 1, kind: is none of {', '.join(ListKind)}")
    number = _number(path, record["number"], "number", 1, 1_000_000)
    entries = _number(path, record["entries"], "entries", 0, MAX_ENTRIES)
    follows = _follows(path, record.get("follows"), ListKind(kind))
    return Header(election, number, ListKind(kind), _issued(path, record["issued"]), message_id, entries, follows)


def _follows(path: Path, value: object, kind: ListKind) -> tuple[int, str] | None:
    if kind is ListKind.PRELIMINARY:
        if value is not None:
            raise _form(path, "line 1, follows: belongs to a final list")
        return None
    if type(value) is not dict or value.keys() != {"number", "sha256"}:
        raise _form(path, "line 1, follows: is no object with number and sha256")
    digest = value["sha256"]
    if type(digest) is not str or not _HEX.fullmatch(digest):
        raise _form(path, "line 1, follows: sha256 is not 64 lower-case hexadecimal digits")
    return _number(path, value["number"], "follows", 1, 1_000_000), digest


def _issued(path: Path, value: object) -> int:
    try:
        if type(value) is not str or not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value, re.ASCII):
            raise ValueError("another form")
        return int(datetime.fromisoformat(value).astimezone(UTC).timestamp())
    except (ValueError, OverflowError):
        raise _form(path, "line 1, issued: is no time like 2026-11-25T10:00:00Z") from None


def _number(path: Path, value: object, name: str, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise _form(path, f"line 1, {name}: is no number from {least} to {most}")
    return value


def _form(path: Path, text: str) -> ListRefused:
    return ListRefused("list-form", f"{escape(str(path), 400)}: {text}")


def _no_constant(text: str) -> object:
    raise ValueError(f"{text} is no JSON")
