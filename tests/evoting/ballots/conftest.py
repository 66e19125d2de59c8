"""One open election for all tests here."""

from __future__ import annotations

import pytest

from tests.evoting.ballots.polling import OpenElection, open_election


@pytest.fixture(scope="session")
def polling() -> OpenElection:
    return open_election()
