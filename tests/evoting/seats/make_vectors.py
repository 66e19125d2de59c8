"""Writes docs/spec/vectors/outcomes.json: ``python -m tests.evoting.seats.make_vectors``.

``test_vectors.py`` checks that the file is what this writes, and that it covers every step, tie and status.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from crypto import cbor
from evoting.definition import Contest, Manifest, OpenListContest, RankedContest
from evoting.definition.codec import manifest_tree
from evoting.definition.rules import (
    AreaThreshold,
    CouncilRule,
    MajorityRule,
    ReferendumRule,
    RunoffRule,
    Share,
    TopKRule,
)
from evoting.seats import GroupTally, build_result, encode_result
from tests.evoting.seats.builders import (
    FINGERPRINT,
    FIVE_PERCENT,
    MAJORITY,
    THIRTY_PERCENT,
    choice,
    election,
    list_rule,
    lists,
    party_counts,
    ranked,
    tally,
)

FILE = Path(__file__).parents[3] / "docs" / "spec" / "vectors" / "outcomes.json"
TOP_3 = TopKRule(3, "other-sex-last", "repeat")
PRESIDENT = MajorityRule(MAJORITY, 2, "repeat")
REFERENDUM = ReferendumRule(Share(Fraction(3, 10), "registered", strict=True), MAJORITY, "repeat")
COUNCIL = CouncilRule(4, THIRTY_PERCENT, "repeat")
OFFICIAL_2021 = {"a": 222005, "b": 174470, "c": 141009, "d": 106955, "e": 90223, "f": 79025}
BISHKEK_2024 = {"a": 37903, "b": 28647, "c": 17858, "d": 18613, "e": 14514}
OSH_2021 = {"a": 3814, "b": 3217, "c": 1543, "d": 892}


@dataclass(frozen=True)
class Case:
    """One contest with its groups."""

    name: str
    manifest: Manifest
    groups: Sequence[GroupTally]
    withdrawn: tuple[str, ...] = ()


def cases() -> list[Case]:
    made: list[Case] = []

    def add(name: str, contest: Contest, counts: Sequence[int], registered: int = 5_000_000, **more: Any) -> None:
        withdrawn = more.pop("withdrawn", ())
        made.append(Case(name, election(contest, rolls=[registered]), [tally(counts, **more)], withdrawn))

    def add_lists(name: str, contest: OpenListContest, votes: dict[str, int], **more: Any) -> None:
        named = {key: more.pop(key) for key in ("against_all", "blank") if key in more}
        add(name, contest, party_counts(contest, votes, **named), **more)

    full = "mmfmmfmmfm" * 3
    add_lists(
        "parliament 2021, official", lists(list_rule(54, national=FIVE_PERCENT, cap=27), *["m" * 30] * 6), OFFICIAL_2021
    )
    add_lists("bishkek 2024, official", lists(list_rule(51, national=FIVE_PERCENT), *["m" * 20] * 5), BISHKEK_2024)
    for method in ("hare", "dhondt"):
        add_lists(f"osh 2021, {method}", lists(list_rule(45, method=method), *["m" * 20] * 4), OSH_2021)
    add_lists("cap in two rounds", lists(list_rule(54, cap=27), full, full, full), {"a": 700, "b": 200, "c": 100})
    add_lists("cap of the only party", lists(list_rule(5, cap=3), full, full), {"a": 7})
    add_lists("equal remainders", lists(list_rule(4), full, full, full), {"a": 100, "b": 100, "c": 100})
    add_lists("equal quotients", lists(list_rule(4, method="dhondt"), full, full, full), {"a": 60, "b": 60, "c": 30})
    women = lists(list_rule(6, women=THIRTY_PERCENT), "mmmmff", "mfmm")
    add_lists("women's quota", women, {"a": 50, "a/2": 9, "a/4": 7, "a/6": 2, "b/1": 20, "b/3": 5}, blank=4, invalid=3)
    add_lists(
        "women short, list exhausted", lists(list_rule(8, women=THIRTY_PERCENT), "mmm", "mf"), {"a": 60, "b/2": 10}
    )
    add_lists("withdrawn party and candidate", women, {"a/1": 30, "b/1": 60}, withdrawn=("b", "a/1"))
    add_lists("nobody reaches the threshold", lists(list_rule(3, national=MAJORITY), "mf", "mf"), {"a": 5, "b": 5})
    add_lists(
        "exactly five percent", lists(list_rule(20, national=FIVE_PERCENT), full, full), {"a": 90, "b": 5}, blank=5
    )
    add_lists("most votes against all the lists", women, {"a/1": 6, "a/2": 5}, against_all=12)
    made += _areas()
    add("top three, all men", choice(TOP_3, "mmmff"), [13278, 5983, 4000, 902, 300, 100])
    add("top three, last of equals gives way", choice(TOP_3, "mmmf"), [9, 5, 5, 1, 0])
    add("top three, no woman with a vote", choice(TOP_3, "mmmf"), [9, 8, 7, 0, 0])
    add("top three, tie for two seats", choice(replace(TOP_3, gender="none"), "mmmmm"), [9, 5, 5, 5, 1, 0])
    add("top three, one vacancy", choice(TOP_3, "mmf"), [9, 0, 3, 0])
    add("most votes against all", choice(TOP_3, "mmf"), [9, 8, 7, 10])
    add("as many against all as for the first", choice(TOP_3, "mmf"), [9, 8, 7, 9])
    add("president elected", choice(PRESIDENT, "mf"), [51, 49, 0])
    add("president, second round after a tie", choice(PRESIDENT, "mfmf"), [40, 20, 20, 20, 0], counted=130)
    add("president, one candidate without a majority", choice(PRESIDENT, "m", against_all=False), [4], counted=10)
    answers = choice(REFERENDUM, "--", role="answer")
    add("referendum 2021, official", answers, [1133485, 151931, 62145], 3563574, counted=1394218)
    add("referendum at exactly the turnout", answers, [300, 0, 0], 1000)
    add("referendum not adopted by exactly half", answers, [200, 150, 0], 1000, counted=400)
    add("referendum with most against all", answers, [100, 100, 150], 1000, counted=400)
    add("council", choice(COUNCIL, "mmmmff"), [90, 80, 70, 60, 5, 4, 0])
    add("council short of women", choice(COUNCIL, "mmmmf"), [9, 8, 7, 6, 1, 0])
    add("no vote at all", choice(COUNCIL, "mf"), [0, 0, 0], counted=7)
    add("no ballot at all", choice(COUNCIL, "mf"), [0, 0, 0])
    made += _ranked()
    hidden = GroupTally("s0", ("s0",), 7, "withheld", None, None, None)
    made.append(Case("withheld group", election(choice(TOP_3, "mmf")), [hidden], ("b",)))
    return made


def _areas() -> list[Case]:
    area = AreaThreshold(Share(Fraction(1, 200), "participants", strict=False), ("north", "south"))
    contest = lists(list_rule(10, national=FIVE_PERCENT, area=area), "m" * 10, "m" * 10)
    manifest = election(contest, rolls=[5000, 5000, 50], regions=["north", "south", "abroad"])
    north = tally(party_counts(contest, {"a": 500, "b": 499}, blank=1))
    south = replace(tally(party_counts(contest, {"a": 996, "b": 4})), group="s1", styles=("s1",))
    abroad = replace(tally(party_counts(contest, {"a": 40})), group="s2", styles=("s2",))
    joined = election(contest, rolls=[5000, 5000, 5000], regions=["north", "south", "north"])
    merged = tally(party_counts(contest, {"a": 1000, "b": 104}), styles=["s1", "s2"])
    return [
        Case("below in one area", manifest, [north, south, abroad]),
        Case("areas joined by a merged group", joined, [north, merged]),
    ]


def _ranked() -> list[Case]:
    def case(
        name: str, contest: RankedContest, rankings: Sequence[tuple[tuple[int, ...], int]], invalid: int = 0
    ) -> Case:
        counted = sum(count for _, count in rankings) + invalid
        group = GroupTally("s0", ("s0",), counted, "tallied", None, tuple(rankings), invalid)
        return Case(name, election(contest), [group])

    three = ranked(RunoffRule("repeat"), "abc", 3)
    two = ranked(RunoffRule("repeat"), "ab", 2, against_all=True)
    one = ranked(PRESIDENT, "abc", 1, against_all=True)
    return [
        case("run-off passes votes on", three, [((0, 1, 2), 40), ((1, 2, 0), 35), ((2, 1, 0), 25)]),
        case(
            "run-off, tie and exhausted", three, [((0, 3, 3), 40), ((1, 3, 3), 30), ((2, 3, 3), 30), ((3, 3, 3), 9)], 3
        ),
        case("run-off, nobody is ranked", three, [((3, 3, 3), 4)]),
        case("run-off against all", two, [((0, 1), 4), ((1, 3), 3), ((2, 3), 5)]),
        Case("one rank", election(one), [tally([6, 3, 1, 1, 0])]),
    ]


def vector(case: Case) -> dict[str, object]:
    tree: Any = manifest_tree(case.manifest)
    result = build_result(case.manifest, FINGERPRINT, {"c": case.groups}, {"c": case.withdrawn})
    decoded: Any = cbor.decode(encode_result(result))
    (entry,) = decoded["contests"]
    return {
        "name": case.name,
        "fingerprint": FINGERPRINT.hex(),
        "regions": [region["id"] for region in tree["regions"]],
        "units": [{"id": unit["id"], "region": unit["region"]} for unit in tree["units"]],
        "styles": [{key: style[key] for key in ("id", "units", "roll")} for style in tree["styles"]],
        "contest": tree["contests"][0],
        "groups": entry["groups"],
        "withdrawn": entry["withdrawn"],
        "totals": entry["totals"],
        "outcome": entry["outcome"],
    }


def document() -> str:
    """The file: one case on each line."""
    head = {
        "format": "evoting-vectors/v1",
        "section": "10.17",
        "what": "outcomes of contests from the tallies of groups",
    }
    lines = ",\n".join(json.dumps(vector(case), ensure_ascii=True, sort_keys=True) for case in cases())
    return json.dumps(head)[:-1] + ', "cases": [\n' + lines + "\n]}\n"


if __name__ == "__main__":
    FILE.write_text(document())
