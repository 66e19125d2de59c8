"""A register in a file, for development and for model elections.

JSON (``evoting-register/v1``), or CSV with the same fields as columns; portraits and fingerprint templates are files
beside it. The index is read once and strictly; portraits and templates are read when they are asked for.

    {"format": "evoting-register/v1", "persons": [
      {"pin": "11505199012345", "surname": "...", "given_names": "...", "birth_date": "1990-05-15", "sex": "F",
       "documents": [{"kind": "id-card", "number": "ID1234567", "expires": "2031-01-31"}],
       "email": "...", "phone": "+996...", "unit": "abroad", "deceased": false,
       "portrait": "portraits/1.jpg",
       "fingerprints": [{"finger": 2, "format": "nbis-xyt", "file": "prints/1.xyt"}]}]}

In CSV, ``documents`` is ``id-card:ID1234567:2031-01-31`` and ``fingerprints`` is ``2:nbis-xyt:prints/1.xyt``, each
separated by ``;``; ``deceased`` is ``true``, ``false`` or empty.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from biometric_idp.files import unique_names
from biometric_idp.population.attachments import is_attachment_name, read_attachment
from biometric_idp.population.decode import PERSON_FIELDS, FieldError, decode_person
from biometric_idp.population.register import FingerprintTemplate, Person, RegisterError
from biometric_idp.population.text import escape

FORMAT = "evoting-register/v1"
MAX_REGISTER_BYTES = 268_435_456
MAX_PORTRAIT_BYTES = 4_194_304
MAX_TEMPLATE_BYTES = 65_536
_ATTACHED = frozenset({"portrait", "fingerprints"})
_COLUMNS = PERSON_FIELDS | _ATTACHED
_REQUIRED_COLUMNS = ("pin", "surname", "given_names", "birth_date", "sex")
_FORMAT_NAME = re.compile(r"[a-z0-9.-]{1,32}", re.ASCII)
#: Spreadsheets write it at the start of a CSV file.
_BOM = "\ufeff"
_BLANK = re.compile(r"[ \t\r\n]*")
_MAX_FINGERPRINTS = 20

Record = dict[str, object]


@dataclass(frozen=True, slots=True)
class _Print:
    finger: int
    format: str
    file: str


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    person: Person
    portrait: str | None
    prints: tuple[_Print, ...]


class FileRegister:
    """A ``Register`` out of one file and the files beside it. It never changes after it was opened."""

    def __init__(self, path: Path) -> None:
        """Read the index.

        Raises:
            RegisterError: ``register-file``; file, line and field are named, the person's data are not.
        """
        self._path = path
        self._root = path.parent
        self._rows: dict[str, _Row] = {}
        holders: dict[tuple[str, str], int] = {}
        for line, record in _records(path):
            row = self._row(line, record)
            earlier = self._rows.setdefault(row.person.pin, row)
            if earlier is not row:
                raise self._error(line, "pin", f"is the PIN of line {earlier.line} too")
            for document in row.person.documents:
                first = holders.setdefault((document.kind, document.number), line)
                if first != line:
                    raise self._error(line, "documents", f"a document is held by the person of line {first} too")

    def __len__(self) -> int:
        return len(self._rows)

    def pins(self) -> Iterator[str]:
        """Every PIN, in the order of the file."""
        return iter(self._rows)

    def person(self, pin: str) -> Person | None:
        row = self._rows.get(pin)
        return None if row is None else row.person

    def portrait(self, pin: str) -> bytes | None:
        row = self._rows.get(pin)
        if row is None or row.portrait is None:
            return None
        return self._read(row, "portrait", row.portrait, MAX_PORTRAIT_BYTES)

    def fingerprints(self, pin: str) -> tuple[FingerprintTemplate, ...]:
        row = self._rows.get(pin)
        if row is None:
            return ()
        return tuple(
            FingerprintTemplate(
                item.finger, item.format, self._read(row, "fingerprints", item.file, MAX_TEMPLATE_BYTES)
            )
            for item in row.prints
        )

    def purge(self, before: int, most: int) -> list[str]:
        """Nothing: a file is all there is, and its owner's."""
        return []

    def close(self) -> None:
        self._rows = {}

    def _row(self, line: int, record: Record) -> _Row:
        try:
            person = decode_person({name: value for name, value in record.items() if name not in _ATTACHED})
            return _Row(line, person, _portrait(record.get("portrait")), _prints(record.get("fingerprints")))
        except FieldError as error:
            raise self._error(line, error.field, error.reason) from None

    def _read(self, row: _Row, field: str, name: str, most: int) -> bytes:
        try:
            return read_attachment(self._root, name, most)
        except OSError as error:
            raise self._error(row.line, field, f"{name}: {error.strerror}") from None
        except ValueError as error:
            raise self._error(row.line, field, f"{name} {error}") from None

    def _error(self, line: int, field: str, reason: str) -> RegisterError:
        return _file_error(self._path, f"line {line}, {field}: {reason}")


def _file_error(path: Path, text: str) -> RegisterError:
    return RegisterError("register-file", f"{escape(str(path), 400)}: {text}")


def _records(path: Path) -> Iterator[tuple[int, Record]]:
    """(line, record) of every person."""
    if path.suffix not in (".json", ".csv"):
        raise _file_error(path, "a register is a .json or a .csv file")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_REGISTER_BYTES + 1)
    except OSError as error:
        raise _file_error(path, str(error.strerror)) from None
    if len(data) > MAX_REGISTER_BYTES:
        raise _file_error(path, f"is longer than {MAX_REGISTER_BYTES} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _file_error(path, f"line {data.count(10, 0, error.start) + 1}: is not UTF-8") from None
    yield from _json_records(path, text) if path.suffix == ".json" else _csv_records(path, text.removeprefix(_BOM))


def _json_records(path: Path, text: str) -> Iterator[tuple[int, Record]]:
    # The members of the outer object are walked here, because the decoder of the library forgets where a value stood.
    scan = _JsonScan(path, text)
    seen: set[str] = set()
    scan.expect("{")
    while True:
        name = scan.value()
        if type(name) is not str or name in seen or name not in ("format", "persons"):
            raise scan.error("expected format and persons, each once")
        seen.add(name)
        scan.expect(":")
        if name == "format":
            if scan.value() != FORMAT:
                raise scan.error(f"is not of format {FORMAT}")
        elif "format" not in seen:
            raise scan.error("format comes before persons")
        else:
            yield from scan.persons()
        if not scan.another("}"):
            break
    scan.finish()
    if seen != {"format", "persons"}:
        raise scan.error("expected format and persons, each once")


class _JsonScan:
    """A position in a JSON text. Lines are counted on the way, so that the whole stays linear."""

    def __init__(self, path: Path, text: str) -> None:
        self._path, self._text, self._at, self._counted, self._line = path, text, 0, 0, 1
        self._decoder = json.JSONDecoder(object_pairs_hook=unique_names, parse_constant=_no_constant)

    def line(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def error(self, reason: str) -> RegisterError:
        return _file_error(self._path, f"line {self.line()}: {reason}")

    def _skip(self) -> str:
        match = _BLANK.match(self._text, self._at)
        assert match is not None
        self._at = match.end()
        return self._text[self._at : self._at + 1]

    def expect(self, character: str) -> None:
        if self._skip() != character:
            raise self.error(f"is no JSON: expected {character}")
        self._at += 1

    def another(self, closing: str) -> bool:
        """Whether a comma follows, or the closing bracket."""
        found = self._skip()
        if found not in (",", closing) or not found:
            raise self.error(f"is no JSON: expected , or {closing}")
        self._at += 1
        return found == ","

    def value(self) -> object:
        self._skip()
        try:
            value, self._at = self._decoder.raw_decode(self._text, self._at)
        except (ValueError, RecursionError) as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else escape(str(error))
            if isinstance(error, json.JSONDecodeError):
                self._at = max(self._at, min(error.pos, len(self._text)))
            raise self.error(f"is no JSON: {reason}") from None
        return value

    def persons(self) -> Iterator[tuple[int, Record]]:
        self.expect("[")
        if self._skip() == "]":
            self._at += 1
            return
        more = True
        while more:
            self._skip()
            line = self.line()
            record = self.value()
            if type(record) is not dict:
                raise self.error("a person is an object")
            yield line, record
            more = self.another("]")

    def finish(self) -> None:
        if self._skip():
            raise self.error("something follows the register")


def _no_constant(text: str) -> object:
    raise ValueError(f"{text} is no JSON")


def _csv_records(path: Path, text: str) -> Iterator[tuple[int, Record]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        columns = next(reader, [])
        if len(set(columns)) != len(columns) or not set(_REQUIRED_COLUMNS) <= set(columns) <= _COLUMNS:
            odd = sorted(set(_REQUIRED_COLUMNS) - set(columns) | set(columns) - _COLUMNS)
            reason = "repeated columns" if not odd else f"missing or unknown columns: {escape(', '.join(odd), 200)}"
            raise _file_error(path, f"line 1: {reason}")
        line = reader.line_num + 1
        for values in reader:
            if len(values) != len(columns):
                raise _file_error(path, f"line {line}: {len(values)} values for {len(columns)} columns")
            yield line, _from_csv(path, line, dict(zip(columns, values, strict=True)))
            line = reader.line_num + 1
    except csv.Error as error:
        raise _file_error(path, f"line {line}: is no CSV: {error}") from None


def _from_csv(path: Path, line: int, cells: dict[str, str]) -> Record:
    record: Record = {name: value for name, value in cells.items() if value}
    flag = cells.get("deceased", "")
    if flag not in ("", "true", "false"):
        raise _file_error(path, f"line {line}, deceased: is not true, false or empty")
    record["deceased"] = flag == "true"
    for name, members in (("documents", ("kind", "number", "expires")), ("fingerprints", ("finger", "format", "file"))):
        if not cells.get(name):
            continue
        items = []
        for cell in cells[name].split(";"):
            parts = cell.split(":")
            if not len(members) - (name == "documents") <= len(parts) <= len(members):
                raise _file_error(path, f"line {line}, {name}: is not {':'.join(members)} separated by ;")
            item: Record = dict(zip(members, parts, strict=False))
            if name == "fingerprints":
                item["finger"] = int(parts[0]) if re.fullmatch("[0-9]{1,2}", parts[0], re.ASCII) else parts[0]
            items.append(item)
        record[name] = items
    return record


def _portrait(value: object) -> str | None:
    if value is None:
        return None
    if not is_attachment_name(value):
        raise FieldError("portrait", "is no plain file name beside the register")
    return str(value)


def _prints(value: object) -> tuple[_Print, ...]:
    if value is None:
        return ()
    if type(value) is not list or len(value) > _MAX_FINGERPRINTS:
        raise FieldError("fingerprints", f"is no list of at most {_MAX_FINGERPRINTS} templates")
    prints = []
    for index, item in enumerate(value):
        where = f"fingerprints[{index}]"
        if type(item) is not dict or item.keys() != {"finger", "format", "file"}:
            raise FieldError(where, "is no object with finger, format and file")
        if type(item["finger"]) is not int or not 0 <= item["finger"] <= 10:
            raise FieldError(f"{where}.finger", "is no number from 0 to 10")
        if type(item["format"]) is not str or not _FORMAT_NAME.fullmatch(item["format"]):
            raise FieldError(f"{where}.format", "is no name of [a-z0-9.-]")
        if not is_attachment_name(item["file"]):
            raise FieldError(f"{where}.file", "is no plain file name beside the register")
        prints.append(_Print(item["finger"], item["format"], item["file"]))
    return tuple(prints)
