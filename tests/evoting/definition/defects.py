"""Edits of a valid manifest, each of which breaks one rule of docs/spec/03-manifest.md section 3.7."""

from __future__ import annotations

from typing import Any

from crypto import cbor
from evoting.definition import Manifest, decode_manifest
from tests.evoting.definition.builders import Edit, Tree, council_tree


def setting(path: str, value: object) -> Edit:
    """An edit that sets one place, written as in an error's path."""

    def edit(tree: Tree) -> None:
        node: Any = tree
        keys: list[str | int] = []
        for part in path.replace("]", "").split("."):
            name, *indices = part.split("[")
            keys += [name, *(int(index) for index in indices)]
        for key in keys[:-1]:
            node = node[key]
        node[keys[-1]] = value

    return edit


def both(*edits: Edit) -> Edit:
    def edit(tree: Tree) -> None:
        for one in edits:
            one(tree)

    return edit


def drop_role(id: str) -> Edit:
    return lambda tree: tree.update(roles=[role for role in tree["roles"] if role["id"] != id])


def copy_key(tree: Tree) -> None:
    tree["roles"][3]["key"] = tree["roles"][0]["key"]


def duplicate_option(tree: Tree) -> None:
    tree["contests"][0]["options"][3]["id"] = tree["contests"][0]["options"][1]["id"]


NOT_A_MODEL = setting("model", False)
RANKED = {
    "id": "city",
    "kind": "mixed",
    "ballot": "ranked",
    "width": 2,
    "against-all": None,
    "title": {"ky": "x", "ru": "x", "en": "x"},
    "rule": {"kind": "instant-runoff", "against-all": "ignore"},
    "candidates": [{"id": id, "sex": None, "title": {"ky": "x", "ru": "x", "en": "x"}} for id in ("a", "b", "c")],
}


def ranked_instead_of_lists() -> Manifest:
    """The example with a ranked contest in the place of its open list."""
    tree = council_tree()
    tree["contests"][2] = RANKED
    return decode_manifest(cbor.encode(tree))


#: What is wrong, the edit, the path of the error, and a part of its reason.
CASES: list[tuple[str, Edit, str, str]] = [
    ("closes before it opens", lambda tree: tree.update(closes=tree["opens"]), "closes", "before it opens"),
    ("young enrolment", both(NOT_A_MODEL, setting("enrolment-age", 172_799)), "enrolment-age", "172800"),
    ("repeated language", setting("languages", ["ky", "ru", "ky"]), "languages[2]", "duplicate"),
    ("text missing in a language", setting("units[0].title", {"ky": "x", "ru": "x"}), "units[0].title", "language en"),
    ("text in another language", setting("languages", ["ky", "ru"]), "title", "en is not a language"),
    (
        "local origin in a real election",
        both(NOT_A_MODEL, setting("enrolment-age", 172_800), setting("origins.voting", "http://vote.localhost")),
        "origins.voting",
        "https://",
    ),
    ("origin with a path", setting("origins.voting", "https://vote.example/x"), "origins.voting", "origin"),
    (
        "one origin for voting and identity",
        setting("origins", {"voting": "https://a.example", "identity": "https://a.example"}),
        "origins.identity",
        "different",
    ),
    ("all trustees needed", setting("trustees.t", 3), "trustees.t", "below"),
    ("two of four issuers", setting("issuers.k", 2), "issuers.k", "exceed half"),
    ("five of four issuers", setting("issuers.k", 5), "issuers.k", "above"),
    ("two of four witnesses", setting("witnesses.q", 2), "witnesses.q", "exceed half"),
    ("mixed minimum below the other", setting("unit-minimum.mixed", 29), "unit-minimum.mixed", "homomorphic"),
    ("one officer", drop_role("officer-2"), "roles", "at least two"),
    ("no registrar", drop_role("registrar"), "roles", "registrar"),
    ("missing trustee", drop_role("trustee-3"), "roles", "expected 3 of kind trustee"),
    ("gap in the indices", setting("roles[6].index", 7), "roles", "in this order"),
    ("role index twice", setting("roles[6].index", 1), "roles", "in this order"),
    (
        "roles in another order",
        both(setting("roles[5].index", 2), setting("roles[6].index", 1)),
        "roles",
        "in this order",
    ),
    ("two roles with one key", copy_key, "roles[3].key", "duplicate key"),
    ("two roles with one id", setting("roles[1].id", "officer-1"), "roles[1].id", 'duplicate id "officer-1"'),
    ("unit in no region", setting("units[0].region", "nowhere"), "units[0].region", 'no region "nowhere"'),
    ("unit twice", setting("units[1].id", "precinct-1"), "units[1].id", "duplicate"),
    ("unit in two styles", setting("styles[1].units[0]", "precinct-1"), "styles[1].units[0]", 'in style "north"'),
    ("unknown unit", setting("styles[1].units[0]", "precinct-9"), "styles[1].units[0]", "no unit"),
    (
        "unit in no style",
        both(setting("styles[1].units", ["precinct-3"]), setting("styles[1].roll", 538)),
        "units[3]",
        "in no ballot style",
    ),
    ("unknown contest", setting("styles[0].contests", ["council", "x"]), "styles[0].contests[1]", "no contest"),
    ("contests in another order", setting("styles[0].contests", ["mayor", "council"]), "styles[0].contests", "order"),
    ("contest twice", setting("styles[0].contests", ["council", "council"]), "styles[0].contests", "different"),
    ("contest on no style", setting("styles[1].contests", ["council", "mayor"]), "contests[2]", "on no ballot style"),
    ("roll that is no sum", setting("styles[0].roll", 800), "styles[0].roll", "799 registered"),
    (
        "style below the minimum",
        both(setting("unit-minimum", {"homomorphic": 30, "mixed": 548})),
        "styles[1].roll",
        "below the unit minimum of 548",
    ),
    ("too many contests", setting("limits.contests", 2), "contests", "limits.contests"),
    ("too many options", setting("limits.options", 5), "contests[0].options", "limits.options"),
    ("too many codes", setting("limits.codes", 16), "contests[2]", "17 codes"),
    ("S9 two options with one id", duplicate_option, "contests[0].options[3].id", 'duplicate id "bakyt-beishenov"'),
    ("S9 party twice", setting("contests[2].parties[1].id", "bulak"), "contests[2].parties[1].id", "duplicate"),
    (
        "S9 candidate twice",
        setting("contests[2].parties[1].candidates[2].id", "1"),
        "contests[2].parties[1].candidates[2].id",
        "duplicate",
    ),
    ("S9 party called blank", setting("contests[2].parties[1].id", "blank"), "contests[2].parties[1].id", "reserved"),
    ("more selections than options", setting("contests[0].max", 7), "contests[0].max", "min <= max"),
    ("min above max", setting("contests[0].min", 4), "contests[0].max", "min <= max"),
    ("two against all", setting("contests[0].options[4].role", "against-all"), "contests[0].options", "more than one"),
    (
        "against all not last",
        both(
            setting("contests[0].options[4].role", "against-all"),
            setting("contests[0].options[5].role", "candidate"),
            setting("contests[0].options[5].sex", "f"),
        ),
        "contests[0].options",
        "last",
    ),
    (
        "role that the rule does not know",
        setting("contests[1].options[0].role", "yes"),
        "contests[1].options[0].role",
        "",
    ),
    ("two selections for one mayor", setting("contests[1].max", 2), "contests[1].max", "max = 1"),
    (
        "list seats without lists",
        lambda tree: tree["contests"][0].update(rule=tree["contests"][2]["rule"]),
        "contests[0].rule.kind",
        "belong together",
    ),
    (
        "lists without list seats",
        lambda tree: tree["contests"][2].update(rule=tree["contests"][0]["rule"]),
        "contests[2].rule.kind",
        "belong together",
    ),
    (
        "ranks without a run-off",
        lambda tree: tree["contests"].__setitem__(2, RANKED | {"rule": tree["contests"][1]["rule"]}),
        "contests[2].rule.kind",
        "instant-runoff",
    ),
    (
        "more ranks than candidates",
        lambda tree: tree["contests"].__setitem__(2, RANKED | {"width": 4}),
        "contests[2].width",
        "more ranks",
    ),
    (
        "run-off without ranks",
        setting("contests[1].rule", {"kind": "instant-runoff", "against-all": "repeat"}),
        "contests[1].rule.kind",
        "ranked",
    ),
    (
        "threshold in an unknown region",
        setting("contests[2].rule.area.regions", ["x"]),
        "contests[2].rule.area.regions[0]",
        "",
    ),
    ("quota without sex", setting("contests[0].options[0].sex", None), "contests[0].options[0].sex", "sex"),
    (
        "list quota without sex",
        setting("contests[2].parties[0].candidates[0].sex", None),
        "contests[2].parties[0].candidates[0].sex",
        "sex",
    ),
    ("cap above the seats", setting("contests[2].rule.cap", 6), "contests[2].rule.cap", "1 to 5"),
    (
        "fraction above one",
        setting("contests[2].rule.national.fraction", [3, 2]),
        "contests[2].rule.national.fraction",
        "",
    ),
    (
        "fraction not in lowest terms",
        setting("contests[2].rule.national.fraction", [5, 100]),
        "contests[2].rule.national.fraction",
        "lowest terms",
    ),
    (
        "division by zero",
        setting("contests[2].rule.national.fraction", [0, 0]),
        "contests[2].rule.national.fraction",
        "",
    ),
    (
        "mixed contest without mixers",
        both(setting("mixers", 0), drop_role("mixer-1"), drop_role("mixer-2")),
        "mixers",
        "at least one mixer",
    ),
    ("latitude beyond the pole", setting("units[0].location", [90_000_001, 0]), "units[0].location[0]", "latitude"),
    ("another format", setting("format", "evoting-manifest/v2"), "format", "evoting-manifest/v1"),
    ("another merge rule", setting("merge", "none"), "merge", "smallest"),
]
