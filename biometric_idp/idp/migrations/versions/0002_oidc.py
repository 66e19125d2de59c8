"""OpenID Connect: authorization codes, access tokens, ids of client assertions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "idp_0002"
down_revision = "idp_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "oidc_code",
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("redirect_uri", sa.Text, nullable=False),
        sa.Column("scope", sa.String(200), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("nonce", sa.String(512), nullable=False),
        sa.Column("challenge", sa.String(43), nullable=False),
        sa.Column("acr", sa.String(64), nullable=False),
        sa.Column("amr", sa.String(100), nullable=False),
        sa.Column("auth_time", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("used", sa.BigInteger),
        sa.Column("forget", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_oidc_code"),
    )
    op.create_table(
        "oidc_token",
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("code", sa.LargeBinary(32), nullable=False),
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("scope", sa.String(200), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("revoked", sa.BigInteger),
        sa.PrimaryKeyConstraint("hash", name="pk_oidc_token"),
    )
    op.create_table(
        "oidc_assertion",
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_oidc_assertion"),
    )
    for table, column in (
        ("oidc_code", "subject"),
        ("oidc_code", "forget"),
        ("oidc_token", "code"),
        ("oidc_token", "subject"),
        ("oidc_token", "expires"),
        ("oidc_assertion", "expires"),
    ):
        op.create_index(f"ix_{table}_{column}", table, [column])
