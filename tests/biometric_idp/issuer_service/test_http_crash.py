"""An issuer that dies while it answers and signs: nobody gets two, nobody is locked out, a retry completes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.biometric_idp.issuer_service.places import IssuerPlace
from tests.crash.issuer import Seen, check_the_end, one_life, run
from tests.crash.issuer_process import KILLED
from tests.support.running import Service

pytestmark = pytest.mark.slow

PROCESS = "tests.crash.issuer_process"


@pytest.mark.parametrize(
    ("point", "count"),
    [
        ("before-commit", 1),
        ("after-commit", 1),
        # The first signature is made when the service starts, before it listens.
        ("before-sign", 2),
        ("before-sign", 3),
        ("after-sign", 2),
        ("after-sign", 3),
        ("after-publish", 1),
        ("after-publish", 2),
    ],
)
def test_O1_killed_at_a_durable_point_of_the_service(place_on_both: IssuerPlace, point: str, count: int) -> None:
    world = place_on_both.world
    requests = {(at, which): world.request(world.wallet(at)).encode() for at in range(4) for which in (0, 1)}
    seen = Seen()

    def until_it_dies(service: Service) -> None:
        assert service.process.wait(60) == KILLED

    one_life(place_on_both, seen, requests, until_it_dies, PROCESS, place_on_both.config, point, count)
    place_on_both.stop()
    check_the_end(place_on_both, seen, requests)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_O1_killed_at_random_moments_under_load(tmp_path: Path, kind: str, request: pytest.FixtureRequest) -> None:
    database = request.getfixturevalue("postgres").database() if kind == "postgresql" else None
    seen = run(tmp_path, 20, database, seed=3)
    assert len(seen.partials) == 120
    assert seen.lost > 0
    assert seen.heads
