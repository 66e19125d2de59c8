"""Imported voter lists."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "population_election",
        sa.Column("election", sa.Text, primary_key=True),
        sa.Column("imports", sa.Integer, nullable=False),
    )
    op.create_table(
        "population_list",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("election", sa.Text, sa.ForeignKey("population_election.election"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("message_id", sa.Text, nullable=False),
        sa.Column("issued", sa.BigInteger, nullable=False),
        sa.Column("imported", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("signer", sa.Text, nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        sa.Column("entries", sa.Integer, nullable=False),
        sa.Column("voters", sa.Integer, nullable=False),
        sa.Column("merged", sa.Integer, nullable=False),
        sa.Column("rejected", sa.Integer, nullable=False),
        sa.Column("follows", sa.Integer, sa.ForeignKey("population_list.id"), nullable=True),
        sa.Column("final_of", sa.Text, nullable=True),
        sa.UniqueConstraint("election", "number", name="one_list_per_number"),
        sa.UniqueConstraint("election", "message_id", name="one_list_per_message"),
        sa.UniqueConstraint("final_of", name="one_final_list_per_election"),
    )
    op.create_table(
        "population_entry",
        sa.Column("list", sa.Integer, sa.ForeignKey("population_list.id"), primary_key=True),
        sa.Column("pin", sa.Text, primary_key=True),
        sa.Column("line", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=True),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("merged_into", sa.Text, nullable=True),
        sa.Index("population_entry_by_unit", "list", "unit"),
    )
    op.create_table(
        "population_reject",
        sa.Column("list", sa.Integer, sa.ForeignKey("population_list.id"), primary_key=True),
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("line", sa.Integer, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("field", sa.Text, nullable=True),
        sa.Column("other", sa.Integer, nullable=True),
    )
