"""The entries of a log: appended in the transaction of whatever they are about, and numbered without a gap.

Why checkpoints are prefix-consistent however many processes append. Serial columns would not do: a transaction that
drew 7 may commit after one that drew 8, and a checkpoint of size 8 taken in between would not be a prefix of later
ones. Here an index is given under the log's row of ``log_head``, locked by ``SELECT .. FOR UPDATE`` (SQLite: the one
writer's ``BEGIN IMMEDIATE``) and held until the commit:

1. Whoever appends holds the lock, reads size n, inserts entries n .. n+k-1, sets the size to n+k, commits. An abort
   undoes entries and size together. So in every committed state the entries are exactly 0 .. size-1.
2. The next one gets the lock only after that commit: PostgreSQL releases locks after a commit is on disk and visible,
   and a statement under READ COMMITTED looks at the row again after it has waited; under stricter levels the statement
   fails and is run again. So indices grow in the order in which entries become durable.
3. Rows are never updated or deleted. So what a reader saw as the first n entries stays the first n entries.

The primary key (log, position) is the second line: a writer that went around the lock fails instead of forking.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import BindParameter, Connection, Engine, bindparam, func, insert, select, update

from biometric_idp.logs.errors import LogDamaged
from biometric_idp.logs.models import log_entries, log_heads, log_states
from crypto.log.merkle import hash_leaf
from crypto.log.tiles import MAX_ENTRY_BYTES
from services.database import is_postgresql, reading, transaction

_PAGE = 1024
_LOG: BindParameter[int] = bindparam("of_log")
_SIZE = select(log_heads.c.size).where(log_heads.c.log == _LOG)
_LOCK = _SIZE.with_for_update()
_APPEND = insert(log_entries)
_GROW = update(log_heads).where(log_heads.c.log == _LOG).values(size=bindparam("new_size"))


class EntryLog:
    """Appends to one log and reads it. Any number of processes; each call says which transaction it belongs to."""

    def __init__(self, engine: Engine, origin: str) -> None:
        """Find the log of this origin in the database, or make it."""
        self.engine = engine
        self.origin = origin
        with reading(engine) as connection:
            found = connection.scalar(select(log_heads.c.log).where(log_heads.c.origin == origin))
        self.log: int = transaction(engine, self._create) if found is None else found

    def _create(self, connection: Connection) -> int:
        if is_postgresql(self.engine):
            connection.exec_driver_sql("LOCK TABLE log_head IN SHARE ROW EXCLUSIVE MODE")
        found = connection.scalar(select(log_heads.c.log).where(log_heads.c.origin == self.origin))
        if found is not None:
            return int(found)
        log = (connection.scalar(select(func.max(log_heads.c.log))) or 0) + 1
        connection.execute(insert(log_heads).values(log=log, origin=self.origin, size=0))
        connection.execute(insert(log_states).values(log=log, tree_size=0))
        return log

    def lock(self, connection: Connection) -> int:
        """Take the turn to append, until this transaction ends; returns the size.

        A transaction that also decides by what was appended before takes it first, so that nobody is in between.
        """
        return int(connection.execute(_LOCK, {"of_log": self.log}).scalar_one())

    def append(self, connection: Connection, entries: Sequence[bytes], first: int | None = None) -> int:
        """Append in the caller's transaction; returns the index of the first.

        Args:
            first: what ``lock`` gave, where this transaction took its turn before.

        Raises:
            ValueError: an entry is longer than 65,535 bytes.
        """
        if any(len(entry) > MAX_ENTRY_BYTES for entry in entries):
            raise ValueError(f"an entry of a log has at most {MAX_ENTRY_BYTES} bytes")
        if first is None:
            first = self.lock(connection)
        if entries:
            rows = [
                {"log": self.log, "position": index, "entry": entry, "leaf": hash_leaf(entry)}
                for index, entry in enumerate(entries, start=first)
            ]
            connection.execute(_APPEND, rows)
            connection.execute(_GROW, {"of_log": self.log, "new_size": first + len(entries)})
        return first

    def size(self, connection: Connection) -> int:
        """Entries that are durable, as this transaction sees them."""
        return int(connection.execute(_SIZE, {"of_log": self.log}).scalar_one())

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """Entries ``start`` to before ``stop``, read in pages; they never change, so pages need no common view.

        Raises:
            LogDamaged: one is missing.
        """
        for at in range(start, stop, _PAGE):
            with reading(self.engine) as connection:
                yield from self.page(connection, at, min(at + _PAGE, stop))

    def page(self, connection: Connection, start: int, stop: int) -> list[bytes]:
        """The same for one page, within the caller's transaction."""
        return self._column(connection, "entry", start, stop)

    def leaves(self, connection: Connection, start: int, stop: int) -> bytes:
        """Concatenated leaf hashes."""
        return b"".join(self._column(connection, "leaf", start, stop))

    def _column(self, connection: Connection, name: str, start: int, stop: int) -> list[bytes]:
        table = log_entries.c
        query = (
            select(table[name])
            .where(table.log == self.log, table.position >= start, table.position < stop)
            .order_by(table.position)
        )
        found = list(connection.execute(query).scalars())
        if len(found) != stop - start:
            raise LogDamaged(f"{self.origin}: an entry between {start} and {stop} is missing")
        return found
