"""The published outcome vectors are current and complete."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from evoting.seats import Step, describe_step
from evoting.seats.outcome import STATUSES
from tests.evoting.seats.make_vectors import FILE, document

CASES: list[dict[str, Any]] = json.loads(FILE.read_text())["cases"]
SPEC = (Path(__file__).parents[3] / "docs" / "spec" / "10-results.md").read_text()


def test_the_file_is_what_the_implementation_gives() -> None:
    assert FILE.read_text() == document()


def test_every_step_of_the_specification_occurs_and_no_other() -> None:
    table = SPEC[SPEC.index("## 10.5") : SPEC.index("## 10.6")]
    specified = {name for row in re.findall(r"^\| (`.*?) \|", table, re.M) for name in re.findall(r"`([a-z-]+)`", row)}
    occurring = {name for case in CASES for name, _, _ in case["outcome"]["steps"]}
    assert occurring == specified


def test_every_rule_status_reason_and_kind_of_tie_occurs() -> None:
    outcomes = [case["outcome"] for case in CASES]
    assert {outcome["status"] for outcome in outcomes} == set(STATUSES)
    assert {case["contest"]["rule"]["kind"] for case in CASES} == set(
        re.findall(r'"kind": "([a-z-]+)", "against-all"', (FILE.parents[1] / "03-manifest.md").read_text())
    )
    reasons = set(re.findall(r'"([a-z-]+)"', re.search(r"^reason = (.*)$", SPEC, re.M)[1]))  # type: ignore[index]
    assert {entry["by"] for outcome in outcomes for entry in outcome["elected"]} == reasons
    purposes = set(re.findall(r'pick(?:-in-order)?\("([a-z-]+)"', SPEC))
    listed = {tie["purpose"] for outcome in outcomes for tie in outcome["ties"]}
    assert listed <= purposes
    assert {tie["by"] for outcome in outcomes for tie in outcome["ties"]} == {"lot", "list-order"}
    assert {group["status"] for case in CASES for group in case["groups"]} == {"tallied", "withheld", "empty"}


def test_every_step_can_be_read_aloud() -> None:
    for case in CASES:
        for name, subject, values in case["outcome"]["steps"]:
            assert describe_step(Step(name, subject, tuple(values)))


def test_official_seats_are_among_them() -> None:
    by_name = {case["name"]: [entry["seats"] for entry in case["outcome"]["seats"]] for case in CASES}
    assert by_name["parliament 2021, official"] == [15, 12, 9, 7, 6, 5]
    assert by_name["bishkek 2024, official"] == [17, 12, 8, 8, 6]
    assert by_name["osh 2021, hare"] == [18, 15, 8, 4]
    assert by_name["osh 2021, dhondt"] == [18, 16, 7, 4]
