"""The result of an election as the record holds it; docs/spec/10-results.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from crypto.cbor import decode, encode
from crypto.errors import DecodeError
from evoting.definition import Contest, Manifest

from .decide import outcome
from .errors import ResultError
from .outcome import Outcome
from .totals import GROUP_STATUSES, GroupStatus, GroupTally, Rankings, Totals, sum_groups

FORMAT = "evoting-result/v1"


@dataclass(frozen=True, slots=True)
class ContestResult:
    """One contest: its groups, its totals (None if a group is withheld), and what follows from them."""

    contest: Contest
    groups: tuple[GroupTally, ...]
    totals: Totals | None
    withdrawn: tuple[str, ...]
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Result:
    """The result of an election; contests in the manifest's order."""

    manifest: Manifest
    fingerprint: bytes
    contests: tuple[ContestResult, ...]


def build_result(
    manifest: Manifest,
    fingerprint: bytes,
    tallies: Mapping[str, Sequence[GroupTally]],
    withdrawn: Mapping[str, Sequence[str]] | None = None,
) -> Result:
    """The result that follows from the tallies of every contest.

    Args:
        fingerprint: election fingerprint, 32 bytes.
        tallies: contest id -> groups in the record's order.
        withdrawn: contest id -> option ids or codes that withdrew before the close.

    Raises:
        ResultError: tallies that are missing, too many, or cannot be.
    """
    gone = withdrawn or {}
    for given in (tallies, gone):
        unknown = sorted(set(given) - set(manifest.contest_by_id))
        if unknown:
            raise ResultError("", f"there is no contest {unknown[0]!a}")
    contests = []
    for index, contest in enumerate(manifest.contests):
        if contest.id not in tallies:
            raise ResultError(f"contests[{index}]", f"no tally of contest {contest.id!a}")
        groups = tuple(tallies[contest.id])
        ids = tuple(sorted(set(gone.get(contest.id, ()))))
        try:
            totals = sum_groups(manifest, contest, groups)
            decided = outcome(manifest, contest, groups, fingerprint, ids)
        except ResultError as error:
            raise ResultError(f"contests[{index}].{error.path}", error.reason) from None
        contests.append(ContestResult(contest, groups, totals, ids, decided))
    return Result(manifest, fingerprint, tuple(contests))


def encode_result(result: Result) -> bytes:
    """Deterministic CBOR of a result."""
    return encode(
        {
            "format": FORMAT,
            "fingerprint": result.fingerprint,
            "contests": [
                {
                    "contest": entry.contest.id,
                    "groups": [_group_tree(group) for group in entry.groups],
                    "totals": None if entry.totals is None else _totals_tree(entry.totals),
                    "withdrawn": list(entry.withdrawn),
                    "outcome": outcome_tree(entry.outcome),
                }
                for entry in result.contests
            ],
        }
    )


def decode_result(data: bytes, manifest: Manifest, limit: int, *, fingerprint: bytes | None = None) -> Result:
    """Read a result and check that everything in it follows from its own group tallies.

    That the tallies follow from the plaintexts, and ``withdrawn`` from the log, is for the caller to check.

    Args:
        limit: largest accepted length in bytes.
        fingerprint: of the election that it must belong to; None where the caller compares it.

    Raises:
        ResultError: not canonical, against the schema, or a total or outcome that does not follow; with the path.
    """
    try:
        tree = decode(data, limit=limit)
    except DecodeError as error:
        raise ResultError("", f"result: {error}") from None
    found, tallies, withdrawn = _read_tallies(tree, manifest)
    if fingerprint is not None and found != fingerprint:
        raise ResultError("fingerprint", "this is the result of another election")
    result = build_result(manifest, found, tallies, withdrawn)
    again = encode_result(result)
    if again != data:
        raise ResultError(*_difference(tree, decode(again), ""))
    return result


def outcome_tree(outcome: Outcome) -> dict[str, object]:
    """The tree of an outcome."""
    return {
        "status": outcome.status,
        "elected": [{"id": entry.id, "votes": entry.votes, "by": entry.by} for entry in outcome.elected],
        "seats": [{"party": party, "seats": seats} for party, seats in outcome.seats],
        "vacant": outcome.vacant,
        "advance": list(outcome.advance),
        "adopted": outcome.adopted,
        "ties": [
            {"purpose": tie.purpose, "ids": list(tie.ids), "places": tie.places, "by": tie.by} for tie in outcome.ties
        ],
        "steps": [[step.name, step.subject, list(step.values)] for step in outcome.steps],
    }


def _group_tree(group: GroupTally) -> dict[str, object]:
    return {
        "group": group.group,
        "styles": list(group.styles),
        "counted": group.counted,
        "status": group.status,
        "counts": None if group.counts is None else list(group.counts),
        "rankings": _rankings_tree(group.rankings),
        "invalid": group.invalid,
    }


def _rankings_tree(rankings: Rankings | None) -> object:
    return None if rankings is None else [[list(ranks), count] for ranks, count in rankings]


def _totals_tree(totals: Totals) -> dict[str, object]:
    return {
        "registered": totals.registered,
        "counted": totals.counted,
        "invalid": totals.invalid,
        "valid": totals.valid,
        "blank": totals.blank,
        "choices": totals.choices,
        "counts": None if totals.counts is None else list(totals.counts),
        "rankings": _rankings_tree(totals.rankings),
    }


_Tallies = tuple[bytes, dict[str, list[GroupTally]], dict[str, list[str]]]


def _read_tallies(tree: object, manifest: Manifest) -> _Tallies:
    """Only what the rest follows from; ``decode_result`` compares everything else."""
    root = _map(tree, "", {"format", "fingerprint", "contests"})
    if root["format"] != FORMAT:
        raise ResultError("format", f"expected {FORMAT}")
    fingerprint = root["fingerprint"]
    if not isinstance(fingerprint, bytes) or len(fingerprint) != 32:
        raise ResultError("fingerprint", "expected 32 bytes")
    tallies: dict[str, list[GroupTally]] = {}
    withdrawn: dict[str, list[str]] = {}
    for index, item in enumerate(_list(root["contests"], "contests")):
        path = f"contests[{index}]"
        entry = _map(item, path, {"contest", "groups", "totals", "withdrawn", "outcome"})
        contest_id = _text(entry["contest"], f"{path}.contest")
        if contest_id in tallies or contest_id not in manifest.contest_by_id:
            raise ResultError(f"{path}.contest", "unknown or repeated contest")
        groups = _list(entry["groups"], f"{path}.groups")
        tallies[contest_id] = [_read_group(group, f"{path}.groups[{place}]") for place, group in enumerate(groups)]
        ids = _list(entry["withdrawn"], f"{path}.withdrawn")
        withdrawn[contest_id] = [_text(id, f"{path}.withdrawn[{place}]") for place, id in enumerate(ids)]
    return fingerprint, tallies, withdrawn


def _read_group(tree: object, path: str) -> GroupTally:
    fields = _map(tree, path, {"group", "styles", "counted", "status", "counts", "rankings", "invalid"})
    status = fields["status"]
    if status not in GROUP_STATUSES:
        raise ResultError(f"{path}.status", f"expected one of {', '.join(GROUP_STATUSES)}")
    styles = _list(fields["styles"], f"{path}.styles")
    counts, rankings, invalid = fields["counts"], fields["rankings"], fields["invalid"]
    return GroupTally(
        group=_text(fields["group"], f"{path}.group"),
        styles=tuple(_text(style, f"{path}.styles[{place}]") for place, style in enumerate(styles)),
        counted=_uint(fields["counted"], f"{path}.counted"),
        status=cast(GroupStatus, status),
        counts=None if counts is None else _uints(counts, f"{path}.counts"),
        rankings=None if rankings is None else _read_rankings(rankings, f"{path}.rankings"),
        invalid=None if invalid is None else _uint(invalid, f"{path}.invalid"),
    )


def _read_rankings(tree: object, path: str) -> Rankings:
    rankings = []
    for index, item in enumerate(_list(tree, path)):
        pair = _list(item, f"{path}[{index}]")
        if len(pair) != 2:
            raise ResultError(f"{path}[{index}]", "expected code indices and a count")
        rankings.append((_uints(pair[0], f"{path}[{index}][0]"), _uint(pair[1], f"{path}[{index}][1]")))
    return tuple(rankings)


def _map(value: object, path: str, fields: set[str]) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ResultError(path, "expected a map")
    if set(value) != fields:
        name = min(set(value) ^ fields)
        raise ResultError(path, f"{'missing' if name in fields else 'unknown'} field {name!a}")
    return value


def _list(value: object, path: str) -> list[object]:
    if not isinstance(value, list):
        raise ResultError(path, "expected a list")
    return value


def _text(value: object, path: str) -> str:
    if not isinstance(value, str):
        raise ResultError(path, "expected text")
    return value


def _uint(value: object, path: str) -> int:
    if type(value) is not int or value < 0:
        raise ResultError(path, "expected an unsigned integer")
    return value


def _uints(value: object, path: str) -> tuple[int, ...]:
    return tuple(_uint(item, f"{path}[{index}]") for index, item in enumerate(_list(value, path)))


def _difference(given: object, expected: object, path: str) -> tuple[str, str]:
    """The first place where two trees differ."""
    if isinstance(given, dict) and isinstance(expected, dict):
        for key in sorted(set(given) | set(expected)):
            if key not in given or key not in expected:
                return path, f"unknown or missing field {key!a}"
            if given[key] != expected[key]:
                return _difference(given[key], expected[key], f"{path}.{key}" if path else key)
    if isinstance(given, list) and isinstance(expected, list):
        for index, (left, right) in enumerate(zip(given, expected, strict=False)):
            if left != right or type(left) is not type(right):
                return _difference(left, right, f"{path}[{index}]")
        return path, f"{len(given)} items, but {len(expected)} follow from the tallies"
    return path, f"{given!a:.60}, but {expected!a:.60} follows from the tallies"
