"""Group 24: totals, small groups, outcome; docs/spec/10-results.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from verifier.checks.lists import TallyList, tally_lists
from verifier.checks.registry import NotRun, check
from verifier.equations.decryption import check_plaintext_codes, decode_indices, verify_totals
from verifier.equations.outcome import check_outcome
from verifier.equations.tally import check_group, check_totals
from verifier.failure import Failure
from verifier.record.manifest import codes_of

if TYPE_CHECKING:
    from verifier.state import State


def _contest_results(state: State) -> Iterator[tuple[Mapping[str, Any], dict[str, Any]]]:
    """Contests of the manifest with their results, by id."""
    results = {item["contest"]: item for item in state.result["contests"]}
    for name, contest in state.manifest.contests.items():
        if name in results:
            yield contest, results[name]


@check("tally.totals", 24, "10", "per group and in total the counts are those of plaintexts and aggregates; sums right")
def tally_totals(state: State) -> Iterator[Failure]:
    """Every number of the result follows from what was decrypted."""
    index = state.only("result").index
    rolls = {name: int(style["roll"]) for name, style in state.manifest.styles.items()}
    lists = {(item.contest["id"], item.group.id): item for item in tally_lists(state)}
    for contest, result in _contest_results(state):
        for group in result["groups"]:
            item = lists.get((contest["id"], group["group"]))
            for failure in _group(state, contest, group, item):
                sentence = f"contest {contest['id']}, group {group['group']}: {failure.sentence}"
                yield replace(failure, sentence=sentence, entry=index)
        for failure in check_totals(contest, result, rolls):
            yield replace(failure, sentence=f"contest {contest['id']}: {failure.sentence}", entry=index)


def _group(
    state: State, contest: Mapping[str, Any], group: Mapping[str, Any], item: TallyList | None
) -> Iterator[Failure]:
    if item is None or group["status"] != "tallied":
        yield from check_group(contest, group, indices=None)
        return
    if item.is_mixed:
        yield from check_group(contest, group, indices=_indices(state, item))
        return
    failures = check_group(contest, group, indices=None)
    yield from failures
    if failures or group["counts"] is None:
        return
    yield from verify_totals(
        ciphertexts=item.aggregate,
        used=item.used,
        totals=group["counts"],
        ballots=item.group.ballots,
        group=state.group,
        randomness=state.settings.randomness,
    )


def _indices(state: State, item: TallyList) -> NDArray[np.uint32]:
    book = state.code_book(item.contest["id"])
    if check_plaintext_codes(count=item.count, plaintexts=item.plaintexts, code_book=book, group=state.group):
        raise NotRun("plaintexts.codes", f"{item.name}: plaintexts cannot be read")
    return decode_indices(item.count, item.plaintexts)


@check("tally.groups", 24, "7.2, 10", "withheld groups have no aggregate, mix, decryption or count")
def tally_groups(state: State) -> Iterator[Failure]:
    """No small group is counted; the result's groups are the computed ones."""
    tallied = {(item.contest["id"], item.group.id): item for item in tally_lists(state)}
    for entry in state.of("aggregate", "mix", "decryption"):
        item = tallied.get((entry.fields["contest"], entry.fields["group"]))
        is_other_kind = item is not None and entry.type != "decryption" and item.is_mixed != (entry.type == "mix")
        if item is None or is_other_kind:
            sentence = f"{entry.type} for a contest and group that is not tallied so"
            yield Failure(sentence, entry.index, role=entry.signatures[0][0])
    index = state.only("result").index
    if [item["contest"] for item in state.result["contests"]] != list(state.manifest.contests):
        yield Failure("not the result of every contest in the manifest's order", entry=index)
    for contest, result in _contest_results(state):
        expected = [(g.id, list(g.styles), g.ballots, g.status) for g in state.groups[contest["id"]]]
        found = [(g["group"], g["styles"], g["counted"], g["status"]) for g in result["groups"]]
        if found != expected:
            yield Failure(f"contest {contest['id']}: the groups are not the computed ones", entry=index)
        for group in result["groups"]:
            counts = (group["counts"], group["rankings"], group["invalid"])
            if group["status"] == "withheld" and counts != (None, None, None):
                yield Failure(f"contest {contest['id']}: the withheld group {group['group']} is counted", entry=index)
        withheld = any(group["status"] == "withheld" for group in result["groups"])
        if withheld != (result["totals"] is None):
            yield Failure(f"contest {contest['id']}: totals are null if and only if a group is withheld", entry=index)


def _subjects(contest: Mapping[str, Any]) -> set[str]:
    """What can be withdrawn (section 10.1)."""
    if contest["kind"] == "homomorphic":
        return {option["id"] for option in contest["options"] if option["role"] == "candidate"}
    if contest["ballot"] == "ranked":
        return {candidate["id"] for candidate in contest["candidates"]}
    return set(codes_of(contest)) - {"against-all", "blank"}


@check("tally.outcome", 24, "10", "outcome and seats are recomputed, step by step")
def tally_outcome(state: State) -> Iterator[Failure]:
    """What follows from the totals."""
    result = state.only("result")
    if state.result["fingerprint"] != state.fingerprint:
        yield Failure("the result is of another election", entry=result.index)
    withdrawals = state.of("withdrawal")
    for entry in withdrawals:
        contest = state.manifest.contests.get(entry.fields["contest"])
        if contest is None or entry.fields["subject"] not in _subjects(contest):
            yield Failure("withdraws nobody who stands", entry=entry.index)
    for contest, published in _contest_results(state):
        subjects = {e.fields["subject"] for e in withdrawals if e.fields["contest"] == contest["id"]}
        if published["withdrawn"] != sorted(subjects, key=lambda subject: subject.encode()):
            yield Failure(f"contest {contest['id']}: not the withdrawals of the log", entry=result.index)
        for failure in check_outcome(state.manifest.raw, contest, published, state.fingerprint):
            sentence = f"contest {contest['id']}: {failure.sentence}"
            yield replace(failure, sentence=sentence, entry=result.index)
