"""Consistency of a manifest; docs/spec/03-manifest.md section 3.7, one function per numbered rule.

Each yields a sentence for every violation.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from verifier.record import ed25519
from verifier.record.manifest import Manifest, codes_of

#: 48 hours.
MINIMUM_ENROLMENT_AGE = 172_800
_ORIGIN = re.compile(r"https://[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[1-9][0-9]{0,4})?")
_LOCAL_ORIGIN = re.compile(r"http://([a-z0-9-]+\.)?localhost(:[1-9][0-9]{0,4})?")
_RESERVED = {"against-all", "blank", "none"}

Rule = Callable[[Manifest], Iterator[str]]


def _repeated(values: Iterable[Any]) -> list[Any]:
    return [value for value, count in Counter(values).items() if count > 1]


def rule_1_times(manifest: Manifest) -> Iterator[str]:
    """Closing after opening; enrolment age."""
    raw = manifest.raw
    if raw["closes"] <= raw["opens"]:
        yield "closes: not after opens"
    if not raw["model"] and raw["enrolment-age"] < MINIMUM_ENROLMENT_AGE:
        yield "enrolment-age: below 48 hours in an election that is not MODEL"


def _titles(value: Any, path: str) -> Iterator[tuple[str, dict[str, str]]]:
    if isinstance(value, dict):
        for key, item in value.items():
            # ``against-all`` is a titles map in a contest and a word in a rule.
            if key in ("title", "note", "against-all") and isinstance(item, dict):
                yield f"{path}{key}", item
            else:
                yield from _titles(item, f"{path}{key}.")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _titles(item, f"{path.rstrip('.')}[{index}].")


def rule_2_languages(manifest: Manifest) -> Iterator[str]:
    """Languages differ; every text in every language."""
    languages = manifest.raw["languages"]
    if _repeated(languages):
        yield "languages: repeated"
    expected = set(languages)
    for path, titles in _titles(manifest.raw, ""):
        if set(titles) != expected:
            yield f"{path}: not exactly in the manifest's languages"


def rule_3_origins(manifest: Manifest) -> Iterator[str]:
    """Form of origins; they differ."""
    origins = manifest.raw["origins"]
    for name, origin in origins.items():
        if origin is None or _ORIGIN.fullmatch(origin) or (manifest.is_model and _LOCAL_ORIGIN.fullmatch(origin)):
            continue
        yield f"origins.{name}: {origin[:80]!r} is not an origin"
    if origins["voting"] is not None and origins["voting"] == origins["identity"]:
        yield "origins: voting and identity are the same"


def rule_4_thresholds(manifest: Manifest) -> Iterator[str]:
    """Thresholds of trustees, issuers, witnesses, units."""
    raw = manifest.raw
    if raw["trustees"]["t"] >= raw["trustees"]["n"]:
        yield "trustees.t: not below n"
    if not raw["issuers"]["k"] <= raw["issuers"]["m"] < 2 * raw["issuers"]["k"]:
        yield "issuers.k: k <= m < 2k does not hold"
    if not raw["witnesses"]["q"] <= raw["witnesses"]["w"] < 2 * raw["witnesses"]["q"]:
        yield "witnesses.q: q <= w < 2q does not hold"
    if raw["unit-minimum"]["mixed"] < raw["unit-minimum"]["homomorphic"]:
        yield "unit-minimum.mixed: below homomorphic"


def rule_5_roles(manifest: Manifest) -> Iterator[str]:
    """Different ids and keys; indices without gap; how many of each kind."""
    raw = manifest.raw
    roles = raw["roles"]
    for role in _repeated(role["id"] for role in roles):
        yield f"roles: the id {role} is repeated"
    for key in _repeated(role["key"] for role in roles):
        yield f"roles: the key {key.hex()} is repeated"
    for number, role in enumerate(roles):
        if not ed25519.is_acceptable_point(role["key"]):
            yield f"roles[{number}].key: not canonical or of small order"
    indices: dict[str, list[int]] = {}
    for role in roles:
        indices.setdefault(role["kind"], []).append(role["index"])
    for kind, numbers in indices.items():
        if numbers != list(range(1, len(numbers) + 1)):
            yield f"roles: the indices of {kind} are not 1, 2, ... in this order"
    expected = {
        "ballot-box": 1,
        "identity-provider": 1,
        "registrar": 1,
        "trustee": raw["trustees"]["n"],
        "issuer": raw["issuers"]["m"],
        "mixer": raw["mixers"],
        "witness": raw["witnesses"]["w"],
    }
    for kind, count in expected.items():
        if len(indices.get(kind, [])) != count:
            yield f"roles: {len(indices.get(kind, []))} of kind {kind} instead of {count}"
    if len(indices.get("officer", [])) < 2:
        yield "roles: fewer than two officers"


def rule_6_places(manifest: Manifest) -> Iterator[str]:
    """Different ids; a unit's region exists."""
    raw = manifest.raw
    for kind in ("regions", "units", "styles", "contests"):
        for name in _repeated(item["id"] for item in raw[kind]):
            yield f"{kind}: the id {name} is repeated"
    regions = {region["id"] for region in raw["regions"]}
    for number, unit in enumerate(raw["units"]):
        if unit["region"] not in regions:
            yield f"units[{number}].region: {unit['region']} does not exist"


def rule_7_styles(manifest: Manifest) -> Iterator[str]:
    """Units in one style each; contests of styles; roll sizes and minimum."""
    raw = manifest.raw
    registered = {unit["id"]: unit["registered"] for unit in raw["units"]}
    order = {contest["id"]: number for number, contest in enumerate(raw["contests"])}
    kinds = {contest["id"]: contest["kind"] for contest in raw["contests"]}
    assigned = Counter(unit for style in raw["styles"] for unit in style["units"])
    for unit, count in assigned.items():
        if unit not in registered or count != 1:
            yield f"styles: the unit {unit} does not exist or is in {count} places"
    for number, place in enumerate(raw["units"]):
        if place["id"] not in assigned:
            yield f"units[{number}]: in no style"
    for number, style in enumerate(raw["styles"]):
        positions = [order.get(contest, -1) for contest in style["contests"]]
        if -1 in positions or positions != sorted(set(positions)):
            yield f"styles[{number}].contests: not existing contests in their order"
        if style["roll"] != sum(registered.get(unit, 0) for unit in style["units"]):
            yield f"styles[{number}].roll: not the sum over its units"
        minimum = max((raw["unit-minimum"][kinds[c]] for c in style["contests"] if c in kinds), default=0)
        if style["roll"] < minimum:
            yield f"styles[{number}].roll: below the minimum of {minimum}"
    used = {contest for style in raw["styles"] for contest in style["contests"]}
    for contest in order.keys() - used:
        yield f"contests: {contest} is on no style"


def rule_8_limits(manifest: Manifest) -> Iterator[str]:
    """Numbers within the manifest's own limits; mixed contests need mixers."""
    limits = manifest.limits
    if len(manifest.raw["contests"]) > limits["contests"]:
        yield "contests: beyond limits.contests"
    for number, contest in enumerate(manifest.raw["contests"]):
        if contest["kind"] == "homomorphic" and len(contest["options"]) > limits["options"]:
            yield f"contests[{number}].options: beyond limits.options"
        if contest["kind"] == "mixed" and len(codes_of(contest)) > limits["codes"]:
            yield f"contests[{number}]: codes beyond limits.codes"
        if contest["kind"] == "mixed" and manifest.raw["mixers"] < 1:
            yield f"mixers: contests[{number}] is mixed and needs one"


def rule_9_homomorphic(manifest: Manifest) -> Iterator[str]:
    """Options and selections of homomorphic contests."""
    for number, contest in enumerate(manifest.raw["contests"]):
        if contest["kind"] != "homomorphic":
            continue
        path, options = f"contests[{number}]", contest["options"]
        for name in _repeated(option["id"] for option in options):
            yield f"{path}.options: the id {name} is repeated"
        if not contest["min"] <= contest["max"] <= len(options):
            yield f"{path}: min <= max <= number of options does not hold"
        roles = [option["role"] for option in options]
        for role in ("yes", "no", "against-all"):
            if roles.count(role) > 1:
                yield f"{path}.options: more than one of role {role}"
        if "against-all" in roles[:-1]:
            yield f"{path}.options: against-all is not the last"


def rule_10_mixed(manifest: Manifest) -> Iterator[str]:
    """Parties and candidates of mixed contests."""
    for number, contest in enumerate(manifest.raw["contests"]):
        if contest["kind"] != "mixed":
            continue
        path = f"contests[{number}]"
        top = contest.get("parties") or contest.get("candidates") or []
        names = [item["id"] for item in top]
        for name in _repeated(names):
            yield f"{path}: the id {name} is repeated"
        for name in _RESERVED.intersection(names):
            yield f"{path}: the id {name} is reserved"
        for party in contest.get("parties", ()):
            for name in _repeated(candidate["id"] for candidate in party["candidates"]):
                yield f"{path}: the candidate {party['id']}/{name} is repeated"
        if contest["ballot"] == "ranked" and contest["width"] > len(names):
            yield f"{path}.width: more than candidates"


def rule_11_rules(manifest: Manifest) -> Iterator[str]:
    """Which rule fits which contest."""
    for number, contest in enumerate(manifest.raw["contests"]):
        path, kind = f"contests[{number}].rule", contest["rule"]["kind"]
        ballot = contest.get("ballot")
        if (kind == "list-seats") != (ballot == "open-list"):
            yield f"{path}: list-seats is the rule of open lists, and of them only"
        if kind == "instant-runoff" and ballot != "ranked":
            yield f"{path}: instant-runoff needs a ranked contest"
        if ballot == "ranked" and contest["width"] > 1 and kind != "instant-runoff":
            yield f"{path}: a ranked contest of more than one rank needs instant-runoff"
        if kind == "referendum" and contest["kind"] != "homomorphic":
            yield f"{path}: a referendum needs a homomorphic contest"
        single = kind in ("referendum", "majority-second-round")
        if single and contest["kind"] == "homomorphic" and contest["max"] != 1:
            yield f"{path}: {kind} needs max = 1"


def rule_12_roles(manifest: Manifest) -> Iterator[str]:
    """Roles of options."""
    for number, contest in enumerate(manifest.raw["contests"]):
        if contest["kind"] != "homomorphic":
            continue
        roles = [option["role"] for option in contest["options"] if option["role"] != "against-all"]
        if contest["rule"]["kind"] == "referendum":
            fits = sorted(roles) == ["no", "yes"] or set(roles) == {"answer"}
        else:
            fits = set(roles) == {"candidate"}
        if not fits:
            yield f"contests[{number}].options: their roles do not fit the rule"


def rule_13_areas(manifest: Manifest) -> Iterator[str]:
    """Regions of area thresholds."""
    regions = {region["id"] for region in manifest.raw["regions"]}
    for number, contest in enumerate(manifest.raw["contests"]):
        area = contest["rule"].get("area")
        if area is not None and (not regions.issuperset(area["regions"]) or _repeated(area["regions"])):
            yield f"contests[{number}].rule.area.regions: not existing, different regions"


def _candidates(contest: Any) -> Iterator[Any]:
    yield from (option for option in contest.get("options", ()) if option["role"] == "candidate")
    yield from contest.get("candidates", ())
    for party in contest.get("parties", ()):
        yield from party["candidates"]


def rule_14_sexes(manifest: Manifest) -> Iterator[str]:
    """Candidates whose rule looks at the sex have one."""
    for number, contest in enumerate(manifest.raw["contests"]):
        rule = contest["rule"]
        needed = (
            rule["kind"] == "council-majority"
            or (rule["kind"] == "top-k" and rule["gender"] == "other-sex-last")
            or (rule["kind"] == "list-seats" and rule["women"] is not None)
        )
        if needed and any(candidate["sex"] is None for candidate in _candidates(contest)):
            yield f"contests[{number}]: a candidate without sex under a rule that needs it"


RULES: tuple[Rule, ...] = (
    rule_1_times,
    rule_2_languages,
    rule_3_origins,
    rule_4_thresholds,
    rule_5_roles,
    rule_6_places,
    rule_7_styles,
    rule_8_limits,
    rule_9_homomorphic,
    rule_10_mixed,
    rule_11_rules,
    rule_12_roles,
    rule_13_areas,
    rule_14_sexes,
)


def violations(manifest: Manifest) -> list[str]:
    """All sentences of all rules."""
    return [sentence for rule in RULES for sentence in rule(manifest)]
