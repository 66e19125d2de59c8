"""The national personal number (PIN, ПИН): 14 digits; sex, day of birth as DDMMYYYY, then five more.

Only the form is checked. The last digit is no published checksum, so none is enforced.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from biometric_idp.errors import IdpError

PIN_DIGITS = 14
_FORM = re.compile(r"[0-9]{14}", re.ASCII)
#: Nobody alive was born before; a number that says so is a mistake.
_FIRST_YEAR = 1880


class Sex(StrEnum):
    FEMALE = "F"
    MALE = "M"


#: First digit of the number. The state gives 1 to women and 2 to men; other digits belong to no natural person
#: (organisations have numbers of the same length that begin with 0).
SEX_DIGITS = {"1": Sex.FEMALE, "2": Sex.MALE}


class PinError(IdpError, ValueError):
    """A PIN is not in its form. The message never repeats the number.

    Attributes:
        code: ``pin-missing``, ``pin-form``, ``pin-sex`` or ``pin-date``.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Pin:
    """A well-formed personal number and what it says."""

    text: str = field(repr=False)
    sex: Sex = field(repr=False)
    birth_date: date = field(repr=False)


def parse_pin(text: object) -> Pin:
    """The number, if it has the form.

    Raises:
        PinError: what is wrong with it.
    """
    if text is None or text == "":
        raise PinError("pin-missing", "there is no PIN")
    if type(text) is not str or not _FORM.fullmatch(text):
        raise PinError("pin-form", f"a PIN is {PIN_DIGITS} digits")
    sex = SEX_DIGITS.get(text[0])
    if sex is None:
        raise PinError("pin-sex", "the first digit of a PIN is 1 (female) or 2 (male)")
    try:
        born = date(int(text[5:9]), int(text[3:5]), int(text[1:3]))
    except ValueError:
        raise PinError("pin-date", "digits 2 to 9 of the PIN are no calendar date DDMMYYYY") from None
    if born.year < _FIRST_YEAR:
        raise PinError("pin-date", f"the PIN names a year before {_FIRST_YEAR}")
    return Pin(text, sex, born)


def is_pin(text: object) -> bool:
    """Whether a text has the form of a PIN."""
    try:
        parse_pin(text)
    except PinError:
        return False
    return True


def mask_pin(text: str) -> str:
    """A PIN for reports: the first digit and the last two, enough to find the line and not to name the person."""
    return text[:1] + "•" * (len(text) - 3) + text[-2:] if len(text) == PIN_DIGITS else "•" * min(len(text), 14)


def age_on(birth_date: date, day: date) -> int:
    """Full years on a day. Who was born on 29 February completes a year on 1 March where there is no 29th."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))
