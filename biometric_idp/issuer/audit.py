"""The issuer's audit table: refusals of authorised requests, chained, so that a row that is gone or changed shows.

Its owner can still rewrite all of it, or leave rows out from the start; the voter's proof of a refusal is the signed
refusal. The chain finds what was removed by anybody who does not also rebuild everything after it and its head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from biometric_idp.errors import StateError
from biometric_idp.issuer.models import meta, refusals
from crypto.hashing import sha, u64

HEAD = "audit-head"
EMPTY_HEAD = u64(0) + bytes(32)


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A refused request of a voter who was authorised otherwise."""

    position: int
    hash: bytes
    code: str
    date: int

    def chained(self, sequence: int, previous: bytes) -> bytes:
        """The hash of this row and, by ``previous``, of all before it."""
        parts = (u64(sequence), u64(self.position), self.hash, self.code.encode(), u64(self.date))
        return sha("evoting/v1/audit-row", previous, *parts)


def append_rows(connection: Connection, rows: Sequence[AuditRow]) -> None:
    """Append in the caller's transaction, which holds the ledger's lock."""
    if not rows:
        return
    count, chain = _head(connection)
    values = []
    for sequence, row in enumerate(rows, start=count):
        chain = row.chained(sequence, chain)
        values.append(
            {
                "sequence": sequence,
                "position": row.position,
                "hash": row.hash,
                "code": row.code,
                "date": row.date,
                "chain": chain,
            }
        )
    connection.execute(insert(refusals), values)
    connection.execute(update(meta).where(meta.c.name == HEAD).values(value=u64(count + len(rows)) + chain))


def read_rows(connection: Connection) -> list[AuditRow]:
    """All rows, if the chain is whole.

    Raises:
        StateError: names the first row that is missing or changed.
    """
    count, head = _head(connection)
    found: list[AuditRow] = []
    chain = EMPTY_HEAD[8:]
    query = select(refusals).order_by(refusals.c.sequence)
    for sequence, row in enumerate(connection.execute(query)):
        item = AuditRow(row.position, row.hash, row.code, row.date)
        chain = item.chained(sequence, chain)
        if row.sequence != sequence or row.chain != chain:
            raise StateError(f"audit table: row {sequence} is missing or was changed")
        found.append(item)
    if (len(found), chain) != (count, head):
        raise StateError(f"audit table: {count} rows were written, {len(found)} are there")
    return found


def _head(connection: Connection) -> tuple[int, bytes]:
    value = connection.execute(select(meta.c.value).where(meta.c.name == HEAD)).scalar_one()
    return int.from_bytes(value[:8], "big"), value[8:]
