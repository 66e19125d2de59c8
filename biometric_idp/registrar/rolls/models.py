"""Tables of the roll."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, LargeBinary, String, Table, UniqueConstraint

from biometric_idp.registrar.tables import METADATA

ROLL = Table(
    "roll",
    METADATA,
    Column("election", String(64), primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("pin", String(14), nullable=False),
    Column("style", String(64), nullable=False),
    UniqueConstraint("election", "pin", name="uq_roll_person"),
)

#: One row for each election: the secret of the roll's salts, its commitment, the fingerprint once it is known, and the
#: styles in the manifest's order; rolls of revision 1 have no styles.
ROLL_HEAD = Table(
    "roll_head",
    METADATA,
    Column("election", String(64), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("secret", LargeBinary(32), nullable=False),
    Column("commitment", LargeBinary(32), nullable=False),
    Column("fingerprint", LargeBinary(32)),
    Column("styles", JSON),
)
