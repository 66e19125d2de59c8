"""A zone against the register's person: one difference each, and names as states spell them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from biometric_idp.documents.compare import DocumentPolicy, compare_with_person, require_document_of
from biometric_idp.documents.errors import DocumentRefused
from biometric_idp.documents.names import NameStrictness, names_match, transliterate
from biometric_idp.population.pin import Sex
from biometric_idp.population.register import DocumentKind, IdentityDocument, Person
from tests.biometric_idp.documents.test_mrz import PIN, TODAY, read, td1, td3

POLICY = DocumentPolicy()
PERSON = Person(
    PIN, "Асанова", "Айгүл", date(1990, 5, 15), Sex.FEMALE,
    (
        IdentityDocument(DocumentKind.ID_CARD, "ID1234567", date(2031, 1, 31)),
        IdentityDocument(DocumentKind.PASSPORT, "PE1234567", date(2031, 1, 31)),
    ),
)  # fmt: skip


def test_own_documents_fit() -> None:
    assert compare_with_person(read(td1()), PERSON, TODAY, POLICY) == ()
    assert compare_with_person(read(td3()), PERSON, TODAY, POLICY) == ()
    require_document_of(read(td1(optional="")), PERSON, TODAY, POLICY)


@pytest.mark.parametrize(
    ("lines", "person", "policy", "code"),
    [
        (td1(issuer="UTO"), PERSON, POLICY, "document-issuer"),
        (td1(optional="11505199099999"), PERSON, POLICY, "document-pin"),
        (td1(optional=""), PERSON, replace(POLICY, require_pin=True), "document-pin"),
        (td1(optional=""), PERSON, replace(POLICY, require_known=False), "document-pin"),
        (td1(birth="900514", optional=""), PERSON, POLICY, "document-birth-date"),
        (td1(birth="9005<<", optional=""), PERSON, POLICY, "document-birth-date"),
        (td1(sex="M", optional=""), PERSON, POLICY, "document-sex"),
        (td1(names="ASANOVA<<GULAI"), PERSON, POLICY, "document-names"),
        (td1(number="ID1234568"), PERSON, POLICY, "document-unknown"),
        (td1(number="PE1234567"), PERSON, POLICY, "document-unknown"),
        (td3(number="ID1234567"), PERSON, POLICY, "document-unknown"),
        (td1(), replace(PERSON, documents=()), POLICY, "document-unknown"),
        (td1(expiry="310130"), PERSON, POLICY, "document-expiry"),
    ],
)
def test_one_difference_is_told_by_its_code(
    lines: tuple[str, ...], person: Person, policy: DocumentPolicy, code: str
) -> None:
    zone = read(lines)
    assert compare_with_person(zone, person, TODAY, policy) == (code,)
    with pytest.raises(DocumentRefused) as caught:
        require_document_of(zone, person, TODAY, policy)
    assert caught.value.code == code


def test_the_last_day_of_validity_counts() -> None:
    assert compare_with_person(read(td1()), PERSON, date(2031, 1, 31), POLICY) == ()
    assert compare_with_person(read(td1()), PERSON, date(2031, 2, 1), POLICY) == ("document-expired",)


def test_a_sex_that_is_not_stated_and_a_register_without_expiry_are_no_difference() -> None:
    undated = replace(PERSON, documents=(IdentityDocument(DocumentKind.ID_CARD, "ID1234567", None),))
    assert compare_with_person(read(td1(sex="<")), undated, TODAY, POLICY) == ()


@pytest.mark.parametrize(
    ("surname", "given", "printed"),
    [
        ("Жумабекова", "Айгүл", ("ZHUMABEKOVA", "AIGUL")),
        ("Жумабекова", "Айгүл", ("JUMABEKOVA", "AYGUL")),
        ("Хасанов", "Юрий", ("KHASANOV", "IURII")),
        ("Хасанов", "Юрий", ("HASANOV", "YURIY")),
        ("Щербаков", "Илья", ("SHCHERBAKOV", "ILIA")),
        ("Өмүрбекова", "Ңаргиза", ("OMURBEKOVA", "NARGIZA")),
        ("Асан уулу", "Нурбек", ("ASAN UULU", "NURBEK")),
        ("Müller-Lüdenscheidt", "Ådne", ("MULLER LUDENSCHEIDT", "ADNE")),
        ("O'Neil", "", ("ONEIL", "")),
    ],
)
def test_names_fit_in_the_spellings_of_states(surname: str, given: str, printed: tuple[str, str]) -> None:
    assert names_match(surname, given, *printed, False, NameStrictness.LENIENT)


@pytest.mark.parametrize(
    ("surname", "given", "printed"),
    [
        ("Асанова", "Жанна", ("ASANOVA", "ANNA")),
        ("Асанова", "Анна", ("ASANOVA", "ANNA MARIA")),
        ("Асанова", "Анна", ("ANNA", "ASANOVA")),
        ("Асанова", "Анна", ("ASANOV", "ANNA")),
        ("Асанова", "", ("ASANOVA", "ANNA")),
        ("Асанова", "Анна", ("ASANOVA", "")),
    ],
)
def test_other_names_do_not_fit(surname: str, given: str, printed: tuple[str, str]) -> None:
    assert not names_match(surname, given, *printed, False, NameStrictness.LENIENT)
    assert not names_match(surname, given, *printed, False, NameStrictness.EXACT)
    assert names_match(surname, given, *printed, False, NameStrictness.OFF)


def test_exact_means_the_table_of_icao() -> None:
    assert names_match("Жумабекова", "Юлия", "ZHUMABEKOVA", "IULIIA", False, NameStrictness.EXACT)
    assert not names_match("Жумабекова", "Юлия", "JUMABEKOVA", "YULIIA", False, NameStrictness.EXACT)
    assert transliterate("Ёлкин-Цой Ъ") == "ELKIN TSOI IE"


@pytest.mark.parametrize("strictness", [NameStrictness.EXACT, NameStrictness.LENIENT])
def test_a_cut_name_field_fits_the_beginning_of_the_names(strictness: NameStrictness) -> None:
    def fits(surname: str, given: str, printed_surname: str, printed_given: str, truncated: bool = True) -> bool:
        return names_match(surname, given, printed_surname, printed_given, truncated, strictness)

    assert fits("Асанова", "Айгүл Мария", "ASANOVA", "AIGUL MAR")
    assert fits("Асанова", "Айгүл Мария", "ASANOVA", "AIGUL")
    assert fits("Асанова", "Айгүл", "ASANOVA", "")
    assert not fits("Асанова", "Айгүл Мария", "ASANOVA", "AIGUL MAR", truncated=False)
    assert not fits("Асанова", "Айгүл", "ASANOVA", "GUL")
    assert not fits("Асанова", "Айгүл", "ASANOVA", "AIGUL MARIA")


def test_a_name_cut_in_the_middle_of_a_letter_pair_still_fits() -> None:
    assert names_match("Асанова", "Бакыт Жаныш", "ASANOVA", "BAKYT Z", True, NameStrictness.EXACT)
    assert names_match("Асанова", "Бакыт Кажан", "ASANOVA", "BAKYT KAZ", True, NameStrictness.LENIENT)
