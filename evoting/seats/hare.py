"""Largest remainder with the Hare quota; docs/spec/10-results.md section 10.8.

Votes times seats is divided by the total, so that quota and remainders stay whole numbers: a party's remainder in votes
is the recorded remainder divided by the seats.
"""

from __future__ import annotations

from collections.abc import Mapping

from .working import Working


def allocate_hare(working: Working, votes: Mapping[str, int], seats: int) -> dict[str, int]:
    """Seats by party; they sum to ``seats``.

    Args:
        votes: in ballot order, each at least one.
    """
    total = sum(votes.values())
    working.step("quota", "", total, seats)
    result, remainders = {}, {}
    for party, count in votes.items():
        result[party], remainders[party] = divmod(count * seats, total)
        working.step("whole-seats", party, count, result[party], remainders[party], seats)
    for party in working.pick("remainder", remainders, seats - sum(result.values())):
        result[party] += 1
        working.step("remainder-seat", party, remainders[party], seats)
    return result
