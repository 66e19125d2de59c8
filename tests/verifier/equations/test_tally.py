"""Counts, totals and outcomes: what a group's plaintexts give, and every published field that could differ."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.equations import outcome_count, outcome_rules, tally
from verifier.equations.decryption import NO_CODE
from verifier.equations.outcome import check_outcome
from verifier.equations.outcome_count import required
from verifier.equations.tally import check_group, check_totals, is_regular

VECTORS = Path(__file__).parents[3] / "docs" / "spec" / "vectors" / "outcomes.json"
CASES = {case["name"]: case for case in json.loads(VECTORS.read_text("utf-8"))["cases"]}

QUESTION: dict[str, Any] = {"kind": "homomorphic", "options": [{"id": "yes"}, {"id": "no"}], "min": 0, "max": 1}
LIST: dict[str, Any] = {
    "kind": "mixed",
    "ballot": "open-list",
    "width": 1,
    "against-all": None,
    "parties": [{"id": "red", "candidates": [{"id": "1"}]}, {"id": "blue", "candidates": []}],
}  # codes: red, red/1, blue, blank
RANKED: dict[str, Any] = {
    "kind": "mixed",
    "ballot": "ranked",
    "width": 3,
    "against-all": {"en": "x"},
    "candidates": [{"id": "a"}, {"id": "b"}, {"id": "c"}],
}  # codes: a, b, c, against-all, none


def group(**fields: Any) -> dict[str, Any]:
    base = {"group": "g", "styles": ["s"], "status": "tallied", "counts": None, "rankings": None, "invalid": 0}
    return base | fields


def names(failures: list[Any]) -> list[str]:
    return [failure.equation for failure in failures]


def indices(*values: int) -> Any:
    return np.array(values, dtype=np.uint32)


# Groups.


def test_counts_of_a_homomorphic_group() -> None:
    good = group(counted=10, counts=[4, 5])
    assert check_group(QUESTION, good, indices=None) == []
    defects: list[dict[str, Any]] = [{"counts": [4]}, {"counts": None}, {"invalid": 1}, {"rankings": []}]
    for defect in defects:
        assert names(check_group(QUESTION, good | defect, indices=None)) == ["tally.fields"]


@pytest.mark.parametrize("counts", [[11, -1], [6, 5], [-1, 5]])
def test_D7_counts_out_of_bounds(counts: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    bad = group(counted=10, counts=counts)
    assert names(check_group(QUESTION, bad, indices=None)) == ["tally.bounds"]
    monkeypatch.setattr(tally, "homomorphic_bounds", lambda *_: True)
    assert check_group(QUESTION, bad, indices=None) == []


def test_fewer_selections_than_the_minimum() -> None:
    contest = QUESTION | {"min": 1}
    assert names(check_group(contest, group(counted=10, counts=[4, 5]), indices=None)) == ["tally.bounds"]


def test_counts_of_a_list() -> None:
    read = indices(1, 0, 1, NO_CODE, 3)
    good = group(counted=5, counts=[1, 2, 0, 1], invalid=1)
    assert check_group(LIST, good, indices=read) == []
    defects: list[dict[str, Any]] = [{"counts": [1, 1, 1, 1]}, {"invalid": 0}, {"rankings": []}]
    for defect in defects:
        assert names(check_group(LIST, good | defect, indices=read)) == ["tally.counts"]
    assert names(check_group(LIST, good | {"counted": 6}, indices=read)) == ["tally.rows"]
    assert names(check_group(LIST, good, indices=None)) == ["tally.plaintexts"]


def test_counts_of_a_ranked_contest() -> None:
    read = indices(0, 1, 4, 0, 1, 4, 3, 4, 4, 0, 0, 4, 2, NO_CODE, 4)
    good = group(counted=5, rankings=[[[0, 1, 4], 2], [[3, 4, 4], 1]], invalid=2)
    assert check_group(RANKED, good, indices=read) == []
    changed = good | {"rankings": [[[0, 1, 4], 1], [[3, 4, 4], 2]]}
    assert names(check_group(RANKED, changed, indices=read)) == ["tally.counts"]
    reordered = good | {"rankings": list(reversed(good["rankings"]))}
    assert names(check_group(RANKED, reordered, indices=read)) == ["tally.counts"]


@pytest.mark.parametrize(
    ("ballot", "regular"),
    [
        ((0, 1, 2), True),
        ((0, 4, 4), True),
        ((4, 4, 4), True),
        ((3, 4, 4), True),
        ((0, 0, 4), False),  # the same candidate twice
        ((0, 4, 1), False),  # a rank after none
        ((4, 0, 4), False),
        ((3, 0, 4), False),  # against all, and somebody
        ((0, 3, 4), False),
        ((3, 3, 4), False),
        ((0, 1, 5), False),  # no code
        ((0, 1, NO_CODE), False),
    ],
)
def test_regular_ballots(ballot: tuple[int, ...], regular: bool) -> None:
    codes = ["a", "b", "c", "against-all", "none"]
    assert is_regular(codes, ballot) == regular


@pytest.mark.parametrize(
    ("contest", "zero"), [(QUESTION, {"counts": [0, 0]}), (LIST, {"counts": [0] * 4}), (RANKED, {"rankings": []})]
)
def test_an_empty_group_is_all_zero(contest: dict[str, Any], zero: dict[str, Any]) -> None:
    empty = group(status="empty", counted=0, **zero)
    assert check_group(contest, empty, indices=None) == []
    defects: list[dict[str, Any]] = [{"counted": 1}, {"invalid": 1}, {"counts": [1]}]
    for defect in defects:
        assert names(check_group(contest, empty | defect, indices=None)) == ["tally.empty"]


def test_D10_a_withheld_group_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    withheld = group(status="withheld", counted=3, invalid=None)
    assert check_group(QUESTION, withheld, indices=None) == []
    defects: list[dict[str, Any]] = [{"counts": [1, 2]}, {"invalid": 0}, {"rankings": []}]
    for defect in defects:
        assert names(check_group(QUESTION, withheld | defect, indices=None)) == ["tally.withheld"]
    monkeypatch.setattr(tally, "withheld_tells_nothing", lambda _: True)
    assert check_group(QUESTION, withheld | {"counts": [1, 2]}, indices=None) == []


@given(st.lists(st.tuples(*[st.integers(0, 5)] * 3), max_size=40))
@settings(max_examples=60, deadline=None)
def test_rankings_and_invalid_ballots_are_all_ballots(ballots: list[tuple[int, ...]]) -> None:
    read = np.array([index for ballot in ballots for index in ballot], dtype=np.uint32)
    counted = tally.count_rankings(RANKED, read)
    assert sum(number for _, number in counted["rankings"]) + counted["invalid"] == len(ballots)
    assert counted["rankings"] == sorted(counted["rankings"])


# Totals.

ROLLS = {"s": 100, "t": 50}


def list_result() -> dict[str, Any]:
    groups = [
        group(counted=6, counts=[1, 2, 1, 1], invalid=1),
        group(group="h", styles=["t"], counted=4, counts=[0, 4, 0, 0], invalid=0),
    ]
    totals = {
        "registered": 150,
        "counted": 10,
        "invalid": 1,
        "valid": 9,
        "blank": 1,
        "choices": 8,
        "counts": [1, 6, 1, 1],
        "rankings": None,
    }
    return {"groups": groups, "totals": totals}


def test_totals_are_the_groups_sums() -> None:
    assert check_totals(LIST, list_result(), ROLLS) == []


@pytest.mark.parametrize("field", ["registered", "counted", "invalid", "valid", "blank", "choices", "counts"])
def test_D7_every_field_of_the_totals_is_compared(field: str) -> None:
    result = list_result()
    result["totals"][field] = [2, 5, 1, 1] if field == "counts" else result["totals"][field] + 1
    failures = check_totals(LIST, result, ROLLS)
    assert names(failures) == ["tally.totals"]
    assert field in failures[0].sentence


def test_D10_totals_beside_a_withheld_group() -> None:
    result = list_result()
    result["groups"][1] |= {"status": "withheld", "counts": None, "invalid": None}
    assert names(check_totals(LIST, result, ROLLS)) == ["tally.withheld"]
    result["totals"] = None
    assert check_totals(LIST, result, ROLLS) == []
    complete = list_result() | {"totals": None}
    assert names(check_totals(LIST, complete, ROLLS)) == ["tally.totals"]


def test_blank_ballots_can_be_told_only_with_one_choice() -> None:
    groups = [group(counted=10, counts=[4, 5])]
    assert tally.sum_groups(QUESTION, groups, ROLLS)["blank"] == 1
    assert tally.sum_groups(QUESTION | {"max": 2}, groups, ROLLS)["blank"] is None
    ranked = [group(counted=3, rankings=[[[0, 1, 4], 2], [[4, 4, 4], 1]])]
    assert tally.sum_groups(RANKED, ranked, ROLLS)["blank"] == 1
    none_blank = tally.sum_groups(LIST, [group(counted=5, counts=[1, 2, 1, 0], invalid=1)], ROLLS)
    assert (none_blank["blank"], none_blank["choices"]) == (0, 4)


@pytest.mark.parametrize(
    ("contest", "defect"),
    [
        (LIST, {"counts": [1, 2]}),
        (LIST, {"counts": None}),
        (LIST, {"invalid": None}),
        (LIST, {"rankings": []}),
        (RANKED, {"rankings": [[[0, 5, 4], 1]]}),
        (RANKED, {"rankings": [[[0], 1]]}),
        (RANKED, {"rankings": None}),
    ],
)
def test_groups_that_do_not_fit_the_contest_are_refused_not_summed(contest: Any, defect: dict[str, Any]) -> None:
    fitting = {"counts": [1, 2, 1, 1]} if contest is LIST else {"rankings": [[[0, 1, 4], 2]]}
    result = {"groups": [group(counted=5, **fitting) | defect], "totals": None}
    assert names(check_totals(contest, result, ROLLS)) == ["tally.form"]


# Outcomes. The vectors are true; here every part of them is changed.


def check(case: dict[str, Any]) -> list[str]:
    manifest = {key: case[key] for key in ("styles", "units")} | {"regions": [{"id": r} for r in case["regions"]]}
    result = {key: case[key] for key in ("groups", "totals", "withdrawn", "outcome")}
    return names(check_outcome(manifest, case["contest"], result, bytes.fromhex(case["fingerprint"])))


@pytest.mark.parametrize("name", CASES)
def test_every_published_field_of_an_outcome_is_compared(name: str) -> None:
    case = CASES[name]
    others: dict[str, Any] = {
        "status": "withheld" if case["outcome"]["status"] != "withheld" else "decided",
        "elected": [*case["outcome"]["elected"], {"id": "z", "votes": 1, "by": "votes"}],
        "seats": [*case["outcome"]["seats"], {"party": "z", "seats": 1}],
        "vacant": case["outcome"]["vacant"] + 1,
        "advance": [*case["outcome"]["advance"], "z"],
        "adopted": "z",
        "ties": [*case["outcome"]["ties"], {"purpose": "seat", "ids": ["a", "b"], "places": 1, "by": "lot"}],
        "steps": [*case["outcome"]["steps"], ["elected", "z", [1]]],
    }
    assert set(others) == set(case["outcome"])
    for field, value in others.items():
        changed = copy.deepcopy(case)
        changed["outcome"][field] = value
        assert check(changed) == [f"outcome.{field}"]


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case["outcome"]["steps"]])
def test_every_step_is_compared(name: str) -> None:
    case = CASES[name]
    for number, step in enumerate(case["outcome"]["steps"][:12]):
        changed = copy.deepcopy(case)
        changed["outcome"]["steps"][number] = [step[0], step[1], [*step[2], 1]]
        assert check(changed) == ["outcome.steps"]
    shorter = copy.deepcopy(case)
    del shorter["outcome"]["steps"][-1]
    assert check(shorter) == ["outcome.steps"]


#: Functions of the rules -> what they do when they do nothing.
RULES: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "list-seats": (outcome_rules, "list_seats", lambda count: None),
    "referendum": (outcome_rules, "referendum", lambda count: None),
    "majority": (outcome_rules, "majority_second_round", lambda count: None),
    "top-k": (outcome_rules, "top_k", lambda count: None),
    "council": (outcome_rules, "council_majority", lambda count: None),
    "run-off": (outcome_rules, "instant_runoff", lambda count: None),
    "other sex": (outcome_rules, "other_sex_last", lambda count, chosen, supported, elected: elected),
    "areas": (outcome_count.Count, "areas", lambda self: []),
    "against all": (outcome_count.Count, "against_all_wins", lambda self, others, votes=None: False),
    "threshold": (outcome_count.Count, "reaches", lambda self, name, subject, votes, base, share: True),
    "lot": (outcome_count.Count, "lot", lambda self, identifier: identifier.encode()),
    "ties": (outcome_count.Count, "_take", lambda self, purpose, ordered, scores, places, by: ordered[:places]),
    "quota": (outcome_rules, "required", lambda quota, seats: 0),
    "cap": (outcome_rules, "capped", lambda count, method, votes, seats, cap: (method(count, votes, seats), 0)),
    "base": (outcome_count.Count, "base", lambda self, share, totals=None: 1),
}


@pytest.mark.parametrize("name", RULES)
def test_D9_a_rule_replaced_is_noticed_by_some_vector(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, function, replacement = RULES[name]
    monkeypatch.setattr(owner, function, replacement)
    assert any(check(case) for case in CASES.values())


def test_a_vote_moved_between_candidates_changes_the_outcome_of_every_decided_vector() -> None:
    noticed = 0
    for case in CASES.values():
        totals = case["totals"]
        if totals is None or totals["counts"] is None or case["outcome"]["status"] != "decided":
            continue
        changed = copy.deepcopy(case)
        largest = max(range(len(totals["counts"])), key=lambda i: totals["counts"][i])
        changed["totals"]["counts"][largest] -= 1
        noticed += bool(check(changed))
    assert noticed >= 10


@pytest.mark.parametrize("defect", [{"counts": [1]}, {"counts": None}, {"invalid": None}])
def test_totals_that_do_not_fit_the_contest_are_refused_not_counted(defect: dict[str, Any]) -> None:
    case = copy.deepcopy(next(case for case in CASES.values() if case["contest"]["rule"]["kind"] == "top-k"))
    case["totals"] |= defect
    assert check(case) == ["outcome.form"]
    case["totals"] = None
    assert check(case) == ["outcome.form"]


@given(st.integers(0, 1000), st.integers(0, 30), st.integers(1, 30))
def test_quotas_are_exact(seats: int, numerator: int, denominator: int) -> None:
    up = required({"fraction": [numerator, denominator], "rounding": "up"}, seats)
    down = required({"fraction": [numerator, denominator], "rounding": "down"}, seats)
    assert down * denominator <= numerator * seats <= up * denominator
    assert up - down == (0 if (numerator * seats) % denominator == 0 else 1)


def test_all_rules_of_the_manifest_are_known() -> None:
    kinds = {case["contest"]["rule"]["kind"] for case in CASES.values()}
    assert kinds == {
        "list-seats",
        "referendum",
        "majority-second-round",
        "top-k",
        "council-majority",
        "instant-runoff",
    }
