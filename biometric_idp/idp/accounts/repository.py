"""Queries of accounts and their notices."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from biometric_idp.idp.accounts.models import ACCOUNT, NOTICE
from biometric_idp.shared.inserts import insert_once

ACTIVE, CLOSED = "active", "closed"


@dataclass(frozen=True, slots=True)
class Account:
    id: str
    pin: str = field(repr=False)
    handle: bytes = field(repr=False)
    state: str
    proofing: str
    created: int
    changed: int


class AccountRepository:
    def __init__(self, db: Connection) -> None:
        self._db = db

    def get(self, id_: str, *, lock: bool = False) -> Account | None:
        query = select(ACCOUNT).where(ACCOUNT.c.id == id_)
        row = self._db.execute(query.with_for_update() if lock else query).one_or_none()
        return None if row is None else Account(**row._mapping)

    def of_pin(self, pin: str, *, lock: bool = False) -> Account | None:
        query = select(ACCOUNT).where(ACCOUNT.c.pin == pin)
        row = self._db.execute(query.with_for_update() if lock else query).one_or_none()
        return None if row is None else Account(**row._mapping)

    def put(self, account: Account) -> Account:
        """Add the person's account, or give the one that is there already; locked until the transaction ends."""
        insert_once(self._db, ACCOUNT, asdict(account))
        found = self.of_pin(account.pin, lock=True)
        assert found is not None
        return found

    def change(self, id_: str, **values: Any) -> None:
        self._db.execute(update(ACCOUNT).where(ACCOUNT.c.id == id_).values(**values))

    def delete(self, id_: str) -> None:
        self._db.execute(delete(NOTICE).where(NOTICE.c.account == id_))
        self._db.execute(delete(ACCOUNT).where(ACCOUNT.c.id == id_))

    def closed_before(self, time: int, most: int) -> list[str]:
        query = select(ACCOUNT.c.id).where(ACCOUNT.c.state == CLOSED, ACCOUNT.c.changed < time).limit(most)
        return list(self._db.scalars(query))

    def created_before(self, time: int, most: int) -> list[str]:
        return list(self._db.scalars(select(ACCOUNT.c.id).where(ACCOUNT.c.created < time).limit(most)))

    def note(self, account: str, kind: str, date: int) -> None:
        self._db.execute(insert(NOTICE).values(account=account, kind=kind, date=date))

    def notices(self, account: str) -> list[tuple[str, int]]:
        query = select(NOTICE.c.kind, NOTICE.c.date).where(NOTICE.c.account == account).order_by(NOTICE.c.id)
        return [(row.kind, row.date) for row in self._db.execute(query)]

    def purge_notices(self, before: int, most: int) -> list[str]:
        ids = list(self._db.scalars(select(NOTICE.c.id).where(NOTICE.c.date < before).limit(most)))
        if ids:
            self._db.execute(delete(NOTICE).where(NOTICE.c.id.in_(ids)))
        return [str(item) for item in ids]
