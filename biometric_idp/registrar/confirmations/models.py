"""Tables of enrolments."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, text

from biometric_idp.registrar.tables import METADATA

ENROLMENT = Table(
    "enrolment",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("election", String(64), nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("style", String(64), nullable=False),
    Column("credential", LargeBinary(1023), nullable=False),
    Column("key", LargeBinary(128), nullable=False),
    Column("algorithm", Integer, nullable=False),
    Column("language", String(2), nullable=False),
    #: pending, desk (waits for two officers), confirmed, expired
    Column("state", String(12), nullable=False),
    Column("hint", String(120), nullable=False),
    Column("code", LargeBinary(32)),
    Column("expires", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("method", String(12)),
    Column("body", LargeBinary),
    Column("signature", LargeBinary(64)),
    Index("uq_enrolment_credential", "election", "credential", unique=True),
    # One active code for each person; and by a code, without officers, one passkey only.
    Index(
        "uq_enrolment_pending",
        "election",
        "position",
        unique=True,
        sqlite_where=text("state = 'pending'"),
        postgresql_where=text("state = 'pending'"),
    ),
    Index(
        "uq_enrolment_by_code",
        "election",
        "position",
        unique=True,
        sqlite_where=text("method = 'code'"),
        postgresql_where=text("method = 'code'"),
    ),
)

#: Signatures of requests within the window: each works once.
NONCE = Table(
    "request_nonce",
    METADATA,
    Column("signature", LargeBinary(32), primary_key=True),
    Column("expires", BigInteger, nullable=False, index=True),
)
