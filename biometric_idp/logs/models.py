"""Tables of the logs in one database; a service's own revisions make them with ``schema_1.create_log_tables``."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Table, Text

metadata = MetaData()

#: One row for each log, and the lock of those who append to it.
log_heads = Table(
    "log_head",
    metadata,
    Column("log", Integer, primary_key=True, autoincrement=False),
    Column("origin", Text, nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
)

#: Entries by index, and the RFC 6962 hash of each; never changed.
log_entries = Table(
    "log_entry",
    metadata,
    Column("log", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("entry", LargeBinary, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
)

#: Hash tiles: full ones, and what there is of the partial ones at the right edge.
log_tiles = Table(
    "log_tile",
    metadata,
    Column("log", Integer, primary_key=True, autoincrement=False),
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
)

#: How far tiles go, the last head that was signed, the last that was published; the lock of those who sign.
log_states = Table(
    "log_state",
    metadata,
    Column("log", Integer, primary_key=True, autoincrement=False),
    Column("tree_size", BigInteger, nullable=False),
    Column("signed_size", BigInteger),
    Column("signed_note", Text),
    Column("published_size", BigInteger),
    Column("published_note", Text),
)
