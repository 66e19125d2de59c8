"""Counters belong to a passkey, not to an id that somebody else can take; the bytes that were answered last are known.

Officers' counters begin anew: whose they are is in the issuance policy, not in the database.
"""

from __future__ import annotations

from hashlib import sha256

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("ledger", sa.Column("again", sa.LargeBinary))
    connection = op.get_bind()
    known = connection.execute(
        sa.text("SELECT e.credential, e.key, c.value FROM counter c JOIN enrolment e ON e.credential = c.credential")
    ).all()
    connection.execute(sa.text("DELETE FROM counter"))
    op.execute("ALTER TABLE counter RENAME COLUMN credential TO passkey")
    for credential, key, value in known:
        framed = b"".join(len(part).to_bytes(8, "big") + part for part in (bytes(credential), bytes(key)))
        connection.execute(
            sa.text("INSERT INTO counter (passkey, value) VALUES (:passkey, :value)"),
            {"passkey": sha256(framed).digest(), "value": value},
        )
