"""Tally groups: nothing below the minimum is shown, nobody is lost, and both implementations merge alike."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoting.office.groups import TallyGroup, merge_groups
from verifier import tally_groups as second_implementation

COUNTS = st.lists(st.integers(0, 12), min_size=1, max_size=8)


def names(count: int) -> list[str]:
    # Ids whose alphabetical order is not the manifest's.
    return [f"style-{chr(ord('z') - number)}" for number in range(count)]


def merged(counts: list[int], minimum: int) -> list[TallyGroup]:
    styles = names(len(counts))
    return merge_groups(dict(zip(styles, counts, strict=True)), styles, minimum)


@given(COUNTS, st.integers(1, 20))
def test_D10_no_group_is_below_the_minimum_unless_it_is_the_only_one(counts: list[int], minimum: int) -> None:
    groups = merged(counts, minimum)
    if len(groups) > 1:
        assert all(group.ballots >= minimum for group in groups)
        assert {group.status for group in groups} == {"tallied"}
    else:
        assert groups[0].status == ("tallied" if sum(counts) >= minimum else "withheld" if sum(counts) else "empty")


@given(COUNTS, st.integers(1, 20))
def test_the_groups_are_a_partition_in_the_manifests_order(counts: list[int], minimum: int) -> None:
    groups = merged(counts, minimum)
    order = names(len(counts))
    members = [style for group in groups for style in group.styles]
    assert sorted(members) == sorted(order)
    assert [group.id for group in groups] == sorted((group.id for group in groups), key=order.index)
    for group in groups:
        assert group.id == group.styles[0]
        assert list(group.styles) == sorted(group.styles, key=order.index)
        assert group.ballots == sum(counts[order.index(style)] for style in group.styles)


@given(COUNTS, st.integers(1, 10), st.integers(0, 10))
def test_D10_the_partition_for_a_larger_minimum_is_coarser(counts: list[int], minimum: int, more: int) -> None:
    """So no difference of two contests of the same styles leads below the smaller minimum."""
    fine, coarse = merged(counts, minimum), merged(counts, minimum + more)
    for group in fine:
        assert any(set(group.styles) <= set(other.styles) for other in coarse)


@given(COUNTS, st.integers(1, 20))
def test_the_second_implementation_merges_alike(counts: list[int], minimum: int) -> None:
    styles = names(len(counts))
    manifest: Any = SimpleNamespace(
        minimum=lambda contest: minimum, styles=dict.fromkeys(styles), styles_of=lambda contest: styles
    )
    theirs = second_implementation.merge_groups(manifest, "contest", dict(zip(styles, counts, strict=True)))
    assert [(g.id, g.styles, g.ballots, g.status) for g in merged(counts, minimum)] == [
        (g.id, g.styles, g.ballots, g.status) for g in theirs
    ]


@pytest.mark.parametrize(
    ("counts", "minimum", "expected"),
    [
        ([5, 5], 5, [("z", 5), ("y", 5)]),
        ([4, 9], 5, [("zy", 13)]),
        # The smallest joins the next smallest, not its neighbour; the place is that of the first.
        ([9, 1, 6, 3], 4, [("z", 9), ("yw", 4), ("x", 6)]),
        # Equals: the first two in order.
        ([2, 2, 2, 2], 3, [("zy", 4), ("xw", 4)]),
        ([0, 7, 8], 1, [("zy", 7), ("x", 8)]),
        ([1, 1], 9, [("zy", 2)]),
    ],
)
def test_worked_examples(counts: list[int], minimum: int, expected: list[tuple[str, int]]) -> None:
    groups = merged(counts, minimum)
    assert [("".join(style[-1] for style in group.styles), group.ballots) for group in groups] == expected
