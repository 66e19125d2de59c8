"""What README.md shows is what the commands say, on a small record; its numbers are those of the code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from mix_net.shape import matrix_shape, proof_size
from tests.docs.test_links import ROOT
from tests.support.small_election import SmallElection
from verifier.cli import main
from verifier.run import COMPLETE, ORDER

README = (ROOT / "README.md").read_text()
SCRIPTS: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
COMMANDS = re.findall(r"^\| `(evoting-[a-z]+)` \|", README, re.MULTILINE)


@pytest.fixture(scope="module")
def election(tmp_path_factory: pytest.TempPathFactory) -> SmallElection:
    made = SmallElection(tmp_path_factory.mktemp("readme"))
    made.run()
    return made


def run(*arguments: object) -> int:
    return main(["run", *[str(argument) for argument in arguments], "--quiet", "--jobs", "1"])


def verify_command(record: Path, trust_root: Path) -> list[str]:
    """The command that README.md shows, with other paths."""
    found = re.search(r"^ {4}\.venv/bin/evoting-verify (run \S+ --trust-root \S+)$", README, re.MULTILINE)
    assert found
    places = {"var/demo/record": str(record), "var/demo/trust-root.json": str(trust_root)}
    return [places.get(word, word) for word in found[1].split()]


def test_a_good_record_gives_the_lines_that_the_readme_shows(
    election: SmallElection, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*verify_command(election.record_path, election.trust_root_path), "--jobs", "1"]) == 0
    output = capsys.readouterr().out
    shown = re.findall(r"^ {4}(\d+ {2}[a-z.]+ +pass .*)$", README, re.MULTILINE)
    assert shown
    for line in shown:
        assert line in output
    count = re.search(r"(\d+ of \d+ checks passed) in [0-9.]+ s (\(native arithmetic\))", README)
    assert count
    assert count[1] in output
    assert output.endswith("\nVERIFIED\n")


def test_another_trust_root_fails_as_the_readme_shows(
    election: SmallElection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "trust-root.json"
    fingerprint = election.fingerprint.hex()
    other.write_text(election.trust_root_path.read_text().replace(fingerprint, fingerprint[::-1]))
    assert run(election.record_path, "--trust-root", other) == 1
    output = capsys.readouterr().out
    assert re.search(r"^ 2  trust\.fingerprint +FAIL\n +- entry 5: fingerprint [0-9a-f]{64}, not", output, re.MULTILINE)
    assert re.search(
        r"^ {5}2  trust\.fingerprint +FAIL\n +- entry 5: fingerprint [0-9a-f]{8}…, not", README, re.MULTILINE
    )
    assert output.endswith("\nNOT VERIFIED\n")


def test_what_cannot_be_checked_has_exit_code_2(election: SmallElection, tmp_path: Path) -> None:
    assert run(tmp_path / "nothing", "--trust-root", election.trust_root_path) == 2
    assert run(election.record_path, "--trust-root", tmp_path / "nothing.json") == 2


def test_an_older_checkpoint_is_taken(election: SmallElection) -> None:
    older = election.record_path / "checkpoint"
    assert run(election.record_path, "--trust-root", election.trust_root_path, "--checkpoint", older) == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_table_explains_itself(command: str) -> None:
    module = SCRIPTS[command].split(":")[0]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0
    assert done.stdout.startswith("usage: ")


def test_options_that_the_readme_names_exist(capsys: pytest.CaptureFixture[str]) -> None:
    section = README.split("## Verify a record yourself")[1].split("\n## ")[0]
    named = set(re.findall(r"--[a-z-]+", section))
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    assert named <= set(re.findall(r"--[a-z-]+", capsys.readouterr().out))


def test_sizes_of_proofs_in_the_specification_are_the_codes() -> None:
    page = (ROOT / "docs/spec/08-mixing.md").read_text()
    for count, size in ((100_000, "1,072,544"), (1_394_218, "3,563,680")):
        assert size in page
        assert f"{proof_size(matrix_shape(count), 1):,}" == size


def test_the_page_of_checks_lists_those_of_the_verifier_in_its_order() -> None:
    page = (ROOT / "docs/spec/11-checks.md").read_text()
    listed = re.findall(r"^\|[ 0-9]*\| `([a-z]+\.[a-z-]+)`", page, re.MULTILINE)
    assert listed == [*ORDER, COMPLETE]
