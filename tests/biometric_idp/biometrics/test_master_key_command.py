"""``evoting-idp master-key``: made once, replaced while templates go on to open, and noted in the audit log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from biometric_idp.biometrics.face_dlib import compare_faces
from biometric_idp.biometrics.sql_store import SqlTemplateStore
from biometric_idp.idp.app import open_database
from biometric_idp.idp.cli import main
from biometric_idp.idp.config import IdpConfig
from biometric_idp.idp.faces.component import open_vault
from biometric_idp.idp.tables import BIOMETRICS
from services.config import read_config
from tests.biometric_idp.biometrics.test_vault import face
from tests.biometric_idp.online.parties import write_config

Output = pytest.CaptureFixture[str]


@pytest.fixture(name="config")
def fixture_config(tmp_path: Path) -> Path:
    path = tmp_path / "idp.toml"
    configure(path, "first.key")
    return path


def configure(path: Path, master: str | None, *retired: str) -> None:
    biometrics = {} if master is None else {"master_key": master, "retired": list(retired)}
    members = {
        "model": True,
        "host_names": ["127.0.0.1"],
        "origin": "http://id.localhost",
        "rp_id": "id.localhost",
        "database": "idp.sqlite",
        "key": "role.key",
        "secret": "secret",
        "register": {"file": "register.json"},
        "elections": [],
        "enrolment": {"steps": ["document", "passkey"]},
        "biometrics": biometrics,
    }
    write_config(path, members)


def run(config: Path, action: str, output: Output) -> tuple[int, str, str]:
    code = main(["master-key", action, "--config", str(config)])
    said = output.readouterr()
    return code, said.out, said.err


def enrolled(config: Path, voters: int) -> None:
    read = read_config(config, IdpConfig)
    engine = open_database(read, config.parent)
    vault = open_vault(read.biometrics, config.parent, engine)
    for number in range(voters):
        vault.enrol(f"voter-{number}", face(number))
    engine.dispose()


def masters(config: Path) -> set[str | None]:
    engine = open_database(read_config(config, IdpConfig), config.parent)
    rows = [SqlTemplateStore(engine, BIOMETRICS).get(f"voter-{number}", "face") for number in range(5)]
    engine.dispose()
    return {row.master for row in rows if row is not None}


def test_a_key_is_made_once_and_never_overwritten(config: Path, capsys: Output) -> None:
    code, said, _ = run(config, "new", capsys)
    path = config.parent / "first.key"
    assert code == 0
    assert json.loads(said)["master_key"].startswith("file-")
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes()
    code, _, error = run(config, "new", capsys)
    assert (code, error.count("\n"), path.read_bytes()) == (2, 1, before)
    assert "never overwritten" in error


def test_templates_move_to_the_new_key_and_open_as_before(config: Path, capsys: Output) -> None:
    first = json.loads(run(config, "new", capsys)[1])["master_key"]
    enrolled(config, 5)
    assert masters(config) == {first}
    configure(config, "second.key", "file:first.key")
    second = json.loads(run(config, "new", capsys)[1])["master_key"]
    code, said, _ = run(config, "rotate", capsys)
    assert (code, json.loads(said)) == (0, {"master_key": second, "templates": 5})
    assert json.loads(run(config, "rotate", capsys)[1])["templates"] == 0
    assert masters(config) == {second}
    # The first key is needed no more.
    (config.parent / "first.key").unlink()
    configure(config, "second.key")
    read = read_config(config, IdpConfig)
    engine = open_database(read, config.parent)
    vault = open_vault(read.biometrics, config.parent, engine)
    for number in range(5):
        assert vault.compare(face(number), f"voter-{number}", compare_faces).matches
    engine.dispose()


def test_without_the_key_that_holds_them_templates_stay_as_they_are(config: Path, capsys: Output) -> None:
    first = json.loads(run(config, "new", capsys)[1])["master_key"]
    enrolled(config, 5)
    configure(config, "second.key")
    run(config, "new", capsys)
    code, _, error = run(config, "rotate", capsys)
    assert (code, error.count("\n")) == (2, 1)
    assert first in error
    assert masters(config) == {first}


@pytest.mark.parametrize("action", ["new", "rotate"])
def test_a_configuration_without_a_key_gets_a_sentence(config: Path, capsys: Output, action: str) -> None:
    configure(config, None)
    code, _, error = run(config, action, capsys)
    assert (code, error) == (2, "evoting-idp: error: the configuration names no master_key in [biometrics]\n")
