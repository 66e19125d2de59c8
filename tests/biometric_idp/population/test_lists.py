"""Import of voter lists: whole or not at all, once, in order, and every bad line by its number and reason."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import cms
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import Engine, func, select

from biometric_idp.documents.certificates import decode_certificate
from biometric_idp.errors import FormatError, StateError
from biometric_idp.population.lists import repository
from biometric_idp.population.lists.errors import ListRefused
from biometric_idp.population.lists.format import ListFile, Status
from biometric_idp.population.lists.models import SERVICE, entries, metadata
from biometric_idp.population.lists.report import report_json, report_lines
from biometric_idp.population.lists.roll import draw_roll
from biometric_idp.population.lists.rules import read_rules
from biometric_idp.population.lists.service import Outcome, import_list, prepare_database, purge_entries
from biometric_idp.population.lists.signature import ListTrust, read_trust
from biometric_idp.population.lists.texts import LANGUAGES, reject_texts
from biometric_idp.registrar.roll import commit_roll, make_roll
from services.database import open_engine, reading
from services.migrations import differences
from tests.biometric_idp.documents.chip import Authority, Chip
from tests.biometric_idp.population.voter_list import KEY, NOW, P256, RULES, TRUST, Lists, merged, person, pin

STYLES = RULES.units


@pytest.fixture(name="lists")
def fixture_lists(tmp_path: Path) -> Lists:
    return Lists(tmp_path)


def stored(engine: Engine) -> int:
    with reading(engine) as connection:
        return connection.scalar(select(func.count()).select_from(entries)) or 0


def refused(work: Callable[[], object]) -> str:
    with pytest.raises(ListRefused) as caught:
        work()
    assert "\n" not in str(caught.value)
    return caught.value.code


def test_models_and_migrations_agree(engine: Engine) -> None:
    prepare_database(engine)
    with engine.connect() as connection:
        assert differences(connection, metadata, SERVICE) == []


def test_a_preliminary_and_a_final_list_come_to_a_roll(engine: Engine, lists: Lists) -> None:
    first = lists.write([person(index) for index in range(1, 31)])
    report = lists.take(engine, first)
    assert (report.outcome, report.voters, report.rejected) == (Outcome.ACCEPTED, 30, 0)
    entries = [person(index) for index in range(3, 31)]
    entries[0]["unit"] = "osh-2"
    entries[1]["surname"] = "Жаңы"
    second = lists.final([*entries, person(31), merged(2, into=5)], first)
    report = lists.take(engine, second)
    assert (report.outcome, report.voters, report.merged) == (Outcome.ACCEPTED, 29, 1)
    assert dict(report.changes) == {
        "added": (1, [pin(31)]),
        "removed": (1, [pin(1)]),
        "changed-unit": (1, [pin(3)]),
        "changed-details": (1, [pin(4)]),
        "merged": (1, [pin(2)]),
    }
    with reading(engine) as connection:
        kept = repository.stored_lists(connection, "model-2030")
        assert [(item.number, item.kind, item.message_id) for item in kept] == [
            (1, "preliminary", "message-1"), (2, "final", "message-2"),
        ]  # fmt: skip
        assert kept[1].follows == kept[0].id
        entry = repository.find_entry(connection, kept[1].id, pin(2))
        assert entry is not None
        assert (entry.status, entry.merged_into) == (Status.MERGED, pin(5))
        assert repository.find_entry(connection, kept[1].id, pin(1)) is None
        assert repository.all_elections(connection) == ["model-2030"]

    roll = list(draw_roll(engine, "model-2030", bytes(32), STYLES))
    assert [row.position for row in roll] == list(range(29))
    units = {item["pin"]: item["unit"] for item in [*entries, person(31)]}
    assert {row.pin: row.style for row in roll} == {number: STYLES[unit] for number, unit in units.items()}
    # Deterministic, another order under another secret, and not the order of PINs.
    assert list(draw_roll(engine, "model-2030", bytes(32), STYLES)) == roll
    other = [row.pin for row in draw_roll(engine, "model-2030", b"\1" * 32, STYLES)]
    assert other != [row.pin for row in roll]
    assert sorted(other) == sorted(row.pin for row in roll) != [row.pin for row in roll]
    # It is what the registrar commits to.
    assert len(commit_roll(bytes(32), ((row.style, row.pin) for row in roll))) == 32
    assert len(make_roll(["abroad", "osh"], [["abroad", "osh"].index(row.style) for row in roll])) == 29
    with pytest.raises(StateError, match="has no ballot style"):
        list(draw_roll(engine, "model-2030", bytes(32), {"abroad": "abroad"}))
    with pytest.raises(ValueError, match="32 bytes"):
        list(draw_roll(engine, "model-2030", b"short", STYLES))


def test_names_are_not_stored(engine: Engine, lists: Lists, tmp_path: Path) -> None:
    lists.take(engine, lists.write([person(1, surname="Эчкимбилбес")]))
    with reading(engine) as connection:
        for table in metadata.sorted_tables:
            assert "Эчкимбилбес" not in str(connection.execute(select(table)).all())
            assert "ID0000001" not in str(connection.execute(select(table)).all())


def test_the_same_file_again_changes_nothing_and_says_so(engine: Engine, lists: Lists) -> None:
    path = lists.write([person(1), person(2), person(3, status="deceased")])
    first = lists.take(engine, path, leave_out_rejected=True)
    again = lists.take(engine, path)
    assert (first.outcome, again.outcome) == (Outcome.ACCEPTED, Outcome.UNCHANGED)
    assert (again.voters, again.rejected, again.rejects) == (2, 1, first.rejects)
    assert stored(engine) == 2
    final = lists.final([person(1)], path)
    assert lists.take(engine, final).changes == lists.take(engine, final).changes != {}


def test_another_file_of_the_same_number_is_refused(engine: Engine, lists: Lists) -> None:
    lists.take(engine, lists.write([person(1)]))
    assert refused(lambda: lists.take(engine, lists.write([person(2)]))) == "list-number"
    assert stored(engine) == 1


def test_lists_come_in_order(engine: Engine, lists: Lists) -> None:
    first = lists.write([person(1)], number=2)
    lists.take(engine, first)
    assert refused(lambda: lists.take(engine, lists.write([person(2)], number=1))) == "list-order"
    again = lists.write([person(2)], number=3, message_id="message-2")
    assert refused(lambda: lists.take(engine, again)) == "list-number"
    second = lists.write([person(2)], number=4)
    lists.take(engine, second)
    stale = lists.final([person(2)], first, number=5)
    assert refused(lambda: lists.take(engine, stale)) == "list-follows"
    forged = lists.write([person(2)], number=5, kind="final", follows={"number": 4, "sha256": "0" * 64})
    assert refused(lambda: lists.take(engine, forged)) == "list-follows"
    lists.take(engine, lists.final([person(2)], second))
    for late in (lists.write([person(3)], number=6), lists.final([person(3)], second, number=7)):
        assert refused(lambda late=late: lists.take(engine, late)) == "list-closed"  # type: ignore[misc]


def test_a_final_list_needs_a_preliminary_one(engine: Engine, lists: Lists) -> None:
    never = lists.write([person(1)], number=1)
    assert refused(lambda: lists.take(engine, lists.final([person(1)], never))) == "list-follows"
    with pytest.raises(StateError, match="no final list"):
        list(draw_roll(engine, "model-2030", bytes(32), STYLES))


def test_a_list_of_another_election_is_refused(engine: Engine, lists: Lists) -> None:
    assert refused(lambda: lists.take(engine, lists.write([person(1)], election="other"))) == "list-election"


BAD_LINES: dict[str, tuple[Any, str, str | None]] = {
    "not JSON": (b"{", "entry-form", None),
    "not an object": (b"[]", "entry-form", None),
    "a name twice": (b'{"pin": "1", "pin": "2"}', "entry-form", None),
    "not UTF-8": (b'{"pin": "\xff"}', "entry-form", None),
    "nested too deep": (b'{"pin": ' + b"[" * 5000, "entry-form", None),
    "a blank line": (b"", "entry-form", None),
    "no PIN": (person(5, pin=...), "pin-missing", "pin"),
    "empty PIN": (person(5, pin=""), "pin-missing", "pin"),
    "short PIN": (person(5, pin="123"), "pin-form", "pin"),
    "PIN of no sex": (person(5, pin="30606195500005"), "pin-sex", "pin"),
    "PIN of no day": (person(5, pin="23113195500005"), "pin-date", "pin"),
    "another day than the PIN's": (person(5, birth_date="1955-06-07"), "pin-disagrees", "birth_date"),
    "another sex than the PIN's": (person(5, sex="F"), "pin-disagrees", "sex"),
    "dead": (person(5, status="deceased"), "deceased", "status"),
    "unknown status": (person(5, status="moved"), "entry-form", "status"),
    "merged too early": (merged(5, into=1), "entry-form", "merged_into"),
    "biometric too early": (person(5, biometric="g-1"), "entry-form", "biometric"),
    "no unit": (person(5, unit=None), "unit-missing", "unit"),
    "unknown unit": (person(5, unit="naryn-1"), "unit-unknown", "unit"),
    "direction mark": (person(5, surname="А\u202eб"), "entry-form", "surname"),
    "unknown field": (person(5, nick="x\u202e"), "entry-form", "nick"),
}  # fmt: skip


@pytest.mark.parametrize(("entry", "code", "field"), BAD_LINES.values(), ids=BAD_LINES)
def test_a_bad_line_is_reported_and_nothing_is_stored(
    tmp_path: Path, lists: Lists, engine_sqlite: Engine, entry: Any, code: str, field: str | None
) -> None:
    path = lists.write([person(1), person(2), entry, person(3)])
    report = lists.take(engine_sqlite, path)
    assert (report.outcome, report.rejected, stored(engine_sqlite)) == (Outcome.REJECTED, 1, 0)
    (reject,) = report.rejects
    assert (reject.line, reject.code, reject.other) == (4, code, None)
    assert reject.field == field
    report = lists.take(engine_sqlite, path, leave_out_rejected=True)
    assert (report.outcome, report.voters, report.rejected, stored(engine_sqlite)) == (Outcome.ACCEPTED, 3, 1, 3)


@pytest.fixture(name="engine_sqlite")
def fixture_engine_sqlite(tmp_path: Path) -> Engine:
    engine = open_engine(str(tmp_path / "lists.db"))
    prepare_database(engine)
    return engine


def test_who_is_of_age_on_the_day_of_the_election_may_vote(engine_sqlite: Engine, lists: Lists) -> None:
    young = [person(1, pin=f"22{day}05201200001", birth_date=f"2012-05-2{day}", documents=[]) for day in (0, 1)]
    report = lists.take(engine_sqlite, lists.write(young))
    assert [(item.line, item.code) for item in report.rejects] == [(3, "under-age")]


PAIRS: dict[str, tuple[list[Any], list[tuple[int, str, int | None]]]] = {
    "one PIN twice": ([person(1), person(1, documents=[])], [(2, "pin-duplicate", 3), (3, "pin-duplicate", 2)]),
    "one PIN three times": (
        [person(1), person(1, documents=[]), person(1, documents=[])],
        [(2, "pin-duplicate", 3), (3, "pin-duplicate", 2), (4, "pin-duplicate", 2)],
    ),
    "one PIN also in a bad line": (
        [person(1), person(1, surname="", documents=[])],
        [(2, "pin-duplicate", 3), (3, "entry-form", None), (3, "pin-duplicate", 2)],
    ),
    "two persons, one document": (
        [person(1), person(2), person(3, documents=person(1)["documents"])],
        [(2, "document-shared", 4), (4, "document-shared", 2)],
    ),
    "two records, one biometric": (
        [person(1, biometric="g"), person(2, biometric="h"), person(3, biometric="g")],
        [(2, "biometric-shared", 4), (4, "biometric-shared", 2)],
    ),
    "merged into nobody": ([person(1), merged(2, into=3)], [(3, "merge-unknown", None)]),
    "merged into a merged one": (
        [person(1), merged(2, into=3), merged(3, into=1)], [(3, "merge-unknown", None)],
    ),
    "merged into itself": ([person(1), merged(2, into=2)], [(3, "merge-self", None)]),
    "merged and active": (
        [person(1), person(2), merged(2, into=1)], [(3, "pin-duplicate", 4), (4, "pin-duplicate", 3)],
    ),
    "merged with more than that": ([person(1), {**merged(2, into=1), "unit": "abroad"}], [(3, "entry-form", None)]),
    "merged into no PIN": ([person(1), {**merged(2, into=1), "merged_into": "x"}], [(3, "entry-form", None)]),
    "active with a survivor": ([person(1), person(2, merged_into=pin(1))], [(3, "entry-form", None)]),
    "only merged": ([merged(2, into=1)], [(2, "merge-unknown", None)]),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "expected"), PAIRS.values(), ids=PAIRS)
def test_lines_that_contradict_each_other_are_all_rejected(
    engine_sqlite: Engine, lists: Lists, lines: list[Any], expected: list[tuple[int, str, int | None]]
) -> None:
    first = lists.write([person(9)])
    lists.take(engine_sqlite, first)
    report = lists.take(engine_sqlite, lists.final(lines, first))
    assert report.outcome is Outcome.REJECTED
    assert [(item.line, item.code, item.other) for item in report.rejects] == expected
    assert stored(engine_sqlite) == 1


def test_an_empty_list_is_a_list(engine_sqlite: Engine, lists: Lists) -> None:
    first = lists.write([])
    assert lists.take(engine_sqlite, first).voters == 0
    assert lists.take(engine_sqlite, lists.final([], first)).voters == 0
    assert list(draw_roll(engine_sqlite, "model-2030", bytes(32), STYLES)) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "evoting-voter-list/v2"}, "not of format"),
        ({"election": "Model 2030"}, "election"),
        ({"number": 0}, "number"),
        ({"number": True}, "number"),
        ({"kind": "draft"}, "kind"),
        ({"issued": "2026-11-25"}, "issued"),
        ({"issued": "2026-13-25T10:00:00Z"}, "issued"),
        ({"message_id": "a\nb"}, "message_id"),
        ({"message_id": ...}, "other members"),
        ({"more": 1}, "other members"),
        ({"entries": -1}, "entries"),
        ({"entries": 2.0}, "entries"),
        ({"entries": 3}, "ends after 2 entries"),
        ({"entries": 1}, "goes on after 1 entries"),
        ({"follows": {"number": 1, "sha256": "0" * 64}}, "follows: belongs to a final list"),
        ({"kind": "final"}, "follows"),
        ({"kind": "final", "follows": {"number": 1, "sha256": "F" * 64}}, "sha256"),
    ],
)
def test_a_header_that_does_not_hold_refuses_the_list(
    engine_sqlite: Engine, lists: Lists, changes: dict[str, Any], message: str
) -> None:
    path = lists.write([person(1), person(2)], **changes)
    with pytest.raises(ListRefused, match=message) as caught:
        lists.take(engine_sqlite, path)
    assert caught.value.code == "list-form"
    assert stored(engine_sqlite) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data[:-1], "does not end with a line feed"),
        (lambda data: data[:-2] + b" " * 20_000 + b"}\n", "more than 16384 bytes"),
        (lambda data: b"", "line 1 is no JSON"),
        (lambda data: b"\n" + data, "line 1 is no JSON"),
        (lambda data: b"{" * 20_000, "line 1 is no JSON"),
        (lambda data: b"\xef\xbb\xbf" + data, "line 1 is no JSON"),
    ],
)
def test_a_broken_file_is_refused(
    engine_sqlite: Engine, lists: Lists, change: Callable[[bytes], bytes], message: str
) -> None:
    path = lists.write([person(1)])
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ListRefused, match=message):
        lists.take(engine_sqlite, path)


def test_a_file_that_changes_while_it_is_read_is_not_imported(engine_sqlite: Engine, lists: Lists) -> None:
    path = lists.write([person(1), person(2)])
    signature = lists.sign(path)
    file = ListFile(path)
    path.write_bytes(path.read_bytes().replace("Бек".encode(), "Бак".encode(), 1))
    assert refused(lambda: list(file.lines())) == "list-changed"
    file.close()
    assert refused(lambda: import_list(engine_sqlite, path, signature, RULES, TRUST, NOW)) == "list-signature"


def test_signatures_by_configured_keys_only(engine_sqlite: Engine, lists: Lists) -> None:
    path = lists.write([person(1)])

    def take(signature: Path, trust: ListTrust = TRUST) -> object:
        return import_list(engine_sqlite, path, signature, RULES, trust, NOW)

    foreign = Ed25519PrivateKey.generate()
    own = json.loads(lists.sign(path).read_text())
    for key, changes in (
        (foreign, {}),
        (foreign, {"key": own["key"]}),
        (KEY, {"algorithm": "ecdsa-p256-sha256"}),
        (KEY, {"signature": base64.b64encode(bytes(64)).decode()}),
        (KEY, {"signature": "not base64"}),
        (KEY, {"format": "evoting-list-signature/v2"}),
        (KEY, {"more": "x"}),
        (P256, {"algorithm": "ed25519"}),
    ):
        assert refused(lambda key=key, changes=changes: take(lists.sign(path, key, **changes))) == "list-signature"  # type: ignore[misc]
    broken = lists.root / "broken.sig"
    for data in (b"", b"{", b"x" * 70_000, b'{"a":' * 9_000, b"\x30\x80" * 9, b"-----BEGIN CMS-----\n"):
        broken.write_bytes(data)
        assert refused(lambda: take(broken)) == "list-signature"
    assert stored(engine_sqlite) == 0
    # A signature of another list.
    other = lists.sign(lists.write([person(2)], number=7))
    assert refused(lambda: take(other)) == "list-signature"
    assert take(lists.sign(path, P256))


@pytest.mark.parametrize("armoured", [False, True])
def test_a_cms_signature_under_a_configured_certificate(engine_sqlite: Engine, lists: Lists, armoured: bool) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    authority = Authority(key)
    path = lists.write([person(1)])

    def sign(
        end: datetime = datetime(2035, 1, 1, tzinfo=UTC), digital_signature: bool = True
    ) -> tuple[Path, ListTrust]:
        signer = ec.generate_private_key(ec.SECP256R1())
        chip = Chip({}, signer, authority.issue(signer, end=end, digital_signature=digital_signature))
        chip.content, chip.content_type = path.read_bytes(), "1.2.840.113549.1.7.1"
        message = cms.ContentInfo.load(chip.message())
        message["content"]["encap_content_info"] = {"content_type": "data"}
        der = message.dump(force=True)
        signature = path.with_suffix(".p7s")
        text = b"-----BEGIN CMS-----\n" + base64.encodebytes(der) + b"-----END CMS-----\n"
        signature.write_bytes(text if armoured else der)
        certificate = decode_certificate(chip.signer, "signer")
        return signature, ListTrust({}, {certificate.fingerprint: certificate})

    def take(signature: Path, trust: ListTrust) -> object:
        return import_list(engine_sqlite, path, signature, RULES, trust, NOW)

    assert refused(lambda: take(sign()[0], TRUST)) == "list-signature"
    assert refused(lambda: take(*sign(end=NOW - timedelta(days=1)))) == "list-signature"
    assert refused(lambda: take(*sign(digital_signature=False))) == "list-signature"
    signature, trust = sign()
    original = path.read_bytes()
    path.write_bytes(original.replace(b"osh-1", b"osh-2"))
    assert refused(lambda: take(signature, trust)) == "list-signature"
    path.write_bytes(original)
    assert take(signature, trust)


def test_A5_two_imports_at_once_store_one_list(engine: Engine, lists: Lists) -> None:
    path = lists.write([person(index) for index in range(1, 200)])
    signature = lists.sign(path)
    start = threading.Barrier(6)

    def take() -> Outcome:
        start.wait()
        return import_list(engine, path, signature, RULES, TRUST, NOW).outcome

    with ThreadPoolExecutor(6) as pool:
        outcomes = sorted(future.result() for future in [pool.submit(take) for _ in range(6)])
    assert outcomes == [Outcome.ACCEPTED, *[Outcome.UNCHANGED] * 5]
    assert stored(engine) == 199


def test_two_different_files_of_one_number_at_once_store_one(engine: Engine, lists: Lists) -> None:
    files = []
    for index in range(4):
        directory = Lists(lists.root / str(index))
        directory.root.mkdir()
        path = directory.write([person(index + 1)])
        files.append((path, directory.sign(path)))
    start = threading.Barrier(4)

    def take(path: Path, signature: Path) -> str:
        start.wait()
        try:
            return import_list(engine, path, signature, RULES, TRUST, NOW).outcome
        except ListRefused as error:
            return error.code

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(future.result() for future in [pool.submit(take, *item) for item in files])
    assert outcomes == ["accepted", "list-number", "list-number", "list-number"]
    assert stored(engine) == 1


def test_purging_keeps_what_was_imported_and_by_whom(engine: Engine, lists: Lists) -> None:
    first = lists.write([person(1), person(2), person(3, status="deceased")])
    lists.take(engine, first, leave_out_rejected=True)
    with pytest.raises(StateError, match="no final list"):
        purge_entries(engine, "model-2030")
    lists.take(engine, lists.final([person(1)], first))
    assert purge_entries(engine, "model-2030") == {1: 2}
    assert stored(engine) == 1
    assert len(list(draw_roll(engine, "model-2030", bytes(32), STYLES))) == 1
    assert lists.take(engine, first).outcome is Outcome.UNCHANGED
    assert purge_entries(engine, "model-2030", final=True) == {1: 0, 2: 1}
    with pytest.raises(StateError, match="purged"):
        list(draw_roll(engine, "model-2030", bytes(32), STYLES))
    with reading(engine) as connection:
        assert [item.message_id for item in repository.stored_lists(connection, "model-2030")] == [
            "message-1", "message-2",
        ]  # fmt: skip


def test_every_reject_code_has_its_sentence_in_three_languages() -> None:
    used = {code for _, code, _ in BAD_LINES.values()} | {code for _, found in PAIRS.values() for _, code, _ in found}
    assert used | {"under-age"} == set(reject_texts())
    for texts in reject_texts().values():
        assert tuple(texts) == LANGUAGES
        assert all(texts.values())


def test_reports_mask_pins_and_escape_what_came_out_of_the_file(engine_sqlite: Engine, lists: Lists) -> None:
    first = lists.write([person(1), person(2)])
    lists.take(engine_sqlite, first)
    bad = lists.take(engine_sqlite, lists.final([person(1, **{"x\u202e\n": 1})], first))
    final = lists.take(engine_sqlite, lists.final([person(1)], first))
    for language in LANGUAGES:
        for report in (bad, final):
            text = "\n".join(report_lines(report, language, show_pins=False))
            assert pin(2) not in text
            assert "\u202e" not in text
    assert "line 2, x\\u{202e}\\u{a}: entry-form" in "\n".join(report_lines(bad, "en", show_pins=False))
    assert pin(2) in "\n".join(report_lines(final, "en", show_pins=True))
    value = json.dumps(report_json(final, show_pins=False), ensure_ascii=False)
    assert pin(2) not in value
    assert report_json(bad, show_pins=False)["rejects"] == [
        {"line": 2, "code": "entry-form", "field": "x\\u{202e}\\u{a}", "other_line": None,
         "text": reject_texts()["entry-form"]},
    ]  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"election": "X"}, {"election_day": "2030-02-30"}, {"election_day": "20300520"}, {"minimum_age": "18"},
        {"units": {}}, {"units": {"a": "B C"}}, {"units": {"A": "a"}}, {"more": 1},
    ],
)  # fmt: skip
def test_rules_are_read_strictly(tmp_path: Path, change: dict[str, Any]) -> None:
    value = {
        "format": "evoting-list-rules/v1", "election": "model-2030", "election_day": "2030-05-20", "minimum_age": 18,
        "units": dict(RULES.units),
    }  # fmt: skip
    path = tmp_path / "rules.json"
    path.write_text(json.dumps(value))
    assert read_rules(path) == RULES
    path.write_text(json.dumps({**value, **change}))
    with pytest.raises(FormatError):
        read_rules(path)


def test_trust_is_read_strictly(tmp_path: Path) -> None:
    def pem(key: Any) -> bytes:
        return bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    path = tmp_path / "keeper.pem"
    path.write_bytes(pem(KEY) + pem(P256))
    assert read_trust([path]).keys.keys() == TRUST.keys.keys()
    p384 = ec.generate_private_key(ec.SECP384R1())
    for data in (b"", b"text", pem(p384), pem(ed448.Ed448PrivateKey.generate()), pem(KEY)[:60]):
        path.write_bytes(data)
        with pytest.raises(FormatError):
            read_trust([path])
    with pytest.raises(FormatError, match="no key"):
        read_trust([])
