"""Tables of an issuer's database, beside those of its ledger's log. One database holds one issuer and one election."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, MetaData, Table, Text, UniqueConstraint

MIGRATIONS = Path(__file__).parent / "migrations"
SERVICE = "issuer"

metadata = MetaData()

#: Format, election and issuer that the database belongs to; head of the audit chain.
meta = Table(
    "meta",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

#: The issuer's copy of the enrolments that count.
enrolments = Table(
    "enrolment",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("credential", LargeBinary, nullable=False),
    Column("algorithm", Integer, nullable=False),
    Column("key", LargeBinary, nullable=False),
)

#: Highest signature counter seen from each passkey that counts (``checks.counter_id``).
counters = Table(
    "counter",
    metadata,
    Column("passkey", LargeBinary, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

#: What was issued; ``sequence`` is the index of the entry in the ledger's log. ``digest`` is of the bytes in the entry,
#: ``again`` of those that were answered last, where a device signed the same request hash once more.
ledger = Table(
    "ledger",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("election", LargeBinary, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("style", Text, nullable=False),
    Column("terminal", Boolean, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("again", LargeBinary),
    UniqueConstraint("election", "position", name="one_credential_per_voter_and_election"),
)

#: Refused requests of authorised voters: append-only, each row chained to the one before (``audit``).
refusals = Table(
    "refusal",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("code", Text, nullable=False),
    Column("date", BigInteger, nullable=False),
    Column("chain", LargeBinary, nullable=False),
)
