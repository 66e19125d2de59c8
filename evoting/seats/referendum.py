"""Referendum: valid by turnout, adopted by a share; docs/spec/10-results.md section 10.12."""

from __future__ import annotations

from evoting.definition import HomomorphicContest
from evoting.definition.rules import ReferendumRule

from .against_all import against_all_wins
from .outcome import Outcome, conclude
from .share import reaches
from .totals import Totals
from .working import Working


def decide_referendum(working: Working, contest: HomomorphicContest, rule: ReferendumRule, totals: Totals) -> Outcome:
    """Decide a referendum from its totals."""
    assert totals.counts is not None
    votes = {option.id: count for option, count in zip(contest.options, totals.counts, strict=True)}
    by_role = {option.role: option.id for option in contest.options}
    answers = {option.id: votes[option.id] for option in contest.options if option.role != "against-all"}
    if not reaches(working, "turnout", "", totals.counted, totals.base(rule.turnout.of), rule.turnout):
        return conclude(working, "not-valid")
    against = votes[by_role["against-all"]] if "against-all" in by_role else None
    if against_all_wins(working, rule.against_all, against, answers.values()):
        return conclude(working, "repeat")
    proposed = by_role["yes"] if "yes" in by_role else working.pick("answer", answers, 1)[0]
    if not reaches(working, "adoption", proposed, votes[proposed], totals.base(rule.adoption.of), rule.adoption):
        return conclude(working, "not-adopted")
    return conclude(working, "decided", adopted=proposed)
