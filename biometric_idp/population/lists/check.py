"""Every entry of a list against the rules: what is wrong is collected line by line, and nothing is stored here.

The file is read as often as needed and never held as a whole; per entry a few machine words are kept. Equal documents
and biometrics are first found by hashes under a random key and then compared as they are.
"""

from __future__ import annotations

import hashlib
import secrets
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from biometric_idp.population.lists.format import Entry, EntryError, ListFile, Status, decode_entry
from biometric_idp.population.lists.rules import ListRules
from biometric_idp.population.pin import age_on


@dataclass(frozen=True, slots=True, order=True)
class Reject:
    """A line that cannot stay as it is.

    Attributes:
        code: of ``rejects.toml``.
        field: the field, where it is one.
        other: the other line, where two do not go together: the first one with the same value.
    """

    line: int
    code: str
    field: str | None = None
    other: int | None = None


@dataclass
class CheckedList:
    """What a list comes to.

    Attributes:
        rejects: in order of lines, at most ``MAX_DETAILS``; ``counts`` has all of them by code.
        rejected: every rejected line.
    """

    entries: int = 0
    voters: int = 0
    merged: int = 0
    rejects: list[Reject] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    rejected: set[int] = field(default_factory=set)


#: More rejects than this are counted, not listed.
MAX_DETAILS = 100_000


class _Seen:
    """Values of one kind with their lines; tells which hashes occur more than once."""

    def __init__(self) -> None:
        self._values = array("Q")

    def add(self, value: int) -> None:
        self._values.append(value)

    def repeated(self) -> set[int]:
        values = np.sort(np.frombuffer(self._values, np.uint64)) if self._values else np.zeros(0, np.uint64)
        return {int(value) for value in np.unique(values[1:][values[1:] == values[:-1]])}

    def sorted(self) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
        return np.sort(np.frombuffer(self._values, np.uint64)) if self._values else np.zeros(0, np.uint64)


class _Keyed:
    """64-bit hashes under a key of this run, so that nobody can prepare collisions."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(16)

    def __call__(self, text: str) -> int:
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8, key=self._key).digest(), "big")


def check_list(file: ListFile, rules: ListRules) -> CheckedList:
    """Check every entry.

    Raises:
        ListRefused: the file as a whole is not in its form.
    """
    result = CheckedList(entries=file.header.entries)
    found: list[Reject] = []
    pins, holders, documents, biometrics, keyed = _Seen(), _Seen(), _Seen(), _Seen(), _Keyed()
    merges: list[tuple[int, int]] = []
    for line, item in _read(file):
        if isinstance(item, EntryError):
            found.append(Reject(line, item.code, item.field))
            if item.pin is not None:
                pins.add(int(item.pin))
            continue
        pins.add(int(item.pin))
        if item.status is Status.MERGED:
            merges.append((line, int(item.merged_into or 0)))
            continue
        holders.add(int(item.pin))
        found.extend(_single(line, item, rules))
        for text in item.documents:
            documents.add(keyed(text))
        if item.biometric is not None:
            biometrics.add(keyed(item.biometric))
    repeated = (pins.repeated(), documents.repeated(), biometrics.repeated())
    if any(repeated):
        found.extend(_pairs(file, keyed, *repeated))
    found.extend(_lost_merges(merges, holders))
    _summarise(result, found)
    result.merged = len([line for line, _ in merges if line not in result.rejected])
    result.voters = result.entries - len(result.rejected) - result.merged
    return result


def accepted(file: ListFile, checked: CheckedList) -> Iterator[tuple[int, Entry]]:
    """(line, entry) of everything that was not rejected."""
    for line, item in _read(file):
        if line not in checked.rejected:
            assert isinstance(item, Entry)
            yield line, item


def _read(file: ListFile) -> Iterator[tuple[int, Entry | EntryError]]:
    kind = file.header.kind
    for line, data in file.lines():
        try:
            yield line, decode_entry(data, kind)
        except EntryError as error:
            yield line, error


def _single(line: int, entry: Entry, rules: ListRules) -> Iterator[Reject]:
    if entry.status is Status.DECEASED:
        yield Reject(line, "deceased", "status")
    if age_on(date.fromordinal(entry.born), rules.election_day) < rules.minimum_age:
        yield Reject(line, "under-age", "birth_date")
    if entry.unit is None or entry.unit not in rules.units:
        yield Reject(line, "unit-missing" if entry.unit is None else "unit-unknown", "unit")


def _pairs(
    file: ListFile, keyed: _Keyed, pins: set[int], documents: set[int], biometrics: set[int]
) -> Iterator[Reject]:
    # The exact values of the suspicious lines; of honest lists there are few.
    by_code: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    fields = {"pin-duplicate": "pin", "document-shared": "documents", "biometric-shared": "biometric"}
    for line, item in _read(file):
        if item.pin is not None and int(item.pin) in pins:
            by_code["pin-duplicate"][item.pin].append(line)
        if isinstance(item, EntryError):
            continue
        for text in item.documents:
            if keyed(text) in documents:
                by_code["document-shared"][text].append(line)
        if item.biometric is not None and keyed(item.biometric) in biometrics:
            by_code["biometric-shared"][item.biometric].append(line)
    for code, values in by_code.items():
        for lines in values.values():
            if len(lines) > 1:
                # All of them are rejected: which one is right, only the register's keeper can say.
                for line in lines:
                    yield Reject(line, code, fields[code], lines[1] if line == lines[0] else lines[0])


def _lost_merges(merges: list[tuple[int, int]], holders: _Seen) -> Iterator[Reject]:
    if not merges:
        return
    known = holders.sorted()
    survivors = np.array([survivor for _, survivor in merges], np.uint64)
    at = np.minimum(np.searchsorted(known, survivors), max(len(known) - 1, 0))
    present = known[at] == survivors if len(known) else np.zeros(len(survivors), bool)
    for (line, _), is_there in zip(merges, present, strict=True):
        if not is_there:
            yield Reject(line, "merge-unknown", "merged_into")


def _summarise(result: CheckedList, found: Iterable[Reject]) -> None:
    ordered = sorted(found, key=lambda item: (item.line, item.code, item.field or "", item.other or 0))
    result.counts = Counter(item.code for item in ordered)
    result.rejected = {item.line for item in ordered}
    result.rejects = ordered[:MAX_DETAILS]
