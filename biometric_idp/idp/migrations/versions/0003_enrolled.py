"""Enrolment ends with the checkpoint that the election was opened with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "idp_0003"
down_revision = "idp_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("opening", sa.Column("enrolled", sa.BigInteger))
