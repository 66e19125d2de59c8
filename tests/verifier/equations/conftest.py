"""Fixtures: both arithmetics, and randomness that does not change between runs."""

from __future__ import annotations

import pytest

from crypto.group import Group, PairingGroup, load_group, load_pairing_group, native_available
from tests.verifier.equations.provers import Randomness

ARITHMETICS = ["portable", *(["native"] if native_available() else [])]


@pytest.fixture(scope="session")
def group() -> Group:
    """The arithmetic that is fastest here."""
    return load_group()


@pytest.fixture(scope="session")
def pairing() -> PairingGroup:
    return load_pairing_group()


@pytest.fixture(scope="session", params=ARITHMETICS)
def each_group(request: pytest.FixtureRequest) -> Group:
    """Both arithmetics in turn."""
    return load_group(request.param)


@pytest.fixture
def randomness() -> Randomness:
    return Randomness("verifier's weights")
