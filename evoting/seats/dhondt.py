"""D'Hondt: every seat goes to the highest of votes / (seats so far + 1); docs/spec/10-results.md section 10.9."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from .working import Working


def allocate_dhondt(working: Working, votes: Mapping[str, int], seats: int) -> dict[str, int]:
    """Seats by party; they sum to ``seats``.

    Args:
        votes: in ballot order, each at least one.
    """
    result = dict.fromkeys(votes, 0)
    given = 0
    while given < seats:
        quotients = {party: Fraction(count, result[party] + 1) for party, count in votes.items()}
        highest = max(quotients.values())
        equal = {party: quotient for party, quotient in quotients.items() if quotient == highest}
        for party in working.pick("quotient", equal, min(len(equal), seats - given)):
            given += 1
            result[party] += 1
            working.step("quotient-seat", party, given, votes[party], result[party])
    return result
