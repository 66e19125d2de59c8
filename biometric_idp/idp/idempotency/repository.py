"""Queries of idempotency keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, update

from biometric_idp.idp.idempotency.models import IDEMPOTENCY
from biometric_idp.shared.inserts import insert_once


@dataclass(frozen=True, slots=True)
class Known:
    """A key that was used before."""

    body: bytes
    reference: str | None
    answer: str | None


class IdempotencyRepository:
    def __init__(self, db: Connection) -> None:
        self._db = db

    def begin(self, id_: bytes, body: bytes, expires: int) -> Known | None:
        """Take the key; gives what is known of it where it was taken before.

        Another transaction that holds the key at this moment is waited for.
        """
        if insert_once(self._db, IDEMPOTENCY, {"id": id_, "body": body, "expires": expires}):
            return None
        row = self._db.execute(select(IDEMPOTENCY).where(IDEMPOTENCY.c.id == id_).with_for_update()).one()
        return Known(row.body, row.reference, row.answer)

    def change(self, id_: bytes, **values: Any) -> None:
        self._db.execute(update(IDEMPOTENCY).where(IDEMPOTENCY.c.id == id_).values(**values))

    def expired(self, now: int, most: int) -> list[bytes]:
        return list(self._db.scalars(select(IDEMPOTENCY.c.id).where(IDEMPOTENCY.c.expires < now).limit(most)))
