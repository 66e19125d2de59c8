"""Queries of sign-in passkeys."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from sqlalchemy import Connection, delete, insert, select, update

from biometric_idp.idp.passkeys.models import PASSKEY

ACTIVE, REVOKED = "active", "revoked"


@dataclass(frozen=True, slots=True)
class StoredPasskey:
    credential: bytes
    account: str
    key: bytes = field(repr=False)
    counter: int
    aaguid: str
    format: str
    backed_up: bool
    state: str
    created: int


class PasskeyRepository:
    def __init__(self, db: Connection) -> None:
        self._db = db

    def add(self, passkey: StoredPasskey) -> None:
        self._db.execute(insert(PASSKEY), asdict(passkey))

    def get(self, credential: bytes, *, lock: bool = False) -> StoredPasskey | None:
        query = select(PASSKEY).where(PASSKEY.c.credential == credential)
        row = self._db.execute(query.with_for_update() if lock else query).one_or_none()
        return None if row is None else StoredPasskey(**row._mapping)

    def of_account(self, account: str) -> list[StoredPasskey]:
        query = select(PASSKEY).where(PASSKEY.c.account == account).order_by(PASSKEY.c.created, PASSKEY.c.credential)
        return [StoredPasskey(**row._mapping) for row in self._db.execute(query)]

    def set_counter(self, credential: bytes, counter: int) -> None:
        self._db.execute(update(PASSKEY).where(PASSKEY.c.credential == credential).values(counter=counter))

    def revoke(self, credential: bytes) -> None:
        self._db.execute(update(PASSKEY).where(PASSKEY.c.credential == credential).values(state=REVOKED))

    def delete_of_account(self, account: str) -> None:
        self._db.execute(delete(PASSKEY).where(PASSKEY.c.account == account))
