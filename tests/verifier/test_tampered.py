"""Our verifier against the corpus of tampered records: the check that must reject each, and the right exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.tampered.case import Case
from tests.tampered.cases import CASES
from tests.tampered.run import write_case
from verifier.cli import main

pytestmark = pytest.mark.slow


def failed_checks(election: Case, tmp_path: Path, arithmetic: str) -> tuple[int, list[str]]:
    """Exit code and the names of the checks that failed."""
    report = tmp_path / "report.json"
    arguments = [
        "run", str(election.record_path), "--trust-root", str(election.trust_root_path), "--json", str(report),
        "--arithmetic", arithmetic, "--jobs", "1",
    ]  # fmt: skip
    for path in election.older_checkpoints():
        arguments += ["--checkpoint", str(path)]
    code = main(arguments)
    checks = json.loads(report.read_text())["checks"]
    return code, [check["name"] for check in checks if check["status"] == "fail"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.attack.split()[0].rstrip(':')}-{case.__name__}")
def test_the_planted_defect_is_rejected_by_its_check(case: type[Case], tmp_path: Path) -> None:
    election = write_case(case, tmp_path / "case")
    code, failed = failed_checks(election, tmp_path, "native")
    assert code == (1 if case.checks else 0)
    assert set(case.checks) <= set(failed), failed
    if not case.checks:
        assert failed == []


#: One of every kind in the default level; all of them in ``make test-full``.
PORTABLE_SAMPLE = {
    "Valid", "SwappedOptions", "ForeignStyle", "ReplacedOutput", "InventedFactors", "OtherPlaintext", "RogueKey",
    "ForeignIssuerPossession", "OffByOne", "FlippedBit",
}  # fmt: skip


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, marks=[] if case.__name__ in PORTABLE_SAMPLE else [pytest.mark.full], id=case.__name__)
        for case in CASES
    ],
)
def test_both_arithmetics_give_the_same_verdict(case: type[Case], tmp_path: Path) -> None:
    election = write_case(case, tmp_path / "case")
    assert failed_checks(election, tmp_path, "native") == failed_checks(election, tmp_path, "portable")
