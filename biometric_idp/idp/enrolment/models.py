"""Tables of enrolments and failed attempts."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table

from biometric_idp.idp.tables import METADATA

ENROLMENT = Table(
    "enrolment",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("pin", String(14), nullable=False),
    Column("language", String(2), nullable=False),
    #: Steps that are still to be taken, in order, with commas.
    Column("remaining", String(80), nullable=False),
    Column("done", String(80), nullable=False),
    Column("face_attempts", Integer, nullable=False),
    Column("created", BigInteger, nullable=False, index=True),
    Column("expires", BigInteger, nullable=False),
)

FAILURE = Table(
    "failure",
    METADATA,
    #: Digest of a PIN, whether there is such a person or not.
    Column("subject", LargeBinary(32), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False, index=True),
)
