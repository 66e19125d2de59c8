"""No party above the cap; what it may not take goes to the others; docs/spec/10-results.md section 10.10."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .working import Working

Allocate = Callable[[Working, Mapping[str, int], int], dict[str, int]]


def allocate_capped(
    working: Working, allocate: Allocate, votes: Mapping[str, int], seats: int, cap: int | None
) -> tuple[dict[str, int], int]:
    """Seats by party and seats that nobody may take.

    Every round allocates the seats that are left among the parties that are left; all that exceed the cap are fixed at
    it and leave, until none exceeds it.
    """
    fixed: dict[str, int] = {}
    open_, left = dict(votes), seats
    while open_ and left:
        working.step("round", "", left, len(open_))
        result = allocate(working, open_, left)
        over = [party for party in open_ if cap is not None and result[party] > cap]
        if not over or cap is None:
            fixed |= result
            left = 0
            break
        for party in over:
            working.step("cap", party, result[party], cap)
            fixed[party] = cap
            left -= cap
            del open_[party]
    return {party: fixed.get(party, 0) for party in votes}, left
