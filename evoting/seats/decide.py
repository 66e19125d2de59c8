"""From totals to the outcome, by the rule of the contest; docs/spec/10-results.md section 10.3."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from evoting.definition import AGAINST_ALL, BLANK, Contest, HomomorphicContest, Manifest, OpenListContest, RankedContest
from evoting.definition.rules import CouncilRule, ListSeatsRule, MajorityRule, ReferendumRule, RunoffRule, TopKRule

from .council import decide_council
from .errors import ResultError
from .list_seats import decide_list_seats
from .majority import decide_majority
from .outcome import Outcome, conclude
from .referendum import decide_referendum
from .runoff import decide_runoff
from .top_k import decide_top_k
from .totals import GroupTally, Totals, sum_groups
from .working import Working


def outcome(
    manifest: Manifest,
    contest: Contest,
    groups: Sequence[GroupTally],
    fingerprint: bytes,
    withdrawn: Collection[str] = (),
) -> Outcome:
    """The outcome of a contest, with every step and tie.

    Args:
        groups: the tally groups of the contest, in the record's order.
        fingerprint: of the election; it fixes the lots.
        withdrawn: option ids, or codes of parties and candidates, from withdrawal entries before the result.

    Raises:
        ResultError: groups that cannot be those of the contest, or an unknown withdrawn id.
    """
    working = Working(fingerprint, contest.id)
    gone = frozenset(withdrawn)
    _require_known(contest, gone)
    for id in sorted(gone):
        working.step("withdrawn", id)
    totals = sum_groups(manifest, contest, groups)
    if totals is None:
        return conclude(working, "withheld")
    rule = contest.rule
    if isinstance(contest, OpenListContest):
        assert isinstance(rule, ListSeatsRule)
        return decide_list_seats(working, manifest, contest, rule, groups, totals, gone)
    if isinstance(rule, RunoffRule):
        assert isinstance(contest, RankedContest)
        return decide_runoff(working, contest, rule, totals, gone)
    if isinstance(rule, ReferendumRule):
        assert isinstance(contest, HomomorphicContest)
        return decide_referendum(working, contest, rule, totals)
    votes, sexes, against = _candidates(contest, totals, gone)
    match rule:
        case MajorityRule():
            return decide_majority(working, votes, against, rule, totals)
        case TopKRule():
            return decide_top_k(working, votes, sexes, against, rule)
        case CouncilRule():
            return decide_council(working, votes, sexes, against, rule)
    raise AssertionError(f"{rule.kind} does not fit {contest.kind}")


def _candidates(
    contest: HomomorphicContest | RankedContest, totals: Totals, withdrawn: frozenset[str]
) -> tuple[dict[str, int], dict[str, str | None], int | None]:
    """Votes and sexes of the candidates who have not withdrawn, and the votes against all."""
    assert totals.counts is not None
    against = None
    if isinstance(contest, RankedContest):
        votes = dict(zip(contest.codes, totals.counts, strict=True))
        against = votes.get(AGAINST_ALL)
        sexes: dict[str, str | None] = {candidate.id: candidate.sex for candidate in contest.candidates}
    else:
        votes, sexes = {}, {}
        for option, count in zip(contest.options, totals.counts, strict=True):
            if option.role == "against-all":
                against = count
            else:
                votes[option.id], sexes[option.id] = count, option.sex
    return {id: votes[id] for id in sexes if id not in withdrawn}, sexes, against


def withdrawable(contest: Contest) -> frozenset[str]:
    """Ids and codes that a withdrawal may name in this contest."""
    if isinstance(contest, HomomorphicContest):
        return frozenset(option.id for option in contest.options if option.role == "candidate")
    if isinstance(contest, RankedContest):
        return frozenset(candidate.id for candidate in contest.candidates)
    return frozenset(contest.codes) - {AGAINST_ALL, BLANK}


def _require_known(contest: Contest, withdrawn: frozenset[str]) -> None:
    unknown = sorted(withdrawn - withdrawable(contest))
    if unknown:
        raise ResultError("withdrawn", f"contest {contest.id} has no candidate {unknown[0]!a}")
