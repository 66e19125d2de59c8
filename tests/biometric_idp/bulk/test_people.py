"""Synthetic persons are persons to the register, and their documents are theirs."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from biometric_idp.bulk.enrol import StylePlan
from biometric_idp.bulk.people import make_people, write_register
from biometric_idp.documents.compare import DocumentPolicy, compare_with_person
from biometric_idp.documents.mrz import parse_mrz
from biometric_idp.population.file_register import FileRegister


def test_register_and_documents_agree(tmp_path: Path) -> None:
    people = list(make_people([StylePlan("abroad", 40, 3), StylePlan("bishkek", 60, 5)], 7))
    write_register(tmp_path / "register.json", people)
    register = FileRegister(tmp_path / "register.json")
    assert len(register) == 100
    for item in people:
        person = register.person(item.pin)
        assert person is not None
        assert compare_with_person(parse_mrz("\n".join(item.mrz)), person, date(2026, 1, 1), DocumentPolicy()) == ()
    units = [register.person(pin).unit for pin in register.pins()]  # type: ignore[union-attr]
    assert units == ["abroad"] * 40 + ["bishkek"] * 60


def test_the_same_seed_makes_the_same_people() -> None:
    plans = [StylePlan("abroad", 5, 5)]
    assert list(make_people(plans, 1)) == list(make_people(plans, 1))
    assert list(make_people(plans, 1)) != list(make_people(plans, 2))
