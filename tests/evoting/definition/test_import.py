"""Import from JSON and CSV: one line that says what is wrong and where, and never half an election."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evoting.definition import DefinitionError, decode_manifest, import_definition, import_folder
from evoting.definition.rules import ListSeatsRule
from tests.evoting.definition.builders import COUNCIL, council_bytes, council_files

Files = dict[str, bytes]


def edited(name: str, old: str, new: str) -> Files:
    """The example's files with one text replaced; fails if the text is not there exactly once."""
    files = council_files()
    text = files[name].decode()
    assert text.count(old) == 1, (name, old, text.count(old))
    return files | {name: text.replace(old, new).encode()}


def with_json(edit: Callable[[dict[str, Any]], object]) -> Files:
    files = council_files()
    election = json.loads(files["election.json"])
    edit(election)
    return files | {"election.json": json.dumps(election).encode()}


def test_the_example_imports_to_a_manifest_that_decodes() -> None:
    imported = import_folder(COUNCIL)
    assert imported.notices == ()
    assert decode_manifest(imported.data) == imported.manifest
    manifest = imported.manifest
    assert [style.roll for style in manifest.styles] == [412 + 387, 538 + 9]
    assert manifest.unit_by_id["precinct-1"].location == (42_840_100, 75_300_200)
    assert manifest.unit_by_id["moscow"].location is None
    assert manifest.opens == 1_795_917_600  # 2026-11-29 08:00 in Bishkek is 02:00 UTC
    assert manifest.closes - manifest.opens == 12 * 3600
    rule = manifest.contest_by_id["city"].rule
    assert isinstance(rule, ListSeatsRule)
    assert rule.area is not None
    assert str(rule.area.share.fraction) == "1/200"


def test_byte_order_mark_and_semicolons_are_tolerated_with_a_notice() -> None:
    files = council_files()
    files["units.csv"] = b"\xef\xbb\xbf" + files["units.csv"].replace(b",", b";").replace(b"\n", b"\r\n")
    imported = import_definition(files)
    assert imported.data == council_bytes()
    assert imported.notices == (
        "units.csv: ignored the byte order mark at the beginning",
        "units.csv: columns are separated by semicolons",
    )


def test_columns_in_another_order_and_empty_lines_change_nothing() -> None:
    files = council_files()
    lines = [line.split(",") for line in files["parties.csv"].decode().splitlines()]
    files["parties.csv"] = "\n\n".join(",".join(reversed(line)) for line in lines).encode()
    assert import_definition(files).data == council_bytes()


def test_rows_in_another_order_are_another_ballot() -> None:
    files = council_files()
    header, first, second, third = files["parties.csv"].decode().splitlines()
    files["parties.csv"] = "\n".join([header, second, first, third]).encode()
    contest = import_definition(files).manifest.contest_by_id["city"]
    assert contest.codes[0] == "kench"  # type: ignore[union-attr]


def test_a_file_that_nobody_names_is_noticed() -> None:
    assert import_definition(council_files() | {"old.csv": b"x"}).notices == ("old.csv: not used by election.json",)


def test_usual_values_fill_what_is_left_out() -> None:
    def edit(election: dict[str, Any]) -> None:
        for key in ("note", "epoch", "limits"):
            del election[key]

    manifest = import_definition(with_json(edit)).manifest
    assert (manifest.epoch, manifest.note, manifest.limits.challenges) == (600, None, 3)


def test_enrolment_age_left_out_is_48_hours() -> None:
    manifest = import_definition(with_json(lambda election: election.pop("enrolment-age"))).manifest
    assert manifest.enrolment_age == 48 * 3600


CASES: list[tuple[str, Files, str]] = [
    ("no election file", {"units.csv": b""}, "election.json: there is no such file"),
    (
        "unknown region",
        edited("units.csv", "precinct-2,precinct,chuy", "precinct-2,precinct,talas"),
        'units.csv, line 3, column "region": there is no region "talas" (units[1].region)',
    ),
    (
        "letters in a number",
        edited("units.csv", ",387", ",38O"),
        "units.csv, line 3, column \"registered\": expected a whole number, found '38O'",
    ),
    (
        "missing cell",
        edited("units.csv", ",387", ""),
        "units.csv, line 3: expected 10 columns as in the header, found 9",
    ),
    (
        "unknown column",
        edited("units.csv", "registered", "registred"),
        "units.csv, line 1, column 10: unknown column 'registred'; columns are id, kind, region, registered, "
        "title_ky, title_ru, title_en, lat, lon, style",
    ),
    ("missing column", edited("parties.csv", ",title_ru", ""), 'parties.csv, line 1: missing column "title_ru"'),
    ("column twice", edited("parties.csv", "title_ru", "title_ky"), "parties.csv, line 1, column 4: duplicate column"),
    ("empty table", council_files() | {"parties.csv": b"\n"}, "parties.csv: empty; expected a header line"),
    ("open quote", edited("parties.csv", "Кенч,Кенч", 'Кенч,"Кенч'), "parties.csv, line 3: not CSV"),
    (
        "degrees with a comma",
        edited("units.csv", "42.8401", '"42,8401"'),
        'units.csv, line 2, column "lat": expected degrees such as "42.875", found \'42,8401\'',
    ),
    (
        "sex",
        edited("candidates.csv", "council,,asel-abdieva,,f", "council,,asel-abdieva,,w"),
        "candidates.csv, line 2, column \"sex\": expected f, m or null, found 'w'",
    ),
    (
        "S9 duplicate candidate",
        edited("candidates.csv", "council,,bakyt-beishenov", "council,,asel-abdieva"),
        'candidates.csv, line 3, column "id": duplicate id "asel-abdieva" (contests[0].options[1].id)',
    ),
    (
        "W1 direction override in a name",
        edited("candidates.csv", "Эмил Эсенов", "Эмил \u202eЭсенов"),
        'candidates.csv, line 6, column "title_ky": character U+202E at position 5 is not allowed',
    ),
    (
        "party that does not exist",
        edited("candidates.csv", "city,tulpar,4", "city,talpar,4"),
        "candidates.csv, line 19, column \"party\": contest city has no party 'talpar'",
    ),
    (
        "contest that does not exist",
        edited("candidates.csv", "council,,asel-abdieva", "counsil,,asel-abdieva"),
        "candidates.csv, line 2, column \"contest\": there is no contest 'counsil'",
    ),
    (
        "party in a contest without lists",
        edited("candidates.csv", "council,,asel-abdieva", "council,bulak,asel-abdieva"),
        'candidates.csv, line 2, column "party": contest council has no lists',
    ),
    (
        "style that does not exist",
        edited("units.csv", "moscow,abroad,abroad,south", "moscow,abroad,abroad,west"),
        "election.json: styles: the table of units names a style 'west' that is not here",
    ),
    (
        "wrong encoding",
        council_files() | {"parties.csv": council_files()["parties.csv"].decode().encode("cp1251", "replace")},
        "parties.csv, line 2: not UTF-8",
    ),
    (
        "W1 direction override in a file's name",
        edited("election.json", '"units.csv"', '"un‮.csv"'),
        "'un\\u202e.csv': there is no such file",
    ),
    (
        "missing table",
        {k: v for k, v in council_files().items() if k != "parties.csv"},
        "parties.csv: there is no such",
    ),
    ("cut off", council_files() | {"election.json": council_files()["election.json"][:300]}, "election.json, line "),
    ("empty", council_files() | {"election.json": b""}, "election.json, line 1, column 1: not JSON"),
    ("not a map", council_files() | {"election.json": b"[]"}, "election.json: expected a map, found []"),
    ("nested", council_files() | {"election.json": b"[" * 100_000}, "election.json: nested too deeply"),
    (
        "foreign format",
        council_files() | {"election.json": b'{"format": "other"}'},
        "election.json: format: expected one of evoting-election/v1, found 'other'",
    ),
    ("repeated key", edited("election.json", '"mixers": 2,', '"mixers": 2, "mixers": 2,'), "duplicate key 'mixers'"),
    ("decimal", edited("election.json", '"mixers": 2,', '"mixers": 2.0,'), "the number '2.0' is not allowed"),
    ("endless number", edited("election.json", '"mixers": 2,', f'"mixers": {"9" * 5000},'), "too many digits"),
    (
        "time without offset",
        edited("election.json", "2026-11-29T08:00:00+06:00", "2026-11-29T08:00:00"),
        'election.json: opens: expected a time with its offset such as "2026-11-29T08:00:00+06:00"',
    ),
    (
        "duration",
        edited("election.json", "10 min", "10 minutes"),
        'election.json: epoch: expected a duration such as "10 min" or "48 h"',
    ),
    (
        "fraction",
        edited("election.json", '"0.5 %"', '"0,5 %"'),
        'election.json: contests[2].rule.area.share.fraction: expected a fraction such as "5 %" or "1/20", found',
    ),
    (
        "key",
        with_json(lambda election: election["roles"][4].update(key="AB")),
        "election.json: roles[4].key: expected a public key of 64 hexadecimal digits 0-9a-f, found 'AB'",
    ),
    (
        "unknown field",
        with_json(lambda election: election.update(colour="red")),
        "election.json: unknown field 'colour'",
    ),
    (
        "unknown field in a contest",
        with_json(lambda election: election["contests"][0].update(colour="red")),
        "election.json: contests[0]: unknown field 'colour'",
    ),
    (
        "threshold",
        with_json(lambda election: election["issuers"].update(k=2)),
        "election.json: issuers.k: threshold must exceed half the issuers",
    ),
    (
        "units twice",
        with_json(lambda election: election["styles"][0].update(units=["precinct-1"])),
        "election.json: styles[0].units: the units of this style are also given in the table of units",
    ),
]


@pytest.mark.parametrize(("files", "message"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_refused_with_a_precise_place(files: Files, message: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        import_definition(files)
    text = str(caught.value)
    assert message in text
    assert text.isascii()
    assert text.isprintable()


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(council_files())), st.integers(0, 10_000), st.integers(0, 40), st.binary(max_size=12))
def test_any_damage_is_an_error_of_ours_or_a_valid_election(name: str, start: int, cut: int, put: bytes) -> None:
    files = council_files()
    data = files[name]
    start %= len(data)
    files[name] = data[:start] + put + data[start + cut :]
    try:
        imported = import_definition(files)
    except DefinitionError as error:
        assert str(error).isascii()  # noqa: PT017
        assert str(error).isprintable()  # noqa: PT017
    else:
        assert decode_manifest(imported.data) == imported.manifest


WRONG: list[object] = [None, 1, -1, "x", "", [], {}, [[]], {"id": []}, True, ["x"], 10**30]


def test_values_of_wrong_types_anywhere_are_refused_by_an_error_of_ours() -> None:
    election = json.loads(council_files()["election.json"])
    files = council_files()
    stack: list[Any] = [election]
    refused = 0
    while stack:
        node = stack.pop()
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            original = node[key]
            if isinstance(original, (dict, list)):
                stack.append(original)
            for value in WRONG[len(stack) % 3 :: 3]:
                node[key] = value
                try:
                    import_definition(files | {"election.json": json.dumps(election).encode()})
                except DefinitionError as error:
                    assert str(error).isascii()  # noqa: PT017
                    refused += 1
            node[key] = original
    assert refused > 500


def test_the_folder_is_left_as_it_was(tmp_path: Any) -> None:
    for name, data in edited("units.csv", ",387", ",x").items():
        (tmp_path / name).write_bytes(data)
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir()}
    with pytest.raises(DefinitionError):
        import_folder(tmp_path)
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir()} == before
