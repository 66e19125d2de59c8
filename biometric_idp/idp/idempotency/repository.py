"""Queries of idempotency keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from biometric_idp.idp.idempotency.models import IDEMPOTENCY
from biometric_idp.shared.inserts import insert_once


@dataclass(frozen=True, slots=True)
class Known:
    """A key that was used before."""

    body: bytes
    reference: str | None
    answer: str | None


_CHOSEN = IDEMPOTENCY.c.id == bindparam("of_id")
_ANSWERED = update(IDEMPOTENCY).where(_CHOSEN)
_KNOWN = select(IDEMPOTENCY).where(_CHOSEN).with_for_update()


class IdempotencyRepository:
    def __init__(self, db: Connection) -> None:
        self._db = db

    def begin(self, id_: bytes, body: bytes, expires: int) -> Known | None:
        """Take the key; gives what is known of it where it was taken before.

        Another transaction that holds the key at this moment is waited for.
        """
        if insert_once(self._db, IDEMPOTENCY, {"id": id_, "body": body, "expires": expires}):
            return None
        row = self._db.execute(_KNOWN, {"of_id": id_}).one()
        return Known(row.body, row.reference, row.answer)

    def change(self, id_: bytes, **values: Any) -> None:
        self._db.execute(_ANSWERED, {"of_id": id_, **values})

    def expired(self, now: int, most: int) -> list[bytes]:
        return list(self._db.scalars(select(IDEMPOTENCY.c.id).where(IDEMPOTENCY.c.expires < now).limit(most)))
