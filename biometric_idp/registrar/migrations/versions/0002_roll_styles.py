"""Ballot styles of a roll in the manifest's order: with them the issuers' roll can be written again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "registrar_0002"
down_revision = "registrar_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("roll_head", sa.Column("styles", sa.JSON))
