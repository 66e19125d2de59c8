"""Inserts that a constraint decides: whoever is second learns it from the database, never from a look before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_once(db: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Whether the row was added; not where a constraint is in the way.

    A row that another transaction is about to add is waited for.
    """
    dialect = postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert
    first = next(iter(table.primary_key.columns))
    statement = dialect(table).values(dict(values)).on_conflict_do_nothing().returning(first)
    return db.execute(statement).one_or_none() is not None


def insert_or_update(
    db: Connection,
    table: Table,
    values: Mapping[str, Any],
    key: Sequence[str],
    changes: Mapping[str, Any],
    where: ColumnElement[bool] | None = None,
) -> bool:
    """Whether the row was added or changed; not where it is there and ``where`` does not hold for it."""
    dialect = postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert
    first = next(iter(table.primary_key.columns))
    statement = dialect(table).values(dict(values))
    statement = statement.on_conflict_do_update(index_elements=list(key), set_=dict(changes), where=where)
    return db.execute(statement.returning(first)).one_or_none() is not None
