"""Largest remainder, D'Hondt and the cap: published results, properties, ties."""

from __future__ import annotations

import json
from fractions import Fraction
from math import floor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evoting.seats import Working, describe_step
from evoting.seats.cap import allocate_capped
from evoting.seats.dhondt import allocate_dhondt
from evoting.seats.hare import allocate_hare
from tests.evoting.seats.builders import FINGERPRINT, by_lot

METHODS = pytest.mark.parametrize("allocate", [allocate_hare, allocate_dhondt])
VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "seat-allocation.json").read_text())["cases"]

parties = st.lists(st.integers(1, 10**6), min_size=1, max_size=12).map(
    lambda votes: {chr(97 + index): count for index, count in enumerate(votes)}
)
seats_ = st.integers(1, 120)


def working() -> Working:
    return Working(FINGERPRINT, "c")


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["name"])
def test_official_allocations(case: dict[str, object]) -> None:
    assert case["method"] == "hare_largest_remainder"
    votes: list[int] = case["votes"]  # type: ignore[assignment]
    named = {f"p{index}": count for index, count in enumerate(votes)}
    seats: int = case["seats"]  # type: ignore[assignment]
    assert list(allocate_hare(working(), named, seats).values()) == case["expected"]


def test_osh_2021_tells_the_methods_apart() -> None:
    votes = {"a": 3814, "b": 3217, "c": 1543, "d": 892}
    assert allocate_hare(working(), votes, 45) == {"a": 18, "b": 15, "c": 8, "d": 4}
    assert allocate_dhondt(working(), votes, 45) == {"a": 18, "b": 16, "c": 7, "d": 4}


def test_the_quota_of_2021_is_printed_as_published() -> None:
    case = VECTORS[0]
    work = working()
    allocate_hare(work, {f"p{index}": count for index, count in enumerate(case["votes"])}, case["seats"])
    lines = [describe_step(step) for step in work.steps]
    assert lines[0] == "quota = 813687 / 54 = 15068.28"
    assert lines[1] == "p0: 222005 / quota = 14 seats, remainder 11049.11 votes"
    assert lines[-1] == "p1: one more seat for the remainder 8718.94"


def test_dhondt_shows_each_quotient() -> None:
    work = working()
    allocate_dhondt(work, {"a": 10, "b": 7, "c": 4}, 3)
    assert [describe_step(step) for step in work.steps] == [
        "seat 1: a, 10 / 1 = 10.00",
        "seat 2: b, 7 / 1 = 7.00",
        "seat 3: a, 10 / 2 = 5.00",
    ]


@METHODS
@given(votes=parties, seats=seats_)
def test_all_seats_are_given(allocate: object, votes: dict[str, int], seats: int) -> None:
    result = allocate(working(), votes, seats)  # type: ignore[operator]
    assert sum(result.values()) == seats
    assert min(result.values()) >= 0


@METHODS
@given(votes=parties, seats=seats_)
def test_more_votes_never_mean_fewer_seats(allocate: object, votes: dict[str, int], seats: int) -> None:
    result = allocate(working(), votes, seats)  # type: ignore[operator]
    for one, count in votes.items():
        for other, less in votes.items():
            assert count <= less or result[one] >= result[other]


@METHODS
@given(votes=parties, seats=seats_, data=st.data())
def test_the_order_of_parties_does_not_matter(
    allocate: object, votes: dict[str, int], seats: int, data: st.DataObject
) -> None:
    shuffled = dict(data.draw(st.permutations(list(votes.items()))))
    result = allocate(working(), votes, seats)  # type: ignore[operator]
    assert allocate(working(), shuffled, seats) == result  # type: ignore[operator]


@given(votes=parties, seats=seats_)
def test_largest_remainder_stays_within_one_seat_of_the_exact_share(votes: dict[str, int], seats: int) -> None:
    total = sum(votes.values())
    for party, count in allocate_hare(working(), votes, seats).items():
        assert floor(Fraction(votes[party] * seats, total)) <= count <= floor(Fraction(votes[party] * seats, total)) + 1


@given(votes=parties, seats=seats_)
def test_dhondt_leaves_no_party_a_better_claim(votes: dict[str, int], seats: int) -> None:
    result = allocate_dhondt(working(), votes, seats)
    last_given = min(Fraction(votes[party], count) for party, count in result.items() if count)
    best_refused = max(Fraction(votes[party], count + 1) for party, count in result.items())
    assert last_given >= best_refused


@given(votes=parties, seats=seats_)
def test_dhondt_gives_nobody_fewer_seats_of_a_larger_house(votes: dict[str, int], seats: int) -> None:
    small, large = allocate_dhondt(working(), votes, seats), allocate_dhondt(working(), votes, seats + 1)
    assert all(small[party] <= large[party] for party in votes)


@METHODS
@settings(max_examples=60)
@given(votes=parties, seats=seats_, cap=st.integers(1, 60))
def test_nobody_exceeds_the_cap_and_vacancy_means_all_are_at_it(
    allocate: object, votes: dict[str, int], seats: int, cap: int
) -> None:
    result, vacant = allocate_capped(working(), allocate, votes, seats, cap)  # type: ignore[arg-type]
    assert max(result.values()) <= cap
    assert sum(result.values()) + vacant == seats
    assert not vacant or set(result.values()) == {cap}


def test_the_cap_of_2021_passes_seats_on_in_a_new_round() -> None:
    work = working()
    votes = {"a": 700, "b": 200, "c": 100}
    assert allocate_capped(work, allocate_hare, votes, 54, 27) == ({"a": 27, "b": 18, "c": 9}, 0)
    lines = [describe_step(step) for step in work.steps]
    assert "a: 38 seats exceed the cap, so it keeps 27" in lines
    assert "27 seats among 2 parties" in lines
    assert "quota = 300 / 27 = 11.11" in lines


def test_one_party_alone_stops_at_the_cap() -> None:
    assert allocate_capped(working(), allocate_hare, {"a": 5}, 54, 27) == ({"a": 27}, 27)
    assert allocate_capped(working(), allocate_hare, {"a": 5}, 54, None) == ({"a": 54}, 0)


def test_equal_remainders_are_decided_by_lot_and_listed() -> None:
    work = working()
    result = allocate_hare(work, {"a": 100, "b": 100, "c": 100}, 4)
    order = by_lot("a", "b", "c")
    assert result == {party: 2 if party == order[0] else 1 for party in "abc"}
    (tie,) = work.ties
    assert (tie.purpose, list(tie.ids), tie.places, tie.by) == ("remainder", order, 1, "lot")


def test_equal_quotients_are_decided_by_lot_and_listed() -> None:
    work = working()
    result = allocate_dhondt(work, {"a": 60, "b": 60, "c": 30}, 5)
    # 60, 60, then 30 four times over: two halves and c's whole for three seats of which all are given.
    assert (result["a"], result["b"], result["c"], work.ties) == (2, 2, 1, [])
    work = working()
    result = allocate_dhondt(work, {"a": 60, "b": 60, "c": 30}, 4)
    order = by_lot("a", "b", "c")
    assert result == {party: {"a": 1, "b": 1, "c": 0}[party] + (party in order[:2]) for party in "abc"}
    (tie,) = work.ties
    assert (tie.purpose, list(tie.ids), tie.places) == ("quotient", order, 2)


def test_lots_change_with_the_fingerprint_and_the_contest() -> None:
    assert len({Working(bytes([n]) * 32, name).lot("a") for n in range(4) for name in ("c", "d")}) == 8


def test_a_tie_that_decides_nothing_is_not_listed() -> None:
    work = working()
    assert work.pick("x", {"a": 3, "b": 3, "c": 1}, 2) == by_lot("a", "b")
    assert work.pick("x", {"a": 3, "b": 3}, 5) == by_lot("a", "b")
    assert work.pick("x", {"a": 3, "b": 3}, 0) == []
    assert work.ties == []
