"""The manifest: what an election is, fixed before its keys are made; docs/spec/03-manifest.md.

Plain frozen values. A ``Manifest`` that came from ``decode_manifest`` or ``import_definition`` has passed every check
of ``validate``; one that was built by hand is checked by ``encode_manifest``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal, TypeAlias

from .rules import Rule

FORMAT = "evoting-manifest/v1"
MERGE_RULE = "smallest-into-next-smallest"
TIE_RULE = "lot-by-fingerprint"

RoleKind: TypeAlias = Literal[
    "officer", "ballot-box", "identity-provider", "registrar", "trustee", "issuer", "mixer", "witness", "terminal"
]
Sex: TypeAlias = Literal["f", "m"]
OptionRole: TypeAlias = Literal["candidate", "yes", "no", "answer", "against-all"]

ROLE_KINDS = (
    "officer",
    "ballot-box",
    "identity-provider",
    "registrar",
    "trustee",
    "issuer",
    "mixer",
    "witness",
    "terminal",
)
REGION_KINDS = ("oblast", "city", "district", "abroad")
UNIT_KINDS = ("region", "precinct", "remote-precinct", "abroad")


@dataclass(frozen=True, slots=True)
class Titles:
    """One text in every language of the manifest, ordered by language tag."""

    texts: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, texts: Mapping[str, str]) -> Titles:
        return cls(tuple(sorted(texts.items())))

    def __getitem__(self, language: str) -> str:
        return dict(self.texts)[language]

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(language for language, _ in self.texts)


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes beyond which a reader refuses before doing any other work."""

    entry_bytes: int
    blob_bytes: int
    ballots: int
    contests: int
    options: int
    codes: int
    challenges: int


@dataclass(frozen=True, slots=True)
class UnitMinimum:
    """Fewest counted ballots that may be tallied on their own, by kind of contest."""

    homomorphic: int
    mixed: int


@dataclass(frozen=True, slots=True)
class Role:
    """A party that signs entries; ``index`` counts from 1 within its kind."""

    id: str
    kind: RoleKind
    index: int
    key: bytes
    title: Titles


@dataclass(frozen=True, slots=True)
class Region:
    """An area for which a threshold may be set or results be shown together."""

    id: str
    kind: str
    title: Titles


@dataclass(frozen=True, slots=True)
class ReportingUnit:
    """A place with its own roll; ``location`` is (latitude, longitude) in millionths of a degree."""

    id: str
    kind: str
    title: Titles
    region: str
    location: tuple[int, int] | None
    registered: int


@dataclass(frozen=True, slots=True)
class BallotStyle:
    """The voters who get the same ballot and are counted together; ``roll`` is how many they are."""

    id: str
    title: Titles
    units: tuple[str, ...]
    contests: tuple[str, ...]
    roll: int


@dataclass(frozen=True, slots=True)
class Option:
    """An answer or candidate of a homomorphic contest."""

    id: str
    role: OptionRole
    sex: Sex | None
    title: Titles


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate on a list or of a ranked contest."""

    id: str
    sex: Sex | None
    title: Titles


@dataclass(frozen=True, slots=True)
class Party:
    """A list; its candidates in list order."""

    id: str
    title: Titles
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True)
class HomomorphicContest:
    """Choose at least ``min`` and at most ``max`` of the options, in lot-drawn order."""

    kind: ClassVar[str] = "homomorphic"
    id: str
    title: Titles
    options: tuple[Option, ...]
    min: int
    max: int
    rule: Rule


@dataclass(frozen=True)
class OpenListContest:
    """One party and at most one candidate of its list, or against all, or blank: one code, encrypted once."""

    kind: ClassVar[str] = "mixed"
    ballot: ClassVar[str] = "open-list"
    width: ClassVar[int] = 1
    id: str
    title: Titles
    parties: tuple[Party, ...]
    against_all: Titles | None
    rule: Rule

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """The code book in order: every party, each followed by its candidates; against all; blank."""
        codes: list[str] = []
        for party in self.parties:
            codes.append(party.id)
            codes += [f"{party.id}/{candidate.id}" for candidate in party.candidates]
        if self.against_all is not None:
            codes.append(AGAINST_ALL)
        codes.append(BLANK)
        return tuple(codes)


@dataclass(frozen=True)
class RankedContest:
    """Up to ``width`` candidates in order of preference: one code per rank, each encrypted."""

    kind: ClassVar[str] = "mixed"
    ballot: ClassVar[str] = "ranked"
    id: str
    title: Titles
    candidates: tuple[Candidate, ...]
    against_all: Titles | None
    width: int
    rule: Rule

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """The code book in order: every candidate; against all; none, which fills the ranks that are not used."""
        against_all = (AGAINST_ALL,) if self.against_all is not None else ()
        return (*(candidate.id for candidate in self.candidates), *against_all, NONE)


MixedContest: TypeAlias = OpenListContest | RankedContest
Contest: TypeAlias = HomomorphicContest | MixedContest

#: Codes and option ids with a fixed meaning; no party or candidate may take them.
AGAINST_ALL = "against-all"
BLANK = "blank"
NONE = "none"
RESERVED = frozenset({AGAINST_ALL, BLANK, NONE})


@dataclass(frozen=True)
class Manifest:
    """Everything about an election that is fixed before its keys are made."""

    id: str
    title: Titles
    note: Titles | None
    model: bool
    languages: tuple[str, ...]
    opens: int
    closes: int
    epoch: int
    enrolment_age: int
    voting_origin: str | None
    identity_origin: str | None
    unit_minimum: UnitMinimum
    limits: Limits
    trustees: int
    trustee_threshold: int
    issuers: int
    issuer_threshold: int
    mixers: int
    witnesses: int
    witness_quorum: int
    roles: tuple[Role, ...]
    regions: tuple[Region, ...]
    units: tuple[ReportingUnit, ...]
    styles: tuple[BallotStyle, ...]
    contests: tuple[Contest, ...]
    merge: str = MERGE_RULE
    tie: str = TIE_RULE

    @cached_property
    def contest_by_id(self) -> Mapping[str, Contest]:
        return {contest.id: contest for contest in self.contests}

    @cached_property
    def style_by_id(self) -> Mapping[str, BallotStyle]:
        return {style.id: style for style in self.styles}

    @cached_property
    def unit_by_id(self) -> Mapping[str, ReportingUnit]:
        return {unit.id: unit for unit in self.units}

    @cached_property
    def role_by_id(self) -> Mapping[str, Role]:
        return {role.id: role for role in self.roles}

    def roles_of(self, kind: RoleKind) -> tuple[Role, ...]:
        """The roles of one kind, by ascending index."""
        return tuple(sorted((role for role in self.roles if role.kind == kind), key=lambda role: role.index))

    def styles_with(self, contest_id: str) -> tuple[BallotStyle, ...]:
        """The ballot styles that carry a contest, in the manifest's order."""
        return tuple(style for style in self.styles if contest_id in style.contests)

    def minimum_for(self, contest: Contest) -> int:
        """Fewest counted ballots of this contest that may be tallied on their own."""
        return self.unit_minimum.homomorphic if isinstance(contest, HomomorphicContest) else self.unit_minimum.mixed
