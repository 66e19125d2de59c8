"""Databases of both kinds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from biometric_idp.population.lists.service import prepare_database
from services.database import open_engine
from tests.support.postgres import PostgresServer, postgres_server


@pytest.fixture(name="postgres", scope="module")
def fixture_postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture(name="engine", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def fixture_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    url = str(tmp_path / "population.db")
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").database()
    engine = open_engine(url)
    prepare_database(engine)
    yield engine
    engine.dispose()
