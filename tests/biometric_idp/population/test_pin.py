"""Personal numbers: form, calendar, age."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biometric_idp.population.pin import PinError, Sex, age_on, is_pin, mask_pin, parse_pin


def test_a_pin_tells_sex_and_day_of_birth() -> None:
    pin = parse_pin("11505199012345")
    assert (pin.sex, pin.birth_date) == (Sex.FEMALE, date(1990, 5, 15))
    assert parse_pin("22902200000001").sex is Sex.MALE


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (None, "pin-missing"),
        ("", "pin-missing"),
        (11505199012345, "pin-form"),
        ("1150519901234", "pin-form"),
        ("115051990123456", "pin-form"),
        ("11505199012345\n", "pin-form"),
        ("1150519901234١", "pin-form"),
        ("+1505199012345", "pin-form"),
        ("01505199012345", "pin-sex"),
        ("31505199012345", "pin-sex"),
        ("13002199012345", "pin-date"),
        ("12902190012345", "pin-date"),
        ("10000199012345", "pin-date"),
        ("11505179912345", "pin-date"),
    ],
)
def test_a_malformed_pin_is_refused_by_name_and_not_repeated(text: object, code: str) -> None:
    with pytest.raises(PinError) as caught:
        parse_pin(text)
    assert caught.value.code == code
    assert not is_pin(text)
    assert not text or str(text) not in str(caught.value)


def test_age_counts_full_years_also_from_the_29th_of_february() -> None:
    assert age_on(date(2008, 11, 26), date(2026, 11, 25)) == 17
    assert age_on(date(2008, 11, 25), date(2026, 11, 25)) == 18
    assert age_on(date(2008, 2, 29), date(2026, 2, 28)) == 17
    assert age_on(date(2008, 2, 29), date(2026, 3, 1)) == 18


@given(st.dates(date(1880, 1, 1), date(2199, 12, 31)), st.sampled_from("12"), st.integers(0, 99999))
def test_every_date_of_birth_reads_back(born: date, digit: str, rest: int) -> None:
    pin = parse_pin(f"{digit}{born:%d%m%Y}{rest:05}")
    assert pin.birth_date == born
    assert pin.text not in repr(pin)


def test_a_masked_pin_does_not_name_the_person() -> None:
    assert mask_pin("11505199012345") == "1•••••••••••45"
    assert mask_pin("x" * 100) == "•" * 14
