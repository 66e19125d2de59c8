"""The manifest to and from deterministic CBOR; docs/spec/03-manifest.md."""

from __future__ import annotations

import hashlib
from typing import cast

from crypto.cbor import decode, encode
from crypto.errors import DecodeError

from .errors import DefinitionError
from .model import (
    FORMAT,
    MERGE_RULE,
    REGION_KINDS,
    ROLE_KINDS,
    TIE_RULE,
    UNIT_KINDS,
    BallotStyle,
    Candidate,
    Contest,
    HomomorphicContest,
    Limits,
    Manifest,
    OpenListContest,
    Option,
    OptionRole,
    Party,
    RankedContest,
    Region,
    ReportingUnit,
    Role,
    RoleKind,
    Sex,
    Titles,
    UnitMinimum,
)
from .reader import MapReader, require_id, require_int, require_list
from .rules_codec import read_rule, rule_tree
from .text import LANGUAGE_PATTERN, shown, text_defect
from .validate import validate

#: Largest manifest a reader accepts; a national election with 100,000 list candidates fits.
MAX_MANIFEST_BYTES = 32 * 1024 * 1024

OPTION_ROLES = ("candidate", "yes", "no", "answer", "against-all")


def encode_manifest(manifest: Manifest) -> bytes:
    """The one encoding of a valid manifest.

    Raises:
        DefinitionError: the manifest is not valid.
    """
    data = encode(manifest_tree(manifest))
    decode_manifest(data)
    return data


def decode_manifest(data: bytes) -> Manifest:
    """The manifest that these bytes encode.

    Raises:
        DefinitionError: too long, not canonical, against the schema, or against a rule of section 3.7; with the path.
    """
    try:
        tree = decode(data, limit=MAX_MANIFEST_BYTES)
    except DecodeError as error:
        raise DefinitionError("", f"manifest: {error}") from None
    manifest = read_manifest(tree)
    validate(manifest)
    return manifest


def manifest_hash(data: bytes) -> bytes:
    """SHA-256 of the manifest's bytes."""
    return hashlib.sha256(data).digest()


def manifest_tree(manifest: Manifest) -> dict[str, object]:
    """The tree of a manifest, ready for CBOR."""
    return {
        "format": FORMAT,
        "id": manifest.id,
        "title": _titles_tree(manifest.title),
        "note": None if manifest.note is None else _titles_tree(manifest.note),
        "model": manifest.model,
        "languages": list(manifest.languages),
        "opens": manifest.opens,
        "closes": manifest.closes,
        "epoch": manifest.epoch,
        "enrolment-age": manifest.enrolment_age,
        "origins": {"voting": manifest.voting_origin, "identity": manifest.identity_origin},
        "unit-minimum": {"homomorphic": manifest.unit_minimum.homomorphic, "mixed": manifest.unit_minimum.mixed},
        "limits": {
            "entry-bytes": manifest.limits.entry_bytes,
            "blob-bytes": manifest.limits.blob_bytes,
            "ballots": manifest.limits.ballots,
            "contests": manifest.limits.contests,
            "options": manifest.limits.options,
            "codes": manifest.limits.codes,
            "challenges": manifest.limits.challenges,
        },
        "trustees": {"n": manifest.trustees, "t": manifest.trustee_threshold},
        "issuers": {"m": manifest.issuers, "k": manifest.issuer_threshold},
        "mixers": manifest.mixers,
        "witnesses": {"w": manifest.witnesses, "q": manifest.witness_quorum},
        "roles": [
            {"id": role.id, "kind": role.kind, "index": role.index, "key": role.key, "title": _titles_tree(role.title)}
            for role in manifest.roles
        ],
        "regions": [
            {"id": region.id, "kind": region.kind, "title": _titles_tree(region.title)} for region in manifest.regions
        ],
        "units": [
            {
                "id": unit.id,
                "kind": unit.kind,
                "title": _titles_tree(unit.title),
                "region": unit.region,
                "location": None if unit.location is None else list(unit.location),
                "registered": unit.registered,
            }
            for unit in manifest.units
        ],
        "styles": [
            {
                "id": style.id,
                "title": _titles_tree(style.title),
                "units": list(style.units),
                "contests": list(style.contests),
                "roll": style.roll,
            }
            for style in manifest.styles
        ],
        "contests": [_contest_tree(contest) for contest in manifest.contests],
        "merge": manifest.merge,
        "tie": manifest.tie,
    }


def read_manifest(tree: object) -> Manifest:
    """A manifest from its tree, checked against the schema but not yet by ``validate``."""
    reader = MapReader(tree, "")
    reader.word("format", (FORMAT,))
    minimum, limits = reader.map("unit-minimum"), reader.map("limits")
    trustees, issuers, witnesses = reader.map("trustees"), reader.map("issuers"), reader.map("witnesses")
    origins = reader.map("origins")
    manifest = Manifest(
        id=reader.id("id"),
        title=_read_titles(reader.take("title"), "title"),
        note=reader.optional("note", _read_titles),
        model=reader.boolean("model"),
        languages=reader.list("languages", _read_language, 1, 16),
        opens=reader.uint("opens"),
        closes=reader.uint("closes"),
        epoch=reader.uint("epoch", 1, 86_400),
        enrolment_age=reader.uint("enrolment-age"),
        voting_origin=origins.optional("voting", _read_origin),
        identity_origin=origins.optional("identity", _read_origin),
        unit_minimum=UnitMinimum(minimum.uint("homomorphic", 1), minimum.uint("mixed", 1)),
        limits=Limits(
            entry_bytes=limits.uint("entry-bytes", 1024, 65_535),
            blob_bytes=limits.uint("blob-bytes", 1024),
            ballots=limits.uint("ballots", 1),
            contests=limits.uint("contests", 1, 256),
            options=limits.uint("options", 1, 1024),
            codes=limits.uint("codes", 1, 65_535),
            challenges=limits.uint("challenges", 0, 16),
        ),
        trustees=trustees.uint("n", 2, 255),
        trustee_threshold=trustees.uint("t", 1, 254),
        issuers=issuers.uint("m", 1, 255),
        issuer_threshold=issuers.uint("k", 1, 255),
        mixers=reader.uint("mixers", 0, 64),
        witnesses=witnesses.uint("w", 1, 255),
        witness_quorum=witnesses.uint("q", 1, 255),
        roles=reader.list("roles", _read_role, 1),
        regions=reader.list("regions", _read_region, 1, 4096),
        units=reader.list("units", _read_unit, 1),
        styles=reader.list("styles", _read_style, 1),
        contests=reader.list("contests", _read_contest, 1, 256),
        merge=reader.word("merge", (MERGE_RULE,)),
        tie=reader.word("tie", (TIE_RULE,)),
    )
    for part in (minimum, limits, trustees, issuers, witnesses, origins, reader):
        part.close()
    return manifest


def _titles_tree(titles: Titles) -> dict[str, object]:
    return dict(titles.texts)


def _read_titles(value: object, path: str) -> Titles:
    reader = MapReader(value, path)
    for language in reader.fields:
        _read_language(language, path)
    return Titles.of({language: reader.text(language) for language in tuple(reader.fields)})


def _read_language(value: object, path: str) -> str:
    if not isinstance(value, str) or not LANGUAGE_PATTERN.fullmatch(value):
        raise DefinitionError(path, f"expected a language tag of two or three letters a-z, found {shown(value)}")
    return value


def _read_origin(value: object, path: str) -> str:
    if not isinstance(value, str) or text_defect(value) or not value.isascii():
        raise DefinitionError(path, f"expected an origin such as https://vote.example, found {shown(value)}")
    return value


def _read_role(value: object, path: str) -> Role:
    reader = MapReader(value, path)
    role = Role(
        id=reader.id("id"),
        kind=cast(RoleKind, reader.word("kind", ROLE_KINDS)),
        index=reader.uint("index", 1, 65_535),
        key=reader.octets("key", 32),
        title=_read_titles(reader.take("title"), reader.at("title")),
    )
    reader.close()
    return role


def _read_region(value: object, path: str) -> Region:
    reader = MapReader(value, path)
    region = Region(
        id=reader.id("id"),
        kind=reader.word("kind", REGION_KINDS),
        title=_read_titles(reader.take("title"), reader.at("title")),
    )
    reader.close()
    return region


def _read_location(value: object, path: str) -> tuple[int, int]:
    parts = require_list(value, path, lambda item, where: require_int(item, where, -180_000_000, 180_000_000), 2, 2)
    if abs(parts[0]) > 90_000_000:
        raise DefinitionError(f"{path}[0]", "latitude beyond 90 degrees")
    return parts[0], parts[1]


def _read_unit(value: object, path: str) -> ReportingUnit:
    reader = MapReader(value, path)
    unit = ReportingUnit(
        id=reader.id("id"),
        kind=reader.word("kind", UNIT_KINDS),
        title=_read_titles(reader.take("title"), reader.at("title")),
        region=reader.id("region"),
        location=reader.optional("location", _read_location),
        registered=reader.uint("registered"),
    )
    reader.close()
    return unit


def _read_style(value: object, path: str) -> BallotStyle:
    reader = MapReader(value, path)
    style = BallotStyle(
        id=reader.id("id"),
        title=_read_titles(reader.take("title"), reader.at("title")),
        units=reader.list("units", require_id, 1),
        contests=reader.list("contests", require_id, 1, 256),
        roll=reader.uint("roll", 1),
    )
    reader.close()
    return style


def _contest_tree(contest: Contest) -> dict[str, object]:
    tree: dict[str, object] = {
        "id": contest.id,
        "kind": contest.kind,
        "title": _titles_tree(contest.title),
        "rule": rule_tree(contest.rule),
    }
    if isinstance(contest, HomomorphicContest):
        options = [
            {"id": option.id, "role": option.role, "sex": option.sex, "title": _titles_tree(option.title)}
            for option in contest.options
        ]
        return tree | {"options": options, "min": contest.min, "max": contest.max}
    tree |= {
        "ballot": contest.ballot,
        "width": contest.width,
        "against-all": None if contest.against_all is None else _titles_tree(contest.against_all),
    }
    if isinstance(contest, RankedContest):
        return tree | {"candidates": _candidates_tree(contest.candidates)}
    parties = [
        {"id": party.id, "title": _titles_tree(party.title), "candidates": _candidates_tree(party.candidates)}
        for party in contest.parties
    ]
    return tree | {"parties": parties}


def _candidates_tree(candidates: tuple[Candidate, ...]) -> list[object]:
    return [
        {"id": candidate.id, "sex": candidate.sex, "title": _titles_tree(candidate.title)} for candidate in candidates
    ]


def _read_sex(reader: MapReader) -> Sex | None:
    value = reader.take("sex")
    if value is None or value == "f" or value == "m":
        return value
    raise reader.fail("sex", f"expected f, m or null, found {shown(value)}")


def _read_option(value: object, path: str) -> Option:
    reader = MapReader(value, path)
    option = Option(
        id=reader.id("id"),
        role=cast(OptionRole, reader.word("role", OPTION_ROLES)),
        sex=_read_sex(reader),
        title=_read_titles(reader.take("title"), reader.at("title")),
    )
    reader.close()
    return option


def _read_candidate(value: object, path: str) -> Candidate:
    reader = MapReader(value, path)
    candidate = Candidate(
        id=reader.id("id"), sex=_read_sex(reader), title=_read_titles(reader.take("title"), reader.at("title"))
    )
    reader.close()
    return candidate


def _read_party(value: object, path: str) -> Party:
    reader = MapReader(value, path)
    party = Party(
        id=reader.id("id"),
        title=_read_titles(reader.take("title"), reader.at("title")),
        candidates=reader.list("candidates", _read_candidate),
    )
    reader.close()
    return party


def _read_contest(value: object, path: str) -> Contest:
    reader = MapReader(value, path)
    kind = reader.word("kind", ("homomorphic", "mixed"))
    id, title = reader.id("id"), _read_titles(reader.take("title"), reader.at("title"))
    rule = read_rule(reader.take("rule"), reader.at("rule"))
    contest: Contest
    if kind == "homomorphic":
        options = reader.list("options", _read_option, 1, 1024)
        contest = HomomorphicContest(id, title, options, reader.uint("min", 0, 1024), reader.uint("max", 1, 1024), rule)
    else:
        against_all = reader.optional("against-all", _read_titles)
        if reader.word("ballot", ("open-list", "ranked")) == "open-list":
            reader.uint("width", 1, 1)
            contest = OpenListContest(id, title, reader.list("parties", _read_party, 1, 1024), against_all, rule)
        else:
            width = reader.uint("width", 1, 64)
            candidates = reader.list("candidates", _read_candidate, 1, 4096)
            contest = RankedContest(id, title, candidates, against_all, width, rule)
    reader.close()
    return contest
