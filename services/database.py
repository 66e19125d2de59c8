"""Databases: SQLite by default, PostgreSQL in real use; transactions that are durable when they return.

Uniqueness is always a constraint of the one primary; who looks before an insert does so under a lock, and with the
constraint behind it. A replica is refused (attack A5).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, OperationalError

from services.errors import DatabaseError

Result = TypeVar("Result")
_BUSY_SECONDS = 30
#: A connection that was not used for so long is tried before it is used again.
_IDLE_SECONDS = 1.0
_RETRIES = 8
#: SQLSTATE of what goes away when the transaction is run again.
_TRANSIENT = {"40001", "40P01"}


def open_engine(url: str, *, pool: int = 10) -> Engine:
    """An engine whose commits are durable.

    Args:
        url: ``sqlite:///FILE`` or ``postgresql+psycopg://...``; a plain path means SQLite.

    Raises:
        DatabaseError: another kind, a replica, or one that acknowledges before it is durable.
    """
    try:
        parsed = make_url(url if "://" in url else f"sqlite:///{url}")
    except ArgumentError:
        raise DatabaseError("the database's address is not understood") from None
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(parsed.database, pool)
    if parsed.get_backend_name() != "postgresql":
        raise DatabaseError(f"databases of kind {parsed.get_backend_name()} are not supported: SQLite or PostgreSQL")
    engine = create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_size=pool,
        max_overflow=pool,
        hide_parameters=True,
        connect_args={"connect_timeout": 10, "target_session_attrs": "read-write"},
    )
    _try_idle_connections(engine)
    try:
        with engine.connect() as connection:
            settings = {name: connection.scalar(text(f"SHOW {name}")) for name in ("fsync", "synchronous_commit")}
    except OperationalError as error:
        raise DatabaseError(f"the database cannot be used: {_first_line(error)}") from None
    if settings["fsync"] != "on" or settings["synchronous_commit"] in ("off", "local"):
        raise DatabaseError("the database acknowledges before it is durable: fsync and synchronous_commit must be on")
    return engine


def _try_idle_connections(engine: Engine) -> None:
    """Replace connections that a server or a firewall closed unseen. Under load a try of each would cost a tenth."""

    @event.listens_for(engine, "checkin")
    def _returned(_: Any, record: Any) -> None:
        record.info["returned"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _taken(connection: Any, record: Any, _: Any) -> None:
        if time.monotonic() - record.info.get("returned", time.monotonic()) < _IDLE_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except Exception as error:
            raise DisconnectionError from error


def _open_sqlite(database: str | None, pool: int) -> Engine:
    if not database or database == ":memory:":
        raise DatabaseError("SQLite needs a file")
    path = Path(database)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(0o600)
    except OSError as error:
        raise DatabaseError(f"{path}: {error.strerror}") from None
    engine = create_engine(
        f"sqlite:///{path}",
        pool_size=pool,
        max_overflow=pool,
        hide_parameters=True,
        connect_args={"timeout": _BUSY_SECONDS, "isolation_level": None, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _: Any) -> None:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A reader that turned into a writer could not wait for its turn: writers say so at once.
        is_reader = connection.get_execution_options().get("reader", False)
        connection.exec_driver_sql("BEGIN" if is_reader else "BEGIN IMMEDIATE")

    try:
        with engine.connect() as connection:
            connection.scalar(text("SELECT 1"))
    except DBAPIError as error:
        raise DatabaseError(f"{path}: {_first_line(error)}") from None
    return engine


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().split("\n")[0]


def transaction(engine: Engine, work: Callable[[Connection], Result]) -> Result:
    """Run ``work`` in one transaction that is durable when this returns; again where another one was in the way.

    ``work`` must have no effect outside the database, because it may run several times. A connection that was lost is
    replaced, unless it was lost in the commit: whether that one counts is not known.
    """
    for attempt in range(_RETRIES):
        is_committing = False
        try:
            with engine.begin() as connection:
                result = work(connection)
                is_committing = True
            return result
        except DBAPIError as error:
            is_lost = error.connection_invalidated and not is_committing
            if attempt + 1 == _RETRIES or not (is_lost or _is_transient(error)):
                raise
            time.sleep(random.uniform(0, 0.01 * 2**attempt))
    raise AssertionError("unreachable")


def _is_transient(error: DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    return state in _TRANSIENT or "database is locked" in str(error.orig)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A consistent view that never blocks a writer, nor waits for one."""
    level = "REPEATABLE READ" if engine.dialect.name == "postgresql" else None
    with engine.connect() as connection:
        options: dict[str, Any] = {"reader": True} if level is None else {"isolation_level": level}
        with connection.execution_options(**options).begin():
            yield connection


def is_postgresql(engine: Engine) -> bool:
    return engine.dialect.name == "postgresql"
