"""Queries of officers' counters."""

from __future__ import annotations

from sqlalchemy import Connection, select

from biometric_idp.registrar.officers.models import OFFICER_COUNTER
from biometric_idp.shared.inserts import insert_or_update


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
        return insert_or_update(
            self._db,
            OFFICER_COUNTER,
            {"credential": credential, "value": value},
            ("credential",),
            {"value": value},
            OFFICER_COUNTER.c.value < value,
        )
