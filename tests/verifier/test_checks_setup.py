"""Groups 1 to 9: each rule of each check by itself.

One edit, properly signed again, and the sentence that must name it. Only the check in question runs on the edited
record, so that every rule is shown to be looked at by its own check.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from nacl.signing import SigningKey

from tests.support.small_election import ORIGIN
from tests.verifier.edited import Edited
from tests.verifier.edits import (
    MODEL_OFF,
    Edit,
    add,
    descending_stages,
    drop,
    early_ballot,
    enrolment_checkpoint,
    few_issued,
    fewer_statements,
    flipped_signature,
    insert,
    late_withdrawal,
    ledger_checkpoint,
    lists,
    manifest,
    move,
    other_issuance_keys,
    put,
    repeat,
    result,
    sentences,
    shorter_enrolment,
    signed_by,
    swap_first_two,
    unordered_signatures,
    widened_ballot,
)
from verifier.checks.registry import CHECKS

# check, words of the sentence, edit
EDITS: list[tuple[str, str, Edit]] = [
    # 1
    ("record.encoding", "unknown key", put("close", "more", value=1)),
    ("record.encoding", "not in its shortest form", widened_ballot),
    ("record.encoding", "beyond limits.blob-bytes", manifest("limits", "blob-bytes", value=1024)),
    ("record.encoding", "beyond limits.entry-bytes", manifest("limits", "entry-bytes", value=1024)),
    ("record.encoding", "result.format", result("format", value="evoting-result/v2")),
    ("record.encoding", "lists[0].used", lists(lambda items: items[0].update(used=[]))),
    ("record.blobs", "named with", lambda e: e.set("result", "result", "length", value=1)),
    ("record.blobs", "No such file", lambda e: e.set("result", "result", "hash", value=bytes(32))),
    # 2
    ("trust.signatures", "signed by officer, officer", signed_by("close", "officer-1")),
    ("trust.signatures", "signed by officer, officer", signed_by("close", "officer-1", "officer-2", "registrar")),
    ("trust.signatures", "signed by registrar, officer", signed_by("roll", "officer-1", "officer-2")),
    ("trust.signatures", "not signed by the issuer", signed_by("ledger", "issuer-2")),
    ("trust.signatures", "not signed by the terminal", put("terminal-opening", "terminal", value="terminal-2")),
    ("trust.signatures", "not ordered", unordered_signatures),
    ("trust.signatures", "does not hold", flipped_signature),
    ("trust.signatures", "no opening entry", drop("opening")),
    # 3 (the rest in the vectors of the log)
    ("checkpoint.signature", "not that of the opening", put("opening", "origin", value="log.example/other")),
    # 5
    ("order.phases", "enrolment is out of its phase", lambda e: move(e, "enrolment", "manifest", after=True)),
    ("order.phases", "ledger is out of its phase", lambda e: move(e, "selection", "ledger")),
    ("order.phases", "aggregate is out of its phase", lambda e: move(e, "mix", "aggregate")),
    ("order.phases", "close is out of its phase", lambda e: move(e, "ledger", "close")),
    (
        "order.phases",
        "extension is out of its phase",
        add("extension", {"closes": 1, "reason": "", "time": 1}, "officer-1", "officer-2"),
    ),
    ("order.phases", "opening is out of its phase", lambda e: move(e, "opening", "epoch", after=True)),
    (
        "order.phases",
        "complaint before the opening",
        add("complaint", {"number": "1", "subject": "x", "document": None, "time": 1}, "officer-1", before="roll"),
    ),
    ("order.phases", "challenge before the opening", early_ballot),
    ("order.phases", "do not ascend", descending_stages),
    ("order.phases", "withdrawal is out of its phase", late_withdrawal),
    ("order.counts", "there is no selection", drop("selection")),
    ("order.counts", "there are 2 close", repeat("close")),
    ("order.counts", "terminal-opening terminal-1 occurs 2", repeat("terminal-opening")),
    ("order.counts", "ledger 1 occurs 2", repeat("ledger")),
    ("order.counts", "aggregate question east occurs 2", repeat("aggregate")),
    ("order.counts", "occurs 2 times", repeat("mix")),
    ("order.counts", "occurs 2 times", repeat("decryption")),
    ("order.counts", "beyond limits.ballots", manifest("limits", "ballots", value=3)),
    # 6, 7
    ("group.parameters", "another group", put("opening", "parameters", value=bytes(32))),
    ("opening.manifest", "closes: not after opens", manifest("closes", value=5)),
    ("opening.manifest", "manifest.model", manifest("model", value=1)),
    ("opening.manifest", "another manifest than entry 0", lambda e: e.set("opening", "manifest", value=e.blob(b"x"))),
    ("opening.roll", "not that of the roll entry", put("roll", "commitment", value=bytes(32))),
    ("opening.roll", "not add up", put("opening", "roll", "size", value=41)),
    ("opening.roll", "not the manifest's", put("opening", "roll", "styles", 0, "size", value=21)),
    ("opening.roll", "another enrolment entry", put("opening", "enrolment", value=bytes(32))),
    ("opening.roll", "younger than 172800 s", lambda e: (MODEL_OFF(e), manifest("enrolment-age", value=172_800)(e))),
    ("opening.roll", "signature on it does not hold", enrolment_checkpoint("registrar", f"{ORIGIN}/enrolment")),
    ("opening.roll", "its origin is not", enrolment_checkpoint("identity-provider", f"{ORIGIN}/enrolments")),
    ("opening.roll", "became shorter", shorter_enrolment),
    (
        "opening.keys",
        "another transcript of the trustees",
        lambda e: e.set("opening", "trustees", "transcript", value=e.blob(b"x")),
    ),
    (
        "opening.keys",
        "another transcript of the issuers",
        lambda e: e.set("opening", "issuers", "transcript", value=e.blob(b"x")),
    ),
    ("opening.keys", "election key is not the ceremony's", put("opening", "trustees", "key", value=bytes(32))),
    (
        "opening.keys",
        "verification keys are not the ceremony's",
        put("opening", "trustees", "verification-keys", value=bytes(96)),
    ),
    ("opening.keys", "one for each style in the manifest's order", other_issuance_keys(swap_first_two)),
    ("opening.keys", "issuance key of style east", other_issuance_keys(lambda k: k[0].update(key=k[1]["key"]))),
    ("opening.keys", "share keys of style west", other_issuance_keys(lambda k: k[1].update(shares=k[0]["shares"]))),
    ("opening.keys", "issuance-keys[0]", other_issuance_keys(lambda k: k[0].update(more=0))),
    (
        "opening.code-books",
        "not one code book for each",
        lambda e: e.edit("opening", lambda b: swap_first_two(b["code-books"])),
    ),
    ("opening.partition", "not that of the manifest", put("opening", "partition", 0, "style", value="north")),
    (
        "opening.partition",
        "occurs twice",
        lambda e: e.edit("opening", lambda b: b["partition"][1]["units"].append("east-1")),
    ),
    # 8
    ("ceremony.issuers", "need not overlap", manifest("issuers", "k", value=2)),
    # 9
    ("ledger.statements", "statements of 2 issuers", lambda e: (drop("ledger")(e), drop("ledger")(e))),
    ("ledger.statements", "there is no issuer 9", put("ledger", "issuer", value=9)),
    (
        "ledger.statements",
        "not the manifest's styles",
        lambda e: e.edit("ledger", lambda b: swap_first_two(b["issued"])),
    ),
    ("ledger.statements", "more issued at terminals", put("ledger", "issued", 0, "terminal", value=9)),
    ("ledger.statements", "not one leaf for each roll position", put("ledger", "tree", "size", value=39)),
    ("ledger.statements", "ledger checkpoint: ", put("ledger", "checkpoint", value="x")),
    ("ledger.statements", "the origin of the ledger checkpoint", ledger_checkpoint(origin=f"{ORIGIN}/ledger/2")),
    ("ledger.statements", "signature on the ledger checkpoint", ledger_checkpoint(key=SigningKey.generate())),
    ("ledger.statements", "not the sum of its counts", ledger_checkpoint(size=3)),
    ("ledger.bounds", "21 issued in style east with a roll of 20", put("ledger", "issued", 0, "count", value=21)),
    ("ledger.bounds", "credentials of style east are used, with", few_issued),
    ("ledger.bounds", "6 credentials of style west are used, with 11", fewer_statements),
]


@pytest.mark.parametrize(("name", "words", "edit"), EDITS, ids=[f"{name}: {words}" for name, words, _ in EDITS])
def test_the_rule_is_looked_at(edited: Edited, name: str, words: str, edit: Edit) -> None:
    edit(edited)
    found = sentences(edited, name)
    assert any(words in sentence for sentence in found), found


def test_the_unedited_record_passes_every_check(edited: Edited) -> None:
    found = {check.name: sentences(edited, check.name) for check in CHECKS}
    # The editor writes no cosignatures, and leaves no blob out.
    assert {name for name, failures in found.items() if failures} <= {"checkpoint.quorum", "checkpoint.times"}


def test_a_later_enrolment_is_for_model_elections_only(edited: Edited) -> None:
    key = edited.election.keys["identity-provider"]
    text = edited.checkpoint(5, os.urandom(32), key, f"{ORIGIN}/enrolment").decode()
    body: Any = {"checkpoint": text, "time": 1_700_000_003}
    insert(edited, edited.at("epoch", 1) + 1, edited.sign("enrolment", body, "identity-provider", "registrar"))
    for name in ("order.phases", "order.counts", "opening.roll"):
        assert sentences(edited, name) == []
    MODEL_OFF(edited)
    assert sentences(edited, "order.phases") == ["enrolment is out of its phase"]
    assert sentences(edited, "order.counts") == ["there are 2 enrolment entries instead of one"]
