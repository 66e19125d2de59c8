"""Machine-readable zones: the specimens of ICAO Doc 9303, every check digit, every field."""

from __future__ import annotations

import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biometric_idp.documents.errors import MrzRefused
from biometric_idp.documents.mrz import Mrz, MrzFormat, check_digit, parse_mrz

# ICAO Doc 9303, eighth edition 2021: part 5 appendix B (TD1), part 6 appendix B (TD2), part 4 appendix B (TD3).
TD1 = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
TD2 = ("I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6")
TD3 = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
SPECIMENS = [TD1, TD2, TD3]
TODAY = date(2026, 11, 25)
PIN = "11505199012345"


def td1(
    number: str = "ID1234567",
    birth: str = "900515",
    sex: str = "F",
    expiry: str = "310131",
    optional: str = PIN,
    optional2: str = "",
    names: str = "ASANOVA<<AIGUL",
    kind: str = "ID",
    issuer: str = "KGZ",
    nationality: str = "KGZ",
) -> tuple[str, ...]:
    """A zone with right check digits."""
    if len(number) > 9:
        rest = number[9:] + check_digit(number) + "<" + optional
        head = number[:9] + "<" + rest.ljust(15, "<")
    else:
        field = number.ljust(9, "<")
        head = field + check_digit(field) + optional.ljust(15, "<")
    upper = kind.ljust(2, "<") + issuer.ljust(3, "<") + head
    dates = birth + check_digit(birth) + sex + expiry + check_digit(expiry)
    second = optional2.ljust(11, "<")
    composite = check_digit(upper[5:] + dates[:7] + dates[8:] + second)
    return upper, dates + nationality.ljust(3, "<") + second + composite, names.ljust(30, "<")


def td3(
    number: str = "PE1234567", birth: str = "900515", expiry: str = "310131", personal: str = PIN, digit: str = "",
    names: str = "ASANOVA<<AIGUL",
) -> tuple[str, ...]:  # fmt: skip
    field, own = number.ljust(9, "<"), personal.ljust(14, "<")
    lower = field + check_digit(field) + "KGZ" + birth + check_digit(birth) + "F" + expiry + check_digit(expiry)
    lower += own + (digit or check_digit(own))
    composite = check_digit(lower[0:10] + lower[13:20] + lower[21:43])
    return "P<KGZ" + names.ljust(39, "<"), lower + composite


def read(lines: tuple[str, ...]) -> Mrz:
    return parse_mrz("\n".join(lines))


def refused(text: str) -> MrzRefused:
    with pytest.raises(MrzRefused) as caught:
        parse_mrz(text)
    return caught.value


@pytest.mark.parametrize(
    ("lines", "zone", "number", "optional"),
    [(TD1, "TD1", "D23145890", ("", "")), (TD2, "TD2", "D23145890", ("",)), (TD3, "TD3", "L898902C3", ("ZE184226B",))],
)
def test_the_specimens_of_icao_9303(lines: tuple[str, ...], zone: str, number: str, optional: tuple[str, ...]) -> None:
    mrz = read(lines)
    assert (mrz.format, mrz.lines, mrz.number, mrz.optional) == (zone, lines, number, optional)
    assert (mrz.issuer, mrz.nationality, mrz.sex) == ("UTO", "UTO", "F")
    assert (mrz.surname, mrz.given_names, mrz.names_truncated) == ("ERIKSSON", "ANNA MARIA", False)
    assert (mrz.birth_date(TODAY), mrz.expiry_date(TODAY)) == (date(1974, 8, 12), date(2012, 4, 15))
    assert mrz.pin is None


def test_the_worked_check_digits_of_icao_9303_part_3() -> None:
    # Part 3, appendix A: check digit over 520727 is 3; over AB2134<<< is 5.
    assert check_digit("520727") == "3"
    assert check_digit("AB2134<<<") == "5"
    # ... and the composite of HA672242<6YTO5802254M9601086<<<<<<<<<<<<<<0 is 8.
    assert check_digit("HA672242<6" + "5802254" + "9601086<<<<<<<<<<<<<<0") == "8"


@pytest.mark.parametrize("lines", SPECIMENS)
def test_blanks_case_and_line_ends_do_not_matter(lines: tuple[str, ...]) -> None:
    canonical = read(lines)
    assert parse_mrz("".join(lines)) == canonical
    assert parse_mrz("\r\n".join(f"  {line.lower()} " for line in lines) + "\r\n\r\n") == canonical
    assert parse_mrz("\n".join(" ".join(line) for line in lines)) == canonical


@pytest.mark.parametrize(
    ("lines", "line", "at", "field"),
    [
        (TD1, 1, 6, "document-number"),
        (TD1, 1, 14, "document-number"),
        (TD1, 2, 1, "birth-date"),
        (TD1, 2, 6, "birth-date"),
        (TD1, 2, 9, "expiry-date"),
        (TD1, 2, 14, "expiry-date"),
        (TD1, 1, 20, "composite"),
        (TD1, 2, 20, "composite"),
        (TD1, 2, 29, "composite"),
        (TD2, 2, 3, "document-number"),
        (TD2, 2, 14, "birth-date"),
        (TD2, 2, 22, "expiry-date"),
        (TD2, 2, 30, "composite"),
        (TD2, 2, 35, "composite"),
        (TD3, 2, 3, "document-number"),
        (TD3, 2, 14, "birth-date"),
        (TD3, 2, 22, "expiry-date"),
        (TD3, 2, 30, "personal-number"),
        (TD3, 2, 42, "personal-number"),
        (TD3, 2, 43, "composite"),
    ],
)
def test_a_wrong_digit_names_its_line_and_field(lines: tuple[str, ...], line: int, at: int, field: str) -> None:
    row = lines[line - 1]
    changed = list(lines)
    changed[line - 1] = row[:at] + ("1" if row[at] != "1" else "2") + row[at + 1 :]
    error = refused("\n".join(changed))
    assert error.code == "mrz-check-digit"
    assert error.field == field
    assert f"line {error.line}, {field}: " in str(error)
    # The composite digit stands in the second line, whichever line it was that changed.
    assert error.line == (2 if field == "composite" else line)


def test_two_errors_that_cancel_in_a_field_are_caught_by_the_composite() -> None:
    # Optional data have no digit of their own in TD1.
    lines = td1(optional="1234")
    swapped = lines[0][:15] + "2134" + lines[0][19:]
    assert refused("\n".join([swapped, *lines[1:]])).field == "composite"


@pytest.mark.parametrize(
    ("text", "code", "line", "field"),
    [
        ("", "mrz-form", None, None),
        ("<" * 401, "mrz-form", None, None),
        ("\n".join(TD1[:2]), "mrz-form", None, None),
        ("\n".join([TD1[0] + "<", TD1[1][:-1], TD1[2]]), "mrz-form", 1, None),
        ("\n".join([TD1[0][:-1], *TD1[1:]]), "mrz-form", None, None),
        ("\n".join([TD1[0].replace("<<<", "«<<", 1), *TD1[1:]]), "mrz-form", 1, None),
        ("\n".join([*TD1[:2], TD1[2].replace("ERIKSSON", "ERIKSSОN")]), "mrz-form", 3, None),  # Cyrillic О
        ("\n".join([*TD1[:2], TD1[2].replace("ERIK", "ERıK")]), "mrz-form", 3, None),
        ("\n".join([TD1[0].replace("8907", "89\u202e7"), *TD1[1:]]), "mrz-form", 1, None),
        ("\n".join([TD1[0].replace("8907", "890٧"), *TD1[1:]]), "mrz-form", 1, None),
        ("\n".join(td1(kind="V")), "mrz-kind", 1, "document-code"),
        ("\n".join(td1(kind="P")), "mrz-kind", 1, "document-code"),
        ("\n".join(td1(kind="I7")), "mrz-kind", 1, "document-code"),
        ("\n".join(["V" + TD3[0][1:], TD3[1]]), "mrz-kind", 1, "document-code"),
        ("\n".join(td1(issuer="K1Z")), "mrz-form", 1, "issuing-state"),
        ("\n".join(td1(issuer="")), "mrz-form", 1, "issuing-state"),
        ("\n".join(td1(nationality="<GZ")), "mrz-form", 2, "nationality"),
        ("\n".join(td1(sex="X")), "mrz-form", 2, "sex"),
        ("\n".join(td1(birth="901315", optional="")), "mrz-date", 2, "birth-date"),
        ("\n".join(td1(birth="9005<<", optional="", expiry="3101<<")), "mrz-date", 2, "expiry-date"),
        ("\n".join(td1(birth="90<<15", optional="")), "mrz-date", 2, "birth-date"),
        ("\n".join(td1(birth="9A0515", optional="")), "mrz-date", 2, "birth-date"),
        ("\n".join(td1(expiry="310229")), "mrz-date", 2, "expiry-date"),
        ("\n".join(td1(number="")), "mrz-form", 1, "document-number"),
        ("\n".join(td1(number="<ID12345")), "mrz-form", 1, "document-number"),
        ("\n".join(td1(names="")), "mrz-names", 3, "names"),
        ("\n".join(td1(names="ASANOVA<<AIGUL<<X")), "mrz-names", 3, "names"),
        ("\n".join(td1(names="ASANOVA1<<AIGUL")), "mrz-names", 3, "names"),
        ("\n".join(td1(names="<<AIGUL")), "mrz-names", 3, "names"),
        ("\n".join(td1(birth="900516")), "mrz-pin", None, None),
        ("\n".join(td1(sex="M")), "mrz-pin", None, None),
    ],
)
def test_what_is_no_zone_is_refused_by_name(text: str, code: str, line: int | None, field: str | None) -> None:
    error = refused(text)
    assert (error.code, error.line, error.field) == (code, line, field)
    assert "ASANOVA" not in str(error)
    assert PIN not in str(error)


def test_the_personal_number_comes_out_of_the_optional_data() -> None:
    assert read(td1()).pin == PIN
    assert read(td3()).pin == PIN
    assert read(td1(optional="<" + PIN)).pin == PIN
    assert read(td1(optional="15051990123")).pin is None
    assert read(td1(optional="31505199012345")).pin is None
    assert PIN not in repr(read(td1()))
    assert "ASANOVA" not in repr(read(td1()))


def test_a_long_number_goes_on_in_the_optional_data() -> None:
    # The shape of ICAO Doc 9303 part 5 section 4.2.2.1 note j, with 12 characters.
    mrz = read(td1(number="D23145890734", optional="9"))
    assert (mrz.number, mrz.optional) == ("D23145890734", ("9", ""))
    lines = td1(number="D23145890734", optional="9")
    broken = lines[0].replace("0<734", "0<735") if "0<734" in lines[0] else lines[0][:15] + "9" + lines[0][16:]
    assert refused("\n".join([broken, *lines[1:]])).field == "document-number"
    nothing = "IDKGZ" + "ID1234567" + "<" * 16
    composite = check_digit(nothing[5:] + "9005155" + lines[1][8:15] + "<" * 11)
    row = "9005155F" + lines[1][8:15] + "KGZ" + "<" * 11 + composite
    assert refused("\n".join([nothing, row, lines[2]])).field == "document-number"


def test_an_unused_personal_number_may_have_a_filler_for_its_digit() -> None:
    assert read(td3(personal="", digit="<")).optional == ("",)
    assert read(td3(personal="", digit="0")).optional == ("",)
    assert refused("\n".join(td3(personal="1", digit="<"))).field == "personal-number"


def test_unknown_parts_of_the_day_of_birth_are_kept_as_unknown() -> None:
    for birth in ("9005<<", "90<<<<", "<<<<<<"):
        mrz = read(td1(birth=birth, optional=""))
        assert mrz.birth == birth
        assert mrz.birth_date(TODAY) is None
    assert read(td1(birth="9005<<")).pin == PIN
    assert refused("\n".join(td1(birth="9006<<"))).code == "mrz-pin"


def test_two_digits_of_a_year_find_their_century() -> None:
    assert read(td1(birth="261125", optional="")).birth_date(TODAY) == date(2026, 11, 25)
    assert read(td1(birth="261126", optional="")).birth_date(TODAY) == date(1926, 11, 26)
    # A hundred and four years old: only the personal number can tell.
    old = read(td1(birth="220301", optional="10103192212345"))
    assert old.birth_date(TODAY) == date(1922, 3, 1)
    assert read(td1(birth="220301", optional="")).birth_date(TODAY) == date(2022, 3, 1)
    assert read(td1(expiry="750101")).expiry_date(TODAY) == date(2075, 1, 1)
    assert read(td1(expiry="760101")).expiry_date(TODAY) == date(1976, 1, 1)
    leap = read(td1(expiry="000229"))
    assert leap.expiry_date(TODAY) == date(2000, 2, 29)
    with pytest.raises(MrzRefused, match="expiry-date: is no date in its century"):
        leap.expiry_date(date(2060, 1, 1))


def test_a_full_name_field_is_marked_as_perhaps_truncated() -> None:
    assert read(td1(names="A" * 30)).names_truncated
    assert not read(td1(names="A" * 29)).names_truncated
    assert read(td1(names="ASANOVA")).given_names == ""


@given(st.text(max_size=120))
def test_no_text_gives_anything_but_a_zone_or_a_refusal(text: str) -> None:
    code = None
    try:
        parse_mrz(text)
    except MrzRefused as error:
        code = error.code
    assert code is None or code.startswith("mrz-")


@given(st.randoms(use_true_random=False), st.sampled_from([TD1, TD2, TD3, td1(), td3()]))
def test_a_single_changed_character_is_a_refusal_or_touches_what_no_digit_covers(
    source: random.Random, lines: tuple[str, ...]
) -> None:
    # Replacing one character by another of a different weight class changes a check digit, or the field is the name,
    # the code or a state, which ICAO covers by none.
    line = source.randrange(len(lines))
    at = source.randrange(len(lines[line]))
    old = lines[line][at]
    new = source.choice([c for c in "<0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" if c != old])
    changed = [row[:at] + new + row[at + 1 :] if index == line else row for index, row in enumerate(lines)]
    value = {c: i for i, c in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")} | {"<": 0}
    try:
        mrz = parse_mrz("\n".join(changed))
    except MrzRefused:
        return
    covered: dict[int, set[int]] = {
        MrzFormat.TD1: {0: {*range(5, 30)}, 1: {*range(7), *range(8, 15), *range(18, 30)}},
        MrzFormat.TD2: {1: {*range(10), *range(13, 20), *range(21, 36)}},
        MrzFormat.TD3: {1: {*range(10), *range(13, 20), *range(21, 44)}},
    }[mrz.format]
    assert at not in covered.get(line, set()) or value[old] % 10 == value[new] % 10
