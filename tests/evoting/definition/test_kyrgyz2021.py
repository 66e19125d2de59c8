"""The demonstration election: its figures are the published ones, and its ballots are exactly what it expects."""

from __future__ import annotations

import hashlib
import json
import tracemalloc
from importlib.resources import files
from typing import Any

import numpy as np
import pytest

from evoting.definition import DefinitionError, decode_manifest, encode_manifest
from evoting.examples.apportion import apportion, table
from evoting.examples.kyrgyz2021 import (
    BLANK_CHOICE,
    INVALID_CHOICE,
    ContestSelection,
    DemoElection,
    DemoOptions,
    demo_election,
    role_plan,
)

OPTIONS = DemoOptions(opens=1_700_000_000, closes=1_700_003_600)
ELECTORATE = 1_394_218


def demo(scale: int, contest: ContestSelection = "both", options: DemoOptions = OPTIONS) -> DemoElection:
    keys = {role_id: hashlib.sha256(role_id.encode()).digest() for role_id, _, _ in role_plan(options)}
    return demo_election(scale, contest, keys, options)


def source(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((files("evoting.examples") / name).read_text(encoding="utf-8"))
    return loaded


def party_votes(votes: tuple[int, ...]) -> list[int]:
    return [sum(votes[start : start + 55]) for start in range(0, 21 * 55, 55)]


def test_full_scale_has_the_official_referendum() -> None:
    totals = demo(1).totals("referendum")
    official = source("kg-2021-referendum.json")
    assert totals.votes == tuple(option["votes"] for option in official["options"])
    assert (totals.ballots, totals.blank, totals.invalid) == (ELECTORATE, 46_657, 0)


def test_full_scale_has_the_published_list_votes_and_blanks_for_the_rest() -> None:
    totals = demo(1).totals("parliament")
    published = source("kg-2021-parliament-list.json")
    votes = party_votes(totals.votes)
    assert votes[:6] == [party["votes"] for party in published["parties_final"]]
    # El Umutu: 4.46 % of 1,283,266 is 57,233.66.
    assert votes[6] == 57_234
    minor = published["others_preliminary_percent"]
    for count, party in zip(votes[6:], minor, strict=True):
        assert abs(count * 10_000 - round(party["percent"] * 100) * 1_283_266) <= 5_000
    assert totals.votes[-2] == 27_847
    assert sum(totals.votes) + totals.invalid == totals.ballots == ELECTORATE
    assert totals.votes[-1] == totals.blank
    assert totals.blank + totals.invalid == ELECTORATE - sum(votes) - 27_847


@pytest.mark.parametrize(("scale", "ballots"), [(1, ELECTORATE), (7, 199_174), (100, 13_942), (1000, 1_394)])
def test_every_scale_is_consistent_and_close_to_the_full_figures(scale: int, ballots: int) -> None:
    election, full = demo(scale), demo(1)
    assert decode_manifest(encode_manifest(election.manifest)) == election.manifest
    assert sum(election.ballots.values()) == ballots
    for style in election.manifest.styles:
        counts = [election.expected[contest][style.id] for contest in style.contests]
        assert {count.ballots for count in counts} == {election.ballots[style.id]}
        assert election.ballots[style.id] <= style.roll
        referendum, parliament = counts
        assert sum(referendum.votes) + referendum.blank == referendum.ballots
        assert sum(parliament.votes) + parliament.invalid == parliament.ballots
        assert min(*referendum.votes, referendum.blank, *parliament.votes, parliament.invalid) >= 0
        assert election.ballots[style.id] >= 40
    for exact, scaled in (
        (full.totals("referendum").votes, election.totals("referendum").votes),
        (party_votes(full.totals("parliament").votes), party_votes(election.totals("parliament").votes)),
    ):
        for large, small in zip(exact, scaled, strict=True):
            assert abs(large * ballots / ELECTORATE - small) < 1
    assert election.totals("parliament").invalid >= 2


def test_one_list_contest_has_1157_codes_and_one_electorate() -> None:
    manifest = demo(1000).manifest
    assert len(manifest.contest_by_id["parliament"].codes) == 1157  # type: ignore[union-attr]
    assert len(manifest.styles) == 9
    abroad = [unit for unit in manifest.units if unit.kind == "abroad"]
    assert len(abroad) == 100
    assert {unit.id for unit in abroad} < set(manifest.style_by_id["bishkek"].units)
    assert len({unit.id.split("-")[1] for unit in abroad}) == 34
    assert manifest.model
    assert sum(style.roll for style in demo(1).manifest.styles) == 3_563_574


@pytest.mark.parametrize("style", ["talas", "bishkek"])
def test_choices_are_exactly_the_expected_counts(style: str) -> None:
    election = demo(100)
    choices = election.choices(style)
    for contest, values in choices.items():
        counts = election.expected[contest][style]
        assert len(values) == counts.ballots
        found = np.bincount(values[values >= 0], minlength=len(counts.votes))
        assert found.tolist() == list(counts.votes)
        assert int((values == INVALID_CHOICE).sum()) == counts.invalid
        assert int((values == BLANK_CHOICE).sum()) == (counts.blank if contest == "referendum" else 0)
        assert values.tolist() != sorted(values.tolist())
    again = demo(100).choices(style)
    assert all((again[contest] == values).all() for contest, values in choices.items())


def test_one_contest_alone_keeps_its_counts() -> None:
    contests: list[ContestSelection] = ["referendum", "parliament"]
    for contest in contests:
        alone = demo(1000, contest)
        assert [entry.id for entry in alone.manifest.contests] == [contest]
        assert alone.expected[contest] == demo(1000).expected[contest]


def test_memory_depends_on_codes_and_not_on_ballots() -> None:
    demo(1)
    tracemalloc.start()
    try:
        election = demo(1)
        election.totals("parliament")
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_a_scale_that_is_too_coarse_is_refused_by_name() -> None:
    with pytest.raises(DefinitionError, match=r"styles\[\d\].roll: roll of \d+ is below the unit minimum of 40"):
        demo(10_000)
    tiny = demo(20_000, options=DemoOptions(1, 2, homomorphic_minimum=1, mixed_minimum=1))
    assert sum(tiny.ballots.values()) == 70


def test_missing_and_foreign_keys_are_refused() -> None:
    with pytest.raises(ValueError, match="role plan"):
        demo_election(1000, "both", {}, OPTIONS)
    with pytest.raises(ValueError, match="scale"):
        demo(0)


def test_apportion_is_largest_remainder_with_ties_to_the_lower_index() -> None:
    assert apportion(10, [1, 1, 1]) == (4, 3, 3)
    assert apportion(54, [222005, 174470, 141009, 106955, 90223, 79025]) == (15, 12, 9, 7, 6, 5)
    assert apportion(5, [3, 1], [2, 9]) == (2, 3)
    assert apportion(0, [0, 0]) == (0, 0)
    with pytest.raises(ValueError, match="nowhere"):
        apportion(1, [0, 0])


def test_table_keeps_both_margins() -> None:
    made = table([7, 5, 8], [10, 6, 4], [[3, 2, 2], [1, 1, 1], [5, 1, 2]])
    assert [sum(column) for column in made] == [7, 5, 8]
    assert [sum(row) for row in zip(*made, strict=True)] == [10, 6, 4]
