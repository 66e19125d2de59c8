"""Openings of challenged ballots, with one planted defect for each check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from crypto.group import ORDER, Group, PairingGroup
from tests.verifier.equations.provers import (
    Encrypted,
    Randomness,
    Setting,
    make_ballot,
    make_setting,
    prove_codes,
    prove_selections,
    to_batch,
)
from verifier.equations import challenges
from verifier.equations.challenges import NO_CODE, verify_openings
from verifier.equations.interface import ContestOpening, ContestShape
from verifier.equations.parameters import code_elements

Openings = list[list[ContestOpening]]


@pytest.fixture(scope="module")
def setting(group: Group, pairing: PairingGroup) -> Setting:
    codes = code_elements(group, bytes(32), "list", ["a", "b", "none"])
    contests = [
        ContestShape("president", "homomorphic", 0, options=3, minimum=1, maximum=1),
        ContestShape("list", "mixed", 1, width=2, code_book=codes),
    ]
    return make_setting(group, pairing, contests)


def verdict(setting: Setting, change: Callable[[Openings], None] = lambda _: None) -> list[tuple[int, str, str]]:
    """Two challenged ballots, the second with the change."""

    def choose(shape: ContestShape, pseudonym: bytes) -> Encrypted:
        if shape.kind == "mixed":
            return prove_codes(setting, shape, pseudonym, [1, 2])
        return prove_selections(setting, shape, pseudonym, (0, 1, 0))

    ballots = [make_ballot(setting, choose, kind="challenge") for _ in range(2)]
    openings = [[contest.opening for contest in ballot.contests] for ballot in ballots]
    change(openings)
    batch = to_batch(setting, ballots, "challenge")
    failures = verify_openings(batch, openings, setting.election, setting.group, Randomness("weights"))
    return [(failure.row, failure.reason, failure.equation) for failure in failures]


def with_selections(contest: int, selections: tuple[int, ...]) -> Callable[[Openings], None]:
    def change(openings: Openings) -> None:
        openings[1][contest] = replace(openings[1][contest], selections=selections)

    return change


def with_randomizer(contest: int, number: int, difference: int) -> Callable[[Openings], None]:
    def change(openings: Openings) -> None:
        old = openings[1][contest].randomizers
        value = (int.from_bytes(old[32 * number : 32 * number + 32], "little") + difference) % 2**256
        new = old[: 32 * number] + value.to_bytes(32, "little") + old[32 * number + 32 :]
        openings[1][contest] = replace(openings[1][contest], randomizers=new)

    return change


def test_openings_that_are_true_are_accepted(setting: Setting) -> None:
    assert verdict(setting) == []


#: Change, the equation that notices it, and whether it is the only one.
CASES: dict[str, tuple[Callable[[Openings], None], str, str]] = {
    "W4 another option": (with_selections(0, (1, 0, 0)), "opening.data", "opening_data"),
    "another code": (with_selections(1, (0, 2)), "opening.data", "opening_data"),
    "a huge value": (with_selections(0, (0, 1 + 2**52, 0)), "opening.data", "opening_data"),
    "no such code": (with_selections(1, (1, 3)), "opening.selections", "selections_known"),
}


@pytest.mark.parametrize("name", CASES)
def test_only_the_violated_check_is_named(setting: Setting, name: str) -> None:
    change, equation, _ = CASES[name]
    assert verdict(setting, change) == [(1, "opening", equation)]


@pytest.mark.parametrize("name", ["W4 another option", "another code", "a huge value"])
def test_D9_the_equation_of_data_replaced_by_pass_is_noticed(
    setting: Setting, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(challenges, "opening_data", lambda *_: True)
    assert verdict(setting, CASES[name][0]) == []


def test_a_value_in_no_code_book_is_checked_by_its_pad_alone(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    def change(openings: Openings) -> None:
        with_selections(1, (NO_CODE, 2))(openings)

    assert verdict(setting, change) == []

    def wrong_pad(openings: Openings) -> None:
        change(openings)
        with_randomizer(1, 0, 1)(openings)

    assert verdict(setting, wrong_pad) == [(1, "opening", "opening.pad")]
    monkeypatch.setattr(challenges, "opening_pad", lambda *_: True)
    assert verdict(setting, wrong_pad) == []


@pytest.mark.parametrize(("contest", "number"), [(0, 0), (0, 2), (1, 1)])
def test_every_randomizer_counts(setting: Setting, contest: int, number: int) -> None:
    assert verdict(setting, with_randomizer(contest, number, 1)) == [(1, "opening", "opening.pad")]


def test_a_randomizer_plus_the_order_is_refused(setting: Setting) -> None:
    assert verdict(setting, with_randomizer(0, 0, ORDER)) == [(1, "opening", "opening.randomizers")]


def test_the_opening_of_another_ballot_is_refused(setting: Setting) -> None:
    def swap(openings: Openings) -> None:
        openings[0], openings[1] = openings[1], openings[0]

    assert [row for row, _, _ in verdict(setting, swap)] == [0, 1]


def test_a_homomorphic_selection_is_no_code_index(setting: Setting) -> None:
    """2^32 - 1 means "no code" only where there is a code book."""
    assert verdict(setting, with_selections(0, (0, NO_CODE, 0))) == [(1, "opening", "opening.data")]
