"""Queries of liveness sessions."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from sqlalchemy import Connection, delete, select, update

from biometric_idp.idp.faces.models import LIVENESS
from biometric_idp.shared.inserts import insert_or_update


@dataclass(frozen=True, slots=True)
class StoredLiveness:
    owner: bytes
    id: str
    state: str = field(repr=False)
    passed: int
    version: int
    attempts: int
    expires: int


class LivenessRepository:
    def __init__(self, db: Connection) -> None:
        self._db = db

    def get(self, owner: bytes) -> StoredLiveness | None:
        row = self._db.execute(select(LIVENESS).where(LIVENESS.c.owner == owner)).one_or_none()
        return None if row is None else StoredLiveness(**row._mapping)

    def put(self, item: StoredLiveness) -> None:
        """A new session in place of an earlier one of the same owner."""
        values = asdict(item)
        changes = {name: value for name, value in values.items() if name != "owner"}
        insert_or_update(self._db, LIVENESS, values, ("owner",), changes)

    def advance(self, item: StoredLiveness, state: str, passed: int) -> bool:
        """Keep a new state, where nobody else did since ``item`` was read."""
        mine = (LIVENESS.c.owner == item.owner) & (LIVENESS.c.id == item.id) & (LIVENESS.c.version == item.version)
        values = {"state": state, "passed": passed, "version": item.version + 1}
        return self._db.execute(update(LIVENESS).where(mine).values(values)).rowcount == 1

    def erase(self, owner: bytes) -> None:
        """The frames' measurements and embeddings are gone; how often it was tried stays."""
        self._db.execute(update(LIVENESS).where(LIVENESS.c.owner == owner).values(state="", passed=0))

    def delete(self, owner: bytes) -> None:
        self._db.execute(delete(LIVENESS).where(LIVENESS.c.owner == owner))
