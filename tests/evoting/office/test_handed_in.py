"""Entries that mixers and issuers sign and hand in, at their turn, and that would fail verification.

On the board they could not be replaced, and the record would never be verified.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from biometric_idp.issuer.ledger import sign_ledger_checkpoint
from crypto.entry import sign_entry
from tests.evoting.office.office_desk import OfficeElection, tree
from tests.support.small_election import ORIGIN

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> OfficeElection:
    """One that waits for its issuers' statements; what tests hand in is refused and changes nothing."""
    election = OfficeElection(tmp_path_factory.mktemp("closed"))
    election.vote_on_the_board()
    election.close()
    return election


@pytest.fixture(scope="module")
def added_up(tmp_path_factory: pytest.TempPathFactory) -> OfficeElection:
    """One whose lists are to be mixed."""
    election = OfficeElection(tmp_path_factory.mktemp("added"))
    election.vote_on_the_board()
    for step in ("close", "ledgers", "select", "aggregate"):
        getattr(election, step)()
    return election


def refuse(election: OfficeElection, capsys: Capture, raw: bytes, words: str, *options: str) -> None:
    """The command refuses the entry in one line that has these words, and changes nothing."""
    entry = election.root / "handed-in.entry"
    entry.write_bytes(raw)
    before = tree(election.root)
    capsys.readouterr()
    assert election.office("post", str(entry), *options, signers=()) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.err.count("\n") == 1
    assert tree(election.root) == before


MIXES = {
    "another proof": "is not proved",
    "a changed output": "is not proved",
    "another list": "did not mix the counted ballots",
    "another count": "rows of the list",
    "a shorter output": "rows of the list",
    "the future": "one of two clocks is wrong",
    "a wrong length": "the entry says",
    "no folder": "--lists",
}


@pytest.mark.parametrize("name", MIXES)
def test_a_mix_that_would_fail_verification_is_refused(added_up: OfficeElection, capsys: Capture, name: str) -> None:
    lists = added_up.root / "lists"
    source = min(lists.glob("list.*.list"))
    contest, group = source.name.split(".")[:2]
    inputs = source.read_bytes()
    output, proof = added_up.shuffle(contest, group, 1, inputs, 1)
    if name == "a shorter output":
        output = output[:-64]
    if name == "a changed output":
        output = output[64:] + output[:64]
    if name == "another proof":
        proof = added_up.shuffle(contest, group, 1, inputs, 1)[1]
    outbox = added_up.root / "outbox"
    refs = [added_up.board.put_blob(data) for data in (output, proof)]
    body: dict[str, object] = {
        "contest": contest,
        "group": group,
        "stage": 1,
        "count": len(inputs) // 64 + (name == "another count"),
        "input": hashlib.sha256(inputs + (b"x" if name == "another list" else b"")).digest(),
        "output": {"hash": refs[0].hash, "length": refs[0].length + (name == "a wrong length")},
        "proof": {"hash": refs[1].hash, "length": refs[1].length},
        "time": added_up.now() + (100_000 if name == "the future" else 0),
    }
    raw = sign_entry("mix", body, added_up.record.binding, {"mixer-1": added_up.keys["mixer-1"]})
    options = [part for ref in refs for part in ("--blob", str(outbox / ref.hash.hex()))]
    if name != "no folder":
        options += ["--lists", str(lists)]
    refuse(added_up, capsys, raw, MIXES[name], *options)


STATEMENTS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "styles in another order": (lambda body: body["issued"].reverse(), "other styles"),
    "a style left out": (lambda body: body["issued"].pop(), "other styles"),
    "more than the roll": (lambda body: body["issued"][0].update(count=21), "with a roll of 20"),
    "more at terminals than in all": (lambda body: body["issued"][0].update(terminal=9), "at terminals"),
    "another tree": (lambda body: body["tree"].update(size=41), "one leaf for each roll position"),
    "fewer than the ledger has": (lambda body: body["issued"][0].update(count=7), "not the sum"),
    "no checkpoint": (lambda body: body.update(checkpoint="x"), "cannot be used"),
    "another issuer's checkpoint": (lambda body: body.update(issuer=2), "cannot be used"),
    "a member more": (lambda body: body.update(more=1), "exactly the members"),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_that_would_fail_verification_is_refused(
    closed: OfficeElection, capsys: Capture, name: str
) -> None:
    """Without it the issuer counts as one that vanished."""
    change, words = STATEMENTS[name]
    entries = [f"entry {number}".encode() for number in range(16)]
    body: dict[str, Any] = {
        "issuer": 1,
        "checkpoint": sign_ledger_checkpoint(closed.keys["issuer-1"], ORIGIN, 1, entries),
        "issued": [{"style": style.id, "count": 8, "terminal": 0} for style in closed.manifest.styles],
        "tree": {"root": bytes(32), "size": 40},
        "time": closed.now(),
    }
    change(body)
    signer = f"issuer-{body['issuer']}"
    refuse(closed, capsys, sign_entry("ledger", body, closed.record.binding, {signer: closed.keys[signer]}), words)
