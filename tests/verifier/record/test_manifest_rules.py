"""Rules of the manifest, each broken alone where that is possible: the sentence that names it is there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from verifier.record.cbor import decode, encode
from verifier.record.errors import FormatError
from verifier.record.manifest import decode_manifest
from verifier.record.manifest_rules import violations

_VECTORS = json.loads((Path(__file__).parents[3] / "docs/spec/vectors/manifest.json").read_text())
_VALID = bytes.fromhex(_VECTORS["valid"][0]["cbor"])

COUNCIL, MAYOR, CITY = range(3)
_SHARE = {"fraction": [1, 2], "of": "valid", "strict": True}
_REFERENDUM = {"kind": "referendum", "against-all": "ignore", "turnout": _SHARE, "adoption": _SHARE}

Edit = Callable[[Any], object]


def option(name: str, role: str) -> dict[str, Any]:
    return {"id": name, "role": role, "sex": None, "title": {"ky": "x", "ru": "x", "en": "x"}}


def referendum(*roles: str) -> Edit:
    """The mayor's contest becomes a referendum with options of these roles."""

    def edit(tree: Any) -> None:
        tree["contests"][MAYOR].update(
            rule=_REFERENDUM, options=[option(f"o{number}", role) for number, role in enumerate(roles)]
        )

    return edit


def unit_in_two_places(tree: Any) -> None:
    tree["styles"][0]["units"].append("precinct-1")
    tree["styles"][0]["roll"] += tree["units"][0]["registered"]


def only_against_all(tree: Any) -> None:
    tree["contests"][MAYOR]["options"] = tree["contests"][MAYOR]["options"][-1:]


#: What is wrong -> edit and the sentence.
EDITS: dict[str, tuple[Edit, str]] = {
    "more witnesses in the quorum than there are": (
        lambda t: t["witnesses"].update(q=5),
        "witnesses.q: q <= w < 2q does not hold",
    ),
    "half of the witnesses": (lambda t: t["witnesses"].update(q=2), "witnesses.q: q <= w < 2q does not hold"),
    "more issuers needed than there are": (
        lambda t: t["issuers"].update(k=5),
        "issuers.k: k <= m < 2k does not hold",
    ),
    "half of the issuers": (lambda t: t["issuers"].update(k=2), "issuers.k: k <= m < 2k does not hold"),
    "a unit that does not exist": (
        lambda t: t["styles"][1]["units"].append("precinct-9"),
        "styles: the unit precinct-9 does not exist or is in 1 places",
    ),
    "a unit twice in a style": (unit_in_two_places, "styles: the unit precinct-1 does not exist or is in 2 places"),
    "a contest that does not exist, in front": (
        lambda t: t["styles"][0].update(contests=["x", "council", "mayor"]),
        "styles[0].contests: not existing contests in their order",
    ),
    "contests in another order": (
        lambda t: t["styles"][0].update(contests=["mayor", "council"]),
        "styles[0].contests: not existing contests in their order",
    ),
    "two options for yes": (referendum("yes", "yes", "no"), "contests[1].options: more than one of role yes"),
    "two options for no": (referendum("yes", "no", "no"), "contests[1].options: more than one of role no"),
    "two options against all": (
        lambda t: t["contests"][MAYOR]["options"][0].update(role="against-all"),
        "contests[1].options: more than one of role against-all",
    ),
    "a referendum on candidates": (
        referendum("candidate", "candidate"),
        "contests[1].options: their roles do not fit the rule",
    ),
    "a referendum on answers and candidates": (
        referendum("answer", "candidate"),
        "contests[1].options: their roles do not fit the rule",
    ),
    "a referendum on yes alone": (referendum("yes"), "contests[1].options: their roles do not fit the rule"),
    "an election of answers": (
        lambda t: t["contests"][MAYOR]["options"][0].update(role="answer"),
        "contests[1].options: their roles do not fit the rule",
    ),
    "nobody to elect": (only_against_all, "contests[1].options: their roles do not fit the rule"),
    "nothing to answer": (referendum("against-all"), "contests[1].options: their roles do not fit the rule"),
    "an area threshold in one region twice": (
        lambda t: t["contests"][CITY]["rule"]["area"].update(regions=["chuy", "chuy"]),
        "contests[2].rule.area.regions: not existing, different regions",
    ),
    "an area threshold nowhere": (
        lambda t: t["contests"][CITY]["rule"]["area"].update(regions=["x"]),
        "contests[2].rule.area.regions: not existing, different regions",
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_the_broken_rule_is_named(name: str) -> None:
    edit, sentence = EDITS[name]
    tree: Any = decode(_VALID)
    edit(tree)
    assert sentence in violations(decode_manifest(encode(tree)))


@pytest.mark.parametrize("roles", [("yes", "no"), ("no", "yes"), ("answer", "answer"), ("answer", "against-all")])
def test_referendums_that_are_right(roles: tuple[str, ...]) -> None:
    tree: Any = decode(_VALID)
    referendum(*roles)(tree)
    assert violations(decode_manifest(encode(tree))) == []


# Schema


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "1 to 500 characters"),
        ("x" * 501, "1 to 500 characters"),
        ("a\u202eb", "U\\+202E must not be in a text"),
        ("a\nb", "U\\+000A must not be in a text"),
        ("a\u200db", "U\\+200D must not be in a text"),
        ("a\U000e0041", "U\\+E0041 must not be in a text"),
    ],
)
def test_W1_a_title_that_deceives_is_refused(text: str, words: str) -> None:
    tree: Any = decode(_VALID)
    tree["title"]["en"] = text
    with pytest.raises(FormatError, match=f"manifest.title.en: .*{words}"):
        decode_manifest(encode(tree))
    tree["title"]["en"] = "x" * 500
    decode_manifest(encode(tree))


@pytest.mark.parametrize(
    "location",
    [[True, 0], [0, False], ["0", 0], [90_000_001, 0], [-90_000_001, 0], [0, 180_000_001], [0, -180_000_001]],
)
def test_a_location_is_two_integers_on_the_globe(location: list[Any]) -> None:
    tree: Any = decode(_VALID)
    tree["units"][0]["location"] = location
    with pytest.raises(FormatError, match="an integer within"):
        decode_manifest(encode(tree))


@pytest.mark.parametrize("location", [[], [1], [1, 2, 3], {}, "ab", 7])
def test_a_location_has_two_parts(location: Any) -> None:
    tree: Any = decode(_VALID)
    tree["units"][0]["location"] = location
    with pytest.raises(FormatError, match="latitude and longitude"):
        decode_manifest(encode(tree))


@pytest.mark.parametrize("fraction", [[0, 0], [1, 0], [3, 2], [2, 4], [0, 2]])
def test_a_fraction_is_in_lowest_terms_and_at_most_one(fraction: list[int]) -> None:
    tree: Any = decode(_VALID)
    tree["contests"][MAYOR]["rule"]["majority"]["fraction"] = fraction
    with pytest.raises(FormatError, match="a fraction is in lowest terms"):
        decode_manifest(encode(tree))
    for right in ([0, 1], [1, 1], [1, 3]):
        tree["contests"][MAYOR]["rule"]["majority"]["fraction"] = right
        decode_manifest(encode(tree))


_MOST = 2**53 - 1
#: Where a number is -> its bounds in section 3.
BOUNDS: dict[tuple[str | int, ...], tuple[int, int]] = {
    ("epoch",): (1, 86400),
    ("unit-minimum", "homomorphic"): (1, _MOST),
    ("unit-minimum", "mixed"): (1, _MOST),
    ("limits", "entry-bytes"): (1024, 65535),
    ("limits", "blob-bytes"): (1024, _MOST),
    ("limits", "ballots"): (1, _MOST),
    ("limits", "contests"): (1, 256),
    ("limits", "options"): (1, 1024),
    ("limits", "codes"): (1, 65535),
    ("limits", "challenges"): (0, 16),
    ("trustees", "n"): (2, 255),
    ("trustees", "t"): (1, 254),
    ("issuers", "m"): (1, 255),
    ("issuers", "k"): (1, 255),
    ("mixers",): (0, 64),
    ("witnesses", "w"): (1, 255),
    ("witnesses", "q"): (1, 255),
    ("roles", 0, "index"): (1, 65535),
    ("styles", 0, "roll"): (1, _MOST),
    ("contests", MAYOR, "min"): (0, 1024),
    ("contests", MAYOR, "max"): (1, 1024),
    ("contests", MAYOR, "rule", "advance"): (2, 16),
    ("contests", MAYOR, "rule", "majority", "fraction", 0): (0, 10**9),
}


@pytest.mark.parametrize("path", BOUNDS, ids=lambda path: ".".join(map(str, path)))
def test_a_number_has_the_bounds_of_the_specification(path: tuple[str | int, ...]) -> None:
    low, high = BOUNDS[path]

    def numbered(value: int) -> bytes:
        tree: Any = decode(_VALID)
        place = tree
        for step in path[:-1]:
            place = place[step]
        assert type(place[path[-1]]) is int
        place[path[-1]] = value
        return encode(tree)

    beyond = ([high + 1] if high < _MOST else []) + ([low - 1] if low > 0 else [])
    for value in beyond:
        with pytest.raises(FormatError, match=f"{path[-1]}.*: {value} is not within {low}..{high}"):
            decode_manifest(numbered(value))
    if low == 0:
        with pytest.raises(FormatError, match="an unsigned integer is expected"):
            decode_manifest(numbered(-1))
    if path[-1] != 0:  # a fraction is more than two numbers within bounds
        decode_manifest(numbered(low))
        decode_manifest(numbered(high))


@pytest.mark.parametrize(
    ("titles", "words"),
    [
        ({"KY": "x"}, "'KY' is not a language"),
        ({"kyrgyz": "x"}, "'kyrgyz' is not a language"),
        ({"k": "x"}, "'k' is not a language"),
        ({"ky\n": "x"}, r"'ky\\n' is not a language"),
        ({}, "0 members are out of bounds"),
        ([], "a map is expected, not an array"),
        ("x", "a map is expected, not text"),
        (None, "a map is expected, not None"),
    ],
)
def test_titles_are_texts_by_language(titles: Any, words: str) -> None:
    tree: Any = decode(_VALID)
    tree["contests"][MAYOR]["title"] = titles
    with pytest.raises(FormatError, match=words):
        decode_manifest(encode(tree))


@pytest.mark.parametrize("kind", ["other", "", 7, None, b"homomorphic", ["homomorphic"], {"homomorphic": 1}])
def test_a_contest_is_of_a_kind_that_there_is(kind: Any) -> None:
    tree: Any = decode(_VALID)
    tree["contests"][MAYOR]["kind"] = kind
    with pytest.raises(FormatError, match=r"kind: .* is not one of homomorphic, mixed"):
        decode_manifest(encode(tree))
    del tree["contests"][MAYOR]["kind"]
    with pytest.raises(FormatError, match="kind: None is not one of homomorphic, mixed"):
        decode_manifest(encode(tree))


@pytest.mark.parametrize("merge", ["other", "", 7, True, None, b"smallest-into-next-smallest", [], {}])
def test_a_word_is_one_of_those_that_there_are(merge: Any) -> None:
    tree: Any = decode(_VALID)
    tree["merge"] = merge
    with pytest.raises(FormatError, match=r"merge: .* is not one of smallest-into-next-smallest"):
        decode_manifest(encode(tree))
