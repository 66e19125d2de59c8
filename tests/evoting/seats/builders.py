"""Small contests with chosen counts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from evoting.definition import (
    BallotStyle,
    Candidate,
    Contest,
    HomomorphicContest,
    Manifest,
    OpenListContest,
    Option,
    Party,
    RankedContest,
    Region,
    ReportingUnit,
    Titles,
)
from evoting.definition.rules import AreaThreshold, ListSeatsRule, Quota, Rule, Share
from evoting.definition.validate import validate
from evoting.seats import GroupTally, Outcome, outcome
from tests.evoting.definition.builders import council

FINGERPRINT = bytes(range(32))
T = Titles.of({"ky": "x", "ru": "x", "en": "x"})
MAJORITY = Share(Fraction(1, 2), "participants", strict=True)
FIVE_PERCENT = Share(Fraction(1, 20), "participants", strict=False)
ANY = Share(Fraction(0), "participants", strict=False)
THIRTY_PERCENT = Quota(Fraction(3, 10), "up")


def lot(id: str, contest: str = "c", fingerprint: bytes = FINGERPRINT) -> bytes:
    """The lot of section 10.4, from its definition."""
    parts = (b"evoting/v1/tie", fingerprint, contest.encode(), id.encode())
    return hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).digest()


def by_lot(*ids: str) -> list[str]:
    return sorted(ids, key=lot)


def choice(
    rule: Rule, sexes: str, *, against_all: bool = True, max: int = 1, role: str = "candidate"
) -> HomomorphicContest:
    """A homomorphic contest with candidates a, b, c, ... of the given sexes ("-": none)."""
    options = [
        Option(chr(97 + index), role, None if sex == "-" else sex, T)  # type: ignore[arg-type]
        for index, sex in enumerate(sexes)
    ]
    if against_all:
        options.append(Option("against-all", "against-all", None, T))
    return HomomorphicContest("c", T, tuple(options), 0, max, rule)


def lists(rule: ListSeatsRule, *sexes: str, against_all: bool = True) -> OpenListContest:
    """An open list with parties a, b, c, ..., each with candidates 1, 2, ... of the given sexes."""
    parties = tuple(
        Party(
            chr(97 + index),
            T,
            tuple(Candidate(str(place), sex, T) for place, sex in enumerate(line, 1)),  # type: ignore[arg-type]
        )
        for index, line in enumerate(sexes)
    )
    return OpenListContest("c", T, parties, T if against_all else None, rule)


def list_rule(
    seats: int,
    *,
    method: str = "hare",
    national: Share = ANY,
    area: AreaThreshold | None = None,
    cap: int | None = None,
    women: Quota | None = None,
) -> ListSeatsRule:
    return ListSeatsRule(seats, method, national, area, cap, women, "repeat")  # type: ignore[arg-type]


def ranked(rule: Rule, candidates: str, width: int, *, against_all: bool = False) -> RankedContest:
    return RankedContest(
        "c", T, tuple(Candidate(id, None, T) for id in candidates), T if against_all else None, width, rule
    )


def election(contest: Contest, rolls: Sequence[int] = (1_000_000,), regions: Sequence[str] = ()) -> Manifest:
    """A manifest with one contest and a ballot style s0, s1, ... for every roll, each with one unit in its region."""
    named = list(regions) or [f"r{index}" for index in range(len(rolls))]
    units = tuple(
        ReportingUnit(f"u{index}", "precinct", T, region, None, roll)
        for index, (roll, region) in enumerate(zip(rolls, named, strict=True))
    )
    styles = tuple(BallotStyle(f"s{index}", T, (f"u{index}",), ("c",), roll) for index, roll in enumerate(rolls))
    manifest = replace(
        council(),
        regions=tuple(Region(region, "oblast", T) for region in dict.fromkeys(named)),
        units=units,
        styles=styles,
        contests=(contest,),
    )
    validate(manifest)
    return manifest


def tally(
    counts: Sequence[int], *, counted: int | None = None, invalid: int = 0, styles: Sequence[str] = ("s0",)
) -> GroupTally:
    """A tallied group; without ``counted`` everybody made one choice."""
    ballots = sum(counts) + invalid if counted is None else counted
    status = "tallied" if ballots else "empty"
    return GroupTally(styles[0], tuple(styles), ballots, status, tuple(counts), None, invalid)  # type: ignore[arg-type]


def decide(
    contest: Contest, counts: Sequence[int], *, counted: int | None = None, withdrawn: Sequence[str] = ()
) -> Outcome:
    """The outcome of a contest counted in one group."""
    manifest = election(contest)
    return outcome(manifest, contest, [tally(counts, counted=counted)], FINGERPRINT, withdrawn)


def party_counts(contest: OpenListContest, votes: dict[str, int], **others: int) -> list[int]:
    """Counts by code: ``votes`` by party or party/candidate; ``against_all`` and ``blank`` by name."""
    named = dict(votes) | {name.replace("_", "-"): count for name, count in others.items()}
    counts = [named.pop(code, 0) for code in contest.codes]
    assert not named, named
    return counts
