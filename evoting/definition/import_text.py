"""Reading JSON and CSV strictly, with places that a person can find; docs/spec has no part in these formats."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .errors import DefinitionError
from .text import shown

#: Largest file that is read; a national list of candidates is far below.
MAX_FILE_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True)
class Row:
    """One line of a table: cell by column name, and where it stands."""

    file: str
    line: int
    cells: dict[str, str]

    def at(self, column: str) -> str:
        return f'{self.file}, line {self.line}, column "{column}"'


def decode_text(name: str, data: bytes, notices: list[str]) -> str:
    """UTF-8 text; a byte order mark is dropped with a notice.

    Raises:
        DefinitionError: too large, or the byte at which it is not UTF-8.
    """
    if len(data) > MAX_FILE_BYTES:
        raise DefinitionError(name, f"file of {len(data)} bytes, at most {MAX_FILE_BYTES} are read")
    if data.startswith(b"\xef\xbb\xbf"):
        notices.append(f"{name}: ignored the byte order mark at the beginning")
        data = data[3:]
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DefinitionError(f"{name}, line {line}", "not UTF-8; save the file with this encoding") from None


def parse_json(name: str, text: str) -> object:
    """A JSON value without floats and without repeated keys.

    Raises:
        DefinitionError: with line and column where the parser knows them.
    """

    def number(token: str) -> object:
        raise DefinitionError(name, f"the number {shown(token)} is not allowed; write fractions as text")

    def pairs(items: Sequence[tuple[str, object]]) -> dict[str, object]:
        result: dict[str, object] = {}
        for key, value in items:
            if key in result:
                raise DefinitionError(name, f"duplicate key {shown(key)}")
            result[key] = value
        return result

    try:
        return json.loads(text, object_pairs_hook=pairs, parse_float=number, parse_constant=number)
    except DefinitionError:
        raise
    except json.JSONDecodeError as error:
        raise DefinitionError(f"{name}, line {error.lineno}, column {error.colno}", f"not JSON: {error.msg}") from None
    except RecursionError:
        raise DefinitionError(name, "nested too deeply") from None
    except ValueError:
        raise DefinitionError(name, "a number has too many digits") from None


def parse_csv(name: str, text: str, required: Iterable[str], optional: Iterable[str], notices: list[str]) -> list[Row]:
    """The rows of a table with a header line; columns in any order, empty lines skipped.

    Raises:
        DefinitionError: file, line and column, and what is expected.
    """
    first = text.partition("\n")[0]
    delimiter = ","
    if ";" in first and "," not in first:
        delimiter = ";"
        notices.append(f"{name}: columns are separated by semicolons")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    header: list[str] | None = None
    line = 1
    try:
        for cells in reader:
            start, line = line, reader.line_num + 1
            if not any(cells):
                continue
            if header is None:
                header = _header(name, start, cells, list(required), list(optional))
                continue
            if len(cells) != len(header):
                raise DefinitionError(
                    f"{name}, line {start}", f"expected {len(header)} columns as in the header, found {len(cells)}"
                )
            rows.append(Row(name, start, dict(zip(header, cells, strict=True))))
    except csv.Error as error:
        raise DefinitionError(f"{name}, line {line}", f"not CSV: {error}") from None
    if header is None:
        raise DefinitionError(name, f"empty; expected a header line with {', '.join(required)}")
    return rows


def _header(name: str, line: int, cells: Sequence[str], required: list[str], optional: list[str]) -> list[str]:
    where = f"{name}, line {line}"
    for index, cell in enumerate(cells, 1):
        if cell not in required and cell not in optional:
            known = ", ".join([*required, *optional])
            raise DefinitionError(f"{where}, column {index}", f"unknown column {shown(cell)}; columns are {known}")
        if cells.index(cell) != index - 1:
            raise DefinitionError(f"{where}, column {index}", f"duplicate column {shown(cell)}")
    for column in required:
        if column not in cells:
            raise DefinitionError(where, f'missing column "{column}"')
    return list(cells)
