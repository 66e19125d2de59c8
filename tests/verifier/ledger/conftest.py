"""One small election with real issuance for all tests of the auditor's checks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.verifier.ledger.world import AuditElection, Case


@pytest.fixture(scope="session", name="world")
def fixture_world(tmp_path_factory: pytest.TempPathFactory) -> AuditElection:
    """The election; nothing of it must be changed."""
    world = AuditElection(tmp_path_factory.mktemp("audit"))
    world.run()
    return world


@pytest.fixture(name="case")
def fixture_case(world: AuditElection, tmp_path: Path) -> Case:
    """An honest audit to be changed."""
    return Case(world, tmp_path)
