"""Durable transactions on SQLite and PostgreSQL; what cannot keep the promise is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    Table,
    create_engine,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import OperationalError

from services import database
from services.database import open_engine, reading, transaction
from services.errors import DatabaseError
from services.migrations import differences, upgrade
from tests.support.postgres import postgres_server

METADATA = MetaData()
COUNTER = Table("counter", METADATA, Column("id", Integer, primary_key=True), Column("value", Integer, nullable=False))

REVISION = """
from alembic import op
import sqlalchemy as sa

revision = "0001"
down_revision = None


def upgrade():
    columns = sa.Column("id", sa.Integer, primary_key=True), sa.Column("value", sa.Integer, nullable=False)
    op.create_table("counter", *columns)
"""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('database')}/test.sqlite"
        return
    with postgres_server() as server:
        yield server.database()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrations")
    (path / "versions").mkdir()
    (path / "versions" / "0001_counter.py").write_text(REVISION)
    return path


def test_A5_concurrent_increments_lose_none(url: str, folder: Path) -> None:
    engine = open_engine(url)
    upgrade(engine, folder, "test")
    upgrade(engine, folder, "test")
    transaction(engine, lambda connection: connection.execute(insert(COUNTER).values(id=1, value=0)))

    def increment(_: int) -> None:
        def work(connection: Connection) -> None:
            value = connection.scalar(select(COUNTER.c.value).where(COUNTER.c.id == 1).with_for_update())
            assert value is not None
            connection.execute(update(COUNTER).values(value=value + 1))

        transaction(engine, work)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(increment, range(200)))
    with reading(engine) as connection:
        assert connection.scalar(select(func.sum(COUNTER.c.value))) == 200
        assert differences(connection, METADATA, "test") == []
    engine.dispose()


def test_a_database_of_a_newer_program_is_refused(url: str, folder: Path) -> None:
    engine = open_engine(url)
    upgrade(engine, folder, "test")

    def set_revision(revision: str) -> None:
        statement = text("UPDATE test_version SET version_num = :revision")
        transaction(engine, lambda connection: connection.execute(statement, {"revision": revision}))

    set_revision("ffff")
    with pytest.raises(DatabaseError, match="does not know"):
        upgrade(engine, folder, "test")
    set_revision("0001")
    engine.dispose()


def test_a_reader_sees_one_moment_while_others_write(url: str, folder: Path) -> None:
    engine = open_engine(url)
    upgrade(engine, folder, "test")
    transaction(engine, lambda connection: connection.execute(text("DELETE FROM counter")))
    with reading(engine) as connection:
        before = connection.scalar(select(func.count()).select_from(COUNTER))
        transaction(engine, lambda other: other.execute(insert(COUNTER).values(id=9, value=9)))
        assert connection.scalar(select(func.count()).select_from(COUNTER)) == before
    engine.dispose()


@pytest.mark.slow
def test_A5_a_replica_is_refused() -> None:
    with postgres_server() as server:
        url = server.database()
        with server.standby() as replica:
            with pytest.raises(DatabaseError, match="read-only|hot standby"):
                open_engine(replica.address(url))
            # Reading there is possible: it is refused for being a replica, and for nothing else.
            reader = create_engine(replica.address(url))
            with reader.connect() as connection:
                assert connection.scalar(text("SELECT pg_is_in_recovery()")) is True
            reader.dispose()
        open_engine(url).dispose()


def test_A5_settings_that_acknowledge_too_early_are_refused() -> None:
    with postgres_server() as server:
        url = server.database()
        engine = open_engine(url)
        name = url.split("@/")[1].split("?")[0]
        transaction(
            engine,
            lambda connection: connection.execute(text(f'ALTER DATABASE "{name}" SET synchronous_commit = off')),
        )
        engine.dispose()
        with pytest.raises(DatabaseError, match="durable"):
            open_engine(url)


@pytest.mark.parametrize("url", ["sqlite://", "mysql://x/y", "sqlite:////proc/nowhere/x", "postgresql://127.0.0.1:1/x"])
def test_what_is_no_usable_database_is_refused_in_one_line(url: str) -> None:
    with pytest.raises(DatabaseError) as caught:
        open_engine(url)
    assert "\n" not in str(caught.value)


Lossy = tuple[Engine, Callable[[int], None]]


def backend(connection: Connection) -> int:
    return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


@pytest.fixture(name="lossy", scope="module")
def _lossy(folder: Path) -> Iterator[Lossy]:
    """A database on PostgreSQL, and what ends one of its connections from outside."""
    with postgres_server() as server:
        engine, other = (open_engine(url) for url in [server.database()] * 2)
        upgrade(engine, folder, "test")

        def end(number: int) -> None:
            with other.connect() as killer:
                assert killer.scalar(text("SELECT pg_terminate_backend(:number, 5000)"), {"number": number})

        yield engine, end
        engine.dispose()
        other.dispose()


def test_a_connection_that_was_lost_while_idle_is_replaced_unseen(
    lossy: Lossy, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, end = lossy
    monkeypatch.setattr(database, "_IDLE_SECONDS", 0)
    with engine.connect() as connection:
        number = backend(connection)
    end(number)
    with engine.connect() as connection:
        assert backend(connection) != number


def test_a_connection_that_is_lost_before_the_commit_is_replaced_and_the_work_done_once(lossy: Lossy) -> None:
    engine, end = lossy
    runs: list[int] = []

    def work(connection: Connection) -> None:
        connection.execute(insert(COUNTER).values(id=21, value=0))
        runs.append(1)
        if len(runs) == 1:
            end(backend(connection))
            connection.scalar(text("SELECT 1"))

    transaction(engine, work)
    with reading(engine) as connection:
        assert connection.scalar(select(func.count()).where(COUNTER.c.id == 21)) == 1
    assert len(runs) == 2


def test_a_connection_that_is_lost_in_the_commit_is_an_error_and_nothing_is_run_again(lossy: Lossy) -> None:
    engine, end = lossy
    runs: list[int] = []

    def work(connection: Connection) -> None:
        runs.append(1)
        connection.execute(insert(COUNTER).values(id=22, value=0))
        end(backend(connection))

    with pytest.raises(OperationalError):
        transaction(engine, work)
    assert len(runs) == 1
