"""Does a number of votes reach a share of a base? docs/spec/10-results.md section 10.6."""

from __future__ import annotations

from evoting.definition.rules import Quota, Share

from .working import Working


def reaches(working: Working, name: str, subject: str, votes: int, base: int, share: Share) -> bool:
    """Whether votes / base is at least (strict: more than) the fraction; a base of zero is never reached."""
    numerator, denominator = share.fraction.numerator, share.fraction.denominator
    left, right = votes * denominator, numerator * base
    reached = base > 0 and (left > right if share.strict else left >= right)
    working.step(name, subject, votes, base, numerator, denominator, int(share.strict), int(reached))
    return reached


def quota_of(quota: Quota, seats: int) -> int:
    """The quota's fraction of the seats, rounded as it says."""
    numerator, denominator = quota.fraction.numerator * seats, quota.fraction.denominator
    return -(-numerator // denominator) if quota.rounding == "up" else numerator // denominator
