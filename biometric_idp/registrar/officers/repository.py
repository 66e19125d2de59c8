"""Queries of officers' counters."""

from __future__ import annotations

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from biometric_idp.registrar.officers.models import OFFICER_COUNTER


class CounterRepository:
    def __init__(self, db: Connection) -> None:
        self._db = db

    def last(self, credential: bytes) -> int:
        query = select(OFFICER_COUNTER.c.value).where(OFFICER_COUNTER.c.credential == credential)
        return self._db.scalar(query) or 0

    def raise_to(self, credential: bytes, value: int) -> bool:
        """Whether the counter rose; zero stays zero where the passkey does not count."""
        if value == 0:
            return True
        insert = postgresql.insert if self._db.dialect.name == "postgresql" else sqlite.insert
        statement = insert(OFFICER_COUNTER).values(credential=credential, value=value)
        risen = statement.on_conflict_do_update(
            index_elements=["credential"], set_={"value": value}, where=OFFICER_COUNTER.c.value < value
        )
        return self._db.execute(risen).rowcount == 1
