"""The verifier, written from docs/spec/10-results.md alone, comes to the same outcomes, steps and ties."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import pytest

from crypto import cbor
from evoting.definition import Contest, HomomorphicContest, Manifest, RankedContest
from evoting.definition.codec import manifest_tree
from evoting.definition.rules import (
    AgainstAll,
    AreaThreshold,
    CouncilRule,
    MajorityRule,
    Quota,
    ReferendumRule,
    RunoffRule,
    Share,
    TopKRule,
)
from evoting.seats import GroupTally, build_result, encode_result, is_regular_ranking, withdrawable
from tests.evoting.seats.builders import FINGERPRINT, choice, election, list_rule, lists, ranked, tally
from tests.evoting.seats.make_vectors import Case, cases
from verifier.equations.outcome import compute_outcome


def require_agreement(manifest: Manifest, groups: Sequence[GroupTally], withdrawn: Sequence[str], lots: bytes) -> None:
    result: Any = cbor.decode(encode_result(build_result(manifest, lots, {"c": groups}, {"c": withdrawn})))
    (entry,) = result["contests"]
    tree: Any = manifest_tree(manifest)
    assert compute_outcome(tree, tree["contests"][0], entry, lots) == entry["outcome"]


@pytest.mark.parametrize("case", cases(), ids=lambda case: str(case.name))
def test_vectors(case: Case) -> None:
    require_agreement(case.manifest, case.groups, case.withdrawn, FINGERPRINT)


class Dice:
    """A random contest with few votes, so that ties and edges are frequent."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.most = self.random.choice([3, 3, 10**6])

    def share(self) -> Share:
        fraction = Fraction(self.random.randint(0, 6), self.random.choice([7, 10, 20]))
        of = self.random.choice(["registered", "participants", "valid", "choices"])
        return Share(fraction, of, self.random.random() < 0.5)  # type: ignore[arg-type]

    def quota(self) -> Quota:
        rounding = self.random.choice(["up", "down"])
        return Quota(Fraction(self.random.randint(0, 4), 4), rounding)  # type: ignore[arg-type]

    def against(self) -> AgainstAll:
        return self.random.choice(["repeat", "ignore"])

    def sexes(self, low: int, high: int) -> str:
        return "".join(self.random.choice("fm") for _ in range(self.random.randint(low, high)))

    def maybe(self) -> bool:
        return self.random.random() < 0.5

    def list_contest(self, regions: Sequence[str]) -> Contest:
        seats = self.random.randint(1, 12)
        named = sorted(set(regions))
        area = AreaThreshold(self.share(), tuple(self.random.sample(named, self.random.randint(1, len(named)))))
        rule = list_rule(
            seats,
            method=self.random.choice(["hare", "dhondt"]),
            national=self.share(),
            area=area if self.maybe() else None,
            cap=self.random.randint(1, seats) if self.maybe() else None,
            women=self.quota() if self.maybe() else None,
        )
        return lists(rule, *[self.sexes(0, 5) for _ in range(self.random.randint(1, 5))], against_all=self.maybe())

    def contest(self, kind: str, regions: Sequence[str]) -> Contest:
        count = self.random.randint(1, 5)
        makers: dict[str, Callable[[], Contest]] = {
            "list-seats": lambda: self.list_contest(regions),
            "majority": lambda: choice(
                MajorityRule(self.share(), self.random.randint(2, 4), self.against()),
                self.sexes(1, 7),
                against_all=self.maybe(),
            ),
            "top-k": lambda: choice(
                TopKRule(count, "other-sex-last" if self.maybe() else "none", self.against()),
                self.sexes(2, 7),
                against_all=self.maybe(),
                max=self.random.randint(1, 2),
            ),
            "council": lambda: choice(
                CouncilRule(count, self.quota(), self.against()), self.sexes(1, 7), against_all=self.maybe()
            ),
            "referendum": lambda: choice(
                ReferendumRule(self.share(), self.share(), self.against()),
                "-" * count,
                against_all=self.maybe(),
                role="answer",
            ),
            "runoff": lambda: ranked(
                RunoffRule(self.against()), "abcd"[: count + 1], self.random.randint(1, 2), against_all=self.maybe()
            ),
        }
        return makers[kind]()

    def group(self, contest: Contest, styles: Sequence[str]) -> GroupTally:
        if isinstance(contest, RankedContest) and contest.width > 1:
            return self.rankings(contest, styles)
        if isinstance(contest, HomomorphicContest):
            counts = [self.random.randint(0, self.most) for _ in contest.options]
            least = max(*counts, -(-sum(counts) // contest.max), 0)
            return tally(counts, counted=least + self.random.randint(0, 3), styles=styles)
        counts = [self.random.randint(0, self.most) for _ in contest.codes]
        return tally(counts, invalid=self.random.randint(0, 2), styles=styles)

    def rankings(self, contest: RankedContest, styles: Sequence[str]) -> GroupTally:
        drawn = [tuple(self.random.choices(range(len(contest.codes)), k=contest.width)) for _ in range(8)]
        rows = {ranks: self.random.randint(1, 4) for ranks in drawn if is_regular_ranking(contest, ranks)}
        counted = sum(rows.values())
        status = "tallied" if counted else "empty"
        return GroupTally(styles[0], tuple(styles), counted, status, None, tuple(sorted(rows.items())), 0)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["list-seats", "majority", "top-k", "council", "referendum", "runoff"])
def test_random_contests(kind: str) -> None:
    ties = 0
    for seed in range(120):
        dice = Dice(seed)
        regions = dice.random.choices("pqr", k=dice.random.randint(1, 4))
        contest = dice.contest(kind, regions)
        manifest = election(contest, rolls=[dice.random.randint(100, 10**6) for _ in regions], regions=regions)
        merged: dict[int, list[str]] = {}
        for index in range(len(regions)):
            merged.setdefault(dice.random.randint(0, 2), []).append(f"s{index}")
        groups = [dice.group(contest, styles) for styles in sorted(merged.values())]
        names = sorted(withdrawable(contest))
        withdrawn = dice.random.sample(names, min(len(names), dice.random.choice([0, 0, 1, 2])))
        require_agreement(manifest, groups, withdrawn, dice.random.randbytes(32))
        result = build_result(manifest, FINGERPRINT, {"c": groups}, {"c": withdrawn})
        ties += len(result.contests[0].outcome.ties)
    assert ties > 5
