"""Who takes a party's seats: preferences, list order, women's quota; docs/spec/10-results.md section 10.11."""

from __future__ import annotations

from collections.abc import Mapping

from evoting.definition import Party
from evoting.definition.rules import Quota

from .outcome import Elected
from .share import quota_of
from .working import Working


def fill_list(
    working: Working, party: Party, preferences: Mapping[str, int], seats: int, women: Quota | None
) -> list[Elected]:
    """The elected candidates of a party: first the most preferred women of the quota, then the most preferred others.

    Equal preferences go in list order.

    Args:
        preferences: by code ``party/candidate``, for the candidates who have not withdrawn.
    """
    order = [code for code in (f"{party.id}/{candidate.id}" for candidate in party.candidates) if code in preferences]
    required = 0
    if women is not None:
        required = quota_of(women, seats)
        working.step("women-quota", party.id, seats, women.fraction.numerator, women.fraction.denominator, required)
    female = {f"{party.id}/{candidate.id}" for candidate in party.candidates if candidate.sex == "f"}
    eligible = {code: preferences[code] for code in order if code in female}
    first = working.pick_in_order("women", eligible, required, order)
    if len(first) < required:
        working.step("women-short", party.id, required, len(first))
    others = {code: preferences[code] for code in order if code not in first}
    rest = working.pick_in_order("preference", others, seats - len(first), order)
    for code in first:
        working.step("elected-woman", code, preferences[code])
    for code in rest:
        working.step("elected", code, preferences[code])
    return [
        *(Elected(code, preferences[code], "women-quota") for code in first),
        *(Elected(code, preferences[code], "preferences") for code in rest),
    ]
