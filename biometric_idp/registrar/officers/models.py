"""Signature counters of officers' passkeys, and which of their assertions were used."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, LargeBinary, Table

from biometric_idp.registrar.tables import METADATA

OFFICER_COUNTER = Table(
    "officer_counter",
    METADATA,
    Column("credential", LargeBinary(1023), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
