"""The open election of the ballots' tests."""

from __future__ import annotations

import pytest

from tests.evoting.ballots.polling import OpenElection, open_election


@pytest.fixture(scope="session")
def polling() -> OpenElection:
    return open_election()
