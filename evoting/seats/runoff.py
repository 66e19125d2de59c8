"""Instant run-off over ranked ballots; docs/spec/10-results.md section 10.16."""

from __future__ import annotations

from collections.abc import Collection

from evoting.definition import AGAINST_ALL, RankedContest
from evoting.definition.rules import RunoffRule

from .against_all import against_all_wins
from .outcome import Elected, Outcome, conclude
from .totals import Totals
from .working import Working


def decide_runoff(
    working: Working, contest: RankedContest, rule: RunoffRule, totals: Totals, withdrawn: frozenset[str]
) -> Outcome:
    """Decide a ranked contest for one seat.

    In every round a ballot counts for the highest ranked candidate who is still in. Whoever has more than half of the
    ballots that count is elected; else the last one leaves.
    """
    ballots = totals.rankings
    if ballots is None:
        assert totals.counts is not None
        ballots = tuple(((index,), count) for index, count in enumerate(totals.counts) if count)
    codes = contest.codes
    staying = [candidate.id for candidate in contest.candidates if candidate.id not in withdrawn]

    def tally(candidates: Collection[str]) -> dict[str, int]:
        votes = dict.fromkeys(staying, 0)
        for ranks, count in ballots:
            choice = next((codes[rank] for rank in ranks if codes[rank] in candidates), None)
            if choice is not None:
                votes[choice] += count
        return votes

    against = None
    if contest.against_all is not None:
        against = sum(count for ranks, count in ballots if codes[ranks[0]] == AGAINST_ALL)
    if against_all_wins(working, rule.against_all, against, tally(staying).values()):
        return conclude(working, "repeat")
    number = 0
    while staying:
        number += 1
        votes = tally(set(staying))
        total = sum(votes.values())
        working.step("runoff-round", "", number, total)
        for id, count in votes.items():
            working.step("runoff-votes", id, count)
        if not total:
            break
        best = max(votes.values())
        if 2 * best > total:
            winner = next(id for id in staying if votes[id] == best)
            working.step("elected", winner, best)
            return conclude(working, "decided", elected=[Elected(winner, best, "runoff")])
        kept = working.pick("elimination", votes, len(staying) - 1)
        last = next(id for id in staying if id not in kept)
        working.step("eliminated", last, votes[last])
        staying.remove(last)
    return conclude(working, "repeat", vacant=1)
