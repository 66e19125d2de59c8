"""Tables of imported voter lists, in the database of whoever imports them (registrar, identity provider).

Names, days of birth and documents are not stored: a digest of them tells whether they changed. What is left of a list
after ``purge_entries`` is its row in ``population_list``.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

MIGRATIONS = Path(__file__).parent / "migrations"
SERVICE = "population"

metadata = MetaData()

#: Imports of one election take turns on its row.
elections = Table(
    "population_election",
    metadata,
    Column("election", Text, primary_key=True),
    Column("imports", Integer, nullable=False),
)

#: Accepted lists. ``final_of`` is the election for a final list and empty otherwise: there is one final list.
lists = Table(
    "population_list",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("election", Text, ForeignKey("population_election.election"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("issued", BigInteger, nullable=False),
    Column("imported", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("signer", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("entries", Integer, nullable=False),
    Column("voters", Integer, nullable=False),
    Column("merged", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("follows", Integer, ForeignKey("population_list.id"), nullable=True),
    Column("final_of", Text, nullable=True),
    UniqueConstraint("election", "number", name="one_list_per_number"),
    UniqueConstraint("election", "message_id", name="one_list_per_message"),
    UniqueConstraint("final_of", name="one_final_list_per_election"),
)

#: What was accepted of a list: voters (``active``) and records that were merged into another.
entries = Table(
    "population_entry",
    metadata,
    Column("list", Integer, ForeignKey("population_list.id"), primary_key=True),
    Column("pin", Text, primary_key=True),
    Column("line", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("unit", Text, nullable=True),
    Column("digest", LargeBinary, nullable=False),
    Column("merged_into", Text, nullable=True),
    Index("population_entry_by_unit", "list", "unit"),
)

#: What was left out, by line: the line's text is not stored.
rejects = Table(
    "population_reject",
    metadata,
    Column("list", Integer, ForeignKey("population_list.id"), primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("line", Integer, nullable=False),
    Column("code", Text, nullable=False),
    Column("field", Text, nullable=True),
    Column("other", Integer, nullable=True),
)
