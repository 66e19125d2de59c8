"""The outbox: messages committed together with the state that they tell of."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text

from biometric_idp.registrar.tables import METADATA

OUTBOX = Table(
    "outbox",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("channel", String(16), nullable=False),
    #: Address, subject and text are erased when the message was handed over.
    Column("address", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("language", String(2), nullable=False),
    Column("state", String(8), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next", BigInteger, nullable=False, index=True),
    Column("expires", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
)
