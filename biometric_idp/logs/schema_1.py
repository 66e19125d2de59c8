"""First version of the tables, for Alembic revisions of the services that keep a log. Never edited: a change is a 2."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def create_log_tables() -> None:
    """Called inside a revision's ``upgrade``."""
    op.create_table(
        "log_head",
        sa.Column("log", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("origin", sa.Text, nullable=False, unique=True),
        sa.Column("size", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "log_entry",
        sa.Column("log", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("entry", sa.LargeBinary, nullable=False),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "log_tile",
        sa.Column("log", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "log_state",
        sa.Column("log", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("tree_size", sa.BigInteger, nullable=False),
        sa.Column("signed_size", sa.BigInteger),
        sa.Column("signed_note", sa.Text),
        sa.Column("published_size", sa.BigInteger),
        sa.Column("published_note", sa.Text),
    )
