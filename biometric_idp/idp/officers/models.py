"""Table of appointments."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, String, Table

from biometric_idp.idp.tables import METADATA

APPOINTMENT = Table(
    "appointment",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("enrolment", String(32), nullable=False, unique=True),
    Column("consulate", String(64), nullable=False),
    #: open, confirmed
    Column("state", String(12), nullable=False),
    Column("created", BigInteger, nullable=False, index=True),
    Column("expires", BigInteger, nullable=False),
)
