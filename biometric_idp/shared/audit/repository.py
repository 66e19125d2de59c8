"""Queries of the audit log."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, delete, func, insert, select

from biometric_idp.shared.audit.models import AuditTables


class AuditRepository:
    def __init__(self, db: Connection, tables: AuditTables) -> None:
        self._db = db
        self._tables = tables

    def add(self, event: str) -> None:
        self._db.execute(insert(self._tables.event), {"event": event})

    def take_events(self, most: int) -> list[str]:
        """Remove and return events in their order."""
        table = self._tables.event
        rows = self._db.execute(select(table.c.id, table.c.event).order_by(table.c.id).limit(most)).all()
        if rows:
            self._db.execute(delete(table).where(table.c.id.in_([row.id for row in rows])))
        return [row.event for row in rows]

    def head(self) -> tuple[int, bytes]:
        """Size of the chain and hash of its last entry."""
        table = self._tables.log
        row = self._db.execute(
            select(table.c.sequence, table.c.hash).order_by(table.c.sequence.desc()).limit(1)
        ).one_or_none()
        return (0, bytes(32)) if row is None else (row.sequence + 1, row.hash)

    def extend(self, rows: list[dict[str, object]]) -> None:
        # A second writer at the same time has the same sequence numbers: the primary key lets only one through.
        self._db.execute(insert(self._tables.log), rows)

    def chain(self) -> Iterator[tuple[int, str, bytes]]:
        table = self._tables.log
        query = select(table.c.sequence, table.c.event, table.c.hash).order_by(table.c.sequence)
        for row in self._db.execution_options(yield_per=1000).execute(query):
            yield row.sequence, row.event, row.hash

    def waiting(self) -> int:
        return self._db.scalar(select(func.count()).select_from(self._tables.event)) or 0
