"""Tables of accounts."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table

from biometric_idp.idp.tables import METADATA

ACCOUNT = Table(
    "account",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("pin", String(14), nullable=False, unique=True),
    Column("handle", LargeBinary(32), nullable=False, unique=True),
    #: active, closed
    Column("state", String(8), nullable=False),
    #: How the person was checked when they enrolled: document, document+face, officers.
    Column("proofing", String(16), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("changed", BigInteger, nullable=False),
)

NOTICE = Table(
    "notice",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("account", String(32), nullable=False, index=True),
    Column("kind", String(32), nullable=False),
    #: Days since 1970-01-01.
    Column("date", Integer, nullable=False),
)
