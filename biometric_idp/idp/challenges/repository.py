"""Queries of used challenges."""

from __future__ import annotations

from sqlalchemy import Connection, delete
from sqlalchemy.dialects import postgresql, sqlite

from biometric_idp.idp.challenges.models import USED_CHALLENGE


class ChallengeRepository:
    def __init__(self, db: Connection) -> None:
        self._db = db

    def use(self, id_: bytes, expires: int) -> bool:
        """Whether this is the first use."""
        insert = postgresql.insert if self._db.dialect.name == "postgresql" else sqlite.insert
        statement = insert(USED_CHALLENGE).values(id=id_, expires=expires).on_conflict_do_nothing()
        return self._db.execute(statement).rowcount == 1

    def forget(self, now: int) -> int:
        return self._db.execute(delete(USED_CHALLENGE).where(USED_CHALLENGE.c.expires < now)).rowcount
