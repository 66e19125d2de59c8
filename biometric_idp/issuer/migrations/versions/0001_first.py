"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from biometric_idp.logs.schema_1 import create_log_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "meta",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "enrolment",
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("credential", sa.LargeBinary, nullable=False),
        sa.Column("algorithm", sa.Integer, nullable=False),
        sa.Column("key", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "counter",
        sa.Column("credential", sa.LargeBinary, primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "ledger",
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("election", sa.LargeBinary, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("style", sa.Text, nullable=False),
        sa.Column("terminal", sa.Boolean, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("election", "position", name="one_credential_per_voter_and_election"),
    )
    op.create_table(
        "refusal",
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("date", sa.BigInteger, nullable=False),
        sa.Column("chain", sa.LargeBinary, nullable=False),
    )
    create_log_tables()
