"""The k candidates with the most votes, with the gender rule; docs/spec/10-results.md section 10.14."""

from __future__ import annotations

from collections.abc import Mapping

from evoting.definition.rules import TopKRule

from .against_all import against_all_wins
from .outcome import Elected, Outcome, conclude
from .working import Working


def decide_top_k(
    working: Working, votes: Mapping[str, int], sexes: Mapping[str, str | None], against: int | None, rule: TopKRule
) -> Outcome:
    """Decide a contest for ``rule.seats`` seats; nobody is elected without a vote.

    With ``other-sex-last``: if all seats (two or more) went to one sex, the last of them gives way to the best
    candidate of the other.
    """
    if against_all_wins(working, rule.against_all, against, votes.values()):
        return conclude(working, "repeat")
    supported = {id: count for id, count in votes.items() if count}
    if not supported:
        return conclude(working, "repeat", vacant=rule.seats)
    chosen = working.pick("seat", supported, rule.seats)
    for id in chosen:
        working.step("elected", id, votes[id])
    elected = [Elected(id, votes[id], "votes") for id in chosen]
    sex = {sexes[id] for id in chosen}
    if rule.gender == "other-sex-last" and len(chosen) == rule.seats > 1 and len(sex) == 1:
        others = {id: count for id, count in supported.items() if sexes[id] not in sex}
        if others:
            kept = working.pick("last-seat", {id: votes[id] for id in chosen}, rule.seats - 1)
            last = next(id for id in chosen if id not in kept)
            best = working.pick("other-sex", others, 1)[0]
            working.step("gives-way", last, votes[last])
            working.step("elected-other-sex", best, votes[best])
            elected = [*(entry for entry in elected if entry.id != last), Elected(best, votes[best], "other-sex")]
        else:
            working.step("no-other-sex", "")
    return conclude(working, "decided", elected=elected, vacant=rule.seats - len(elected))
