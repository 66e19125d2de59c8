"""The report names who cosigned the enrolment log and the ledgers; it decides no check."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema

from crypto.log.cosignature import cosign
from tests.support.small_election import SmallElection
from tests.verifier.edited import Edited
from verifier.record.cosigned import read_cosigned
from verifier.record.note import parse_note
from verifier.record.trust import load_trust_root
from verifier.report.report import schema

Verify = Callable[..., tuple[int, list[str]]]


def with_cosignatures(election: SmallElection, note: str, count: int) -> str:
    text = note.split("\n\n")[0] + "\n"
    keys = list(election.witness_keys.values())[:count]
    return note + "".join(cosign(text, key, election.clock).encode() for key in keys)


def test_an_issuance_by_files_is_named_and_verified(election: SmallElection, verify: Verify, tmp_path: Path) -> None:
    path, page = tmp_path / "report.json", tmp_path / "report.html"
    code, lines = verify(election.record_path, "--json", str(path), "--html", str(page))
    assert code == 0
    bare = "not cosigned, as where issuance goes by files, without services"
    assert f"note      enrolment log: {bare}" in lines
    assert [f"note      ledger of issuer {issuer}: {bare}" in lines for issuer in (1, 2, 3, 4)] == [True] * 4
    found = json.loads(path.read_text())["cosigned"]
    assert [item["log"] for item in found] == ["enrolment log", *[f"ledger of issuer {i}" for i in (1, 2, 3, 4)]]
    assert found[0] == {
        "entry": 2,
        "log": "enrolment log",
        "by": [],
        "witnesses": 4,
        "quorum": False,
        "text": bare,
    }
    assert page.read_text().count(bare) == 5


def test_cosigned_checkpoints_are_counted(edited: Edited, verify: Verify, tmp_path: Path) -> None:
    """Three of four are a quorum; one alone is none; a line that does not hold does not count."""
    for number, count in enumerate((3, 4, 1)):
        note = with_cosignatures(edited.election, edited.body("ledger", number)["checkpoint"], count)
        edited.set("ledger", "checkpoint", value=note, number=number)
    body = edited.body("ledger", 3)
    first = with_cosignatures(edited.election, edited.body("ledger", 0)["checkpoint"].split("\n\n")[0] + "\n\n", 1)
    edited.set("ledger", "checkpoint", value=body["checkpoint"] + first.split("\n\n")[1], number=3)
    edited.state().close()
    path = tmp_path / "report.json"
    _, lines = verify(edited.root, "--json", str(path))
    report: Any = json.loads(path.read_text())
    jsonschema.validate(report, schema())
    assert lines.count("cosigned  ledger of issuer 1: checkpoint cosigned by 3 of 4 log witnesses") == 1
    assert "cosigned  ledger of issuer 2: checkpoint cosigned by 4 of 4 log witnesses" in lines
    assert "cosigned  ledger of issuer 3: checkpoint cosigned by 1 of 4 log witnesses, which is no quorum" in lines
    assert "note      ledger of issuer 4: checkpoint cosigned by 0 of 4 log witnesses, which is no quorum" in lines
    assert [item["quorum"] for item in report["cosigned"]] == [False, True, True, False, False]
    # The editor writes no cosignatures on the record's own checkpoint.
    failed = {check["name"] for check in report["checks"] if check["status"] == "fail"}
    assert failed <= {"checkpoint.quorum", "verifier.complete"}


def test_a_checkpoint_that_cannot_be_read_is_left_to_its_check(edited: Edited, verify: Verify, tmp_path: Path) -> None:
    edited.set("ledger", "checkpoint", value="x")
    edited.state().close()
    path = tmp_path / "report.json"
    verify(edited.root, "--json", str(path))
    assert len(json.loads(path.read_text())["cosigned"]) == 4


def test_only_witnesses_of_the_policy_count(election: SmallElection) -> None:
    policy = load_trust_root(election.trust_root_path).policy
    body = next(entry for entry in election.record.entries("ledger")).body
    note = parse_note(with_cosignatures(election, str(body["checkpoint"]), 4).encode())
    everybody = read_cosigned(note, policy)
    assert (everybody.by, everybody.wrong, everybody.is_quorum) == (tuple(policy.witnesses), (), True)
    assert not everybody.is_bare
    stripped = type(policy)(policy.logs, {}, {}, None)
    assert read_cosigned(note, stripped).is_bare
