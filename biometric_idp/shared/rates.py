"""Rate limits in the database, so that all processes of a service share them."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
)

from biometric_idp.shared.inserts import upsert_of
from services.problems import Problem


def rate_table(metadata: MetaData) -> Table:
    """Hits of a subject in a window of time. ``subject`` is a digest, never a person."""
    return Table(
        "rate",
        metadata,
        Column("bucket", String(40), primary_key=True),
        Column("subject", LargeBinary(32), primary_key=True),
        Column("starts", BigInteger, primary_key=True),
        Column("ends", BigInteger, nullable=False, index=True),
        Column("hits", Integer, nullable=False),
    )


def take(db: Connection, table: Table, bucket: str, subject: bytes, most: int, seconds: int, now: int) -> None:
    """Count one hit.

    Raises:
        Problem: ``too-many-requests``, where there were ``most`` in this window already.
    """
    starts = now - now % seconds
    values = {"bucket": bucket, "subject": subject, "starts": starts, "ends": starts + seconds, "hits": 1, "most": most}
    if db.execute(_count(table, db.dialect.name), values).one_or_none() is None:
        raise Problem("too-many-requests", retry_after=starts + seconds - now)


@cache
def _count(table: Table, dialect: str) -> Any:
    """Adds a hit, unless there were ``most``; the row comes back only then."""
    counted = upsert_of(table, dialect).on_conflict_do_update(
        index_elements=["bucket", "subject", "starts"],
        set_={"hits": table.c.hits + 1},
        where=table.c.hits < bindparam("most"),
    )
    return counted.returning(table.c.hits)
