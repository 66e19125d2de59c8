"""Writing and checking the audit log.

    hash_i = SHA-256(hash_(i-1) || event_i), hash_(-1) = 32 zero bytes

Events about voters carry dates, not times: between an event here and a ticket or a ballot there is nothing finer than a
day. The head is written to the service's log, which is kept elsewhere: who rewrites the chain contradicts it. Such a
line dates the events before it, so there is one an hour and not one after each event.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256

from sqlalchemy import Connection

from biometric_idp.errors import StateError
from biometric_idp.shared.audit.models import AuditTables
from biometric_idp.shared.audit.repository import AuditRepository
from biometric_idp.shared.background import Repeated
from biometric_idp.shared.commits import Committer
from services.logs import get_log

DAY = 86_400
_BATCH = 1000
#: Seconds between heads in the service's log.
TELL_SECONDS = 3600.0

Fact = str | int | bool | None


class Audit:
    def __init__(self, tables: AuditTables) -> None:
        self._tables = tables

    def record(self, db: Connection, event: str, now: int, **facts: Fact) -> None:
        """Note an event about a voter, by date."""
        self._add(db, {"event": event, "date": now // DAY, **facts})

    def record_operation(self, db: Connection, event: str, now: int, **facts: Fact) -> None:
        """Note an event of operation, by second."""
        self._add(db, {"event": event, "time": now, **facts})

    def _add(self, db: Connection, members: Mapping[str, Fact]) -> None:
        AuditRepository(db, self._tables).add(json.dumps(members, ensure_ascii=True, sort_keys=True))

    def seal(self, db: Connection) -> int:
        """Move what waits into the chain; returns how many events."""
        repository = AuditRepository(db, self._tables)
        events = repository.take_events(_BATCH)
        if not events:
            return 0
        size, hash_ = repository.head()
        rows: list[dict[str, object]] = []
        for sequence, event in enumerate(events, start=size):
            hash_ = sha256(hash_ + event.encode()).digest()
            rows.append({"sequence": sequence, "event": event, "hash": hash_})
        repository.extend(rows)
        return len(events)

    def head(self, db: Connection) -> tuple[int, bytes]:
        return AuditRepository(db, self._tables).head()

    def verify(self, db: Connection, known: tuple[int, bytes] | None = None) -> tuple[int, bytes, int]:
        """Check the chain, and that it continues a head that was known before.

        Returns:
            Size and hash of the head, and how many events still wait to be chained.

        Raises:
            StateError: names the first entry that does not fit.
        """
        repository = AuditRepository(db, self._tables)
        hash_, size = bytes(32), 0
        if known is not None and known[0] == 0:
            known = None
        for sequence, event, stored in repository.chain():
            hash_ = sha256(hash_ + event.encode()).digest()
            if sequence != size or stored != hash_:
                raise StateError(f"audit log: entry {size} is missing, or was changed")
            size += 1
            if known is not None and known[0] == size and known[1] != hash_:
                raise StateError(f"audit log: the first {size} entries are not those of the head that was given")
        if known is not None and known[0] > size:
            raise StateError(f"audit log: {size} entries are left of {known[0]}")
        return size, hash_, repository.waiting()


def audit_work(committer: Committer, audit: Audit) -> list[Repeated]:
    """What a service repeats for its audit log: chaining what waits, and, now and then, telling the head to its log."""

    def tell() -> None:
        size, head = committer.read(audit.head)
        get_log().info("audit-head", entries=size, hash=head.hex())

    return [
        Repeated("audit", 1.0, lambda: committer.commit("seal", audit.seal)),
        Repeated("audit-head", TELL_SECONDS, tell),
    ]
