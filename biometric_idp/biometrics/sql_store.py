"""Templates and liveness marks in SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from biometric_idp.biometrics.interface import Modality
from biometric_idp.biometrics.messages import read_modality
from biometric_idp.biometrics.models import BiometricTables
from biometric_idp.biometrics.replay import SessionMarks
from biometric_idp.biometrics.vault import TemplateRow
from services.database import is_postgresql, reading, transaction

_COLUMNS = ("voter", "modality", "generation", "algorithm", "version", "state", "master", "wrapped", "sealed")


class SqlTemplateStore:
    """``TemplateStore``. What is overwritten is erased from the SQLite file too, as soon as its log is checkpointed."""

    def __init__(self, engine: Engine, tables: BiometricTables) -> None:
        self._engine = engine
        self._table = tables.templates

    def get(self, voter: str, modality: Modality) -> TemplateRow | None:
        columns = self._table.c
        query = select(*(columns[name] for name in _COLUMNS)).where(
            columns.voter == voter, columns.modality == modality
        )
        with reading(self._engine) as connection:
            found = connection.execute(query).one_or_none()
        return None if found is None else _row(found)

    def put(self, row: TemplateRow, previous: TemplateRow | None) -> bool:
        columns, values = self._table.c, {name: getattr(row, name) for name in _COLUMNS}

        def work(connection: Connection) -> bool:
            self._erase_for_good(connection)
            if previous is None:
                connection.execute(insert(self._table).values(values))
                return True
            statement = update(self._table).where(
                columns.voter == row.voter,
                columns.modality == row.modality,
                columns.generation == previous.generation,
                columns.state == previous.state,
                columns.master.is_not_distinct_from(previous.master),
            )
            return connection.execute(statement.values(values)).rowcount == 1

        try:
            return transaction(self._engine, work)
        except IntegrityError:
            # The primary key decides between two first enrolments.
            return False

    def delete(self, voter: str) -> int:
        def work(connection: Connection) -> int:
            self._erase_for_good(connection)
            return connection.execute(delete(self._table).where(self._table.c.voter == voter)).rowcount

        return transaction(self._engine, work)

    def not_under(self, master: str, limit: int) -> Sequence[TemplateRow]:
        columns = self._table.c
        query = (
            select(*(columns[name] for name in _COLUMNS))
            .where(columns.master.is_not(None), columns.master != master)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return [_row(found) for found in connection.execute(query)]

    def _erase_for_good(self, connection: Connection) -> None:
        if not is_postgresql(self._engine):
            connection.exec_driver_sql("PRAGMA secure_delete = ON")


class SqlMarks:
    """Marks of ended liveness sessions, by voter, until they expire."""

    def __init__(self, engine: Engine, tables: BiometricTables) -> None:
        self._engine = engine
        self._table = tables.marks

    def remember(self, session: str, voter: str, marks: SessionMarks, expires: float) -> None:
        """Keep a session's marks until ``expires`` (seconds since 1970); once per session."""
        values = {"session": session, "voter": voter, "marks": marks.encode(), "expires": expires}

        def work(connection: Connection) -> None:
            connection.execute(delete(self._table).where(self._table.c.session == session))
            connection.execute(insert(self._table).values(values))

        transaction(self._engine, work)

    def earlier(self, voter: str, now: float) -> list[SessionMarks]:
        """Marks of a voter's sessions that have not expired."""
        columns = self._table.c
        with reading(self._engine) as connection:
            found = connection.scalars(select(columns.marks).where(columns.voter == voter, columns.expires > now))
            return [SessionMarks.decode(bytes(marks)) for marks in found]

    def purge(self, now: float) -> int:
        """Delete what has expired; returns the number of sessions."""
        statement = delete(self._table).where(self._table.c.expires <= now)
        return transaction(self._engine, lambda connection: connection.execute(statement).rowcount)


def _row(found: Any) -> TemplateRow:
    return TemplateRow(
        found.voter,
        read_modality(found.modality),
        found.generation,
        found.algorithm,
        found.version,
        found.state,
        found.master,
        None if found.wrapped is None else bytes(found.wrapped),
        None if found.sealed is None else bytes(found.sealed),
    )
