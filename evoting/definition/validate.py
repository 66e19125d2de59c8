"""What must hold across a manifest beyond its schema; docs/spec/03-manifest.md section 3.7."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .errors import DefinitionError
from .model import RESERVED, Contest, HomomorphicContest, Manifest, OpenListContest, RankedContest, Titles
from .rules import CouncilRule, ListSeatsRule, MajorityRule, ReferendumRule, RunoffRule, TopKRule
from .text import shown

#: Enrolment age of an election that is not a model: 48 hours.
ENROLMENT_AGE = 48 * 3600

_ORIGIN = re.compile(r"(https://[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[1-9][0-9]{0,4})?)", re.ASCII)
_LOCAL_ORIGIN = re.compile(r"http://([a-z0-9-]+\.)?localhost(:[1-9][0-9]{0,4})?", re.ASCII)


def validate(manifest: Manifest) -> None:
    """Check everything that the schema cannot say.

    Raises:
        DefinitionError: path and reason of the first defect.
    """
    _times(manifest)
    _languages(manifest)
    _origins(manifest)
    _thresholds(manifest)
    _roles(manifest)
    _units(manifest)
    _contests(manifest)
    _styles(manifest)


def require_unique(values: Iterable[str | bytes], path: str, field: str = "id") -> None:
    seen: set[str | bytes] = set()
    for index, value in enumerate(values):
        if value in seen:
            where = f"{path}[{index}].{field}" if field else f"{path}[{index}]"
            text = f'"{value}"' if isinstance(value, str) else value.hex()
            raise DefinitionError(where, f"duplicate {field or 'item'} {text}")
        seen.add(value)


def _times(manifest: Manifest) -> None:
    if manifest.closes <= manifest.opens:
        raise DefinitionError("closes", "the election closes before it opens")
    if manifest.enrolment_age < ENROLMENT_AGE and not manifest.model:
        raise DefinitionError(
            "enrolment-age", f"expected at least {ENROLMENT_AGE} seconds; only a model election may have less"
        )


def _languages(manifest: Manifest) -> None:
    require_unique(manifest.languages, "languages", "")
    expected = tuple(sorted(manifest.languages))
    for path, titles in _all_titles(manifest):
        if titles.languages != expected:
            missing = sorted(set(expected) - set(titles.languages))
            extra = sorted(set(titles.languages) - set(expected))
            reason = (
                f"no text for language {missing[0]}" if missing else f"{extra[0]} is not a language of the manifest"
            )
            raise DefinitionError(path, reason)


def _all_titles(manifest: Manifest) -> Iterable[tuple[str, Titles]]:
    yield "title", manifest.title
    if manifest.note is not None:
        yield "note", manifest.note
    for name in ("roles", "regions", "units", "styles"):
        for index, item in enumerate(getattr(manifest, name)):
            yield f"{name}[{index}].title", item.title
    for index, contest in enumerate(manifest.contests):
        path = f"contests[{index}]"
        yield f"{path}.title", contest.title
        if isinstance(contest, HomomorphicContest):
            for number, option in enumerate(contest.options):
                yield f"{path}.options[{number}].title", option.title
            continue
        if contest.against_all is not None:
            yield f"{path}.against-all", contest.against_all
        if isinstance(contest, RankedContest):
            for number, candidate in enumerate(contest.candidates):
                yield f"{path}.candidates[{number}].title", candidate.title
            continue
        for number, party in enumerate(contest.parties):
            yield f"{path}.parties[{number}].title", party.title
            for place, candidate in enumerate(party.candidates):
                yield f"{path}.parties[{number}].candidates[{place}].title", candidate.title


def _origins(manifest: Manifest) -> None:
    for path, origin in (("voting", manifest.voting_origin), ("identity", manifest.identity_origin)):
        if origin is None or _ORIGIN.fullmatch(origin) or (manifest.model and _LOCAL_ORIGIN.fullmatch(origin)):
            continue
        local = " or, in a model election, http://localhost" if manifest.model else ""
        raise DefinitionError(f"origins.{path}", f"expected an origin such as https://vote.example{local}")
    if manifest.voting_origin is not None and manifest.voting_origin == manifest.identity_origin:
        raise DefinitionError("origins.identity", "voting and identity need different origins")


def _thresholds(manifest: Manifest) -> None:
    if manifest.trustee_threshold >= manifest.trustees:
        raise DefinitionError("trustees.t", f"threshold must be below the number of trustees, {manifest.trustees}")
    if manifest.issuer_threshold > manifest.issuers:
        raise DefinitionError("issuers.k", f"threshold is above the number of issuers, {manifest.issuers}")
    if 2 * manifest.issuer_threshold <= manifest.issuers:
        raise DefinitionError(
            "issuers.k", "threshold must exceed half the issuers, or two groups could serve one voter twice"
        )
    if manifest.unit_minimum.mixed < manifest.unit_minimum.homomorphic:
        raise DefinitionError(
            "unit-minimum.mixed", "single votes come out of a mix: expected at least the homomorphic minimum"
        )
    if manifest.witness_quorum > manifest.witnesses:
        raise DefinitionError("witnesses.q", f"quorum is above the number of witnesses, {manifest.witnesses}")
    if 2 * manifest.witness_quorum <= manifest.witnesses:
        raise DefinitionError("witnesses.q", "quorum must exceed half the witnesses, or two histories could pass")


def _roles(manifest: Manifest) -> None:
    require_unique((role.id for role in manifest.roles), "roles")
    require_unique((role.key for role in manifest.roles), "roles", "key")
    required = {
        "officer": None,
        "ballot-box": 1,
        "identity-provider": 1,
        "registrar": 1,
        "trustee": manifest.trustees,
        "issuer": manifest.issuers,
        "mixer": manifest.mixers,
        "witness": manifest.witnesses,
        "terminal": None,
    }
    for kind, count in required.items():
        indices = [role.index for role in manifest.roles if role.kind == kind]
        if indices != list(range(1, len(indices) + 1)):
            raise DefinitionError("roles", f"indices of kind {kind} are {indices}, expected 1, 2, ... in this order")
        if count is not None and len(indices) != count:
            raise DefinitionError("roles", f"expected {count} of kind {kind}, found {len(indices)}")
    if len(manifest.roles_of("officer")) < 2:
        raise DefinitionError("roles", "expected at least two of kind officer")


def _units(manifest: Manifest) -> None:
    require_unique((region.id for region in manifest.regions), "regions")
    require_unique((unit.id for unit in manifest.units), "units")
    regions = {region.id for region in manifest.regions}
    for index, unit in enumerate(manifest.units):
        if unit.region not in regions:
            raise DefinitionError(f"units[{index}].region", f'there is no region "{unit.region}"')


def _styles(manifest: Manifest) -> None:
    require_unique((style.id for style in manifest.styles), "styles")
    placed: dict[str, str] = {}
    carried: set[str] = set()
    order = {contest.id: position for position, contest in enumerate(manifest.contests)}
    for index, style in enumerate(manifest.styles):
        path = f"styles[{index}]"
        for number, unit_id in enumerate(style.units):
            where = f"{path}.units[{number}]"
            if unit_id not in manifest.unit_by_id:
                raise DefinitionError(where, f'there is no unit "{unit_id}"')
            if unit_id in placed:
                raise DefinitionError(where, f'unit "{unit_id}" is already in style "{placed[unit_id]}"')
            placed[unit_id] = style.id
        for number, contest_id in enumerate(style.contests):
            if contest_id not in order:
                raise DefinitionError(f"{path}.contests[{number}]", f'there is no contest "{contest_id}"')
        positions = [order[contest_id] for contest_id in style.contests]
        if positions != sorted(set(positions)):
            raise DefinitionError(f"{path}.contests", "contests must be different and in the manifest's order")
        carried.update(style.contests)
        registered = sum(manifest.unit_by_id[unit_id].registered for unit_id in style.units)
        if style.roll != registered:
            raise DefinitionError(
                f"{path}.roll", f"roll of {style.roll} differs from {registered} registered in its units"
            )
        minimum = max(manifest.minimum_for(manifest.contest_by_id[contest_id]) for contest_id in style.contests)
        if style.roll < minimum:
            raise DefinitionError(
                f"{path}.roll", f"roll of {style.roll} is below the unit minimum of {minimum}: merge it"
            )
    for index, unit in enumerate(manifest.units):
        if unit.id not in placed:
            raise DefinitionError(f"units[{index}]", f'unit "{unit.id}" is in no ballot style')
    for index, contest in enumerate(manifest.contests):
        if contest.id not in carried:
            raise DefinitionError(f"contests[{index}]", f'contest "{contest.id}" is on no ballot style')


def _contests(manifest: Manifest) -> None:
    if len(manifest.contests) > manifest.limits.contests:
        raise DefinitionError("contests", f"more than limits.contests = {manifest.limits.contests}")
    require_unique((contest.id for contest in manifest.contests), "contests")
    regions = {region.id for region in manifest.regions}
    for index, contest in enumerate(manifest.contests):
        path = f"contests[{index}]"
        if isinstance(contest, HomomorphicContest):
            _homomorphic(contest, path, manifest.limits.options)
        else:
            _mixed(contest, path, manifest.limits.codes)
            if manifest.mixers == 0:
                raise DefinitionError("mixers", f"{path} is mixed, so at least one mixer is needed")
        _rule(contest, path, regions)


def _homomorphic(contest: HomomorphicContest, path: str, limit: int) -> None:
    require_unique((option.id for option in contest.options), f"{path}.options")
    if len(contest.options) > limit:
        raise DefinitionError(f"{path}.options", f"more than limits.options = {limit}")
    if not contest.min <= contest.max <= len(contest.options):
        raise DefinitionError(
            f"{path}.max", f"expected min <= max <= {len(contest.options)} options, found {contest.min}, {contest.max}"
        )
    roles = [option.role for option in contest.options]
    for role in ("against-all", "yes", "no"):
        if roles.count(role) > 1:
            raise DefinitionError(f"{path}.options", f"more than one option has the role {role}")
    if "against-all" in roles and roles[-1] != "against-all":
        raise DefinitionError(f"{path}.options", "against-all must be the last option")


def _mixed(contest: OpenListContest | RankedContest, path: str, limit: int) -> None:
    if isinstance(contest, OpenListContest):
        require_unique((party.id for party in contest.parties), f"{path}.parties")
        _unreserved((party.id for party in contest.parties), f"{path}.parties")
        for number, party in enumerate(contest.parties):
            require_unique((candidate.id for candidate in party.candidates), f"{path}.parties[{number}].candidates")
    else:
        require_unique((candidate.id for candidate in contest.candidates), f"{path}.candidates")
        _unreserved((candidate.id for candidate in contest.candidates), f"{path}.candidates")
        if contest.width > len(contest.candidates):
            raise DefinitionError(f"{path}.width", "more ranks than candidates")
    if len(contest.codes) > limit:
        raise DefinitionError(path, f"{len(contest.codes)} codes, more than limits.codes = {limit}")


def _unreserved(ids: Iterable[str], path: str) -> None:
    for index, id in enumerate(ids):
        if id in RESERVED:
            raise DefinitionError(f"{path}[{index}].id", f"{shown(id)} is a reserved code")


def _rule(contest: Contest, path: str, regions: set[str]) -> None:
    rule = contest.rule
    where = f"{path}.rule"
    if isinstance(contest, OpenListContest) != isinstance(rule, ListSeatsRule):
        raise DefinitionError(f"{where}.kind", "open lists and the rule list-seats belong together")
    if isinstance(rule, RunoffRule) and not isinstance(contest, RankedContest):
        raise DefinitionError(f"{where}.kind", "instant-runoff needs a ranked contest")
    if isinstance(contest, RankedContest) and contest.width > 1 and not isinstance(rule, RunoffRule):
        raise DefinitionError(f"{where}.kind", "a ranked contest of several ranks needs the rule instant-runoff")
    if isinstance(contest, HomomorphicContest):
        if isinstance(rule, (ReferendumRule, MajorityRule)) and contest.max != 1:
            raise DefinitionError(f"{path}.max", f"the rule {rule.kind} needs max = 1")
        _option_roles(contest, path)
    elif isinstance(rule, ReferendumRule):
        raise DefinitionError(f"{where}.kind", "a referendum needs a homomorphic contest")
    if isinstance(rule, ListSeatsRule) and rule.area is not None:
        require_unique(rule.area.regions, f"{where}.area.regions", "")
        for number, region in enumerate(rule.area.regions):
            if region not in regions:
                raise DefinitionError(f"{where}.area.regions[{number}]", f'there is no region "{region}"')
    needs_sex = isinstance(rule, CouncilRule) or (isinstance(rule, TopKRule) and rule.gender != "none")
    if needs_sex or (isinstance(rule, ListSeatsRule) and rule.women is not None):
        _sexes(contest, path)


def _option_roles(contest: HomomorphicContest, path: str) -> None:
    allowed = ("answer",) if isinstance(contest.rule, ReferendumRule) else ("candidate",)
    roles = {option.role for option in contest.options} - {"against-all"}
    if isinstance(contest.rule, ReferendumRule) and roles & {"yes", "no"}:
        if roles != {"yes", "no"}:
            raise DefinitionError(f"{path}.options", "expected yes and no, and no other answer beside them")
        return
    for index, option in enumerate(contest.options):
        if option.role not in (*allowed, "against-all"):
            raise DefinitionError(
                f"{path}.options[{index}].role", f"the rule {contest.rule.kind} needs the role {allowed[0]}"
            )
    if not roles:
        raise DefinitionError(f"{path}.options", "there is nothing to choose beside against-all")


def _sexes(contest: Contest, path: str) -> None:
    reason = f"the rule {contest.rule.kind} needs the sex of every candidate"
    if isinstance(contest, HomomorphicContest):
        for index, option in enumerate(contest.options):
            if option.role == "candidate" and option.sex is None:
                raise DefinitionError(f"{path}.options[{index}].sex", reason)
    elif isinstance(contest, OpenListContest):
        for number, party in enumerate(contest.parties):
            for index, candidate in enumerate(party.candidates):
                if candidate.sex is None:
                    raise DefinitionError(f"{path}.parties[{number}].candidates[{index}].sex", reason)
    else:
        for index, candidate in enumerate(contest.candidates):
            if candidate.sex is None:
                raise DefinitionError(f"{path}.candidates[{index}].sex", reason)
