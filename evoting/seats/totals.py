"""Totals of a contest from its tally groups; docs/spec/10-results.md section 10.2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from evoting.definition import Contest, HomomorphicContest, Manifest, OpenListContest, RankedContest

from .errors import ResultError

GroupStatus: TypeAlias = Literal["tallied", "withheld", "empty"]
GROUP_STATUSES = ("tallied", "withheld", "empty")
Rankings: TypeAlias = tuple[tuple[tuple[int, ...], int], ...]


@dataclass(frozen=True, slots=True)
class GroupTally:
    """The tally of one group of ballot styles.

    Group, styles, counted ballots and status are those of section 7.2. Of a withheld group nothing else is known.
    Otherwise ``counts`` are by option or by code in the code book's order; a ranked contest of several ranks has
    ``rankings`` (code indices by rank, how many) instead; ``invalid`` ballots decoded to no code, or to an irregular
    ranking. An empty group has zeros.
    """

    group: str
    styles: tuple[str, ...]
    counted: int
    status: GroupStatus
    counts: tuple[int, ...] | None
    rankings: Rankings | None
    invalid: int | None


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over all groups; ``blank`` is None where it cannot be told (more than one selection, homomorphic)."""

    registered: int
    counted: int
    invalid: int
    valid: int
    blank: int | None
    choices: int
    counts: tuple[int, ...] | None
    rankings: Rankings | None

    def base(self, name: str) -> int:
        """The number that a share is a share of."""
        return {
            "registered": self.registered,
            "participants": self.counted,
            "valid": self.valid,
            "choices": self.choices,
        }[name]


def sum_groups(
    manifest: Manifest, contest: Contest, groups: Sequence[GroupTally], path: str = "groups"
) -> Totals | None:
    """Totals of a contest, or None if a group is withheld.

    Raises:
        ResultError: the groups do not partition the contest's ballot styles, or numbers that cannot be.
    """
    _require_partition(manifest, contest, groups, path)
    for index, group in enumerate(groups):
        _require_possible(contest, group, f"{path}[{index}]")
    if any(group.status == "withheld" for group in groups):
        return None
    return totals_of(manifest, contest, groups)


def totals_of(manifest: Manifest, contest: Contest, groups: Sequence[GroupTally]) -> Totals:
    """Sums over some tallied groups of a contest."""
    registered = sum(manifest.style_by_id[style].roll for group in groups for style in group.styles)
    counted = sum(group.counted for group in groups)
    invalid = sum(group.invalid or 0 for group in groups)
    blank: int | None
    if is_ranking(contest):
        merged: dict[tuple[int, ...], int] = {}
        for group in groups:
            for ranks, count in group.rankings or ():
                merged[ranks] = merged.get(ranks, 0) + count
        rankings = tuple(sorted(merged.items()))
        none = len(contest.codes) - 1  # type: ignore[union-attr]
        blank = sum(count for ranks, count in rankings if ranks[0] == none)
        choices = counted - invalid - blank
        return Totals(registered, counted, invalid, counted - invalid, blank, choices, None, rankings)
    width = len(contest.options) if isinstance(contest, HomomorphicContest) else len(contest.codes)
    counts = tuple(sum((group.counts or (0,) * width)[index] for group in groups) for index in range(width))
    if isinstance(contest, HomomorphicContest):
        choices = sum(counts)
        blank = counted - choices if contest.max == 1 else None
    else:
        blank = counts[-1]
        choices = sum(counts) - blank
    return Totals(registered, counted, invalid, counted - invalid, blank, choices, counts, None)


def is_ranking(contest: Contest) -> bool:
    """Whether ballots are rankings of several ranks."""
    return isinstance(contest, RankedContest) and contest.width > 1


def is_regular_ranking(contest: RankedContest, ranks: Sequence[int]) -> bool:
    """Whether code indices by rank are a vote: nobody twice, nothing after "none", "against all" only alone.

    An index outside the code book, such as the mark of a plaintext that is no code, is not.
    """
    none = len(contest.codes) - 1
    if len(ranks) != contest.width or not all(0 <= rank <= none for rank in ranks):
        return False
    used = list(ranks)
    while used and used[-1] == none:
        used.pop()
    if none in used or len(set(used)) != len(used):
        return False
    against = none - 1 if contest.against_all is not None else None
    return against not in used or len(used) == 1


def _require_partition(manifest: Manifest, contest: Contest, groups: Sequence[GroupTally], path: str) -> None:
    order = [style.id for style in manifest.styles_with(contest.id)]
    if sorted(style for group in groups for style in group.styles) != sorted(order):
        raise ResultError(path, "the groups do not hold every ballot style of the contest exactly once")
    for index, group in enumerate(groups):
        if not group.styles or list(group.styles) != sorted(group.styles, key=order.index):
            raise ResultError(f"{path}[{index}].styles", "styles are not in the manifest's order")
        if group.group != group.styles[0]:
            raise ResultError(f"{path}[{index}].group", "a group is named after its first style")
    if list(groups) != sorted(groups, key=lambda group: order.index(group.group)):
        raise ResultError(path, "groups are not in the order of their first styles")


def _require_possible(contest: Contest, group: GroupTally, path: str) -> None:
    if group.status == "withheld":
        if (group.counts, group.rankings, group.invalid) != (None, None, None):
            raise ResultError(path, "a withheld group shows counts")
        return
    invalid, counted = group.invalid, group.counted
    if (group.status == "empty") != (counted == 0):
        raise ResultError(f"{path}.status", f"a group of {counted} ballots is not {group.status}")
    if invalid is None or invalid < 0:
        raise ResultError(f"{path}.invalid", "a tallied group needs its number of invalid ballots")
    if is_ranking(contest):
        assert isinstance(contest, RankedContest)
        if group.counts is not None or group.rankings is None:
            raise ResultError(path, "a ranked contest of several ranks has rankings, not counts")
        previous: tuple[int, ...] = ()
        for index, (ranks, count) in enumerate(group.rankings):
            where = f"{path}.rankings[{index}]"
            if count < 1 or not is_regular_ranking(contest, ranks):
                raise ResultError(where, "not a regular ranking of this contest; others count as invalid")
            if ranks <= previous:
                raise ResultError(where, "rankings are not in ascending order")
            previous = ranks
        voted = sum(count for _, count in group.rankings)
    else:
        width = len(contest.options) if isinstance(contest, HomomorphicContest) else len(contest.codes)
        if group.rankings is not None or group.counts is None or len(group.counts) != width:
            raise ResultError(f"{path}.counts", f"expected {width} counts")
        if any(count < 0 for count in group.counts):
            raise ResultError(f"{path}.counts", "a count is negative")
        voted = sum(group.counts)
    if isinstance(contest, HomomorphicContest):
        assert group.counts is not None
        if invalid != 0:
            raise ResultError(f"{path}.invalid", "a homomorphic tally has no invalid ballots")
        if max(group.counts) > counted or not contest.min * counted <= voted <= contest.max * counted:
            raise ResultError(f"{path}.counts", f"{counted} ballots cannot give these counts")
    elif voted + invalid != counted:
        raise ResultError(
            f"{path}.counts", f"{voted} valid and {invalid} invalid ballots are not {counted} counted ones"
        )


def parties_of(contest: OpenListContest, counts: Sequence[int]) -> dict[str, int]:
    """Votes of every party: alone and with a preference."""
    result, position = {}, 0
    for party in contest.parties:
        size = 1 + len(party.candidates)
        result[party.id] = sum(counts[position : position + size])
        position += size
    return result
