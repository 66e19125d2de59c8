"""Queries of enrolments and failed attempts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from biometric_idp.idp.enrolment.models import ENROLMENT, FAILURE
from biometric_idp.shared.inserts import insert_once


@dataclass(frozen=True, slots=True)
class Enrolment:
    """An attempt to enrol, and how far it is."""

    id: str
    pin: str = field(repr=False)
    language: str
    remaining: tuple[str, ...]
    done: tuple[str, ...]
    face_attempts: int
    created: int
    expires: int


class EnrolmentRepository:
    def __init__(self, db: Connection) -> None:
        self._db = db

    def add(self, enrolment: Enrolment) -> None:
        self._db.execute(
            insert(ENROLMENT).values(
                id=enrolment.id,
                pin=enrolment.pin,
                language=enrolment.language,
                remaining=",".join(enrolment.remaining),
                done=",".join(enrolment.done),
                face_attempts=enrolment.face_attempts,
                created=enrolment.created,
                expires=enrolment.expires,
            )
        )

    def get(self, id_: str, *, lock: bool = False) -> Enrolment | None:
        query = select(ENROLMENT).where(ENROLMENT.c.id == id_)
        row = self._db.execute(query.with_for_update() if lock else query).one_or_none()
        if row is None:
            return None
        remaining, done = (tuple(text.split(",")) if text else () for text in (row.remaining, row.done))
        return Enrolment(row.id, row.pin, row.language, remaining, done, row.face_attempts, row.created, row.expires)

    def set_steps(self, id_: str, remaining: tuple[str, ...], done: tuple[str, ...]) -> None:
        self.change(id_, remaining=",".join(remaining), done=",".join(done))

    def change(self, id_: str, **values: Any) -> None:
        self._db.execute(update(ENROLMENT).where(ENROLMENT.c.id == id_).values(**values))

    def older(self, time: int, most: int) -> list[str]:
        return list(self._db.scalars(select(ENROLMENT.c.id).where(ENROLMENT.c.created < time).limit(most)))

    def delete(self, ids: list[str]) -> None:
        self._db.execute(delete(ENROLMENT).where(ENROLMENT.c.id.in_(ids)))


class FailureRepository:
    def __init__(self, db: Connection) -> None:
        self._db = db

    def get(self, subject: bytes) -> tuple[int, int, int]:
        """Failures, until when nothing is tried, and the time of the last failure."""
        row = self._db.execute(select(FAILURE).where(FAILURE.c.subject == subject)).one_or_none()
        return (0, 0, 0) if row is None else (row._mapping["count"], row.until, row.last)

    def take(self, subject: bytes) -> tuple[int, int, int]:
        """The same, with the row, which is made where there is none, locked until the transaction ends."""
        query = select(FAILURE).where(FAILURE.c.subject == subject).with_for_update()
        while True:
            insert_once(self._db, FAILURE, {"subject": subject, "count": 0, "until": 0, "last": 0})
            row = self._db.execute(query).one_or_none()
            # Whoever had it in between may have cleared it.
            if row is not None:
                return row._mapping["count"], row.until, row.last

    def put(self, subject: bytes, count: int, until: int, last: int) -> None:
        """Change a row that was taken."""
        values = {"count": count, "until": until, "last": last}
        self._db.execute(update(FAILURE).where(FAILURE.c.subject == subject).values(**values))

    def clear(self, subject: bytes) -> None:
        self._db.execute(delete(FAILURE).where(FAILURE.c.subject == subject))

    def older(self, time: int, most: int) -> list[bytes]:
        return list(self._db.scalars(select(FAILURE.c.subject).where(FAILURE.c.last < time).limit(most)))
