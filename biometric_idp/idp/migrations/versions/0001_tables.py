"""Sessions, challenges, accounts, passkeys, enrolments, voting passkeys, idempotency, rates, audit, enrolment log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from biometric_idp.logs.schema_1 import create_log_tables

revision = "idp_0001"
down_revision = None
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    create_log_tables()
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
        "officer_counter",
        sa.Column("credential", sa.LargeBinary(1023), nullable=False),
        sa.Column("value", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("credential", name="pk_officer_counter"),
    )
    op.create_table(
        "biometric_template",
        sa.Column("voter", sa.String(64), nullable=False),
        sa.Column("modality", sa.String(16), nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("algorithm", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("master", sa.String(128)),
        sa.Column("wrapped", sa.LargeBinary),
        sa.Column("sealed", sa.LargeBinary),
        sa.PrimaryKeyConstraint("voter", "modality", name="pk_biometric_template"),
    )
    op.create_index("ix_biometric_template_master", "biometric_template", ["master"])
    op.create_table(
        "liveness_marks",
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("voter", sa.String(64), nullable=False),
        sa.Column("expires", sa.Float, nullable=False),
        sa.Column("marks", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("session", name="pk_liveness_marks"),
    )
    op.create_index("ix_liveness_marks_expires", "liveness_marks", ["expires"])
    op.create_index("ix_liveness_marks_voter", "liveness_marks", ["voter"])
    op.create_table(
        "account",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("pin", sa.String(14), nullable=False),
        sa.Column("handle", sa.LargeBinary(32), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("proofing", sa.String(16), nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("changed", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("handle", name="uq_account_handle"),
        sa.UniqueConstraint("pin", name="uq_account_pin"),
    )
    op.create_table(
        "notice",
        sa.Column("id", _NUMBER, autoincrement=True, nullable=False),
        sa.Column("account", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("date", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
    )
    op.create_index("ix_notice_account", "notice", ["account"])
    op.create_table(
        "passkey",
        sa.Column("credential", sa.LargeBinary(1023), nullable=False),
        sa.Column("account", sa.String(32), nullable=False),
        sa.Column("key", sa.LargeBinary(2048), nullable=False),
        sa.Column("counter", sa.BigInteger, nullable=False),
        sa.Column("aaguid", sa.String(36), nullable=False),
        sa.Column("format", sa.String(24), nullable=False),
        sa.Column("backed_up", sa.Boolean, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("credential", name="pk_passkey"),
    )
    op.create_index("ix_passkey_account", "passkey", ["account"])
    op.create_table(
        "session",
        sa.Column("id", sa.LargeBinary(32), nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("account", sa.String(32)),
        sa.Column("enrolment", sa.String(32)),
        sa.Column("election", sa.String(64)),
        sa.Column("grant", sa.String(16)),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("must", sa.String(16)),
        sa.Column("began", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_session"),
    )
    op.create_index("ix_session_account", "session", ["account"])
    op.create_index("ix_session_expires", "session", ["expires"])
    op.create_table(
        "handoff",
        sa.Column("id", sa.LargeBinary(32), nullable=False),
        sa.Column("account", sa.String(32), nullable=False),
        sa.Column("election", sa.String(64), nullable=False),
        sa.Column("grant", sa.String(16), nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("began", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_handoff"),
    )
    op.create_index("ix_handoff_expires", "handoff", ["expires"])
    op.create_table(
        "place",
        sa.Column("election", sa.String(64), nullable=False),
        sa.Column("account", sa.String(32), nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("style", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("election", "account", name="pk_place"),
        sa.UniqueConstraint("election", "position", name="uq_place_position"),
    )
    op.create_table(
        "voting_passkey",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("account", sa.String(32), nullable=False),
        sa.Column("election", sa.String(64), nullable=False),
        sa.Column("credential", sa.LargeBinary(1023), nullable=False),
        sa.Column("key", sa.LargeBinary(128), nullable=False),
        sa.Column("algorithm", sa.Integer, nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("registrar", sa.String(64)),
        sa.Column("hint", sa.Text),
        sa.Column("entry", sa.BigInteger),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_voting_passkey"),
        sa.UniqueConstraint("election", "credential", name="uq_voting_passkey_credential"),
        sa.UniqueConstraint("election", "entry", name="uq_voting_passkey_entry"),
        sa.UniqueConstraint("election", "registrar", name="uq_voting_passkey_registrar"),
    )
    op.create_index("ix_voting_passkey_account", "voting_passkey", ["account"])
    op.create_table(
        "opening",
        sa.Column("election", sa.String(64), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("election", name="pk_opening"),
        sa.UniqueConstraint("fingerprint", name="uq_opening_fingerprint"),
    )
    op.create_table(
        "used_challenge",
        sa.Column("id", sa.LargeBinary(16), nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_used_challenge"),
    )
    op.create_index("ix_used_challenge_expires", "used_challenge", ["expires"])
    op.create_table(
        "enrolment",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("pin", sa.String(14), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("remaining", sa.String(80), nullable=False),
        sa.Column("done", sa.String(80), nullable=False),
        sa.Column("face_attempts", sa.Integer, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_enrolment"),
    )
    op.create_index("ix_enrolment_created", "enrolment", ["created"])
    op.create_table(
        "failure",
        sa.Column("subject", sa.LargeBinary(32), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("subject", name="pk_failure"),
    )
    op.create_index("ix_failure_last", "failure", ["last"])
    op.create_table(
        "liveness",
        sa.Column("owner", sa.LargeBinary(32), nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("passed", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("owner", name="pk_liveness"),
    )
    op.create_index("ix_liveness_expires", "liveness", ["expires"])
    op.create_table(
        "appointment",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("enrolment", sa.String(32), nullable=False),
        sa.Column("consulate", sa.String(64), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_appointment"),
        sa.UniqueConstraint("enrolment", name="uq_appointment_enrolment"),
    )
    op.create_index("ix_appointment_created", "appointment", ["created"])
    op.create_table(
        "idempotency",
        sa.Column("id", sa.LargeBinary(32), nullable=False),
        sa.Column("body", sa.LargeBinary(32), nullable=False),
        sa.Column("reference", sa.String(64)),
        sa.Column("answer", sa.Text),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_idempotency"),
    )
    op.create_index("ix_idempotency_expires", "idempotency", ["expires"])
