"""Seats for lists: thresholds, allocation, cap, then the lists are filled; docs/spec/10-results.md section 10.11."""

from __future__ import annotations

from collections.abc import Sequence

from evoting.definition import AGAINST_ALL, Manifest, OpenListContest
from evoting.definition.rules import ListSeatsRule

from .against_all import against_all_wins
from .areas import areas_of
from .cap import allocate_capped
from .dhondt import allocate_dhondt
from .hare import allocate_hare
from .outcome import Elected, Outcome, conclude
from .preferences import fill_list
from .share import reaches
from .totals import GroupTally, Totals, parties_of, totals_of
from .working import Working


def decide_list_seats(
    working: Working,
    manifest: Manifest,
    contest: OpenListContest,
    rule: ListSeatsRule,
    groups: Sequence[GroupTally],
    totals: Totals,
    withdrawn: frozenset[str],
) -> Outcome:
    """Decide an open-list contest.

    Args:
        withdrawn: codes of parties and candidates that can take no seat; their votes stay in the totals.
    """
    assert totals.counts is not None
    by_code = dict(zip(contest.codes, totals.counts, strict=True))
    votes = {party: count for party, count in parties_of(contest, totals.counts).items() if party not in withdrawn}
    against = by_code.get(AGAINST_ALL)
    if against_all_wins(working, rule.against_all, against, votes.values()):
        return conclude(working, "repeat")
    base = totals.base(rule.national.of)
    eligible = {
        party: count
        for party, count in votes.items()
        if reaches(working, "national-threshold", party, count, base, rule.national) and count
    }
    for below in _below_in_an_area(working, manifest, contest, rule, groups, eligible):
        del eligible[below]
    if not eligible:
        return conclude(working, "repeat", vacant=rule.seats)
    allocate = allocate_hare if rule.method == "hare" else allocate_dhondt
    seats, vacant = allocate_capped(working, allocate, eligible, rule.seats, rule.cap)
    elected: list[Elected] = []
    for party in contest.parties:
        count = seats.get(party.id, 0)
        if not count:
            continue
        working.step("seats", party.id, count)
        codes = [f"{party.id}/{candidate.id}" for candidate in party.candidates]
        preferences = {code: by_code[code] for code in codes if code not in withdrawn}
        filled = fill_list(working, party, preferences, count, rule.women)
        if len(filled) < count:
            working.step("list-exhausted", party.id, count, len(filled))
        vacant += count - len(filled)
        elected += filled
    given = [(party.id, seats.get(party.id, 0)) for party in contest.parties]
    return conclude(working, "decided", elected=elected, seats=given, vacant=vacant)


def _below_in_an_area(
    working: Working,
    manifest: Manifest,
    contest: OpenListContest,
    rule: ListSeatsRule,
    groups: Sequence[GroupTally],
    parties: dict[str, int],
) -> set[str]:
    """Parties that miss the area threshold somewhere."""
    below: set[str] = set()
    if rule.area is None:
        return below
    for name, members in areas_of(manifest, rule.area.regions, groups):
        totals = totals_of(manifest, contest, members)
        assert totals.counts is not None
        votes = parties_of(contest, totals.counts)
        base = totals.base(rule.area.share.of)
        for party in parties:
            if not reaches(working, "area-threshold", f"{party}@{name}", votes[party], base, rule.area.share):
                below.add(party)
    return below
