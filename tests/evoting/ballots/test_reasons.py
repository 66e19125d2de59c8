"""Every reason of rejection (docs/spec/06-ballots.md sections 6.5, 6.6), judged by the office and by the verifier."""

from __future__ import annotations

import pytest

from evoting.ballots.check import judge_entries
from evoting.ballots.dispositions import REASONS, describe_disposition
from evoting.office.selection import select
from evoting.record.election import is_challenge_entry
from tests.evoting.ballots.cases import CASES
from tests.evoting.ballots.polling import CHALLENGES, STYLES, OpenElection
from tests.evoting.ballots.second_judge import objections


@pytest.mark.parametrize("name", CASES)
def test_the_office_judges_it_so_and_the_verifier_agrees(polling: OpenElection, name: str) -> None:
    entries = CASES[name].make(polling)
    selection = polling.judge(entries)
    assert [describe_disposition(byte) for byte in selection.dispositions] == list(CASES[name].fates)
    assert objections(polling, entries, selection.dispositions) == {}


@pytest.mark.parametrize("name", CASES)
def test_the_verifier_objects_to_another_fate(polling: OpenElection, name: str) -> None:
    """The last entry's fate replaced: by acceptance or rejection, by another reason, and by what is no disposition."""
    entries = CASES[name].make(polling)
    right = polling.judge(entries).dispositions
    rejected = sorted(REASONS.values())
    last = right[-1]
    accepted = 2 if is_challenge_entry(entries[-1]) else 0
    other = rejected[(rejected.index(last) + 1) % len(rejected)] if last in rejected else rejected[0]
    for byte in {accepted, other, 1, 99} - {last}:
        assert objections(polling, entries, right[:-1] + bytes([byte])), byte


def test_every_reason_occurs() -> None:
    seen = {fate.removeprefix("rejected: ") for case in CASES.values() for fate in case.fates}
    assert seen == {*REASONS, "counted", "superseded", "challenged"}


def test_all_cases_together_give_the_same_judgement(polling: OpenElection) -> None:
    """Halving finds each bad entry among many, whatever the others are."""
    entries, expected = [], []
    for name, case in CASES.items():
        made = case.make(polling)
        entries += made
        expected += polling.reasons(made)
        assert len(made) == len(case.fates), name
    assert polling.reasons(entries) == expected
    assert polling.reasons(entries[::-1]) == expected[::-1]
    selection = polling.judge(entries)
    assert objections(polling, entries, selection.dispositions) == {}


#: One of every reason, and of what the arithmetic itself decides.
PORTABLE = (
    "a ballot", "a challenge", "B9 a pad that is the identity", "B10 a negative field element",
    "B10 a scalar plus the order, contest 1", "a credential on the curve, outside the subgroup",
    "B4 a signature by another pseudonym",
    "B10 a signature whose response is not reduced", "B6 an encryption of 2", "B8 ranks swapped with their proofs",
    "B14 two voters' ballots with the same randomness", "W4 an opening to another code",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("names", [PORTABLE, pytest.param(tuple(CASES), marks=pytest.mark.full)], ids=["some", "all"])
def test_both_arithmetics_judge_alike(polling: OpenElection, names: tuple[str, ...]) -> None:
    entries = [entry for name in names for entry in CASES[name].make(polling)]
    native = polling.judge(entries)
    context = polling.record.ballot_context("portable")
    assert select(context, lambda: entries, list(STYLES), CHALLENGES) == native
    assert objections(polling, entries, native.dispositions, "portable") == {}
    assert [row.opens for row in judge_entries(context, entries)] == [
        row.opens for row in judge_entries(polling.context, entries)
    ]
