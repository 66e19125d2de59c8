"""Table of sign-in passkeys."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, LargeBinary, String, Table

from biometric_idp.idp.tables import METADATA

PASSKEY = Table(
    "passkey",
    METADATA,
    Column("credential", LargeBinary(1023), primary_key=True),
    Column("account", String(32), nullable=False, index=True),
    Column("key", LargeBinary(2048), nullable=False),
    Column("counter", BigInteger, nullable=False),
    Column("aaguid", String(36), nullable=False),
    Column("format", String(24), nullable=False),
    Column("backed_up", Boolean, nullable=False),
    Column("state", String(8), nullable=False),
    Column("created", BigInteger, nullable=False),
)
