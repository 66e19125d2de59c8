"""What an election asks of its voter lists: configuration, read from ``evoting-list-rules/v1``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from biometric_idp.errors import FormatError
from biometric_idp.files import read_json
from biometric_idp.population.text import escape

FORMAT = "evoting-list-rules/v1"
_ID = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)


@dataclass(frozen=True)
class ListRules:
    """Rules of one election.

    Attributes:
        minimum_age: full years on the day of the election.
        units: ballot style of every reporting unit that may occur in a list.
    """

    election: str
    election_day: date
    minimum_age: int
    units: Mapping[str, str]


def read_rules(path: Path) -> ListRules:
    """Strict reading.

    Raises:
        FormatError: names the member.
    """
    value = read_json(path, FORMAT)
    if value.keys() != {"format", "election", "election_day", "minimum_age", "units"}:
        raise FormatError(f"{path}: has other members than election, election_day, minimum_age and units")
    election, day, age, units = (value[name] for name in ("election", "election_day", "minimum_age", "units"))
    if type(election) is not str or not _ID.fullmatch(election):
        raise FormatError(f"{path}: election is no id of [a-z0-9-]")
    try:
        parsed = date.fromisoformat(day) if type(day) is str and len(day) == 10 else None
    except ValueError:
        parsed = None
    if parsed is None:
        raise FormatError(f"{path}: election_day is no date YYYY-MM-DD")
    if type(age) is not int or not 0 <= age <= 120:
        raise FormatError(f"{path}: minimum_age is no number of years")
    if type(units) is not dict or not units:
        raise FormatError(f"{path}: units is no object of unit and ballot style")
    for unit, style in units.items():
        if not _ID.fullmatch(unit) or type(style) is not str or not _ID.fullmatch(style):
            raise FormatError(f"{path}: units: {escape(unit)} or its style is no id of [a-z0-9-]")
    return ListRules(election, parsed, age, units)
