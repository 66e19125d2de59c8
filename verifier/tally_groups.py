"""Tally groups: no count reveals a group smaller than the minimum; docs/spec/07-counting.md section 7.2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from verifier.record.manifest import Manifest


@dataclass(frozen=True)
class TallyGroup:
    """Styles that are counted together in one contest."""

    id: str
    styles: tuple[str, ...]
    ballots: int
    status: str


def merge_groups(manifest: Manifest, contest: str, counted: Mapping[str, int]) -> list[TallyGroup]:
    """The groups of a contest, merged while one is below the minimum."""
    minimum = manifest.minimum(contest)
    order = {style: number for number, style in enumerate(manifest.styles)}
    groups: list[tuple[str, tuple[str, ...], int]] = [
        (style, (style,), counted[style]) for style in manifest.styles_of(contest)
    ]
    while len(groups) > 1 and min(ballots for _, _, ballots in groups) < minimum:
        # ``sorted`` is stable, so the first in order comes first among equals.
        smallest, next_smallest = sorted(range(len(groups)), key=lambda place: groups[place][2])[:2]
        keep, drop = sorted((smallest, next_smallest))
        styles = tuple(sorted(groups[keep][1] + groups[drop][1], key=order.__getitem__))
        groups[keep] = (groups[keep][0], styles, groups[keep][2] + groups[drop][2])
        del groups[drop]
    return [
        TallyGroup(name, styles, ballots, "tallied" if ballots >= minimum else "withheld" if ballots else "empty")
        for name, styles, ballots in groups
    ]
