"""Inserts that a constraint decides: whoever is second learns it from the database, never from a look before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_once(db: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Whether the row was added; not where a constraint is in the way.

    A row that another transaction is about to add is waited for.
    """
    return db.execute(_insert_once(table, db.dialect.name), dict(values)).one_or_none() is not None


@cache
def _insert_once(table: Table, dialect: str) -> Any:
    return upsert_of(table, dialect).on_conflict_do_nothing().returning(_first_key(table))


def insert_or_update(
    db: Connection,
    table: Table,
    values: Mapping[str, Any],
    key: Sequence[str],
    changes: Mapping[str, Any],
    where: ColumnElement[bool] | None = None,
) -> bool:
    """Whether the row was added or changed; not where it is there and ``where`` does not hold for it."""
    statement = upsert_of(table, db.dialect.name)
    statement = statement.on_conflict_do_update(index_elements=list(key), set_=dict(changes), where=where)
    return db.execute(statement.returning(_first_key(table)), dict(values)).one_or_none() is not None


def upsert_of(table: Table, dialect: str) -> Any:
    """An INSERT that knows ON CONFLICT, which each dialect spells for itself."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def _first_key(table: Table) -> Column[Any]:
    return next(iter(table.primary_key.columns))
