"""Village council: most votes, with a women's quota in every district; docs/spec/10-results.md section 10.15."""

from __future__ import annotations

from collections.abc import Mapping

from evoting.definition.rules import CouncilRule

from .against_all import against_all_wins
from .outcome import Elected, Outcome, conclude
from .share import quota_of
from .working import Working


def decide_council(
    working: Working, votes: Mapping[str, int], sexes: Mapping[str, str | None], against: int | None, rule: CouncilRule
) -> Outcome:
    """Decide a district: the quota's seats go to the women with the most votes, the others to whoever has the most."""
    if against_all_wins(working, rule.against_all, against, votes.values()):
        return conclude(working, "repeat")
    supported = {id: count for id, count in votes.items() if count}
    if not supported:
        return conclude(working, "repeat", vacant=rule.seats)
    required = quota_of(rule.women, rule.seats)
    fraction = rule.women.fraction
    working.step("women-quota", "", rule.seats, fraction.numerator, fraction.denominator, required)
    women = {id: count for id, count in supported.items() if sexes[id] == "f"}
    first = working.pick("women", women, required)
    if len(first) < required:
        working.step("women-short", "", required, len(first))
    others = {id: count for id, count in supported.items() if id not in first}
    rest = working.pick("seat", others, rule.seats - len(first))
    elected = [Elected(id, votes[id], "women-quota") for id in first] + [Elected(id, votes[id], "votes") for id in rest]
    for entry in elected:
        working.step("elected-woman" if entry.by == "women-quota" else "elected", entry.id, entry.votes)
    return conclude(working, "decided", elected=elected, vacant=rule.seats - len(elected))
