"""The file register: what it answers, and that it names file, line and field of whatever does not fit."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from biometric_idp.population.attachments import read_attachment
from biometric_idp.population.file_register import FileRegister
from biometric_idp.population.pin import Sex
from biometric_idp.population.register import DocumentKind, Register, RegisterError

ANNA: dict[str, Any] = {
    "pin": "11505199012345",
    "surname": "Асанова",
    "given_names": "Айгүл",
    "birth_date": "1990-05-15",
    "sex": "F",
    "documents": [{"kind": "id-card", "number": "ID1234567", "expires": "2031-01-31"}],
    "email": "a@example.org",
    "phone": "+996700123456",
    "unit": "abroad",
    "portrait": "portraits/1.jpg",
    "fingerprints": [{"finger": 2, "format": "nbis-xyt", "file": "prints/1.xyt"}],
}
BEK: dict[str, Any] = {
    "pin": "20101198000001",
    "surname": "Бек",
    "given_names": "",
    "birth_date": "1980-01-01",
    "sex": "M",
    "deceased": True,
}
CSV_HEAD = "pin,surname,given_names,birth_date,sex,documents,email,phone,unit,deceased,portrait,fingerprints\n"
CSV_ANNA = (
    "11505199012345,Асанова,Айгүл,1990-05-15,F,id-card:ID1234567:2031-01-31,a@example.org,+996700123456,abroad,,"
    "portraits/1.jpg,2:nbis-xyt:prints/1.xyt\n"
)


def write_json(root: Path, *persons: object) -> Path:
    path = root / "register.json"
    lines = ",\n".join(json.dumps(person, ensure_ascii=False) for person in persons)
    path.write_text(f'{{"format": "evoting-register/v1",\n"persons": [\n{lines}\n]}}\n')
    return path


@pytest.fixture(name="root")
def fixture_root(tmp_path: Path) -> Path:
    root = tmp_path / "register"
    (root / "portraits").mkdir(parents=True)
    (root / "prints").mkdir()
    (root / "portraits/1.jpg").write_bytes(b"\xff\xd8 a portrait")
    (root / "prints/1.xyt").write_bytes(b"1 2 3\n")
    (tmp_path / "secret").write_bytes(b"elsewhere")
    return root


def check_both(register: Register) -> None:
    anna = register.person("11505199012345")
    assert anna is not None
    assert (anna.surname, anna.given_names, anna.sex, anna.birth_date) == (
        "Асанова", "Айгүл", Sex.FEMALE, date(1990, 5, 15),
    )  # fmt: skip
    (document,) = anna.documents
    assert (document.kind, document.number, document.expires) == (DocumentKind.ID_CARD, "ID1234567", date(2031, 1, 31))
    assert (anna.contacts.email, anna.contacts.phone, anna.unit) == ("a@example.org", "+996700123456", "abroad")
    assert register.portrait(anna.pin) == b"\xff\xd8 a portrait"
    (template,) = register.fingerprints(anna.pin)
    assert (template.finger, template.format, template.data) == (2, "nbis-xyt", b"1 2 3\n")
    bek = register.person("20101198000001")
    assert bek is not None
    assert bek.deceased
    assert bek.given_names == ""
    assert register.portrait(bek.pin) is None
    assert register.fingerprints(bek.pin) == ()
    assert register.person("20101198000002") is None
    assert register.portrait("20101198000002") is None


def test_json_and_csv_give_the_same_register(root: Path) -> None:
    check_both(FileRegister(write_json(root, ANNA, BEK)))
    path = root / "register.csv"
    path.write_text("\ufeff" + CSV_HEAD + CSV_ANNA + "20101198000001,Бек,,1980-01-01,M,,,,,true,,\n")
    check_both(FileRegister(path))


def test_an_empty_register_knows_nobody(root: Path) -> None:
    assert len(FileRegister(write_json(root))) == 0


def test_representations_show_no_personal_data(root: Path) -> None:
    register = FileRegister(write_json(root, ANNA))
    anna = register.person("11505199012345")
    assert anna is not None
    shown = f"{anna!r} {anna.documents!r} {anna.contacts!r} {register.fingerprints(anna.pin)!r} {register!r}"
    for secret in ("11505199012345", "Асанова", "1990", "ID1234567", "example.org", "+996", "abroad", "1 2 3"):
        assert secret not in shown


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"pin": "11505199012344x"}, "pin"),
        ({"pin": ""}, "pin"),
        ({"surname": None}, "surname"),
        ({"surname": "Аса\u202eнова"}, "surname"),
        ({"surname": "Асанова\n"}, "surname"),
        ({"surname": "е\u0306"}, "surname"),  # not NFC
        ({"surname": "А" * 121}, "surname"),
        ({"surname": ["Асанова"]}, "surname"),
        ({"given_names": 7}, "given_names"),
        ({"birth_date": "1990-05-16"}, "birth_date"),
        ({"birth_date": "1990-02-30"}, "birth_date"),
        ({"birth_date": "19900515"}, "birth_date"),
        ({"sex": "M"}, "sex"),
        ({"sex": "W"}, "sex"),
        ({"documents": "ID1234567"}, "documents"),
        ({"documents": [{"kind": "visa", "number": "1"}]}, "documents[0].kind"),
        ({"documents": [{"kind": "id-card", "number": "id 1"}]}, "documents[0].number"),
        ({"documents": [{"kind": "id-card", "number": "ID1", "expires": "never"}]}, "documents[0].expires"),
        ({"documents": [{"kind": "id-card"}]}, "documents[0]"),
        ({"documents": [{"kind": "id-card", "number": "A"}, {"kind": "id-card", "number": "A"}]}, "documents"),
        ({"documents": [{"kind": "id-card", "number": f"A{n}"} for n in range(17)]}, "documents"),
        ({"email": "a@b"}, "email"),
        ({"email": "a@example.org\nBcc: b@example.org"}, "email"),
        ({"phone": "0700123456"}, "phone"),
        ({"unit": "../abroad"}, "unit"),
        ({"deceased": "no"}, "deceased"),
        ({"nickname": "x"}, "nickname"),
        ({"portrait": "../secret"}, "portrait"),
        ({"portrait": "/etc/passwd"}, "portrait"),
        ({"portrait": "portraits/../../secret"}, "portrait"),
        ({"portrait": "portraits/./1.jpg"}, "portrait"),
        ({"portrait": "portraits\\1.jpg"}, "portrait"),
        ({"portrait": "portraits/1.jpg\x00"}, "portrait"),
        ({"portrait": ""}, "portrait"),
        ({"fingerprints": [{"finger": 11, "format": "x", "file": "a"}]}, "fingerprints[0].finger"),
        ({"fingerprints": [{"finger": True, "format": "x", "file": "a"}]}, "fingerprints[0].finger"),
        ({"fingerprints": [{"finger": 1, "format": "X Y", "file": "a"}]}, "fingerprints[0].format"),
        ({"fingerprints": [{"finger": 1, "format": "x", "file": "../secret"}]}, "fingerprints[0].file"),
        ({"fingerprints": [{"finger": 1}]}, "fingerprints[0]"),
    ],
)
def test_a_bad_field_is_named_with_file_and_line(root: Path, change: dict[str, Any], field: str) -> None:
    path = write_json(root, BEK, {**ANNA, **change})
    with pytest.raises(RegisterError) as caught:
        FileRegister(path)
    assert caught.value.code == "register-file"
    assert f"{path}: line 4, {field}: " in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "Асанова" not in str(caught.value)


def test_one_pin_twice_names_both_lines(root: Path) -> None:
    with pytest.raises(RegisterError, match="line 5, pin: is the PIN of line 3 too"):
        FileRegister(write_json(root, ANNA, BEK, {**ANNA, "documents": []}))


def test_one_document_of_two_persons_names_both_lines(root: Path) -> None:
    with pytest.raises(RegisterError, match="line 4, documents: a document is held by the person of line 3 too"):
        FileRegister(write_json(root, ANNA, {**BEK, "documents": ANNA["documents"]}))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: is no JSON: expected {"),
        ("[]", "line 1: is no JSON: expected {"),
        ('{"persons": [], "format": "evoting-register/v1"}', "format comes before persons"),
        ('{"format": "evoting-register/v2",\n "persons": []}', "is not of format evoting-register/v1"),
        ('{"format": "evoting-register/v1"}', "expected format and persons"),
        ('{"format": "evoting-register/v1", "persons": [], "persons": []}', "each once"),
        ('{"format": "evoting-register/v1",\n"persons": []}\n x', "line 3: something follows the register"),
        ('{"format": "evoting-register/v1",\n"persons": [\n{"pin": }]}', "line 3: is no JSON"),
        ('{"format": "evoting-register/v1",\n"persons": [\n{"pin": 1, "pin": 2}]}', "a name occurs twice"),
        ('{"format": "evoting-register/v1",\n"persons": [NaN]}', "line 2: is no JSON: NaN"),
        ('{"format": "evoting-register/v1",\n"persons": [7]}', "line 2: a person is an object"),
        ('{"format": "evoting-register/v1",\n"persons": []', "line 2: is no JSON: expected , or }"),
        ('{"format": "evoting-register/v1",\n"persons": ' + "[" * 100_000, "line 2: is no JSON"),
        ('{"format": "evoting-register/v1",\n"persons": [' + '{"a":' * 100_000, "line 2: is no JSON"),
        ('{"format": "evoting-register/v1",\n"persons": [' + "9" * 10_000, "line 2: is no JSON"),
    ],
)
def test_a_broken_json_file_is_one_line_of_error(root: Path, text: str, message: str) -> None:
    path = root / "register.json"
    path.write_text(text)
    with pytest.raises(RegisterError) as caught:
        FileRegister(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: missing or unknown columns"),
        ("pin,pin\n", "line 1: missing or unknown columns"),
        (CSV_HEAD.replace("sex", "gender"), "line 1: missing or unknown columns: gender, sex"),
        (CSV_HEAD.replace("unit", "email"), "line 1: repeated columns"),
        (CSV_HEAD + CSV_ANNA + "1,2\n", "line 3: 2 values for 12 columns"),
        (CSV_HEAD + CSV_ANNA.replace(",,portraits", ",yes,portraits"), "line 2, deceased"),
        (CSV_HEAD + CSV_ANNA.replace("id-card:ID1234567", "id-card"), "line 2, documents[0].number"),
        (CSV_HEAD + CSV_ANNA.replace("id-card:ID1234567:", "ID1234567"), "line 2, documents"),
        (CSV_HEAD + CSV_ANNA.replace("2:nbis", "x:nbis"), "line 2, fingerprints[0].finger"),
        (CSV_HEAD + CSV_ANNA.replace("2:nbis-xyt:", ""), "line 2, fingerprints"),
        (CSV_HEAD + '"open\n', "line 2: is no CSV"),
        (CSV_HEAD + '"a"b,\n', "line 2: is no CSV"),
        (CSV_HEAD + "x" * 200_000 + "\n", "line 2: is no CSV"),
        (CSV_HEAD + CSV_ANNA.replace("Асанова", '"Аса\nнова"') + CSV_ANNA, "line 2, surname"),
        (CSV_HEAD.replace("pin", "\u202epin"), "line 1: missing or unknown columns: pin, \\u{202e}pin"),
    ],
)
def test_a_broken_csv_file_is_one_line_of_error(root: Path, text: str, message: str) -> None:
    path = root / "register.csv"
    path.write_text(text)
    with pytest.raises(RegisterError) as caught:
        FileRegister(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_lines_are_counted_from_the_header_also_behind_the_mark_of_a_spreadsheet(root: Path) -> None:
    path = root / "register.csv"
    path.write_text("\ufeff" + CSV_HEAD + CSV_ANNA + "20101198000001,Бек,,1980-01-01,M,,,,,,,\n" + CSV_ANNA)
    with pytest.raises(RegisterError, match="line 4, pin: is the PIN of line 2 too"):
        FileRegister(path)


def test_bytes_that_are_no_text_and_unknown_kinds_of_file(root: Path) -> None:
    path = root / "register.json"
    path.write_bytes(b'{"format":\n"\xff"}')
    with pytest.raises(RegisterError, match="line 2: is not UTF-8"):
        FileRegister(path)
    with pytest.raises(RegisterError, match=r"a \.json or a \.csv file"):
        FileRegister(root / "register.xlsx")
    with pytest.raises(RegisterError, match="No such file"):
        FileRegister(root / "missing.json")


def test_A8_a_portrait_that_is_a_link_leads_nowhere(root: Path) -> None:
    register = FileRegister(write_json(root, ANNA))
    (root / "portraits/1.jpg").unlink()
    (root / "portraits/1.jpg").symlink_to(root.parent / "secret")
    with pytest.raises(RegisterError, match="line 3, portrait: portraits/1.jpg"):
        register.portrait(ANNA["pin"])
    (root / "portraits/1.jpg").unlink()
    (root / "portraits").rmdir()
    (root / "portraits").symlink_to(root.parent)
    (root.parent / "1.jpg").write_bytes(b"elsewhere")
    with pytest.raises(RegisterError, match="line 3, portrait: portraits/1.jpg"):
        register.portrait(ANNA["pin"])


def test_attachments_are_regular_files_of_bounded_size(root: Path) -> None:
    register = FileRegister(write_json(root, ANNA))
    target = root / "portraits/1.jpg"
    target.write_bytes(b"")
    with pytest.raises(RegisterError, match="is empty or longer"):
        register.portrait(ANNA["pin"])
    with target.open("wb") as file:
        file.truncate(5_000_000)
    with pytest.raises(RegisterError, match="is empty or longer"):
        register.portrait(ANNA["pin"])
    target.unlink()
    with pytest.raises(RegisterError, match="No such file"):
        register.portrait(ANNA["pin"])
    os.mkfifo(target)
    with pytest.raises(RegisterError, match="is no regular file"):
        register.portrait(ANNA["pin"])
    with pytest.raises(ValueError, match="plain file name"):
        read_attachment(root, "../secret", 100)
