"""Tables of the audit log.

Requests write events into ``audit_event`` within their own transaction and wait for nobody; one writer then moves them,
in batches, to the chain in ``audit_log``. A chain that every request extended itself would make requests queue.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Table, Text


@dataclass(frozen=True)
class AuditTables:
    event: Table
    log: Table


def audit_tables(metadata: MetaData) -> AuditTables:
    number = BigInteger().with_variant(Integer, "sqlite")
    return AuditTables(
        Table(
            "audit_event",
            metadata,
            Column("id", number, primary_key=True, autoincrement=True),
            Column("event", Text, nullable=False),
        ),
        Table(
            "audit_log",
            metadata,
            Column("sequence", BigInteger, primary_key=True, autoincrement=False),
            Column("event", Text, nullable=False),
            Column("hash", LargeBinary(32), nullable=False),
        ),
    )
