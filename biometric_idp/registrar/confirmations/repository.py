"""Queries of enrolments."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from biometric_idp.registrar.confirmations.models import ENROLMENT, NONCE
from biometric_idp.shared.inserts import insert_once
from biometric_idp.webauthn import PublicPasskey

PENDING, DESK, CONFIRMED, EXPIRED = "pending", "desk", "confirmed", "expired"


@dataclass(frozen=True, slots=True)
class StoredEnrolment:
    """An enrolment. A new one waits for the desk, until something else is decided."""

    id: str
    election: str
    position: int
    style: str
    passkey: PublicPasskey
    language: str
    state: str = DESK
    hint: str = ""
    code: bytes | None = field(default=None, repr=False)
    expires: int = 0
    attempts: int = 0
    method: str | None = None
    body: bytes | None = None
    signature: bytes | None = None


class EnrolmentRepository:
    def __init__(self, db: Connection) -> None:
        self._db = db

    def use_signature(self, signature: bytes, expires: int) -> bool:
        """Whether this request's signature is seen for the first time."""
        return insert_once(self._db, NONCE, {"signature": sha256(signature).digest(), "expires": expires})

    def forget_signatures(self, now: int) -> int:
        return self._db.execute(delete(NONCE).where(NONCE.c.expires < now)).rowcount

    def get(self, id_: str, *, lock: bool = False) -> StoredEnrolment | None:
        query = select(ENROLMENT).where(ENROLMENT.c.id == id_)
        return _stored(self._db.execute(query.with_for_update() if lock else query).one_or_none())

    def by_credential(self, election: str, credential: bytes) -> StoredEnrolment | None:
        query = select(ENROLMENT).where(ENROLMENT.c.election == election, ENROLMENT.c.credential == credential)
        return _stored(self._db.execute(query).one_or_none())

    def confirmed_credentials(self, election: str) -> set[bytes]:
        """Ids of all passkeys that were confirmed for an election."""
        query = select(ENROLMENT.c.credential).where(ENROLMENT.c.election == election, ENROLMENT.c.state == CONFIRMED)
        return {bytes(row[0]) for row in self._db.execute(query)}

    def has_confirmed(self, election: str, position: int) -> bool:
        query = select(ENROLMENT.c.id).where(
            ENROLMENT.c.election == election, ENROLMENT.c.position == position, ENROLMENT.c.state == CONFIRMED
        )
        return self._db.execute(query.limit(1)).one_or_none() is not None

    def add(self, item: StoredEnrolment, now: int) -> None:
        self._db.execute(
            insert(ENROLMENT).values(
                id=item.id,
                election=item.election,
                position=item.position,
                style=item.style,
                credential=item.passkey.credential,
                key=item.passkey.key,
                algorithm=item.passkey.algorithm,
                language=item.language,
                state=item.state,
                hint=item.hint,
                code=item.code,
                expires=item.expires,
                attempts=item.attempts,
                created=now,
                method=item.method,
                body=item.body,
                signature=item.signature,
            )
        )

    def change(self, id_: str, **values: Any) -> None:
        self._db.execute(update(ENROLMENT).where(ENROLMENT.c.id == id_).values(**values))

    def expire_pending(self, election: str, position: int) -> None:
        """Another passkey takes the place of one that was never confirmed."""
        self._db.execute(
            update(ENROLMENT)
            .where(ENROLMENT.c.election == election, ENROLMENT.c.position == position, ENROLMENT.c.state == PENDING)
            .values(state=EXPIRED, code=None)
        )

    def purge(self, before: int) -> list[str]:
        """Delete what was never confirmed."""
        stale = (ENROLMENT.c.state != CONFIRMED) & (ENROLMENT.c.created < before)
        ids = [row.id for row in self._db.execute(select(ENROLMENT.c.id).where(stale).limit(5000))]
        if ids:
            self._db.execute(delete(ENROLMENT).where(ENROLMENT.c.id.in_(ids)))
        return ids


def _stored(row: Any) -> StoredEnrolment | None:
    if row is None:
        return None
    return StoredEnrolment(
        row.id,
        row.election,
        row.position,
        row.style,
        PublicPasskey(row.credential, row.algorithm, row.key),
        row.language,
        row.state,
        row.hint,
        row.code,
        row.expires,
        row.attempts,
        row.method,
        row.body,
        row.signature,
    )
