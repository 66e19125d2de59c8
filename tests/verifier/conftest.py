"""One small honest election for all tests of the verifier that need a record."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.small_election import SmallElection
from tests.verifier.edited import Edited


@pytest.fixture(scope="session")
def election(tmp_path_factory: pytest.TempPathFactory) -> SmallElection:
    """The election; its record must not be changed."""
    return SmallElection(tmp_path_factory.mktemp("election")).run()


@pytest.fixture
def record(election: SmallElection, tmp_path: Path) -> Path:
    """A copy of its record to tamper with."""
    return Path(shutil.copytree(election.record_path, tmp_path / "record"))


@pytest.fixture
def verify(election: SmallElection, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, list[str]]]:
    """Run ``evoting-verify run``; exit code and lines of stdout (or of stderr where nothing could be checked)."""
    from verifier.cli import main

    def run(record: Path, *options: str) -> tuple[int, list[str]]:
        code = main(["run", str(record), "--trust-root", str(election.trust_root_path), "--jobs", "1", *options])
        captured = capsys.readouterr()
        return code, (captured.out or captured.err).splitlines()

    return run


@pytest.fixture
def edited(election: SmallElection, tmp_path: Path) -> Edited:
    """The entries of its record, to be edited and signed again."""
    return Edited(election, tmp_path / "record")
