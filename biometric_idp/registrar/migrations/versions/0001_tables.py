"""Roll, enrolments, outbox, officers' counters, rates, audit log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "registrar_0001"
down_revision = None
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "roll",
        sa.Column("election", sa.String(64), nullable=False),
        sa.Column("position", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("pin", sa.String(14), nullable=False),
        sa.Column("style", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("election", "position", name="pk_roll"),
        sa.UniqueConstraint("election", "pin", name="uq_roll_person"),
    )
    op.create_table(
        "roll_head",
        sa.Column("election", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("secret", sa.LargeBinary(32), nullable=False),
        sa.Column("commitment", sa.LargeBinary(32), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(32)),
        sa.PrimaryKeyConstraint("election", name="pk_roll_head"),
    )
    op.create_table(
        "enrolment",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("election", sa.String(64), nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("style", sa.String(64), nullable=False),
        sa.Column("credential", sa.LargeBinary(1023), nullable=False),
        sa.Column("key", sa.LargeBinary(128), nullable=False),
        sa.Column("algorithm", sa.Integer, nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("hint", sa.String(120), nullable=False),
        sa.Column("code", sa.LargeBinary(32)),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("method", sa.String(12)),
        sa.Column("body", sa.LargeBinary),
        sa.Column("signature", sa.LargeBinary(64)),
        sa.PrimaryKeyConstraint("id", name="pk_enrolment"),
    )
    op.create_index("uq_enrolment_credential", "enrolment", ["election", "credential"], unique=True)
    for name, condition in (
        ("uq_enrolment_pending", "state = 'pending'"),
        ("uq_enrolment_by_code", "method = 'code'"),
    ):
        where = sa.text(condition)
        op.create_index(
            name, "enrolment", ["election", "position"], unique=True, sqlite_where=where, postgresql_where=where
        )
    op.create_table(
        "request_nonce",
        sa.Column("signature", sa.LargeBinary(32), nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("signature", name="pk_request_nonce"),
    )
    op.create_index("ix_request_nonce_expires", "request_nonce", ["expires"])
    op.create_table(
        "outbox",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
    )
    op.create_index("ix_outbox_next", "outbox", ["next"])
    op.create_table(
        "officer_counter",
        sa.Column("credential", sa.LargeBinary(1023), nullable=False),
        sa.Column("value", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("credential", name="pk_officer_counter"),
    )
    op.create_table(
        "rate",
        sa.Column("bucket", sa.String(40), nullable=False),
        sa.Column("subject", sa.LargeBinary(32), nullable=False),
        sa.Column("starts", sa.BigInteger, nullable=False),
        sa.Column("ends", sa.BigInteger, nullable=False),
        sa.Column("hits", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("bucket", "subject", "starts", name="pk_rate"),
    )
    op.create_index("ix_rate_ends", "rate", ["ends"])
    op.create_table(
        "audit_event",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_event"),
    )
    op.create_table(
        "audit_log",
        sa.Column("sequence", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_audit_log"),
    )
