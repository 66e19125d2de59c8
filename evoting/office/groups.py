"""Tally groups: ballot styles merged until none is too small (docs/spec/07-counting.md section 7.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class TallyGroup:
    """Ballot styles that are counted together; ``status`` is tallied, withheld or empty."""

    id: str
    styles: tuple[str, ...]
    ballots: int
    status: str


def merge_groups(counted: Mapping[str, int], styles: Sequence[str], minimum: int) -> list[TallyGroup]:
    """Merge the smallest group into the next smallest until every group reaches the minimum.

    Args:
        counted: counted ballots by style.
        styles: the styles that carry the contest, in the manifest's order.
        minimum: fewest ballots of a group that may be tallied.
    """
    groups = [([style], counted.get(style, 0)) for style in styles]
    while len(groups) > 1 and min(ballots for _, ballots in groups) < minimum:
        by_size = sorted(range(len(groups)), key=lambda place: (groups[place][1], place))
        kept, gone = sorted(by_size[:2])
        merged = sorted(groups[kept][0] + groups[gone][0], key=styles.index)
        groups[kept] = (merged, groups[kept][1] + groups[gone][1])
        del groups[gone]
    return [TallyGroup(members[0], tuple(members), ballots, _status(ballots, minimum)) for members, ballots in groups]


def _status(ballots: int, minimum: int) -> str:
    if ballots == 0:
        return "empty"
    return "tallied" if ballots >= minimum else "withheld"
