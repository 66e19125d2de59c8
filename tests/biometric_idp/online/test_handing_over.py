"""What registrar and identity provider give the issuers: the same bytes whenever they are asked again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from biometric_idp.issuer.office import read_enrolment_entries
from biometric_idp.registrar.roll import commit_roll, read_roll
from biometric_idp.role_key import read_role_key
from biometric_idp.signatures import sign_checkpoint
from crypto.log.checkpoint import decode_checkpoint_text
from crypto.log.merkle import hash_leaves, root_of_hashes
from crypto.log.note import decode_note
from services.database import open_engine
from tests.biometric_idp.online.parties import ELECTION, ORIGIN, TITLE, Device, Parties, run, running, write_config
from tests.support.running import run_tool

pytestmark = pytest.mark.slow

#: As a power failure between the commit and the file would end the command.
DIES = """
import os, signal, sys
from biometric_idp.registrar import cli
cli.write_roll = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
cli.main(sys.argv[1:])
"""
STYLES = ("--style", "south", "--style", "empty", "--style", "north")


def refused(tool: str, *arguments: object) -> str:
    """The one line of a command that refuses."""
    done = run_tool(f"biometric_idp.{tool}.cli", *arguments)
    assert done.returncode == 2, done.stdout
    (line,) = done.stderr.splitlines()
    return line


@pytest.fixture(name="registrar")
def fixture_registrar(tmp_path: Path, database: str) -> list[object]:
    """A registrar with an election and no roll yet; gives the words that its commands begin with."""
    config = tmp_path / "registrar.toml"
    election: dict[str, Any] = {
        "id": ELECTION,
        "origin": ORIGIN,
        "identity_provider": "00" * 32,
        "voting_origin": "https://vote.example",
        "title": TITLE,
        "model": True,
    }
    members: dict[str, Any] = {
        "model": True,
        "host_names": ["127.0.0.1"],
        "database": database,
        "key": "role.key",
        "secret": "secret",
        "register": {"file": "register.json"},
        "channels": {"spool": "spool"},
        "elections": [election],
    }
    write_config(config, members)
    (tmp_path / "register.json").write_text(json.dumps({"format": "evoting-register/v1", "persons": []}))
    run("registrar", "init", "--config", config)
    voters = [(f"2010119900000{number}", "north" if number % 3 else "south") for number in range(8)]
    (tmp_path / "voters.csv").write_text("".join(f"{pin},{style}\n" for pin, style in voters))
    return ["--config", config, "--election", ELECTION]


def test_a_roll_whose_file_was_never_written_is_exported_as_it_was_committed(
    registrar: list[object], tmp_path: Path, database: str
) -> None:
    assert "has no roll yet" in refused("registrar", "export-roll", *registrar, "--roll", tmp_path / "early")
    drawing = ["roll", *registrar, "--list", tmp_path / "voters.csv", *STYLES, "--roll", tmp_path / "roll.bin"]
    command = [sys.executable, "-c", DIES, *map(str, drawing)]
    died = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert died.returncode == -9, died.stderr
    assert not (tmp_path / "roll.bin").exists()
    assert "has its roll already" in refused("registrar", *drawing)

    said = [run("registrar", "export-roll", *registrar, "--roll", tmp_path / f"{number}") for number in range(2)]
    assert said[0] == said[1]
    assert (tmp_path / "0").read_bytes() == (tmp_path / "1").read_bytes()
    assert said[0]["styles"] == [
        {"style": "south", "size": 3},
        {"style": "empty", "size": 0},
        {"style": "north", "size": 5},
    ]
    engine = open_engine(database)
    with engine.begin() as connection:
        secret, commitment = connection.execute(text("SELECT secret, commitment FROM roll_head")).one()
        voters = [tuple(row) for row in connection.execute(text("SELECT style, pin FROM roll ORDER BY position"))]
    roll = read_roll(tmp_path / "0")
    assert [roll.style_of(position) for position in range(len(roll))] == [style for style, _ in voters]
    assert commit_roll(bytes(secret), voters) == bytes(commitment) == bytes.fromhex(said[0]["commitment"])

    # A roll of a version that kept no styles needs them once more; rows that were changed are not exported.
    with engine.begin() as connection:
        connection.execute(text("UPDATE roll_head SET styles = NULL"))
    export = ["export-roll", *registrar, "--roll", tmp_path / "2"]
    assert "--style" in refused("registrar", *export)
    run("registrar", *export, *STYLES)
    assert (tmp_path / "2").read_bytes() == (tmp_path / "0").read_bytes()
    with engine.begin() as connection:
        connection.execute(text("UPDATE roll SET style = 'empty' WHERE position = 0"))
    engine.dispose()
    assert "not the one that was committed" in refused("registrar", *export, *STYLES)


def test_the_file_of_the_draw_and_the_exported_one_are_the_same_bytes(registrar: list[object], tmp_path: Path) -> None:
    first, again = tmp_path / "first", tmp_path / "again"
    drawn = run("registrar", "roll", *registrar, "--list", tmp_path / "voters.csv", *STYLES, "--roll", first)
    assert run("registrar", "export-roll", *registrar, "--roll", again) == drawn
    assert first.read_bytes() == again.read_bytes()
    line = refused("registrar", "export-roll", *registrar, "--roll", again, "--style", "north")
    assert "with the styles south, empty, north" in line


def enrol(parties: Parties, number: int) -> None:
    device = Device(parties, parties.people[number])
    device.enrol()
    device.vote_ready()
    device.close()


def test_an_export_is_what_its_checkpoint_covers_although_somebody_enrolled_since(tmp_path: Path) -> None:
    with running(tmp_path) as parties:
        election = ["--config", parties.idp_config, "--election", ELECTION]
        enrol(parties, 0)
        note, out = tmp_path / "checkpoint", tmp_path / "log.bin"
        run("idp", "sign-checkpoint", *election, "--out", note, prints=False)
        enrol(parties, 1)
        export = ["export-enrolments", *election, "--out", out]
        assert run("idp", *export)["entries"] == 2
        said = run("idp", *export, "--checkpoint", note)
        checkpoint = decode_checkpoint_text(decode_note(note.read_bytes()).text)
        entries = list(read_enrolment_entries(out))
        assert (said["entries"], len(entries), checkpoint.size) == (1, 1, 1)
        assert root_of_hashes(hash_leaves(entries)) == checkpoint.root == bytes.fromhex(said["root"])
        # The service meanwhile published a later one.
        url = f"http://127.0.0.1:{parties.idp.port}/v1/elections/{ELECTION}/enrolment-log/checkpoint"
        published = httpx.get(url, headers={"host": f"id.localhost:{parties.idp.port}"})
        assert decode_checkpoint_text(decode_note(published.content).text).size == 2

        key = read_role_key(parties.idp_config.parent / "role.key")
        registrar = read_role_key(parties.registrar_config.parent / "role.key")
        origin = f"{ORIGIN}/enrolment"
        out.unlink()
        for text_, reason in (
            (sign_checkpoint(key, origin, 1, bytes(32)), "do not lead to the checkpoint's root"),
            (sign_checkpoint(key, origin, 3, bytes(32)), "the log has 2 entries, the checkpoint 3"),
            (sign_checkpoint(registrar, origin, 1, checkpoint.root), f"no checkpoint of {origin}"),
            (sign_checkpoint(key, "vote.example/other", 1, checkpoint.root), f"no checkpoint of {origin}"),
            ("something else", f"no checkpoint of {origin}"),
        ):
            note.write_text(text_)
            assert reason in refused("idp", *export, "--checkpoint", note)
            assert not out.exists()
