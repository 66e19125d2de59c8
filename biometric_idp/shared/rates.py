"""Rate limits in the database, so that all processes of a service share them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Connection, Integer, LargeBinary, MetaData, String, Table

from biometric_idp.shared.inserts import insert_or_update
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
    values = {"bucket": bucket, "subject": subject, "starts": starts, "ends": starts + seconds, "hits": 1}
    key = ("bucket", "subject", "starts")
    if not insert_or_update(db, table, values, key, {"hits": table.c.hits + 1}, table.c.hits < most):
        raise Problem("too-many-requests", retry_after=starts + seconds - now)
