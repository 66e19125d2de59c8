"""Elected by a majority, else the first candidates go to a second round; docs/spec/10-results.md section 10.13."""

from __future__ import annotations

from collections.abc import Mapping

from evoting.definition.rules import MajorityRule

from .against_all import against_all_wins
from .outcome import Elected, Outcome, conclude
from .share import reaches
from .totals import Totals
from .working import Working


def decide_majority(
    working: Working, votes: Mapping[str, int], against: int | None, rule: MajorityRule, totals: Totals
) -> Outcome:
    """Decide a contest for one seat.

    Args:
        votes: of the candidates who have not withdrawn, in ballot order.
    """
    if against_all_wins(working, rule.against_all, against, votes.values()):
        return conclude(working, "repeat")
    supported = {id: count for id, count in votes.items() if count}
    if supported:
        first = working.pick("first", supported, 1)[0]
        if reaches(working, "majority", first, votes[first], totals.base(rule.majority.of), rule.majority):
            working.step("elected", first, votes[first])
            return conclude(working, "decided", elected=[Elected(first, votes[first], "majority")])
    if len(supported) < 2:
        return conclude(working, "repeat", vacant=1)
    advance = working.pick("second-round", supported, rule.advance)
    for id in advance:
        working.step("second-round", id, votes[id])
    return conclude(working, "second-round", advance=advance)
