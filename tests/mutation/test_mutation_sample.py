"""The machinery of ``make mutate`` on a few mutants: it tells a check that does nothing, and can fail."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import verifier.run  # noqa: F401  (registers the checks)
from tests.mutation.mutants import PACKAGE, edited_module, find_mutants, source_files
from tests.mutation.redundant import REDUNDANT
from tests.mutation.run import NOTHING
from verifier.checks.registry import CHECKS
from verifier.ledger.run import AUDITS

pytestmark = pytest.mark.slow

_SHUFFLE = "equations/test_shuffle.py::test_only_the_violated_equation_is_named"
#: Mutants of each kind, and the test that notices each.
SAMPLE = {
    "equations.shuffle_equations.zero_D:equation:None": _SHUFFLE,
    "equations.shuffle_equations.single_value_b1:equation:True": _SHUFFLE,
    "equations.shuffle._comparisons:entry:hadamard.c_Bm": _SHUFFLE,
    "equations.shuffle.proof_size:equation:True": "equations/test_shuffle.py::test_defects_of_form",
    "record.cbor.decode:refusal:": "record/test_cbor.py::test_refused",
    "record.schema.record.check:refusal:raise FormatError(f'{path}: unknown key": (
        "record/test_entries.py::test_a_field_of_another_form_is_refused"
    ),
    "record.note.parse_checkpoint:condition:int(lines[1]) > MAX_SIZE": (
        "record/test_note_policy.py::test_hostile_checkpoints_are_refused"
    ),
    "record.policy.Policy._holds:equation:True": "record/test_note_policy.py::test_a_quorum_of_groups",
    "record.note.read_cosignature:refusal:return Cosignature(": (
        "record/test_note_policy.py::test_signatures_over_other_bytes_do_not_hold"
    ),
    "record.entries.split_voter_entry:refusal:return None#4": (
        "stream/test_templates.py::test_the_quick_split_compares_every_byte_of_the_form"
    ),
    "stream.precedence.wrong_sequences:entry:claimed counted, but": "stream/test_precedence.py::test_sequences",
    "stream.templates.Template.matches:condition:numbers < high": (
        "stream/test_templates.py::test_a_head_in_place_of_a_sequence_number_of_one_byte_is_malformed"
    ),
}


def run(directory: Path, *arguments: str) -> tuple[int, dict[str, dict[str, str]], str]:
    """Exit code, results by id, and what was printed; in a process of its own, because it forks."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.mutation", "--jobs", "1", "--directory", str(directory), *arguments],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    path = directory / "results.json"
    results = json.loads(path.read_text())["results"] if path.exists() else []
    return done.returncode, {item["id"]: item for item in results}, done.stdout + done.stderr


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, dict[str, dict[str, str]], str]:
    arguments = [f"--only={mutant}" for mutant in [*SAMPLE, NOTHING]]
    arguments += [f"--tests=tests/verifier/{test}" for test in sorted(set(SAMPLE.values()))]
    return run(tmp_path_factory.mktemp("mutation"), *arguments)


@pytest.mark.parametrize("mutant", SAMPLE)
def test_M9_D9_an_equation_that_does_nothing_is_noticed(
    sample: tuple[int, dict[str, dict[str, str]], str], mutant: str
) -> None:
    _, results, printed = sample
    found = next((result for name, result in results.items() if name.startswith(mutant)), None)
    assert found is not None, printed
    assert found["status"] == "killed"
    assert SAMPLE[mutant] in found["killed_by"]


def test_no_change_at_all_survives_and_fails_the_run(sample: tuple[int, dict[str, dict[str, str]], str]) -> None:
    """So the tests that kill the others do not fail by themselves, and a survivor is reported."""
    code, results, printed = sample
    assert results[NOTHING]["status"] == "survived"
    assert code == 1
    assert f"SURVIVED  {NOTHING}" in printed


def test_every_check_and_every_equation_of_the_shuffle_is_a_mutant() -> None:
    mutants = [mutant for path in source_files() for mutant in find_mutants(path, path.read_text())]
    assert {mutant.subject for mutant in mutants if mutant.kind == "check"} == {
        check.name for check in (*CHECKS, *AUDITS.values())
    }
    page = (PACKAGE.parent / "docs/spec/08-mixing.md").read_text()
    named = {mutant.id.rsplit(":", 1)[1] for mutant in mutants if mutant.id.startswith("equations.shuffle._")}
    assert len(named) >= 15
    assert all(name in page for name in named if name.startswith(("hadamard", "zero", "single", "multi")))
    assert len({mutant.id for mutant in mutants}) == len(mutants)


def test_a_mutant_changes_its_own_function_only() -> None:
    path = PACKAGE / "record" / "cbor.py"
    source = path.read_text()
    original = ast.dump(ast.parse(source))
    for mutant in find_mutants(path, source):
        edited = edited_module(mutant, source)
        assert ast.dump(edited) != original
        changed = [
            before.name
            for before, after in zip(ast.parse(source).body, edited.body, strict=True)
            if ast.dump(before) != ast.dump(after) and isinstance(before, ast.FunctionDef | ast.ClassDef)
        ]
        assert changed == [mutant.chain[0][0]]


def test_redundant_mutants_are_argued_in_the_readme() -> None:
    page = (Path(__file__).parent / "README.md").read_text()
    assert all(f"`{name}`" in page for name in REDUNDANT)
