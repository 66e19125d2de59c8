"""The result blob: what follows from the tallies, and nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import cbor2
import pytest

from crypto import cbor
from evoting.definition import DefinitionError
from evoting.definition.rules import RunoffRule
from evoting.examples.kyrgyz2021 import DemoElection, DemoOptions, demo_election, role_plan
from evoting.seats import (
    GroupTally,
    Result,
    ResultError,
    build_result,
    decode_result,
    describe_outcome,
    encode_result,
    is_regular_ranking,
)
from tests.evoting.definition.builders import places
from tests.evoting.seats.builders import FINGERPRINT, election, list_rule, lists, party_counts, ranked, tally

LIMIT = 1 << 20


def demo() -> DemoElection:
    options = DemoOptions(opens=1, closes=2)
    keys = {role_id: hashlib.sha256(role_id.encode()).digest() for role_id, _, _ in role_plan(options)}
    return demo_election(1000, "both", keys, options)


def demo_tallies(example: DemoElection) -> dict[str, list[GroupTally]]:
    return {
        contest_id: [
            GroupTally(style, (style,), counts.ballots, "tallied", counts.votes, None, counts.invalid)
            for style, counts in by_style.items()
        ]
        for contest_id, by_style in example.expected.items()
    }


def demo_result() -> Result:
    example = demo()
    return build_result(example.manifest, FINGERPRINT, demo_tallies(example))


def small() -> tuple[Result, Any]:
    """A list contest in two groups with a tie, and its tree."""
    contest = lists(list_rule(3), "mf", "fm")
    manifest = election(contest, rolls=[500, 500])
    groups = [
        tally(party_counts(contest, {"a": 40, "b/1": 30}, blank=3), invalid=2),
        replace(tally(party_counts(contest, {"b": 10}, against_all=1)), group="s1", styles=("s1",)),
    ]
    result = build_result(manifest, FINGERPRINT, {"c": groups})
    return result, cbor.decode(encode_result(result))


def refused(result: Result, data: bytes) -> ResultError:
    with pytest.raises(ResultError) as caught:
        decode_result(data, result.manifest, LIMIT, fingerprint=FINGERPRINT)
    return caught.value


def test_the_demonstration_gives_the_seats_of_2021() -> None:
    result = demo_result()
    referendum, parliament = result.contests
    assert referendum.outcome.adopted == "presidential"
    assert [count for _, count in parliament.outcome.seats if count] == [15, 12, 9, 7, 6, 5]
    assert len(parliament.outcome.elected) == 54
    data = encode_result(result)
    assert decode_result(data, result.manifest, LIMIT, fingerprint=FINGERPRINT) == result
    assert cbor2.loads(data) == cbor.decode(data)


def test_every_line_of_the_demonstration_can_be_read() -> None:
    for entry in demo_result().contests:
        lines = describe_outcome(entry.outcome)
        assert len(lines) >= len(entry.outcome.steps)
        assert all(line and "\n" not in line for line in lines)


def test_D7_any_changed_number_is_refused() -> None:
    result, tree = small()
    numbers = [(node, key, path) for node, key, path in places(tree) if type(node[key]) is int]
    assert len(numbers) > 60
    for node, key, path in numbers:
        for change in (1, -1):
            node[key] += change
            if node[key] >= 0:
                error = refused(result, cbor.encode(tree))
                assert error.path.startswith("contests[0]"), (path, error)
            node[key] -= change
    assert encode_result(result) == cbor.encode(tree)


def test_D7_negative_and_enormous_counts_are_refused() -> None:
    result, tree = small()
    counts = tree["contests"][0]["groups"][0]["counts"]
    counts[0], counts[1] = counts[0] + 1, -1
    assert refused(result, cbor.encode(tree)).path == "contests[0].groups[0].counts[1]"
    counts[1] = 2**53
    assert "result" in refused(result, cbor2.dumps(tree, canonical=True)).reason


def test_any_other_change_of_the_tree_is_refused() -> None:
    result, tree = small()
    for node, key, _ in places(tree):
        original = node[key]
        if type(original) is int:
            continue
        values: list[object] = [None, "x", [], {}, True, b""]
        for value in values:
            if value == original and type(value) is type(original):
                continue
            node[key] = value
            error = refused(result, cbor.encode(tree) if isinstance(tree, dict) else b"")
            assert "\n" not in str(error)
        node[key] = original


def test_trailing_bytes_and_size_beyond_the_limit_are_refused() -> None:
    result, tree = small()
    data = cbor.encode(tree)
    refused(result, data + b"\0")
    refused(result, data[:-1])
    with pytest.raises(ResultError, match="limit"):
        decode_result(data, result.manifest, len(data) - 1)


def test_the_error_names_the_first_place_that_does_not_follow() -> None:
    result, tree = small()
    seats = tree["contests"][0]["outcome"]["seats"][1]
    true, seats["seats"] = seats["seats"], 3
    error = refused(result, cbor.encode(tree))
    assert error.path == "contests[0].outcome.seats[1].seats"
    assert error.reason == f"3, but {true} follows from the tallies"


def test_the_result_of_another_election_is_refused() -> None:
    result, tree = small()
    with pytest.raises(ResultError, match="fingerprint: this is the result of another election"):
        decode_result(cbor.encode(tree), result.manifest, LIMIT, fingerprint=bytes(32))


def test_D10_a_withheld_group_hides_the_totals_and_the_outcome() -> None:
    contest = lists(list_rule(3), "mf", "fm")
    manifest = election(contest)
    hidden = GroupTally("s0", ("s0",), 7, "withheld", None, None, None)
    (entry,) = build_result(manifest, FINGERPRINT, {"c": [hidden]}).contests
    assert (entry.totals, entry.outcome.status, entry.outcome.steps) == (None, "withheld", ())
    shown = replace(hidden, counts=(7, 0, 0, 0, 0, 0, 0, 0), invalid=0)
    with pytest.raises(ResultError, match="a withheld group shows counts"):
        build_result(manifest, FINGERPRINT, {"c": [shown]})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"counts": (40, 0, 0, 30, 0, 0, 0)}, "expected 8 counts"),
        ({"counts": (41, 0, 0, 0, 30, 0, 0, 3)}, "are not 75 counted ones"),
        ({"counts": (40, 0, 0, -1, 31, 0, 0, 3)}, "negative"),
        ({"invalid": None}, "invalid"),
        ({"invalid": -2, "counts": (44, 0, 0, 0, 30, 0, 0, 3)}, "invalid"),
        ({"counted": 0, "status": "tallied"}, "0 ballots is not tallied"),
        ({"status": "empty"}, "75 ballots is not empty"),
        ({"styles": ("s1",)}, "exactly once"),
        ({"styles": ("s0", "s1")}, "exactly once"),
        ({"group": "s1"}, "named after its first style"),
    ],
)
def test_groups_that_cannot_be_are_refused(change: dict[str, Any], reason: str) -> None:
    result, _ = small()
    first, second = result.contests[0].groups
    with pytest.raises(ResultError, match=reason):
        build_result(result.manifest, FINGERPRINT, {"c": [replace(first, **change), second]})


def test_a_homomorphic_tally_has_its_bounds() -> None:
    example = demo()
    tallies = demo_tallies(example)
    good = tallies["referendum"][0]
    assert good.counts is not None
    for bad in (
        replace(good, counts=(good.counted + 1, 0, 0)),
        replace(good, counts=(good.counted, 1, 0)),
        replace(good, invalid=1),
    ):
        with pytest.raises(ResultError, match=r"contests\[0\].groups\[0\]"):
            build_result(example.manifest, FINGERPRINT, tallies | {"referendum": [bad, *tallies["referendum"][1:]]})


def test_groups_in_another_order_are_refused() -> None:
    result, _ = small()
    first, second = result.contests[0].groups
    with pytest.raises(ResultError, match="order of their first styles"):
        build_result(result.manifest, FINGERPRINT, {"c": [second, first]})
    merged = replace(first, group="s1", styles=("s1", "s0"))
    with pytest.raises(ResultError, match="manifest's order"):
        build_result(result.manifest, FINGERPRINT, {"c": [merged]})


def test_missing_and_unknown_contests_are_refused() -> None:
    example = demo()
    tallies = demo_tallies(example)
    with pytest.raises(ResultError, match="no tally of contest 'parliament'"):
        build_result(example.manifest, FINGERPRINT, {"referendum": tallies["referendum"]})
    with pytest.raises(ResultError, match="no contest 'x'"):
        build_result(example.manifest, FINGERPRINT, tallies | {"x": []})


def test_rankings_survive_and_irregular_ones_are_refused() -> None:
    contest = ranked(RunoffRule("repeat"), "abc", 2, against_all=True)
    manifest = election(contest)
    # codes: a 0, b 1, c 2, against-all 3, none 4
    rows = (((0, 1), 5), ((1, 4), 4), ((3, 4), 1), ((4, 4), 2))
    group = GroupTally("s0", ("s0",), 13, "tallied", None, rows, 1)
    result = build_result(manifest, FINGERPRINT, {"c": [group]})
    assert decode_result(encode_result(result), manifest, LIMIT, fingerprint=FINGERPRINT) == result
    totals = result.contests[0].totals
    assert totals is not None
    assert (totals.valid, totals.blank, totals.choices) == (12, 2, 10)
    for ranks in ((0, 0), (4, 0), (3, 0), (0, 3), (0, 5), (0,)):
        broken = replace(group, rankings=tuple(sorted([*rows[1:], (ranks, 5)])))
        with pytest.raises(ResultError, match="rankings"):
            build_result(manifest, FINGERPRINT, {"c": [broken]})
    with pytest.raises(ResultError, match="ascending"):
        build_result(manifest, FINGERPRINT, {"c": [replace(group, rankings=rows[::-1])]})


@pytest.mark.parametrize(
    ("ranks", "regular"),
    [
        ((0, 1, 2), True),
        ((2, 4, 4), True),
        ((4, 4, 4), True),
        ((3, 4, 4), True),
        ((0, 4, 1), False),
        ((0, 0, 4), False),
        ((3, 0, 4), False),
        ((0, 3, 4), False),
        ((3, 3, 4), False),
        ((5, 4, 4), False),
        ((0, 0xFFFFFFFF, 4), False),
        ((0xFFFFFFFF, 4, 4), False),
        ((0, 4), False),
    ],
)
def test_which_rankings_are_regular(ranks: tuple[int, ...], regular: bool) -> None:
    contest = ranked(RunoffRule("repeat"), "abc", 3, against_all=True)
    assert is_regular_ranking(contest, ranks) is regular


def test_a_rule_that_does_not_fit_cannot_even_be_defined() -> None:
    with pytest.raises(DefinitionError, match="belong together"):
        election(replace(lists(list_rule(1), "m"), rule=RunoffRule("repeat")))
