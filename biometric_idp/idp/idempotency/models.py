"""Table of idempotency keys."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, LargeBinary, String, Table, Text

from biometric_idp.idp.tables import METADATA

IDEMPOTENCY = Table(
    "idempotency",
    METADATA,
    #: Digest of account, path and key.
    Column("id", LargeBinary(32), primary_key=True),
    Column("body", LargeBinary(32), nullable=False),
    #: What the request began, where it is finished in a later transaction.
    Column("reference", String(64)),
    Column("answer", Text),
    Column("expires", BigInteger, nullable=False, index=True),
)
