"""A manifest small enough that a whole election takes a second, with every kind of contest."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from evoting.definition import (
    BallotStyle,
    Candidate,
    HomomorphicContest,
    Limits,
    Manifest,
    OpenListContest,
    Option,
    Party,
    RankedContest,
    Region,
    ReportingUnit,
    Role,
    Titles,
    UnitMinimum,
)
from evoting.definition.rules import ListSeatsRule, ReferendumRule, RunoffRule, Share

OPENS, CLOSES = 1_700_000_000, 1_700_100_000

#: Role id, kind, index.
ROLES = [
    *[(f"officer-{i}", "officer", i) for i in (1, 2)],
    ("ballot-box", "ballot-box", 1),
    ("identity-provider", "identity-provider", 1),
    ("registrar", "registrar", 1),
    *[(f"trustee-{i}", "trustee", i) for i in (1, 2, 3)],
    *[(f"issuer-{i}", "issuer", i) for i in (1, 2, 3, 4)],
    *[(f"mixer-{i}", "mixer", i) for i in (1, 2)],
    *[(f"witness-{i}", "witness", i) for i in (1, 2, 3, 4)],
    ("terminal-1", "terminal", 1),
]


def titles(text: str) -> Titles:
    """The same text in all languages."""
    return Titles.of({"ky": text, "ru": text, "en": text})


def small_manifest(keys: Mapping[str, bytes]) -> Manifest:
    """Two styles, three contests (choice, open list, ranking), 2-of-3 trustees, 3-of-4 issuers, 2 mixers."""
    half = Share(Fraction(1, 2), "participants", strict=True)
    return Manifest(
        id="small-test",
        title=titles("Small test election"),
        note=None,
        model=True,
        languages=("ky", "ru", "en"),
        opens=OPENS,
        closes=CLOSES,
        epoch=600,
        enrolment_age=0,
        voting_origin="http://vote.localhost:8443",
        identity_origin="http://id.localhost:8443",
        unit_minimum=UnitMinimum(3, 4),
        limits=Limits(
            entry_bytes=65_535, blob_bytes=1 << 26, ballots=1000, contests=8, options=16, codes=64, challenges=3
        ),
        trustees=3,
        trustee_threshold=2,
        issuers=4,
        issuer_threshold=3,
        mixers=2,
        witnesses=4,
        witness_quorum=3,
        roles=tuple(Role(name, kind, index, keys[name], titles(name)) for name, kind, index in ROLES),  # type: ignore[arg-type]
        regions=(Region("east", "oblast", titles("East")), Region("west", "oblast", titles("West"))),
        units=(
            ReportingUnit("east-1", "precinct", titles("East 1"), "east", None, 12),
            ReportingUnit("east-2", "precinct", titles("East 2"), "east", None, 8),
            ReportingUnit("west-1", "precinct", titles("West 1"), "west", (42_870_000, 74_590_000), 20),
        ),
        styles=(
            BallotStyle("east", titles("East"), ("east-1", "east-2"), ("question", "list", "ranking"), 20),
            BallotStyle("west", titles("West"), ("west-1",), ("question", "list", "ranking"), 20),
        ),
        contests=(
            HomomorphicContest(
                "question",
                titles("Question"),
                (
                    Option("yes", "yes", None, titles("Yes")),
                    Option("no", "no", None, titles("No")),
                    Option("against-all", "against-all", None, titles("Against all")),
                ),
                0,
                1,
                ReferendumRule(Share(Fraction(3, 10), "registered", strict=True), half, "repeat"),
            ),
            OpenListContest(
                "list",
                titles("List"),
                tuple(
                    Party(
                        name,
                        titles(name),
                        (Candidate("1", "f", titles("One")), Candidate("2", "m", titles("Two"))),
                    )
                    for name in ("red", "blue")
                ),
                titles("Against all"),
                ListSeatsRule(
                    3, "hare", Share(Fraction(1, 20), "participants", strict=False), None, None, None, "ignore"
                ),
            ),
            RankedContest(
                "ranking",
                titles("Ranking"),
                tuple(Candidate(name, None, titles(name)) for name in ("ann", "bob", "cyd")),
                None,
                2,
                RunoffRule("ignore"),
            ),
        ),
    )
