"""The demonstration election: referendum and parliamentary list of 2021 in the Kyrgyz Republic, as one election.

Real are the referendum's figures, the list votes of the six parties above the threshold, and the preliminary shares
of the others (see the sources in the two JSON files). Synthetic, drawn from ``SEED``, are: the spread over reporting
units, precincts abroad, candidates with their sex, preferences within lists, and that both contests have one
electorate.

``demo_election`` yields the manifest and the exact counts that a correct tally must give at a scale; its memory depends
on the number of codes, not of ballots. ``choices`` then makes the ballots of one ballot style.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from evoting.definition import Manifest, OpenListContest

from .apportion import Draw, apportion, table
from .kyrgyz2021_manifest import CANDIDATES, SEED, DemoOptions, build_manifest, role_plan
from .kyrgyz2021_names import PARTIES, REGIONS

__all__ = [
    "BLANK_CHOICE",
    "INVALID_CHOICE",
    "ContestSelection",
    "DemoElection",
    "DemoOptions",
    "demo_election",
    "role_plan",
]

ContestSelection: TypeAlias = Literal["both", "referendum", "parliament"]

REFERENDUM, PARLIAMENT = "referendum", "parliament"
#: A ballot with no option selected (referendum); blank list ballots have the code "blank" instead.
BLANK_CHOICE = -1
#: A well-formed ciphertext of no code of the code book.
INVALID_CHOICE = -2


@dataclass(frozen=True)
class Counts:
    """Exact counts of one contest in one ballot style.

    ``votes`` are by option (referendum) or by code of the code book (list, blank included); ``blank`` repeats the blank
    ballots of either kind; ``invalid`` are planted ciphertexts that decode to no code.
    """

    ballots: int
    votes: tuple[int, ...]
    blank: int
    invalid: int


@dataclass(frozen=True)
class DemoElection:
    """A manifest, and what its tally must come to."""

    manifest: Manifest
    scale: int
    #: contest id -> style id -> counts.
    expected: Mapping[str, Mapping[str, Counts]]

    @cached_property
    def ballots(self) -> Mapping[str, int]:
        """Ballots by ballot style."""
        first = next(iter(self.expected.values()))
        return {style: counts.ballots for style, counts in first.items()}

    def totals(self, contest_id: str) -> Counts:
        """Counts of a contest over all ballot styles."""
        parts = list(self.expected[contest_id].values())
        return Counts(
            ballots=sum(part.ballots for part in parts),
            votes=tuple(sum(column) for column in zip(*(part.votes for part in parts), strict=True)),
            blank=sum(part.blank for part in parts),
            invalid=sum(part.invalid for part in parts),
        )

    def choices(self, style_id: str) -> dict[str, NDArray[np.int32]]:
        """The choices of every ballot of a style, by contest: an option or code index, or one of the constants above.

        Entry i of every array belongs to ballot i. The order is a permutation drawn from the seed, one per contest.
        """
        draw = Draw(SEED)
        result = {}
        for contest_id, by_style in self.expected.items():
            counts = by_style[style_id]
            values = np.arange(len(counts.votes), dtype=np.int32)
            repeats = list(counts.votes)
            if contest_id == REFERENDUM:
                values = np.append(values, np.int32(BLANK_CHOICE))
                repeats.append(counts.blank)
            values = np.append(values, np.int32(INVALID_CHOICE))
            repeats.append(counts.invalid)
            ordered = np.repeat(values, repeats)
            label = f"order|{self.scale}|{contest_id}|{style_id}"
            result[contest_id] = ordered[draw.permutation(label, len(ordered))]
        return result


def demo_election(
    scale: int, contest: ContestSelection, keys: Mapping[str, bytes], options: DemoOptions
) -> DemoElection:
    """The election at one ballot for ``scale`` real ones.

    Args:
        scale: from 1; at more than about 1,000 small ballot styles fall below the unit minima, which ``options`` can
            lower.
        contest: which contests the ballot carries.
        keys: Ed25519 public key by role id, exactly the roles of ``role_plan()``.
        options: times, minima and party counts.

    Raises:
        DefinitionError: the scale leaves a ballot style below its unit minimum.
        ValueError: a scale below 1, or keys that do not match the role plan.
    """
    if scale < 1:
        raise ValueError("scale must be at least 1")
    tables = _scaled(scale)
    wanted = (REFERENDUM, PARLIAMENT) if contest == "both" else (contest,)
    manifest = build_manifest(tables.roll, tables.ballots_total, wanted, keys, options)
    expected: dict[str, dict[str, Counts]] = {}
    for definition in manifest.contests:
        if isinstance(definition, OpenListContest):
            expected[definition.id] = _list_counts(tables)
        else:
            expected[definition.id] = _referendum_counts(tables)
    return DemoElection(manifest, scale, expected)


@dataclass(frozen=True)
class _Tables:
    """Whole counts at one scale; rows are regions (ballot styles) in the order of ``REGIONS``."""

    roll: tuple[int, ...]
    ballots: tuple[int, ...]
    referendum: tuple[tuple[int, ...], ...]  # options, then blank
    parties: tuple[tuple[int, ...], ...]  # parties, against all, blank
    preferences: tuple[tuple[tuple[int, ...], ...], ...]  # by row, by party: none, then each candidate

    @property
    def ballots_total(self) -> int:
        return sum(self.ballots)


def load_source(name: str) -> dict[str, object]:
    """One of the two data files beside this module."""
    loaded: dict[str, object] = json.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))
    return loaded


def national_referendum() -> tuple[int, ...]:
    """Official votes of the options, then blank or invalid ones."""
    source = load_source("kg-2021-referendum.json")
    votes = tuple(option["votes"] for option in source["options"])  # type: ignore[attr-defined]
    return (*votes, int(source["invalid_or_blank"]))  # type: ignore[call-overload]


def national_list() -> tuple[int, ...]:
    """Votes of the 21 parties in the order of ``PARTIES``, against all, then what is left as blank.

    A published percentage stands for percent * participants_estimate / 100, rounded half up.
    """
    source = load_source("kg-2021-parliament-list.json")
    participants = source["participants_estimate"]

    def votes(percent: object) -> int:
        return int(Fraction(str(percent)) * int(participants) / 100 + Fraction(1, 2))  # type: ignore[call-overload]

    named: dict[str, int] = {}
    for party in source["parties_final"]:  # type: ignore[attr-defined]
        named[party["name"]] = party["votes"]
    for party in source["others_preliminary_percent"]:  # type: ignore[attr-defined]
        named[party["name"]] = votes(party["percent"])
    counts = (*(named[name] for name in PARTIES), votes(source["against_all_preliminary_percent"]))
    return (*counts, sum(national_referendum()) - sum(counts))


@lru_cache(maxsize=1)
def _full() -> _Tables:
    draw = Draw(SEED)
    regions = list(REGIONS)
    registered = int(load_source("kg-2021-referendum.json")["registered_voters"])  # type: ignore[call-overload]
    sizes = [REGIONS[region][5] for region in regions]
    roll = apportion(registered, sizes)
    turnout = [size * draw.number(f"turnout|{region}", 90, 110) for region, size in zip(regions, sizes, strict=True)]
    referendum, parties = national_referendum(), national_list()
    ballots = apportion(sum(referendum), turnout, roll)

    def spread(contest: str, columns: tuple[int, ...], percent: int) -> tuple[tuple[int, ...], ...]:
        weights = [
            [total * draw.number(f"{contest}|{column}|{region}", 100 - percent, 100 + percent) for region in regions]
            for column, total in enumerate(columns)
        ]
        return table(columns, ballots, weights)

    by_party = spread(PARLIAMENT, parties, 30)
    preferences = tuple(
        tuple(
            apportion(by_party[number][row], _preference_weights(draw, party)) for number, party in enumerate(PARTIES)
        )
        for row in range(len(regions))
    )
    return _Tables(roll, ballots, spread(REFERENDUM, referendum, 5), by_party, preferences)


def _preference_weights(draw: Draw, party: str) -> list[int]:
    """Somewhat more than a third prefer nobody; the rest favour the head of the list and some others."""
    weights = [
        100_000 * draw.number(f"preference|{party}|{place}", 20, 180) // (place + 4)
        for place in range(1, CANDIDATES + 1)
    ]
    return [sum(weights) * draw.number(f"no preference|{party}", 40, 90) // 100, *weights]


@lru_cache(maxsize=4)
def _scaled(scale: int) -> _Tables:
    """The full tables by largest remainder: first the national figures, then their spread, then the preferences."""
    full = _full()
    if scale == 1:
        return full

    def down(number: int) -> int:
        return (2 * number + scale) // (2 * scale)

    total = down(sum(full.ballots))
    roll = apportion(down(sum(full.roll)), full.roll)
    ballots = apportion(total, full.ballots, roll)
    referendum = table(apportion(total, national_referendum()), ballots, full.referendum)
    parties = table(apportion(total, national_list()), ballots, full.parties)
    preferences = tuple(
        tuple(apportion(parties[number][row], full.preferences[row][number]) for number in range(len(PARTIES)))
        for row in range(len(ballots))
    )
    return _Tables(roll, ballots, referendum, parties, preferences)


def _referendum_counts(tables: _Tables) -> dict[str, Counts]:
    return {
        region: Counts(
            ballots=tables.ballots[row],
            votes=tuple(column[row] for column in tables.referendum[:-1]),
            blank=tables.referendum[-1][row],
            invalid=0,
        )
        for row, region in enumerate(REGIONS)
    }


def _list_counts(tables: _Tables) -> dict[str, Counts]:
    blanks = tables.parties[-1]
    planted = apportion(min(max(2, tables.ballots_total // 5000), sum(blanks)), blanks, blanks)
    result = {}
    for row, region in enumerate(REGIONS):
        votes = [count for party in tables.preferences[row] for count in party]
        blank = blanks[row] - planted[row]
        votes += [tables.parties[-2][row], blank]
        result[region] = Counts(tables.ballots[row], tuple(votes), blank, planted[row])
    return result
