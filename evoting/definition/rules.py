"""Rules that turn a contest's totals into an outcome; docs/spec/03-manifest.md section 3.6, docs/spec/10-results.md."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Literal, TypeAlias

#: What a share is a share of: registered voters, counted ballots of the contest, ballots that are not invalid, or votes
#: for an option (without blank).
Base: TypeAlias = Literal["registered", "participants", "valid", "choices"]
AgainstAll: TypeAlias = Literal["repeat", "ignore"]
Gender: TypeAlias = Literal["none", "other-sex-last"]
Method: TypeAlias = Literal["hare", "dhondt"]
Rounding: TypeAlias = Literal["up", "down"]

BASES = ("registered", "participants", "valid", "choices")


@dataclass(frozen=True, slots=True)
class Share:
    """A threshold: votes must reach (or, where strict, exceed) a fraction of a base."""

    fraction: Fraction
    of: Base
    strict: bool


@dataclass(frozen=True, slots=True)
class Quota:
    """At least this fraction of the seats, rounded."""

    fraction: Fraction
    rounding: Rounding


@dataclass(frozen=True, slots=True)
class AreaThreshold:
    """A share that must also be reached in each of these regions."""

    share: Share
    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReferendumRule:
    kind: ClassVar[str] = "referendum"
    turnout: Share
    adoption: Share
    against_all: AgainstAll


@dataclass(frozen=True, slots=True)
class MajorityRule:
    """Elected by a majority, else the first ``advance`` candidates go to a second round."""

    kind: ClassVar[str] = "majority-second-round"
    majority: Share
    advance: int
    against_all: AgainstAll


@dataclass(frozen=True, slots=True)
class TopKRule:
    """The first ``seats`` candidates; with ``other-sex-last`` the last one gives way if all are of one sex."""

    kind: ClassVar[str] = "top-k"
    seats: int
    gender: Gender
    against_all: AgainstAll


@dataclass(frozen=True, slots=True)
class CouncilRule:
    """Most votes, with a women's quota of the district's seats."""

    kind: ClassVar[str] = "council-majority"
    seats: int
    women: Quota
    against_all: AgainstAll


@dataclass(frozen=True, slots=True)
class ListSeatsRule:
    """Seats for lists that pass the thresholds."""

    kind: ClassVar[str] = "list-seats"
    seats: int
    method: Method
    national: Share
    area: AreaThreshold | None
    cap: int | None
    women: Quota | None
    against_all: AgainstAll


@dataclass(frozen=True, slots=True)
class RunoffRule:
    """Instant run-off over ranked ballots."""

    kind: ClassVar[str] = "instant-runoff"
    against_all: AgainstAll


Rule: TypeAlias = ReferendumRule | MajorityRule | TopKRule | CouncilRule | ListSeatsRule | RunoffRule
