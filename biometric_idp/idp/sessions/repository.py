"""Queries of sessions."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from biometric_idp.idp.sessions.models import SESSION


@dataclass(frozen=True, slots=True)
class Session:
    """A session.

    Attributes:
        id: SHA-256 of its token.
        purpose: ``enrolment``, ``account`` or ``voting``.
        grant: what a voting session was handed over for.
        level: what was checked in it: ``document``, ``passkey``, ``passkey+face``.
        must: what is still to be checked before it is worth anything.
        began: when what gave the level was checked, seconds since 1970.
    """

    id: bytes
    purpose: str
    account: str | None
    enrolment: str | None
    election: str | None
    grant: str | None
    level: str
    must: str | None
    began: int
    expires: int


# Made once: every request asks this.
_GET = select(SESSION).where(SESSION.c.id == bindparam("of_id"))
_LOCK = _GET.with_for_update()


class SessionRepository:
    def __init__(self, db: Connection) -> None:
        self._db = db

    def add(self, session: Session) -> None:
        self._db.execute(insert(SESSION), asdict(session))

    def get(self, id_: bytes, *, lock: bool = False) -> Session | None:
        row = self._db.execute(_LOCK if lock else _GET, {"of_id": id_}).one_or_none()
        return None if row is None else Session(**row._mapping)

    def change(self, id_: bytes, **values: Any) -> None:
        self._db.execute(update(SESSION).where(SESSION.c.id == id_).values(**values))

    def delete(self, id_: bytes) -> bool:
        return self._db.execute(delete(SESSION).where(SESSION.c.id == id_)).rowcount == 1

    def delete_of_account(self, account: str, keep: bytes | None = None) -> None:
        statement = delete(SESSION).where(SESSION.c.account == account)
        self._db.execute(statement if keep is None else statement.where(SESSION.c.id != keep))

    def expired(self, now: int, most: int) -> list[bytes]:
        query = select(SESSION.c.id).where(SESSION.c.expires < now).limit(most)
        return list(self._db.scalars(query))
