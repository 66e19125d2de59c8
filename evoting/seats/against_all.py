"""Where "against all" has the most votes the election is repeated; docs/spec/10-results.md section 10.7."""

from __future__ import annotations

from collections.abc import Iterable

from evoting.definition.rules import AgainstAll

from .working import Working


def against_all_wins(working: Working, rule: AgainstAll, against: int | None, others: Iterable[int]) -> bool:
    """Whether more votes are against all than for any single other choice; as many are not enough.

    Args:
        against: None where the ballot has no such choice.
    """
    if against is None:
        return False
    best = max(others, default=0)
    wins = rule == "repeat" and against > best
    working.step("against-all", "", against, best, int(wins))
    return wins
