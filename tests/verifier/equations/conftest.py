"""Fixtures: both arithmetics, and randomness that does not change between runs."""

from __future__ import annotations

import pytest

from crypto.group import Group, PairingGroup, load_group, load_pairing_group, native_available
from tests.verifier.equations.ballot_cases import choose, make_contests
from tests.verifier.equations.ceremony_prover import Ceremony
from tests.verifier.equations.provers import Ballot, Randomness, Setting, make_ballot, make_setting

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


@pytest.fixture(scope="session")
def setting(group: Group, pairing: PairingGroup) -> Setting:
    return make_setting(group, pairing, make_contests(group))


@pytest.fixture(scope="session")
def honest(setting: Setting) -> list[Ballot]:
    return [make_ballot(setting, choose(setting)) for _ in range(3)]


@pytest.fixture
def ceremony(group: Group) -> Ceremony:
    return Ceremony(group)
