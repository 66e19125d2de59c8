"""Queries over imported lists. Every function runs inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, exists, func, insert, select, update

from biometric_idp.population.lists.check import Reject
from biometric_idp.population.lists.format import Entry, ListKind, Status
from biometric_idp.population.lists.models import elections, entries, lists, rejects

_CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class StoredList:
    """A row of ``population_list``, without its signature."""

    id: int
    election: str
    number: int
    kind: ListKind
    message_id: str
    issued: int
    imported: int
    sha256: str
    signer: str
    entries: int
    voters: int
    merged: int
    rejected: int
    follows: int | None


_COLUMNS = [lists.c[name] for name in StoredList.__dataclass_fields__]


def take_turn(connection: Connection, election: str) -> None:
    """Hold the election's row until the transaction ends, so that imports of one election follow each other."""
    if connection.execute(_count_up(election)).rowcount == 0:
        connection.execute(insert(elections).values(election=election, imports=1))


def _count_up(election: str) -> Any:
    return update(elections).where(elections.c.election == election).values(imports=elections.c.imports + 1)


def stored_lists(connection: Connection, election: str) -> list[StoredList]:
    """Accepted lists of an election by number."""
    rows = connection.execute(select(*_COLUMNS).where(lists.c.election == election).order_by(lists.c.number))
    return [_stored(row) for row in rows]


def all_elections(connection: Connection) -> list[str]:
    return list(connection.scalars(select(elections.c.election).order_by(elections.c.election)))


def add_list(connection: Connection, values: Mapping[str, Any]) -> int:
    """Add the list's row and give its id."""
    key = connection.execute(insert(lists).values(**values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def add_entries(connection: Connection, list_id: int, items: Iterable[tuple[int, Entry]]) -> None:
    source = iter(items)
    while rows := [
        {
            "list": list_id, "pin": entry.pin, "line": line, "status": entry.status.value, "unit": entry.unit,
            "digest": entry.digest, "merged_into": entry.merged_into,
        }
        for line, entry in islice(source, _CHUNK)
    ]:  # fmt: skip
        connection.execute(insert(entries), rows)


def add_rejects(connection: Connection, list_id: int, items: Iterable[Reject]) -> None:
    source = enumerate(items)
    while rows := [
        {"list": list_id, "sequence": index, "line": item.line, "code": item.code, "field": item.field,
         "other": item.other}
        for index, item in islice(source, _CHUNK)
    ]:  # fmt: skip
        connection.execute(insert(rejects), rows)


def rejects_of(connection: Connection, list_id: int) -> list[Reject]:
    columns = (rejects.c.line, rejects.c.code, rejects.c.field, rejects.c.other)
    rows = connection.execute(select(*columns).where(rejects.c.list == list_id).order_by(rejects.c.sequence))
    return [Reject(row.line, row.code, row.field, row.other) for row in rows]


_old, _new = entries.alias("earlier"), entries.alias("later")


def _voters(alias: Any, list_id: int) -> Any:
    return and_(alias.c.list == list_id, alias.c.status == Status.ACTIVE.value)


def difference(connection: Connection, before: int, after: int, most: int) -> dict[str, tuple[int, list[str]]]:
    """Count and first PINs of what the later list added, removed, changed (unit or details) and merged."""
    both = _old.c.pin == _new.c.pin
    pair = _old.join(_new, both)
    is_old, is_new = _voters(_old, before), _voters(_new, after)
    wanted = {
        "added": (_new, and_(is_new, ~exists().where(and_(_old.c.list == before, both))), _new.c.pin),
        "removed": (_old, and_(is_old, ~exists().where(and_(_new.c.list == after, both))), _old.c.pin),
        "changed-unit": (pair, and_(is_old, is_new, _old.c.unit != _new.c.unit), _new.c.pin),
        "changed-details": (pair, and_(is_old, is_new, _old.c.digest != _new.c.digest), _new.c.pin),
        "merged": (pair, and_(is_old, _new.c.list == after, _new.c.status == Status.MERGED.value), _new.c.pin),
    }
    found = {}
    for name, (source, condition, pin) in wanted.items():
        count = connection.scalar(select(func.count()).select_from(source).where(condition))
        pins = connection.scalars(select(pin).select_from(source).where(condition).order_by(pin).limit(most))
        found[name] = (int(count or 0), list(pins))
    return found


def voters_of(connection: Connection, list_id: int) -> Iterator[tuple[str, str]]:
    """(PIN, unit) of every voter, in order of PINs."""
    query = select(entries.c.pin, entries.c.unit).where(
        entries.c.list == list_id, entries.c.status == Status.ACTIVE.value
    )
    rows = connection.execution_options(yield_per=_CHUNK).execute(query.order_by(entries.c.pin))
    for row in rows:
        yield row.pin, row.unit


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """What was stored of one line of a list."""

    line: int
    status: Status
    unit: str | None
    merged_into: str | None


def find_entry(connection: Connection, list_id: int, pin: str) -> StoredEntry | None:
    """The entry with this PIN in a list."""
    columns = (entries.c.line, entries.c.status, entries.c.unit, entries.c.merged_into)
    row = connection.execute(select(*columns).where(entries.c.list == list_id, entries.c.pin == pin)).one_or_none()
    return None if row is None else StoredEntry(row.line, Status(row.status), row.unit, row.merged_into)


def drop_entries(connection: Connection, list_id: int) -> int:
    """Delete entries and rejects of a list; its row stays. Gives the number of deleted entries."""
    connection.execute(delete(rejects).where(rejects.c.list == list_id))
    return connection.execute(delete(entries).where(entries.c.list == list_id)).rowcount


def _stored(row: Row[Any]) -> StoredList:
    values = dict(row._mapping)
    return StoredList(**{**values, "kind": ListKind(values["kind"])})
