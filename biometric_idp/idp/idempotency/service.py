"""The header ``Idempotency-Key`` at work, within the transaction of what it protects."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Connection

from biometric_idp.idp.context import DAY, Idp
from biometric_idp.idp.idempotency.repository import IdempotencyRepository
from services.problems import Problem

Answer = dict[str, object]


@dataclass(frozen=True, slots=True)
class Key:
    """Key, path and body digest of one request. ``text`` is None where the client sent no key."""

    text: str | None
    path: str
    body: bytes


async def idempotency_key(request: Request) -> Key:
    """The key of a request.

    Raises:
        Problem: ``idempotency-key-invalid``.
    """
    text = request.headers.get("idempotency-key")
    if text is not None and (not 8 <= len(text) <= 128 or not text.isascii() or not text.isprintable()):
        raise Problem("idempotency-key-invalid")
    return Key(text, request.url.path, sha256(await request.body()).digest())


IdempotencyKey = Annotated[Key, Depends(idempotency_key)]


def _forgotten(now: int) -> int:
    """When a key is forgotten: after a day at least, at midnight. A finer time would be a ticket's (attack C11)."""
    return (now // DAY + 2) * DAY


class Idempotent:
    """One key within one transaction."""

    def __init__(self, db: Connection, idp: Idp, account: str, key: Key) -> None:
        """Take the key.

        Raises:
            Problem: ``idempotency-conflict``: the key came with another body.
        """
        self.reference: str | None = None
        self.answer: Answer | None = None
        self._repository = IdempotencyRepository(db)
        self._id: bytes | None = None
        if key.text is None:
            return
        self._id = idp.digest("idempotency", account.encode(), key.path.encode(), key.text.encode())
        known = self._repository.begin(self._id, key.body, _forgotten(idp.clock()))
        if known is None:
            return
        if known.body != key.body:
            raise Problem("idempotency-conflict")
        self.reference = known.reference
        self.answer = None if known.answer is None else json.loads(known.answer)

    def began(self, reference: str) -> None:
        if self._id is not None:
            self._repository.change(self._id, reference=reference)

    def answered(self, answer: Answer) -> None:
        if self._id is not None:
            self._repository.change(self._id, answer=json.dumps(answer))
