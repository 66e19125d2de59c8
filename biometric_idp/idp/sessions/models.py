"""Table of sessions."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, LargeBinary, String, Table

from biometric_idp.idp.tables import METADATA

SESSION = Table(
    "session",
    METADATA,
    #: SHA-256 of the token.
    Column("id", LargeBinary(32), primary_key=True),
    Column("purpose", String(16), nullable=False),
    Column("account", String(32), index=True),
    Column("enrolment", String(32)),
    Column("election", String(64)),
    #: What a voting session was handed over for: voting-passkey or ticket.
    Column("grant", String(16)),
    #: What was checked in this session: "", "document", "passkey", "passkey+face".
    Column("level", String(16), nullable=False),
    Column("must", String(16)),
    Column("began", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False, index=True),
)
