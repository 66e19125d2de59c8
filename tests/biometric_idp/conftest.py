"""The small election of every test in this directory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.biometric_idp.world import World
from tests.support.databases import fixture_database, fixture_engine, fixture_postgres

__all__ = ["fixture_database", "fixture_engine", "fixture_postgres"]


@pytest.fixture(name="world")
def fixture_world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()
