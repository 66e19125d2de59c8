"""From an election file to the tree of a manifest: usual values filled in, tables read, notations converted."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .convert import fraction_of, key_of, microdegrees_of, seconds_of, time_of
from .errors import DefinitionError
from .import_tables import Tables
from .model import FORMAT, MERGE_RULE, TIE_RULE
from .reader import MapReader, require_list
from .text import LANGUAGE_PATTERN, shown
from .validate import ENROLMENT_AGE

#: Usual values of what an election file may leave out.
EPOCH = 600
LIMITS = {
    "entry-bytes": 65_535,
    "blob-bytes": 1 << 30,
    "ballots": 20_000_000,
    "contests": 32,
    "options": 256,
    "codes": 16_384,
    "challenges": 3,
}

_SHARES = ("turnout", "adoption", "majority", "national")


def complete_tree(reader: MapReader, tables: Tables) -> dict[str, object]:
    """The tree that ``read_manifest`` takes.

    Raises:
        DefinitionError: a notation, a table or a field that is not known.
    """
    languages = _languages(reader.take("languages"))
    tree: dict[str, object] = {
        "format": FORMAT,
        "id": reader.take("id"),
        "title": reader.take("title"),
        "note": _optional(reader, "note", None),
        "model": _optional(reader, "model", False),
        "languages": list(languages),
        "opens": time_of(reader.take("opens"), "opens"),
        "closes": time_of(reader.take("closes"), "closes"),
        "epoch": seconds_of(_optional(reader, "epoch", EPOCH), "epoch"),
        "enrolment-age": seconds_of(_optional(reader, "enrolment-age", ENROLMENT_AGE), "enrolment-age"),
        "origins": _optional(reader, "origins", {"voting": None, "identity": None}),
        "unit-minimum": reader.take("unit-minimum"),
        "limits": _limits(_optional(reader, "limits", {})),
    }
    for key in ("trustees", "issuers", "mixers", "witnesses", "regions"):
        tree[key] = reader.take(key)
    tree["roles"] = _roles(reader.take("roles"))
    units = reader.take("units")
    tree["units"] = tables.units(units, languages) if isinstance(units, str) else _each(units, "units", _unit)
    contests = _each(reader.take("contests"), "contests", lambda value, path: _contest(value, path, tables, languages))
    contest_ids = list(_by_id(contests))
    tables.require_contests(set(contest_ids))
    tree["contests"] = contests
    registered = {id: unit.get("registered") for id, unit in _by_id(tree["units"]).items()}
    tree["styles"] = _each(
        reader.take("styles"), "styles", lambda value, path: _style(value, path, tables, contest_ids, registered)
    )
    for style in tables.style_units:
        if style not in _by_id(tree["styles"]):
            raise DefinitionError("styles", f"the table of units names a style {shown(style)} that is not here")
    tree["merge"] = _optional(reader, "merge", MERGE_RULE)
    tree["tie"] = _optional(reader, "tie", TIE_RULE)
    reader.close()
    return tree


def _optional(reader: MapReader, key: str, usual: object) -> object:
    return reader.take(key) if key in reader.fields else usual


def _each(value: object, path: str, convert: Callable[[object, str], object]) -> list[object]:
    return list(require_list(value, path, convert))


def _by_id(items: object) -> dict[str, dict[str, object]]:
    """The maps among some items that have a text as id; what else is wrong with the items is found later."""
    maps = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return {item["id"]: item for item in maps if isinstance(item.get("id"), str)}


def _languages(value: object) -> tuple[str, ...]:
    def read(item: object, path: str) -> str:
        if not isinstance(item, str) or not LANGUAGE_PATTERN.fullmatch(item):
            raise DefinitionError(path, f"expected a language tag such as ky, found {shown(item)}")
        return item

    return require_list(value, "languages", read, 1, 16)


def _limits(value: object) -> object:
    return {**LIMITS, **value} if isinstance(value, dict) else value


def _roles(value: object) -> list[object]:
    seen: dict[str, int] = {}

    def role(item: object, path: str) -> object:
        reader = MapReader(item, path)
        kind = reader.take("kind")
        number = seen[str(kind)] = seen.get(str(kind), 0) + 1
        tree = {
            "id": reader.take("id"),
            "kind": kind,
            "index": _optional(reader, "index", number),
            "key": key_of(reader.take("key"), reader.at("key")),
            "title": reader.take("title"),
        }
        reader.close()
        return tree

    return _each(value, "roles", role)


def _unit(value: object, path: str) -> object:
    if not isinstance(value, dict):
        return value
    location = value.get("location")
    if isinstance(location, list):
        location = [microdegrees_of(item, f"{path}.location[{index}]") for index, item in enumerate(location)]
    return {**value, "location": location}


def _style(value: object, path: str, tables: Tables, contests: Sequence[str], registered: dict[str, object]) -> object:
    reader = MapReader(value, path)
    id = reader.take("id")
    in_table = tables.style_units.get(id) if isinstance(id, str) else None
    if in_table is not None and "units" in reader.fields:
        raise DefinitionError(f"{path}.units", "the units of this style are also given in the table of units")
    units = in_table if in_table is not None else reader.take("units")
    roll = 0
    for unit in units if isinstance(units, list) else []:
        count = registered.get(unit) if isinstance(unit, str) else None
        roll += count if type(count) is int else 0
    tree = {
        "id": id,
        "title": reader.take("title"),
        "units": units,
        "contests": _optional(reader, "contests", list(contests)),
        "roll": _optional(reader, "roll", roll),
    }
    reader.close()
    return tree


def _contest(value: object, path: str, tables: Tables, languages: Sequence[str]) -> object:
    reader = MapReader(value, path)
    id = reader.id("id")
    kind = reader.word("kind", ("homomorphic", "open-list", "ranked"))
    tree: dict[str, object] = {
        "id": id,
        "title": reader.take("title"),
        "rule": _rule(reader.take("rule"), reader.at("rule")),
        "kind": "homomorphic" if kind == "homomorphic" else "mixed",
    }
    if kind == "homomorphic":
        options = reader.take("options")
        if isinstance(options, str):
            options = tables.options(options, id, reader.at("options"), languages)
        else:
            options = _each(options, reader.at("options"), lambda item, _: _with(item, role="candidate", sex=None))
        tree |= {"options": options, "min": reader.take("min"), "max": reader.take("max")}
        reader.close()
        return tree
    tree |= {"ballot": kind, "against-all": _optional(reader, "against-all", None)}
    if kind == "ranked":
        tree |= {
            "width": reader.take("width"),
            "candidates": _candidates(reader.take("candidates"), id, None, reader.at("candidates"), tables, languages),
        }
        reader.close()
        return tree
    tree |= {"width": 1, "parties": _parties(reader, id, tables, languages)}
    reader.close()
    return tree


def _parties(reader: MapReader, contest: str, tables: Tables, languages: Sequence[str]) -> list[object]:
    where = reader.at("parties")
    table = _optional(reader, "candidates", None)
    given = reader.take("parties")
    parties: Sequence[object] = (
        tables.parties(given, contest, where, languages)
        if isinstance(given, str)
        else require_list(given, where, lambda item, path: item)
    )
    result: list[object] = []
    for index, party in enumerate(parties):
        path = f"{where}[{index}]"
        fields = MapReader(party, path).fields
        candidates = fields.pop("candidates", table)
        if candidates is None:
            raise DefinitionError(f"{path}.candidates", "missing")
        party_id = fields.get("id")
        name = party_id if isinstance(party_id, str) else ""
        place = f"{path}.candidates"
        result.append({**fields, "candidates": _candidates(candidates, contest, name, place, tables, languages)})
    if isinstance(table, str):
        tables.require_parties(table, contest, set(_by_id(result)), languages)
    return result


def _candidates(
    value: object, contest: str, party: str | None, path: str, tables: Tables, languages: Sequence[str]
) -> list[object]:
    if isinstance(value, str):
        return tables.candidates(value, contest, party, path, languages)
    return _each(value, path, lambda item, _: _with(item, sex=None))


def _with(value: object, **usual: object) -> object:
    return {**usual, **value} if isinstance(value, dict) else value


def _rule(value: object, path: str) -> object:
    if not isinstance(value, dict):
        return value
    rule = dict(value)
    if rule.get("kind") == "list-seats":
        rule = {"area": None, "cap": None, "women": None} | rule
    for key in (*_SHARES, "women"):
        if isinstance(rule.get(key), dict):
            rule[key] = _fraction(rule[key], f"{path}.{key}")
    area = rule.get("area")
    if isinstance(area, dict) and isinstance(area.get("share"), dict):
        rule["area"] = area | {"share": _fraction(area["share"], f"{path}.area.share")}
    return rule


def _fraction(share: dict[str, object], path: str) -> dict[str, object]:
    if "fraction" not in share:
        raise DefinitionError(f"{path}.fraction", "missing")
    return share | {"fraction": fraction_of(share["fraction"], f"{path}.fraction")}
