"""An issuer's commands by the service's configuration alone, and what they refuse: O2 without a service."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from biometric_idp.files import FramedReader, frame_item, write_atomic
from biometric_idp.issuer.office import LEDGER_LINE, REQUESTS_LINE
from crypto import cbor
from tests.biometric_idp.issuer_service.places import (
    TOOL,
    IssuerPlace,
    answer_of,
    ask,
    code_of,
    make_directory,
    make_place,
    opening_arguments,
    write_config,
)
from tests.biometric_idp.world import World
from tests.support.running import run_tool

pytestmark = pytest.mark.slow


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """What a command says that refuses: one line."""
    assert done.returncode == 2, done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith("evoting-issuer: error: ")
    return line


def issue_one(world: World, place: IssuerPlace, position: int) -> None:
    service = place.start()
    assert code_of(answer_of(ask(service, world.request(world.wallet(position)).encode()))) is None
    place.stop()


def requests_file(world: World, path: Path, *positions: int) -> Path:
    requests = [world.request(world.wallet(position)).encode() for position in positions]
    write_atomic(path, [REQUESTS_LINE + world.fingerprint, *[frame_item(request) for request in requests]])
    return path


def test_every_command_finds_directory_and_database_in_the_configuration(
    election: World, database: str, tmp_path: Path
) -> None:
    election.databases.update({1: database} if database.startswith("postgresql") else {})
    directory = make_directory(election, 1)
    config = tmp_path / "etc" / "issuer.toml"
    config.parent.mkdir()
    write_config(config, election.databases.get(1), directory="../issuer-1", head_file="ledger-head")
    opened = run_tool(TOOL, "open", "--config", config, *opening_arguments(election, election.entries))
    assert (opened.returncode, opened.stderr) == (0, "")
    assert (directory.path / "ledger.sqlite").exists() == (1 not in election.databases)
    place = IssuerPlace(election, 1, directory, config)
    issue_one(election, place, 0)
    by_file = requests_file(election, tmp_path / "requests", 1)
    issued = run_tool(TOOL, "issue", "--config", config, "--requests", by_file, "--answers", tmp_path / "answers")
    assert json.loads(issued.stdout) == {"answered": 1, "refused": 0}
    closed = run_tool(TOOL, "close", "--config", config, "--entry", tmp_path / "entry")
    assert json.loads(closed.stdout)["issued"] == {"abroad": 1, "bishkek": 1}
    assert isinstance(cbor.decode((tmp_path / "entry").read_bytes()), dict)
    exported = run_tool(TOOL, "export-ledger", "--config", config, "--out", tmp_path / "ledger")
    assert json.loads(exported.stdout) == {"entries": 2}
    with FramedReader(tmp_path / "ledger", LEDGER_LINE, 36) as reader:
        assert len(list(reader)) == 3
    proved = run_tool(TOOL, "prove", "--config", config, "--position", 0)
    assert json.loads(proved.stdout)["issued"] is not None
    # One head, where the configuration says, and none in the directory.
    assert {path.name for path in config.parent.iterdir()} == {"issuer.toml", "ledger-head", "ledger-head-size"}
    assert not directory.head.exists()


def test_keys_are_made_where_the_configuration_says(tmp_path: Path) -> None:
    config = tmp_path / "issuer.toml"
    write_config(config, None, directory="own")
    made = run_tool(TOOL, "keygen", "--config", config)
    assert json.loads(made.stdout).keys() == {"key"}
    assert (tmp_path / "own" / "issuer-key.json").exists()


def test_a_directory_or_database_that_contradicts_the_configuration_is_refused(
    place: IssuerPlace, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    arguments = ["close", "--config", place.config, "--entry", tmp_path / "entry"]
    assert "is not the directory that" in refusal(run_tool(TOOL, *arguments, "--dir", other))
    elsewhere = "postgresql://issuer:secret@db.internal/issuer"
    line = refusal(run_tool(TOOL, *arguments, "--database", elsewhere))
    assert "--database is not the database that" in line
    assert "secret" not in line
    assert "--config or --dir is needed" in refusal(run_tool(TOOL, "close", "--entry", tmp_path / "entry"))
    assert not (tmp_path / "entry").exists()
    same = run_tool(TOOL, *arguments, "--dir", place.directory.path)
    assert same.returncode == 0, same.stderr


def _issue_by_service(world: World, place: IssuerPlace, _: Path) -> None:
    issue_one(world, place, 1)


def _issue_by_file(world: World, place: IssuerPlace, directory: Path) -> None:
    path = requests_file(world, directory / "first", 1)
    done = run_tool(TOOL, "issue", "--config", place.config, "--requests", path, "--answers", directory / "first.out")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("issue", [_issue_by_service, _issue_by_file])
def test_O2_no_command_answers_signs_or_tells_from_a_copy_that_lacks_an_answered_entry(
    election: World, tmp_path: Path, issue: Callable[[World, IssuerPlace, Path], None]
) -> None:
    """No checkpoint covers the entry, so nothing but the size that was answered for knows of it."""
    place = make_place(election, 1, checkpoint_seconds=3600, tree_seconds=3600)
    copy = tmp_path / "copy.sqlite"
    shutil.copy(place.directory.path / "ledger.sqlite", copy)
    issue(election, place, tmp_path)
    for path in place.directory.path.glob("ledger.sqlite*"):
        path.unlink()
    shutil.copy(copy, place.directory.path / "ledger.sqlite")
    place.directory.head.unlink(missing_ok=True)
    again = requests_file(election, tmp_path / "again", 1)
    out = tmp_path / "out"
    for command in (
        ["close", "--entry", out],
        ["export-ledger", "--out", out],
        ["issue", "--requests", again, "--answers", out],
        ["prove", "--position", 1],
    ):
        line = refusal(run_tool(TOOL, *command, "--config", place.config))
        assert "1 credentials were answered for, but the ledger has 0 entries" in line, command
        assert not out.exists(), command
