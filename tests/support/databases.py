"""Both kinds of database for tests: a fresh, empty one each time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from services.database import open_engine
from tests.support.postgres import PostgresServer, postgres_server


@pytest.fixture(scope="session", name="postgres")
def fixture_postgres() -> Iterator[PostgresServer]:
    """One server for all tests of a run."""
    with postgres_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"], name="database")
def fixture_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'database.sqlite'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.database()


@pytest.fixture(name="engine")
def fixture_engine(database: str) -> Iterator[Engine]:
    engine = open_engine(database)
    yield engine
    engine.dispose()
