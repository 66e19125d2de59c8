"""A short run of what ``make crash`` does two hundred times, and that an interrupted one goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.crash import __main__ as crash
from tests.crash.issuer import Seen
from tests.crash.provider import VOTERS_A_ROUND, run


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_O1_identity_provider_killed_at_random_moments_under_load(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    databases: Mapping[str, str] = {}
    if kind == "postgresql":
        server = request.getfixturevalue("postgres")
        databases = {name: server.database() for name in ("idp", "registrar")}
    outcome = run(tmp_path, 10, databases, seed=4)
    assert (outcome.failed, outcome.doubles, outcome.untrue) == ([], [], [])
    assert len(outcome.voted) == 10 * VOTERS_A_ROUND
    assert outcome.retries > 0
    assert outcome.heads


def test_two_hundred_rounds_are_spread_over_services_and_databases() -> None:
    plan = crash._plan(200)
    assert sum(count for _, _, count in plan) == 200
    by_kind = {kind: sum(count for *one, count in plan if tuple(one) == kind) for kind in crash.KINDS}
    assert set(by_kind.values()) == {50}


def test_an_interrupted_run_goes_on_and_its_figures_are_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The portions themselves are played here; what is tested is what is remembered of them."""
    monkeypatch.chdir(tmp_path)
    played: list[str] = []

    def portion(service: str, database: str, rounds: int, seed: int, directory: Path, name: str) -> crash.Figures:
        assert list(directory.iterdir()) == []
        (directory / "left over").touch()
        played.append(f"{service} {database}")
        if len(played) == 3:
            raise KeyboardInterrupt
        return crash.Figures(rounds, 7, 0, 0, 5, 1.5, ["a violation"] if len(played) == 5 else [])

    monkeypatch.setattr(crash, "run_portion", portion)
    monkeypatch.setattr("sys.argv", ["crash", "--rounds", "40"])
    with pytest.raises(KeyboardInterrupt):
        crash.main()
    assert crash.main() == 1
    assert played == ["issuer sqlite", "idp sqlite", "issuer postgresql", "issuer postgresql", "idp postgresql"]
    figures = json.loads((tmp_path / "var/crash.json").read_text())
    assert (figures["crash_rounds"], figures["crash_voters"], figures["crash_violations"]) == (40, 28, 1)
    assert "a violation" in capsys.readouterr().err


def test_an_issuers_loop_counts_who_has_two_and_who_has_none() -> None:
    seen = Seen()
    seen.asked |= {(0, 0), (0, 1), (1, 0), (2, 0), (3, 0)}
    seen.partials |= {(0, 0): {b"a"}, (0, 1): {b"b"}, (1, 0): {b"c", b"d"}, (3, 0): {b"e"}}
    seen.unanswered |= {(2, 0), (3, 0)}
    assert (seen.doubles(), seen.locked_out(), seen.retried()) == (2, 1, {(3, 0)})
