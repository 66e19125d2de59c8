"""Queries of the outbox."""

from __future__ import annotations

from sqlalchemy import Connection, delete, func, insert, select, update

from biometric_idp.registrar.channels.interface import Message
from biometric_idp.registrar.channels.models import OUTBOX

_QUEUED, _SENT, _GIVEN_UP = "queued", "sent", "given-up"


class OutboxRepository:
    def __init__(self, db: Connection) -> None:
        self._db = db

    def add(self, channel: str, message: Message, now: int, expires: int) -> None:
        values = {
            "id": message.id,
            "channel": channel,
            "address": message.address,
            "subject": message.subject,
            "text": message.text,
            "language": message.language,
            "state": _QUEUED,
            "attempts": 0,
            "next": now,
            "expires": expires,
            "created": now,
        }
        self._db.execute(insert(OUTBOX), values)

    def lease(self, now: int, seconds: int, most: int) -> list[tuple[str, Message, int, int]]:
        """Messages that are due, taken by this worker for some seconds: channel, message, attempts, expiry."""
        query = (
            select(OUTBOX)
            .where(OUTBOX.c.state == _QUEUED, OUTBOX.c.next <= now)
            .order_by(OUTBOX.c.next)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        rows = self._db.execute(query).all()
        if rows:
            mine = OUTBOX.c.id.in_([row.id for row in rows])
            self._db.execute(update(OUTBOX).where(mine).values(next=now + seconds))
        return [
            (row.channel, Message(row.id, row.address, row.subject, row.text, row.language), row.attempts, row.expires)
            for row in rows
        ]

    def finish(self, id_: str, *, sent: bool) -> None:
        """Hand-over done, or given up; the content is erased."""
        self._db.execute(
            update(OUTBOX)
            .where(OUTBOX.c.id == id_)
            .values(state=_SENT if sent else _GIVEN_UP, address="", subject="", text="")
        )

    def postpone(self, id_: str, attempts: int, until: int) -> None:
        self._db.execute(update(OUTBOX).where(OUTBOX.c.id == id_).values(attempts=attempts, next=until))

    def waiting(self) -> int:
        return self._db.scalar(select(func.count()).select_from(OUTBOX).where(OUTBOX.c.state == _QUEUED)) or 0

    def purge(self, before: int) -> list[str]:
        old = [
            row.id
            for row in self._db.execute(
                select(OUTBOX.c.id).where(OUTBOX.c.state != _QUEUED, OUTBOX.c.created < before).limit(5000)
            )
        ]
        if old:
            self._db.execute(delete(OUTBOX).where(OUTBOX.c.id.in_(old)))
        return old
