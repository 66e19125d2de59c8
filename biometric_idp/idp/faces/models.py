"""Table of liveness sessions that are under way."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table, Text

from biometric_idp.idp.tables import METADATA

LIVENESS = Table(
    "liveness",
    METADATA,
    #: The session (of an enrolment, or of a sign-in) that it belongs to.
    Column("owner", LargeBinary(32), primary_key=True),
    Column("id", String(32), nullable=False),
    #: What is biometric in it is sealed.
    Column("state", Text, nullable=False),
    Column("passed", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("expires", BigInteger, nullable=False, index=True),
)
