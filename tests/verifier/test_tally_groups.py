"""Merging of small groups, section 7.2."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.record.manifest import Manifest
from verifier.tally_groups import merge_groups


@dataclass
class _Styles:
    """As much of a manifest as merging looks at."""

    counted: dict[str, int]
    limit: int
    raw: dict[str, object] = field(default_factory=dict)

    def manifest(self) -> Manifest:
        styles = [{"id": name, "contests": ["c"]} for name in self.counted]
        raw = {
            "styles": styles,
            "contests": [{"id": "c", "kind": "mixed"}],
            "unit-minimum": {"homomorphic": 1, "mixed": self.limit},
        }
        return Manifest(raw, b"")

    def merged(self) -> list[tuple[str, str, int, str]]:
        groups = merge_groups(self.manifest(), "c", self.counted)
        return [(group.id, "+".join(group.styles), group.ballots, group.status) for group in groups]


@pytest.mark.parametrize(
    ("counted", "minimum", "expected"),
    [
        ({"a": 5, "b": 7}, 5, [("a", "a", 5, "tallied"), ("b", "b", 7, "tallied")]),
        ({"a": 5, "b": 4}, 5, [("a", "a+b", 9, "tallied")]),
        (
            {"a": 9, "b": 1, "c": 8, "d": 8}, 5,
            [("a", "a", 9, "tallied"), ("b", "b+c", 9, "tallied"), ("d", "d", 8, "tallied")],
        ),
        ({"a": 2, "b": 9, "c": 1, "d": 3}, 5, [("a", "a+c+d", 6, "tallied"), ("b", "b", 9, "tallied")]),
        ({"a": 1, "b": 1, "c": 1}, 5, [("a", "a+b+c", 3, "withheld")]),
        ({"a": 0, "b": 0}, 5, [("a", "a+b", 0, "empty")]),
        ({"a": 4}, 5, [("a", "a", 4, "withheld")]),
        ({"a": 0, "b": 6}, 5, [("a", "a+b", 6, "tallied")]),
    ],
)  # fmt: skip
def test_cases_by_hand(counted: dict[str, int], minimum: int, expected: list[tuple[str, str, int, str]]) -> None:
    assert _Styles(counted, minimum).merged() == expected


@given(st.lists(st.integers(0, 12), min_size=1, max_size=8), st.integers(1, 8), st.integers(0, 8))
def test_no_group_is_small_and_a_larger_minimum_coarsens(sizes: list[int], minimum: int, more: int) -> None:
    counted = {f"s{number}": size for number, size in enumerate(sizes)}
    fine, coarse = _Styles(counted, minimum).merged(), _Styles(counted, minimum + more).merged()
    for groups, limit in ((fine, minimum), (coarse, minimum + more)):
        assert sum(ballots for _, _, ballots, _ in groups) == sum(sizes)
        assert len(groups) == 1 or all(ballots >= limit for _, _, ballots, _ in groups)
        assert sorted(style for _, styles, _, _ in groups for style in styles.split("+")) == sorted(counted)
    for _, styles, _, _ in fine:
        assert any(set(styles.split("+")) <= set(larger.split("+")) for _, larger, _, _ in coarse)
