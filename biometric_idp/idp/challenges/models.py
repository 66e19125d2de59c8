"""Challenges that were used."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, LargeBinary, Table

from biometric_idp.idp.tables import METADATA

USED_CHALLENGE = Table(
    "used_challenge",
    METADATA,
    Column("id", LargeBinary(16), primary_key=True),
    Column("expires", BigInteger, nullable=False, index=True),
)
