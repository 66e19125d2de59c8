"""The tools that all counting rules share; docs/spec/10-results.md sections 10.4 to 10.10."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any

from verifier.equations.tally import sum_groups
from verifier.hashing import sha
from verifier.record.manifest import codes_of

Score = int | Fraction
Method = Callable[["Count", Mapping[str, int], int], dict[str, int]]
AGAINST_ALL = "against-all"
_BASES = {"registered": "registered", "participants": "counted", "valid": "valid", "choices": "choices"}


class Count:
    """The count of one contest under way: what has been concluded and recorded so far."""

    def __init__(
        self, manifest: Mapping[str, Any], contest: Mapping[str, Any], result: Mapping[str, Any], fingerprint: bytes
    ) -> None:
        self.manifest = manifest
        self.contest = contest
        self.rule: Mapping[str, Any] = contest["rule"]
        self.totals: Mapping[str, Any] = result["totals"]
        self.groups: Sequence[Mapping[str, Any]] = result["groups"]
        self.withdrawn = set(result["withdrawn"])
        self.rolls = {style["id"]: style["roll"] for style in manifest["styles"]}
        self._fingerprint = fingerprint
        self.outcome: dict[str, Any] = {
            "status": "decided",
            "elected": [],
            "seats": [],
            "vacant": 0,
            "advance": [],
            "adopted": None,
            "ties": [],
            "steps": [],
        }

    # Conclusions and records.

    def conclude(self, status: str, **fields: Any) -> None:
        """Set the status and further fields."""
        self.outcome |= {"status": status, **fields}

    def record(self, name: str, subject: str = "", *values: int) -> None:
        """Append a step (10.5)."""
        self.outcome["steps"].append([name, subject, list(values)])

    def elect(self, identifier: str, votes: int, by: str, step: str) -> dict[str, Any]:
        """Record a step and give the item of ``elected``."""
        self.record(step, identifier, votes)
        return {"id": identifier, "votes": votes, "by": by}

    # The ballot.

    @cached_property
    def choices(self) -> list[Mapping[str, Any]]:
        """Options or candidates without "against all", in ballot order, withdrawn ones included."""
        listed = self.contest["options"] if self.contest["kind"] == "homomorphic" else self.contest["candidates"]
        return [choice for choice in listed if choice.get("role") != AGAINST_ALL]

    @cached_property
    def candidates(self) -> list[Mapping[str, Any]]:
        """Those who are not withdrawn."""
        return [choice for choice in self.choices if choice["id"] not in self.withdrawn]

    @cached_property
    def names(self) -> list[str]:
        """What each number of ``counts`` belongs to."""
        if self.contest["kind"] == "homomorphic":
            return [option["id"] for option in self.contest["options"]]
        return codes_of(self.contest)

    @cached_property
    def votes(self) -> dict[str, int]:
        """Totals by id or code (not of a contest with several ranks)."""
        return dict(zip(self.names, self.totals["counts"], strict=True))

    @cached_property
    def against_all(self) -> str | None:
        """Id or code of the choice "against all", where the ballot has one."""
        if self.contest["kind"] == "homomorphic":
            return next((o["id"] for o in self.contest["options"] if o["role"] == AGAINST_ALL), None)
        return None if self.contest["against-all"] is None else AGAINST_ALL

    def women(self, listed: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Those of sex f, in the same order."""
        return [candidate for candidate in listed if candidate["sex"] == "f"]

    # 10.4

    def lot(self, identifier: str) -> bytes:
        """The lot of an id or code, fixed by the fingerprint."""
        return sha("evoting/v1/tie", self._fingerprint, self.contest["id"], identifier)

    def pick(self, purpose: str, scores: Mapping[str, Score], places: int) -> list[str]:
        """The best, equal ones by ascending lot; a tie that decides is listed."""
        ordered = sorted(scores, key=lambda name: (-scores[name], self.lot(name)))
        return self._take(purpose, ordered, scores, places, "lot")

    def pick_in_order(self, purpose: str, scores: Mapping[str, Score], places: int, order: Sequence[str]) -> list[str]:
        """The best, equal ones by their place in ``order``."""
        place = {name: position for position, name in enumerate(order)}
        ordered = sorted(scores, key=lambda name: (-scores[name], place[name]))
        return self._take(purpose, ordered, scores, places, "list-order")

    def _take(self, purpose: str, ordered: list[str], scores: Mapping[str, Score], places: int, by: str) -> list[str]:
        taken, left = ordered[:places], ordered[places:]
        if taken and left and scores[taken[-1]] == scores[left[0]]:
            equal = [name for name in ordered if scores[name] == scores[left[0]]]
            among = sum(name in taken for name in equal)
            self.outcome["ties"].append({"purpose": purpose, "ids": equal, "places": among, "by": by})
        return taken

    # 10.6

    def base(self, share: Mapping[str, Any], totals: Mapping[str, Any] | None = None) -> int:
        """The base of a share, in all groups or in those of the given totals."""
        return int((self.totals if totals is None else totals)[_BASES[share["of"]]])

    def reaches(self, name: str, subject: str, votes: int, base: int, share: Mapping[str, Any]) -> bool:
        """Whether votes reach (or, if strict, exceed) a share of a base above zero."""
        numerator, denominator = share["fraction"]
        left, right = votes * denominator, numerator * base
        reached = base > 0 and (left > right if share["strict"] else left >= right)
        self.record(name, subject, votes, base, numerator, denominator, int(share["strict"]), int(reached))
        return reached

    def areas(self) -> list[tuple[str, dict[str, Any]]]:
        """Names and totals of the areas of ``rule.area``, in order."""
        regions = [region["id"] for region in self.manifest["regions"]]
        region_of = {unit["id"]: unit["region"] for unit in self.manifest["units"]}
        units_of = {style["id"]: style["units"] for style in self.manifest["styles"]}
        classes: list[tuple[set[str], list[Mapping[str, Any]]]] = []
        for group in self.groups:
            touched = {region_of[unit] for style in group["styles"] for unit in units_of[style]}
            together, members = set(touched), [group]
            apart = []
            for others, groups in classes:
                if others & touched:
                    together |= others
                    members = groups + members
                else:
                    apart.append((others, groups))
            classes = [*apart, (together, members)]
        wanted = set(self.rule["area"]["regions"])
        named = []
        for touched, groups in classes:
            name = [region for region in regions if region in touched & wanted]
            if name:
                named.append((regions.index(name[0]), "+".join(name), sum_groups(self.contest, groups, self.rolls)))
        return [(name, totals) for _, name, totals in sorted(named, key=lambda item: item[0])]

    # 10.7

    def against_all_wins(self, others: Sequence[int], votes: int | None = None) -> bool:
        """Whether the votes against all make the election be repeated."""
        if self.against_all is None:
            return False
        against = self.votes[self.against_all] if votes is None else votes
        best = max(others, default=0)
        answer = self.rule["against-all"] == "repeat" and against > best
        self.record(AGAINST_ALL, "", against, best, int(answer))
        return answer


def required(quota: Mapping[str, Any], seats: int) -> int:
    """Seats that a quota demands (10.6)."""
    numerator, denominator = map(int, quota["fraction"])
    product = numerator * seats
    return -(-product // denominator) if quota["rounding"] == "up" else product // denominator


def hare(count: Count, votes: Mapping[str, int], seats: int) -> dict[str, int]:
    """Largest remainder with the Hare quota (10.8)."""
    total = sum(votes.values())
    count.record("quota", "", total, seats)
    given, remainders = {}, {}
    for party, number in votes.items():
        given[party], remainders[party] = divmod(number * seats, total)
        count.record("whole-seats", party, number, given[party], remainders[party], seats)
    for party in count.pick("remainder", remainders, seats - sum(given.values())):
        given[party] += 1
        count.record("remainder-seat", party, remainders[party], seats)
    return given


def dhondt(count: Count, votes: Mapping[str, int], seats: int) -> dict[str, int]:
    """Highest quotients votes / (seats so far + 1) (10.9)."""
    given = dict.fromkeys(votes, 0)
    while (left := seats - sum(given.values())) > 0:
        quotients = {party: Fraction(number, given[party] + 1) for party, number in votes.items()}
        highest = max(quotients.values())
        best = {party: quotient for party, quotient in quotients.items() if quotient == highest}
        for party in count.pick("quotient", best, min(len(best), left)):
            given[party] += 1
            count.record("quotient-seat", party, sum(given.values()), votes[party], given[party])
    return given


METHODS: Mapping[str, Method] = {"hare": hare, "dhondt": dhondt}


def capped(
    count: Count, method: Method, votes: Mapping[str, int], seats: int, cap: int | None
) -> tuple[dict[str, int], int]:
    """Seats by party where none may have more than the cap, and the seats that nobody takes (10.10)."""
    opened, left = dict(votes), seats
    given: dict[str, int] = {}
    while opened and left:
        count.record("round", "", left, len(opened))
        got = method(count, opened, left)
        above = [party for party in opened if cap is not None and got[party] > cap]
        if not above:
            return given | got, 0
        for party in above:
            assert cap is not None
            count.record("cap", party, got[party], cap)
            given[party] = cap
            left -= cap
            del opened[party]
    return given | dict.fromkeys(opened, 0), left
