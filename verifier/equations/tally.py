"""Counts of tally groups and their totals; docs/spec/10-results.md section 10.2, recomputed with exact integers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from verifier.failure import Failure
from verifier.record.manifest import codes_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

Ranking = tuple[int, ...]


def _failure(name: str, sentence: str) -> Failure:
    return Failure(sentence, equation=f"tally.{name}")


# Groups.


def check_group(
    contest: Mapping[str, Any], group: Mapping[str, Any], *, indices: NDArray[np.uint32] | None
) -> list[Failure]:
    """One ``group-result`` against the decoded plaintexts.

    Args:
        contest: the manifest's map.
        group: the published one.
        indices: code indices, row by row, of a mixed contest's tallied group; None elsewhere.
    """
    name = group["group"]
    if group["status"] == "withheld":
        return [] if withheld_tells_nothing(group) else [_failure("withheld", f"group {name} is withheld, yet counted")]
    if group["status"] == "empty":
        return (
            [] if empty_is_zero(contest, group) else [_failure("empty", f"group {name} is empty, its counts are not")]
        )
    if contest["kind"] == "homomorphic":
        rules = [("fields", homomorphic_fields), ("bounds", homomorphic_bounds)]
        for rule, holds in rules:
            if not holds(contest, group):
                return [_failure(rule, f"group {name}: the {rule} of its counts are not those of section 10.2")]
        return []
    if indices is None:
        return [_failure("plaintexts", f"group {name}: there are no plaintexts")]
    if len(indices) != contest["width"] * group["counted"]:
        return [_failure("rows", f"group {name}: {len(indices)} plaintexts for {group['counted']} ballots")]
    count = count_codes if contest["width"] == 1 else count_rankings
    expected = count(contest, indices)
    return [
        _failure("counts", f"group {name}: {field} is not what the plaintexts give")
        for field, value in expected.items()
        if group[field] != value
    ]


def withheld_tells_nothing(group: Mapping[str, Any]) -> bool:
    """A withheld group has null in every count."""
    return group["counts"] is None and group["rankings"] is None and group["invalid"] is None


def empty_is_zero(contest: Mapping[str, Any], group: Mapping[str, Any]) -> bool:
    """An empty group has the fields of a tallied one, all zero."""
    return group["counted"] == 0 and all(group[field] == value for field, value in _zero(contest).items())


def _zero(contest: Mapping[str, Any]) -> dict[str, Any]:
    if contest["kind"] == "homomorphic":
        return {"counts": [0] * len(contest["options"]), "rankings": None, "invalid": 0}
    nothing = np.zeros(0, dtype=np.uint32)
    return (count_codes if contest["width"] == 1 else count_rankings)(contest, nothing)


def homomorphic_fields(contest: Mapping[str, Any], group: Mapping[str, Any]) -> bool:
    """One number for each option, nothing invalid, no rankings."""
    counts = group["counts"]
    length_fits = counts is not None and len(counts) == len(contest["options"])
    return length_fits and group["invalid"] == 0 and group["rankings"] is None


def homomorphic_bounds(contest: Mapping[str, Any], group: Mapping[str, Any]) -> bool:
    """No count above the ballots, and min * counted <= sum of counts <= max * counted."""
    counts, counted = group["counts"], group["counted"]
    in_bounds = all(0 <= count <= counted for count in counts)
    return in_bounds and contest["min"] * counted <= sum(counts) <= contest["max"] * counted


def count_codes(contest: Mapping[str, Any], indices: NDArray[np.uint32]) -> dict[str, Any]:
    """Mixed contest of width 1: how many plaintexts are each code, and how many none."""
    codes = len(codes_of(contest))
    known = indices[indices < codes]
    counts = np.bincount(known, minlength=codes)
    return {"counts": [int(count) for count in counts], "rankings": None, "invalid": len(indices) - len(known)}


def count_rankings(contest: Mapping[str, Any], indices: NDArray[np.uint32]) -> dict[str, Any]:
    """Mixed contest of several ranks: how often each regular ballot occurs, and how many ballots are not regular."""
    codes = codes_of(contest)
    rows = indices.reshape(-1, contest["width"])
    ballots, numbers = np.unique(rows, axis=0, return_counts=True)
    rankings, invalid = [], 0
    for ballot, number in zip(ballots.tolist(), numbers.tolist(), strict=True):
        if is_regular(codes, ballot):
            rankings.append([ballot, number])
        else:
            invalid += number
    return {"counts": None, "rankings": rankings, "invalid": invalid}


def is_regular(codes: Sequence[str], ballot: Sequence[int]) -> bool:
    """Whether a ranked ballot is regular (section 3.5)."""
    if any(index >= len(codes) for index in ballot):
        return False
    names = [codes[index] for index in ballot]
    used = names[: names.index("none")] if "none" in names else names
    if any(name != "none" for name in names[len(used) :]) or len(set(used)) != len(used):
        return False
    return "against-all" not in used or used == ["against-all"]


# Totals.


def form_fits(contest: Mapping[str, Any], counts: Mapping[str, Any]) -> bool:
    """Whether a group's or totals' counts, rankings and invalid ballots have the form of the contest."""
    if counts["invalid"] is None:
        return False
    if contest["kind"] == "mixed" and contest["width"] > 1:
        codes, width, rankings = len(codes_of(contest)), contest["width"], counts["rankings"]
        return (
            counts["counts"] is None
            and rankings is not None
            and all(len(ballot) == width and max(ballot) < codes for ballot, _ in rankings)
        )
    length = len(contest["options"] if contest["kind"] == "homomorphic" else codes_of(contest))
    return counts["rankings"] is None and counts["counts"] is not None and len(counts["counts"]) == length


def check_totals(contest: Mapping[str, Any], result: Mapping[str, Any], rolls: Mapping[str, int]) -> list[Failure]:
    """``totals`` of a ``contest-result`` from its groups."""
    totals = result["totals"]
    if not all(form_fits(contest, group) for group in result["groups"] if group["status"] != "withheld"):
        return [_failure("form", "counts or rankings of a group do not fit the contest, so nothing can be summed")]
    if any(group["status"] == "withheld" for group in result["groups"]):
        return [] if totals is None else [_failure("withheld", "totals beside a withheld group tell its counts")]
    if totals is None:
        return [_failure("totals", "there are no totals although no group is withheld")]
    expected = sum_groups(contest, result["groups"], rolls)
    return [
        _failure("totals", f"totals: {field} is not the groups' sum")
        for field, value in expected.items()
        if totals[field] != value
    ]


def sum_groups(
    contest: Mapping[str, Any], groups: Sequence[Mapping[str, Any]], rolls: Mapping[str, int]
) -> dict[str, Any]:
    """Totals of a set of groups, none of them withheld."""
    counted, invalid = (sum(group[field] for group in groups) for field in ("counted", "invalid"))
    counts, rankings = _sum_counts(groups), _sum_rankings(groups)
    blank = _blank(contest, counted, counts, rankings)
    valid = counted - invalid
    choices = sum(counts or ()) if contest["kind"] == "homomorphic" else valid - (blank or 0)
    return {
        "registered": sum(rolls[style] for group in groups for style in group["styles"]),
        "counted": counted,
        "invalid": invalid,
        "valid": valid,
        "blank": blank,
        "choices": choices,
        "counts": counts,
        "rankings": rankings,
    }


def _sum_counts(groups: Iterable[Mapping[str, Any]]) -> list[int] | None:
    columns = [group["counts"] for group in groups]
    return None if None in columns else [sum(column) for column in zip(*columns, strict=True)]


def _sum_rankings(groups: Iterable[Mapping[str, Any]]) -> list[list[Any]] | None:
    total: Counter[Ranking] = Counter()
    for group in groups:
        if group["rankings"] is None:
            return None
        for ballot, number in group["rankings"]:
            total[tuple(ballot)] += number
    return [[list(ballot), total[ballot]] for ballot in sorted(total)]


def _blank(
    contest: Mapping[str, Any], counted: int, counts: Sequence[int] | None, rankings: Sequence[list[Any]] | None
) -> int | None:
    """How many ballots choose nothing, where that can be told."""
    if contest["kind"] == "homomorphic":
        return counted - sum(counts or ()) if contest["max"] == 1 else None
    if counts is not None:
        return counts[-1]  # `blank` of an open list and `none` of a ranked contest are the last code
    none = len(codes_of(contest)) - 1
    blank: int = sum(number for ballot, number in rankings or () if ballot[0] == none)
    return blank
