"""docs/threat-model.md names checks, records and tests that exist, and leaves no tested attack out.

A row that names a test which is there no more, or none though there is one, is mended by
``python -m tests.docs.attacks``.
"""

from __future__ import annotations

import re

import pytest

from tests.docs.attacks import ID, PAGE, ROOT, ROW, all_tests, attacks_of, records_of
from tests.tampered.cases import CASES

TEXT = PAGE.read_text()
SECTION_11 = (ROOT / "docs/spec/11-checks.md").read_text()
CHECKS = set(re.findall(r"^\|[ 0-9]*\| `([a-z]+\.[a-z-]+)`", SECTION_11, re.MULTILINE))
ROWS: list[tuple[str, ...]] = ROW.findall(TEXT)
TESTS = {name for _, name in all_tests()}


def attacks_with_tests() -> set[str]:
    """Attacks that a test's name or a record of the corpus names."""
    ids = {case.attack.split()[0].rstrip(":") for case in CASES}
    for name in TESTS:
        ids |= attacks_of(name)
    return {one for one in ids if ID.fullmatch(one)}


def test_names_of_checks_are_those_of_the_specification() -> None:
    groups = {name.split(".")[0] for name in CHECKS}
    named = set(re.findall(rf"`((?:{'|'.join(sorted(groups))})\.[a-z-]+)`", TEXT))
    assert named - {"group.check"} <= CHECKS
    assert len(CHECKS) == 48


@pytest.mark.parametrize(("attack", "row"), [(row[0], row) for row in ROWS])
def test_every_record_and_test_that_a_row_names_exists(attack: str, row: tuple[str, ...]) -> None:
    assert set(re.findall(r"`(\w+)`", row[3])) <= set(records_of(attack))
    assert set(re.findall(r"`(\w+)`", row[4])) <= TESTS


def test_rows_without_a_record_or_test_say_so_and_only_those() -> None:
    for attack, _, stopped, records, tests in ROWS:
        assert "`" in records + tests or "later" in stopped or "no test yet" in tests, attack
        assert not ("no test yet" in tests and attack in attacks_with_tests()), f"{attack} has a test now"


def test_every_attack_with_a_test_has_a_row() -> None:
    assert attacks_with_tests() <= {row[0] for row in ROWS}
    assert len({row[0] for row in ROWS}) == len(ROWS) == 97


def test_a_record_is_rejected_by_a_check_that_its_row_names() -> None:
    """Which check rejects a record is what test_tampered.py enforces; the row must not say something else."""
    for attack, _, stopped, _, _ in ROWS:
        for case in CASES:
            if case.checks and case.__name__ in records_of(attack):
                assert any(f"`{check}`" in stopped for check in case.checks), (attack, case.__name__)
