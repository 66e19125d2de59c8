"""Columns and sorting against a plain reading of sections 6.5, 6.6 and 7.1."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from verifier.stream import claims
from verifier.stream.judge import VOTER
from verifier.stream.precedence import used_pseudonyms, wrong_excess, wrong_sequences
from verifier.stream.scan import BALLOT, CHALLENGE

#: (pseudonym, sequence, claim)
Row = tuple[int, int, int]


def table(rows: list[Row], kind: int) -> np.ndarray:
    voters = np.zeros(len(rows), dtype=VOTER)
    for ordinal, (pseudonym, sequence, claim) in enumerate(rows):
        # The pseudonyms differ in one word only, a different one for odd and even ones.
        voters[ordinal] = ([7, 7, 7 + pseudonym // 2 * (pseudonym % 2), pseudonym], sequence, ordinal, 0, claim, kind)
    return np.random.default_rng(0).permutation(voters)


def plain_sequences(rows: list[Row]) -> set[int]:
    """Ordinals that section 6.5 and 7.1 do not allow as claimed."""
    wrong: set[int] = set()
    highest: dict[int, int] = {}
    last: dict[int, int] = {}
    for ordinal, (pseudonym, sequence, claim) in enumerate(rows):
        rises = highest.get(pseudonym, -1) < sequence <= highest.get(pseudonym, 0) + 65_536
        if claim == claims.SEQUENCE:
            if rises:
                wrong.add(ordinal)
            continue
        if not rises:
            wrong.add(ordinal)
        highest[pseudonym] = sequence
        last[pseudonym] = ordinal
    for ordinal, (pseudonym, _, claim) in enumerate(rows):
        if claim != claims.SEQUENCE and (claim == claims.COUNTED) != (last[pseudonym] == ordinal):
            wrong.add(ordinal)
    return wrong


@given(
    st.lists(
        st.tuples(
            st.integers(0, 5),
            st.sampled_from([0, 1, 2, 3, 4, 65_536, 65_537, 65_538, 131_073, 2**53 - 1]),
            st.sampled_from([claims.COUNTED, claims.SUPERSEDED, claims.SEQUENCE]),
        ),
        max_size=25,
    )
)
def test_sequences(rows: list[Row]) -> None:
    assert {ordinal for ordinal, _, _ in wrong_sequences(table(rows, BALLOT))} == plain_sequences(rows)


def test_a_number_is_at_most_65536_above_the_one_before() -> None:
    counted, rejected = claims.COUNTED, claims.SEQUENCE
    for rows, wrong in (
        ([(0, 65_536, counted)], set()),
        ([(0, 65_537, counted)], {0}),
        ([(0, 65_537, rejected)], set()),
        ([(0, 3, claims.SUPERSEDED), (0, 65_539, counted)], set()),
        ([(0, 3, claims.SUPERSEDED), (0, 65_540, counted)], {1}),
        ([(0, 3, counted), (0, 65_539, rejected)], {1}),
        ([(0, 3, counted), (0, 65_540, rejected)], set()),
        ([(1, 65_536, counted), (0, 131_072, counted)], {1}),
    ):
        assert {ordinal for ordinal, _, _ in wrong_sequences(table(rows, BALLOT))} == wrong, rows


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.just(0), st.sampled_from([claims.CHALLENGED, claims.EXCESS])), max_size=25
    ),
    st.integers(0, 4),
)
def test_excess(rows: list[Row], allowed: int) -> None:
    wrong, before = set(), dict.fromkeys(range(5), 0)
    for ordinal, (pseudonym, _, claim) in enumerate(rows):
        if (claim == claims.CHALLENGED) != (before[pseudonym] < allowed):
            wrong.add(ordinal)
        before[pseudonym] += claim == claims.CHALLENGED
    assert {ordinal for ordinal, _, _ in wrong_excess(table(rows, CHALLENGE), allowed)} == wrong


def test_an_honest_revote_is_accepted() -> None:
    rows = [(1, 0, claims.SUPERSEDED), (2, 5, claims.COUNTED), (1, 3, claims.COUNTED), (1, 3, claims.SEQUENCE)]
    assert not list(wrong_sequences(table(rows, BALLOT)))


def test_ballots_and_challenges_use_a_credential_once() -> None:
    ballots = table([(1, 0, claims.COUNTED), (1, 1, claims.SUPERSEDED), (2, 0, claims.DUPLICATE)], BALLOT)
    challenges = table([(1, 0, claims.CHALLENGED), (3, 0, claims.CHALLENGED), (4, 0, claims.OPENING)], CHALLENGE)
    assert used_pseudonyms(np.concatenate((ballots, challenges)), 0) == 2
    assert used_pseudonyms(ballots[:0], 0) == 0
