"""Machine-readable zones TD1, TD2 and TD3 (ICAO Doc 9303, 8th edition: parts 3 section 4, 4, 5 and 6).

A zone is accepted when every check digit holds, the composite one included, and every field is in its form. What is
inside an ``Mrz`` is canonical; ``lines`` are the lines as printed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from biometric_idp.documents.errors import MrzRefused
from biometric_idp.population.pin import Pin, is_pin, parse_pin

#: A zone has at most 90 characters; what is typed or read may have blanks between them.
MAX_INPUT = 400
_CHARACTERS = re.compile(r"[A-Z0-9<]*", re.ASCII)
_WEIGHTS = (7, 3, 1)
_STATE = re.compile(r"[A-Z]{3}|[A-Z]{2}<|[A-Z]<<", re.ASCII)
_NUMBER = re.compile(r"[A-Z0-9]+(?:<[A-Z0-9]+)*", re.ASCII)
_NAMES = re.compile(r"[A-Z]+(?:<[A-Z]+)*(?:<<[A-Z]+(?:<[A-Z]+)*)?", re.ASCII)
#: A document is valid for a few decades at most, so two digits of a year say which century is meant.
_EXPIRY_WINDOW = 50


class MrzFormat(StrEnum):
    TD1 = "TD1"
    TD2 = "TD2"
    TD3 = "TD3"


_SHAPES = {MrzFormat.TD1: (3, 30), MrzFormat.TD2: (2, 36), MrzFormat.TD3: (2, 44)}
#: First letters of a document code; V is a visa, which proves no identity here.
_KINDS = {MrzFormat.TD1: "ACI", MrzFormat.TD2: "ACIP", MrzFormat.TD3: "P"}


@dataclass(frozen=True, slots=True)
class Mrz:
    """What a zone says. Two-digit years stay as they are: ``birth`` and ``expiry`` are YYMMDD.

    Attributes:
        issuer, nationality: codes of ICAO 9303 part 3 section 5, without fillers (``D`` for Germany).
        birth: may have ``<<`` for an unknown month or day, or be all fillers.
        sex: ``F``, ``M``, or ``X`` where it is not stated.
        names_truncated: the name field is full, so that the rest of the names may be missing.
        optional: optional data fields in order, without outer fillers.
        pin: the national personal number, where the optional data hold one; otherwise None.
    """

    format: MrzFormat
    lines: tuple[str, ...] = field(repr=False)
    kind: str
    issuer: str
    number: str = field(repr=False)
    nationality: str
    birth: str = field(repr=False)
    sex: str = field(repr=False)
    expiry: str = field(repr=False)
    surname: str = field(repr=False)
    given_names: str = field(repr=False)
    names_truncated: bool = field(repr=False)
    optional: tuple[str, ...] = field(repr=False)
    pin: str | None = field(repr=False)

    def expiry_date(self, today: date) -> date:
        """The last day of validity: of the century that brings it within fifty years of ``today``."""
        year = today.year - today.year % 100 + int(self.expiry[:2])
        year += 100 * ((year < today.year - _EXPIRY_WINDOW) - (year >= today.year + _EXPIRY_WINDOW))
        return _calendar(year, self.expiry, "expiry-date")

    def birth_date(self, today: date) -> date | None:
        """The day of birth: that of the PIN where there is one, else the latest that is not after ``today``; None
        where the zone does not state it in full.

        Raises:
            MrzRefused: ``mrz-date``: 29 February of a century's year that had none.
        """
        if "<" in self.birth:
            return None
        if self.pin is not None:
            return parse_pin(self.pin).birth_date
        year = today.year - today.year % 100 + int(self.birth[:2])
        later = year * 10_000 + int(self.birth[2:]) > today.year * 10_000 + today.month * 100 + today.day
        return _calendar(year - 100 * later, self.birth, "birth-date")


def check_digit(text: str) -> str:
    """The check digit over a field: weights 7, 3, 1, modulo 10; A is 10 ... Z is 35, the filler is 0 (part 3, 4.9)."""
    total = 0
    for index, character in enumerate(text):
        value = 0 if character == "<" else int(character, 36)
        total += value * _WEIGHTS[index % 3]
    return str(total % 10)


def parse_mrz(text: str) -> Mrz:
    """Read a zone as it was typed, scanned or stored in DG1: lines apart or in one piece, blanks and case are ignored.

    Raises:
        MrzRefused: ``mrz-form``, ``mrz-kind``, ``mrz-check-digit``, ``mrz-date``, ``mrz-names``, ``mrz-pin``; the line
            and the field are named.
    """
    zone, lines = _split(text)
    read = {MrzFormat.TD1: _read_td1, MrzFormat.TD2: _read_td2, MrzFormat.TD3: _read_td3}[zone]
    return read(lines)


def _split(text: str) -> tuple[MrzFormat, tuple[str, ...]]:
    if type(text) is not str or len(text) > MAX_INPUT:
        raise MrzRefused("mrz-form", f"a zone is a text of at most {MAX_INPUT} characters")
    # Only ASCII letters are raised: the upper case of some others is ASCII, and nothing printed it.
    raised = "".join(character.upper() if character.isascii() else character for character in text)
    rows = ["".join(row.split()) for row in re.split(r"[\r\n]+", raised)]
    rows = [row for row in rows if row]
    for index, row in enumerate(rows, 1):
        if not _CHARACTERS.fullmatch(row):
            raise MrzRefused("mrz-form", "has a character that is none of A-Z, 0-9 and <", index)
    for zone, (count, width) in _SHAPES.items():
        whole = "".join(rows)
        if len(rows) == 1 and len(whole) == count * width:
            return zone, tuple(whole[start : start + width] for start in range(0, len(whole), width))
        if len(rows) == count and len(whole) == count * width:
            for index, row in enumerate(rows, 1):
                if len(row) != width:
                    raise MrzRefused("mrz-form", f"has {len(row)} characters, not {width}", index)
            return zone, tuple(rows)
    raise MrzRefused("mrz-form", "a zone is 3 lines of 30, 2 of 36 or 2 of 44 characters")


def _read_td1(lines: tuple[str, ...]) -> Mrz:
    upper, middle, names = lines
    number, first_optional = _long_number(upper[5:14], upper[14], upper[15:30], 1)
    _require_digit(middle[0:6], middle[6], 2, "birth-date")
    _require_digit(middle[8:14], middle[14], 2, "expiry-date")
    _require_digit(upper[5:30] + middle[0:7] + middle[8:15] + middle[18:29], middle[29], 2, "composite")
    optional = (first_optional, middle[18:29].strip("<"))
    return _mrz(
        MrzFormat.TD1, lines, upper[0:2], upper[2:5], number, middle[15:18], middle[0:6], middle[7], middle[8:14],
        names, optional, (2, 2, 3),
    )  # fmt: skip


def _read_td2(lines: tuple[str, ...]) -> Mrz:
    upper, lower = lines
    number, optional = _long_number(lower[0:9], lower[9], lower[28:35], 2)
    _require_digit(lower[13:19], lower[19], 2, "birth-date")
    _require_digit(lower[21:27], lower[27], 2, "expiry-date")
    _require_digit(lower[0:10] + lower[13:20] + lower[21:35], lower[35], 2, "composite")
    return _mrz(
        MrzFormat.TD2, lines, upper[0:2], upper[2:5], number, lower[10:13], lower[13:19], lower[20], lower[21:27],
        upper[5:36], (optional,), (2, 2, 1),
    )  # fmt: skip


def _read_td3(lines: tuple[str, ...]) -> Mrz:
    upper, lower = lines
    _require_digit(lower[0:9], lower[9], 2, "document-number")
    number = _require_number(lower[0:9].rstrip("<"), 2)
    _require_digit(lower[13:19], lower[19], 2, "birth-date")
    _require_digit(lower[21:27], lower[27], 2, "expiry-date")
    personal = lower[28:42]
    # Where the field is not used its check digit may be a filler (part 4 section 4.2.2.2).
    if personal.strip("<") or lower[42] != "<":
        _require_digit(personal, lower[42], 2, "personal-number")
    _require_digit(lower[0:10] + lower[13:20] + lower[21:43], lower[43], 2, "composite")
    optional = (personal.strip("<"),)
    return _mrz(
        MrzFormat.TD3, lines, upper[0:2], upper[2:5], number, lower[10:13], lower[13:19], lower[20], lower[21:27],
        upper[5:44], optional, (2, 2, 1),
    )  # fmt: skip


def _mrz(
    zone: MrzFormat, lines: tuple[str, ...], kind: str, issuer: str, number: str, nationality: str, birth: str,
    sex: str, expiry: str, names: str, optional: tuple[str, ...], rows: tuple[int, int, int],
) -> Mrz:  # fmt: skip
    """The zone out of its raw fields; ``rows`` are the lines of nationality, dates and names."""
    if kind[0] not in _KINDS[zone] or kind[1].isdigit():
        raise MrzRefused("mrz-kind", f"is no document code of {zone}", 1, "document-code")
    for row, state, what in ((1, issuer, "issuing-state"), (rows[0], nationality, "nationality")):
        if not _STATE.fullmatch(state):
            raise MrzRefused("mrz-form", "is no code of a state", row, what)
    if sex not in "MF<":
        raise MrzRefused("mrz-form", "is none of M, F and <", rows[1], "sex")
    _require_date(birth, rows[1], "birth-date", partial=True)
    _require_date(expiry, rows[1], "expiry-date", partial=False)
    surname, given = _names(names, rows[2])
    pins = {text for text in optional if is_pin(text)}
    if len(pins) > 1:
        raise MrzRefused("mrz-pin", "the optional data hold two personal numbers")
    pin = pins.pop() if pins else None
    if pin is not None and not _agrees(parse_pin(pin), birth, sex):
        raise MrzRefused("mrz-pin", "the personal number names another day of birth or sex than the zone")
    return Mrz(
        zone, lines, kind.rstrip("<"), issuer.rstrip("<"), number, nationality.rstrip("<"), birth,
        "X" if sex == "<" else sex, expiry, surname, given, names[-1] != "<", optional, pin,
    )  # fmt: skip


def _agrees(pin: Pin, birth: str, sex: str) -> bool:
    """Whether zone and PIN tell the same, as far as the zone tells."""
    told = zip(birth, f"{pin.birth_date:%y%m%d}", strict=True)
    return all(character in ("<", digit) for character, digit in told) and sex in ("<", pin.sex)


def _require_digit(text: str, digit: str, line: int, name: str) -> None:
    if check_digit(text) != digit:
        raise MrzRefused("mrz-check-digit", "the check digit does not hold", line, name)


def _require_number(text: str, line: int) -> str:
    if not _NUMBER.fullmatch(text):
        raise MrzRefused("mrz-form", "is no document number", line, "document-number")
    return text.replace("<", "")


def _long_number(text: str, digit: str, optional: str, line: int) -> tuple[str, str]:
    """Number and optional data. A number of more than nine characters goes on in the optional data, ending with its
    check digit and a filler; its first check digit is then a filler (part 5 section 4.2.2.1 note j, part 6 likewise).
    """
    if digit != "<":
        _require_digit(text, digit, line, "document-number")
        return _require_number(text.rstrip("<"), line), optional.strip("<")
    rest, _, following = optional.partition("<")
    if len(rest) < 2 or "<" in text:
        raise MrzRefused("mrz-check-digit", "there is no check digit", line, "document-number")
    _require_digit(text + rest[:-1], rest[-1], line, "document-number")
    return _require_number(text + rest[:-1], line), following.strip("<")


def _require_date(text: str, line: int, name: str, *, partial: bool) -> None:
    year, month, day = text[0:2], text[2:4], text[4:6]
    # Unknown parts are fillers, from the day upwards (part 3 section 4.8).
    if partial and day == "<<":
        day = "01"
        if month == "<<":
            month = "01"
            year = "00" if year == "<<" else year
    try:
        if not (year + month + day).isdigit():
            raise ValueError("not digits")
        # 2000 and 1900 differ in 29 February only; 00 is taken for a leap year, the PIN or the register knows better.
        date(2000 + int(year), int(month), int(day))
    except ValueError:
        raise MrzRefused("mrz-date", "is no date YYMMDD", line, name) from None


def _calendar(year: int, text: str, name: str) -> date:
    try:
        return date(year, int(text[2:4]), int(text[4:6]))
    except ValueError:
        raise MrzRefused("mrz-date", "is no date in its century", None, name) from None


def _names(text: str, line: int) -> tuple[str, str]:
    stripped = text.rstrip("<")
    if not _NAMES.fullmatch(stripped):
        raise MrzRefused("mrz-names", "are not SURNAME<<GIVEN<NAMES of letters", line, "names")
    surname, _, given = stripped.partition("<<")
    return surname.replace("<", " "), given.replace("<", " ")
