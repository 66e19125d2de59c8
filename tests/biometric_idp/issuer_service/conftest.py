"""One issuer of the small election as a process, on either database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.biometric_idp.issuer_service.places import IssuerPlace, make_place
from tests.biometric_idp.world import World


@pytest.fixture(name="election")
def fixture_election(tmp_path: Path) -> Iterator[World]:
    """The small election, today."""
    world = World(tmp_path, now=int(time.time()))
    yield world
    world.close()


@pytest.fixture(name="place")
def fixture_place(election: World) -> Iterator[IssuerPlace]:
    """Issuer 1 with SQLite, not started yet."""
    place = make_place(election, 1)
    yield place
    place.stop()


@pytest.fixture(name="place_on_both")
def fixture_place_on_both(election: World, database: str) -> Iterator[IssuerPlace]:
    """Issuer 1 on each kind of database."""
    if database.startswith("postgresql"):
        election.databases[1] = database
    place = make_place(election, 1)
    yield place
    place.stop()
