"""Queries of used challenges."""

from __future__ import annotations

from sqlalchemy import Connection, delete

from biometric_idp.idp.challenges.models import USED_CHALLENGE
from biometric_idp.shared.inserts import insert_once


class ChallengeRepository:
    def __init__(self, db: Connection) -> None:
        self._db = db

    def use(self, id_: bytes, expires: int) -> bool:
        """Whether this is the first use."""
        return insert_once(self._db, USED_CHALLENGE, {"id": id_, "expires": expires})

    def forget(self, now: int) -> int:
        return self._db.execute(delete(USED_CHALLENGE).where(USED_CHALLENGE.c.expires < now)).rowcount
