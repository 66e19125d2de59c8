"""Each rule of each check by itself: one edit, properly signed again, and the sentence that must name it.

Only the check in question runs on the edited record, so that every rule is shown to be looked at by its own check.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey

from tests.support.small_election import ORIGIN, SmallElection
from tests.verifier.edited import Edited
from verifier.checks.registry import CHECKS, NotRun
from verifier.failure import Failures
from verifier.record.cbor import decode, encode
from verifier.run import ORDER

Edit = Callable[[Edited], object]


def sentences(edited: Edited, name: str) -> list[str]:
    """What a check reports about the edited record."""
    assert name in ORDER
    function = next(check.function for check in CHECKS if check.name == name)
    state = edited.state()
    try:
        found = function(state)
        return [failure.sentence for failure in (found.listed if isinstance(found, Failures) else found)]
    except NotRun as error:
        return [f"not run: {error}"]
    finally:
        state.close()


@pytest.fixture
def edited(election: SmallElection, tmp_path: Path) -> Edited:
    return Edited(election, tmp_path / "record")


def insert(edited: Edited, at: int, *entries: bytes) -> None:
    edited.entries[at:at] = entries


def move(edited: Edited, kind: str, to: str, number: int = 0, after: bool = False) -> None:
    """Put an entry in front of (or behind) the first of another type."""
    raw = edited.entries.pop(edited.at(kind, number))
    insert(edited, edited.at(to) + after, raw)


def drop(kind: str, number: int = 0) -> Edit:
    return lambda edited: edited.entries.pop(edited.at(kind, number))


def put(kind: str, *path: Any, value: Any, number: int = 0) -> Edit:
    return lambda edited: edited.set(kind, *path, value=value, number=number)


def add(kind: str, body: Any, *signers: str, before: str | None = None) -> Edit:
    """Append an entry, or put it in front of the first of another type."""

    def edit(edited: Edited) -> None:
        at = len(edited.entries) if before is None else edited.at(before)
        insert(edited, at, edited.sign(kind, body, *signers))

    return edit


def repeat(kind: str) -> Edit:
    return lambda edited: insert(edited, edited.at(kind), edited.entries[edited.at(kind)])


def manifest(*path: Any, value: Any) -> Edit:
    """Change the manifest itself; it is named by entry 0 and the opening."""

    def edit(edited: Edited) -> None:
        def change(content: Any) -> None:
            for step in path[:-1]:
                content = content[step]
            content[path[-1]] = value

        edited.edit_blob("manifest", "manifest", change)
        edited.set("opening", "manifest", value=edited.body("manifest")["manifest"])

    return edit


def result(*path: Any, value: Any) -> Edit:
    def edit(edited: Edited) -> None:
        def change(content: Any) -> None:
            for step in path[:-1]:
                content = content[step]
            content[path[-1]] = value

        edited.edit_blob("result", "result", change)

    return edit


def lists(change: Callable[[Any], object]) -> Edit:
    return lambda edited: edited.edit_blob("result", "lists", change)


def signed_by(kind: str, *signers: str) -> Edit:
    return lambda edited: edited.edit(kind, lambda body: None, 0, *signers)


def unordered_signatures(edited: Edited) -> None:
    index = edited.at("close")
    outer: Any = decode(edited.entries[index])
    outer["signatures"].reverse()
    edited.entries[index] = encode(outer)


def flipped_signature(edited: Edited) -> None:
    index = edited.at("close")
    outer: Any = decode(edited.entries[index])
    outer["signatures"][0]["signature"] = outer["signatures"][1]["signature"]
    edited.entries[index] = encode(outer)


def other_issuance_keys(change: Callable[[Any], object]) -> Edit:
    def edit(edited: Edited) -> None:
        ref = edited.body("opening")["issuers"]["keys"]
        content: Any = decode((edited.root / "blob/sha256" / ref["hash"].hex()[:2] / ref["hash"].hex()).read_bytes())
        change(content)
        edited.set("opening", "issuers", "keys", value=edited.blob(encode(content)))

    return edit


def swap_first_two(items: Any) -> None:
    items[0], items[1] = items[1], items[0]


def ledger_checkpoint(size: int | None = None, key: SigningKey | None = None, origin: str | None = None) -> Edit:
    def edit(edited: Edited) -> None:
        fields = edited.body("ledger")
        count = sum(item["count"] for item in fields["issued"]) if size is None else size
        signer = key or edited.election.keys["issuer-1"]
        text = edited.checkpoint(count, os.urandom(32), signer, origin or f"{ORIGIN}/ledger/1").decode()
        edited.set("ledger", "checkpoint", value=text)

    return edit


def enrolment_checkpoint(key: str, origin: str) -> Edit:
    def edit(edited: Edited) -> None:
        text = edited.checkpoint(1, os.urandom(32), edited.election.keys[key], origin).decode()
        edited.set("enrolment", "checkpoint", value=text)

    return edit


def shorter_enrolment(edited: Edited) -> None:
    key, origin = edited.election.keys["identity-provider"], f"{ORIGIN}/enrolment"
    from verifier.record.merkle import EMPTY_ROOT

    body: Any = {"checkpoint": edited.checkpoint(0, EMPTY_ROOT, key, origin).decode(), "time": 1}
    insert(edited, edited.at("epoch"), edited.sign("enrolment", body, "identity-provider", "registrar"))


def early_ballot(edited: Edited) -> None:
    insert(edited, 3, edited.entries.pop(edited.at("ballot")))


def descending_stages(edited: Edited) -> None:
    indices = [edited.at("mix", 0), edited.at("mix", 1)]
    edited.entries[indices[0]], edited.entries[indices[1]] = edited.entries[indices[1]], edited.entries[indices[0]]


def unsorted_batch(edited: Edited) -> None:
    end = edited.at("epoch", 1)
    edited.entries[end - 2], edited.entries[end - 1] = edited.entries[end - 1], edited.entries[end - 2]


def withdrawal(contest: str, subject: str) -> Edit:
    body: Any = {"contest": contest, "subject": subject, "reason": "x", "time": 1_700_000_100}
    return add("withdrawal", body, "officer-1", "officer-2", before="close")


def group_entry(edited: Edited) -> None:
    fields = edited.body("aggregate")
    fields["group"] = "north"
    insert(edited, edited.at("mix"), edited.sign("aggregate", fields, "officer-1"))


def aggregate_of_a_mixed_contest(edited: Edited) -> None:
    fields = edited.body("aggregate")
    fields["contest"] = "list"
    insert(edited, edited.at("mix"), edited.sign("aggregate", fields, "officer-1"))


def widened_ballot(edited: Edited) -> None:
    """A ballot whose body has a head a byte longer than it needs, which no decoder of the one encoding accepts."""
    raw = encode({"type": "ballot", "body": b"", "signature": bytes(64)})
    assert raw[:7] == b"\xa3\x64body\x40"
    insert(edited, 20, raw[:6] + b"\x58\x00" + raw[7:])


_MODEL_OFF = manifest("model", value=False)

# check, words of the sentence, edit
EDITS: list[tuple[str, str, Edit]] = [
    # 1
    ("record.encoding", "unknown key", put("close", "more", value=1)),
    ("record.encoding", "ballot or challenge in another form", widened_ballot),
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
    ("order.phases", "selection is out of its phase", lambda e: move(e, "selection", "ledger")),
    ("order.phases", "mix is out of its phase", lambda e: move(e, "mix", "aggregate")),
    ("order.phases", "ledger is out of its phase", lambda e: move(e, "ledger", "close")),
    ("order.phases", "extension is out of its phase", add("extension", {"closes": 1, "reason": "", "time": 1}, "officer-1", "officer-2")),
    ("order.phases", "opening is out of its phase", lambda e: move(e, "opening", "epoch", after=True)),
    ("order.phases", "complaint before the opening", add("complaint", {"number": "1", "subject": "x", "document": None, "time": 1}, "officer-1", before="roll")),
    ("order.phases", "challenge before the opening", early_ballot),
    ("order.phases", "do not ascend", descending_stages),
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
    ("opening.roll", "younger than 172800 s", lambda e: (_MODEL_OFF(e), manifest("enrolment-age", value=172_800)(e))),
    ("opening.roll", "signature on it does not hold", enrolment_checkpoint("registrar", f"{ORIGIN}/enrolment")),
    ("opening.roll", "its origin is not", enrolment_checkpoint("identity-provider", f"{ORIGIN}/enrolments")),
    ("opening.roll", "became shorter", shorter_enrolment),
    ("opening.keys", "another transcript of the trustees", lambda e: e.set("opening", "trustees", "transcript", value=e.blob(b"x"))),
    ("opening.keys", "another transcript of the issuers", lambda e: e.set("opening", "issuers", "transcript", value=e.blob(b"x"))),
    ("opening.keys", "election key is not the ceremony's", put("opening", "trustees", "key", value=bytes(32))),
    ("opening.keys", "verification keys are not the ceremony's", put("opening", "trustees", "verification-keys", value=bytes(96))),
    ("opening.keys", "one for each style in the manifest's order", other_issuance_keys(swap_first_two)),
    ("opening.keys", "issuance key of style east", other_issuance_keys(lambda k: k[0].update(key=k[1]["key"]))),
    ("opening.keys", "share keys of style west", other_issuance_keys(lambda k: k[1].update(shares=k[0]["shares"]))),
    ("opening.keys", "issuance-keys[0]", other_issuance_keys(lambda k: k[0].update(more=0))),
    ("opening.code-books", "not one code book for each", lambda e: e.edit("opening", lambda b: swap_first_two(b["code-books"]))),
    ("opening.partition", "not that of the manifest", put("opening", "partition", 0, "style", value="north")),
    ("opening.partition", "occurs twice", lambda e: e.edit("opening", lambda b: b["partition"][1]["units"].append("east-1"))),
    # 8
    ("ceremony.issuers", "need not overlap", manifest("issuers", "k", value=2)),
    # 9
    ("ledger.statements", "statements of 2 issuers", lambda e: (drop("ledger")(e), drop("ledger")(e))),
    ("ledger.statements", "there is no issuer 9", put("ledger", "issuer", value=9)),
    ("ledger.statements", "not the manifest's styles", lambda e: e.edit("ledger", lambda b: swap_first_two(b["issued"]))),
    ("ledger.statements", "more issued at terminals", put("ledger", "issued", 0, "terminal", value=9)),
    ("ledger.statements", "not one leaf for each roll position", put("ledger", "tree", "size", value=39)),
    ("ledger.statements", "ledger checkpoint: ", put("ledger", "checkpoint", value="x")),
    ("ledger.statements", "the origin of the ledger checkpoint", ledger_checkpoint(origin=f"{ORIGIN}/ledger/2")),
    ("ledger.statements", "signature on the ledger checkpoint", ledger_checkpoint(key=SigningKey.generate())),
    ("ledger.statements", "not the sum of its counts", ledger_checkpoint(size=3)),
    ("ledger.bounds", "21 issued in style east with a roll of 20", put("ledger", "issued", 0, "count", value=21)),
    ("ledger.bounds", "credentials of style east are used, with", lambda e: [put("ledger", "issued", 0, "count", value=4, number=n)(e) for n in range(4)]),
    ("ledger.bounds", "credentials of style west are used, with 12", lambda e: [drop("ledger")(e), *(put("ledger", "issued", 1, "count", value=n, number=n - 3)(e) for n in (3, 4, 5))]),
    # 16
    ("bounds.opening", "not followed by an epoch", drop("epoch", 1)),
    ("bounds.opening", "epoch 7 where 1 is due", put("epoch", "number", value=7, number=1)),
    ("bounds.opening", "states 11 entries", put("epoch", "entries", value=11, number=1)),
    ("bounds.opening", "before the opening or the epoch before", put("epoch", "time", value=1_699_999_999)),
    ("bounds.opening", "before the opening or the epoch before", put("epoch", "time", value=1_700_000_000, number=1)),
    ("bounds.opening", "should precede", unsorted_batch),
    ("bounds.closing", "challenge after close", lambda e: e.entries.append(e.entries.pop(e.at("ballot")))),
    ("bounds.closing", "an epoch after close", lambda e: e.entries.append(e.entries.pop(e.at("epoch", 1)))),
    ("bounds.closing", "after the closing at 1700100000", put("epoch", "time", value=1_700_100_001, number=1)),
    ("bounds.closing", "after the closing at 1700000002", add("extension", {"closes": 1_700_000_002, "reason": "", "time": 1}, "officer-1", "officer-2", before="epoch")),
    ("bounds.closing", "states 3 ballots", put("close", "ballots", value=3)),
    ("bounds.closing", "states 9 challenges", put("close", "challenges", value=9)),
    ("bounds.closing", "states 9 epochs", put("close", "epochs", value=9)),
    ("bounds.terminals", "neither closing protocol", drop("terminal-closing")),
    ("bounds.terminals", "neither closing protocol", lambda e: move(e, "terminal-closing", "close", after=True)),
    ("bounds.terminals", "without having been opened", drop("terminal-opening")),
    ("bounds.terminals", "does not exist", put("terminal-opening", "unit", value="north-1")),
    # 17
    ("accounting.styles", "accounting of style west is not", put("selection", "accounting", 1, "superseded", value=1)),
    ("accounting.styles", "not one accounting for each", lambda e: e.edit("selection", lambda b: b["accounting"].pop())),
    ("accounting.styles", "0 entries name no style, not 2", put("selection", "malformed", value=2)),
    ("accounting.groups", "of contest list are not", put("selection", "groups", 1, "groups", 0, "ballots", value=7)),
    ("accounting.groups", "every contest", lambda e: e.edit("selection", lambda b: b["groups"].pop())),
    ("accounting.dispositions", "dispositions for", lambda e: e.set("selection", "dispositions", value=e.blob(bytes(20)))),
    ("accounting.dispositions", "disposition 9 is unknown", lambda e: e.set("selection", "dispositions", value=e.blob(bytes([9] * 14)))),
    ("accounting.dispositions", "not a disposition of a challenge", lambda e: e.set("selection", "dispositions", value=e.blob(bytes(14)))),
    # 18, 19
    ("mix.chain", "7 rows, not 6", put("mix", "count", value=7)),
    ("mix.chain", "instead of [1, 2]", drop("mix")),
    ("mix.chain", "not the output before", put("mix", "input", value=bytes(32), number=1)),
    ("mix.input", "not the counted set", put("mix", "input", value=bytes(32))),
    ("mix.proof", "cannot be verified", lambda e: e.set("mix", "proof", "hash", value=bytes(32))),
    ("mix.mixers", "for mixer-1, not for mixer-2", signed_by("mix", "mixer-2")),
    ("mix.mixers", "is for nobody", put("mix", "stage", value=3)),
    # 20 to 23
    ("decryption.input", "there is no aggregate", drop("aggregate")),
    ("decryption.input", "not the sum", put("aggregate", "ballots", value=7)),
    ("decryption.input", "decrypts another list", put("decryption", "list", value=bytes(32))),
    ("decryption.proof", "left out, although it is valid", lists(lambda items: items[0].update({"used": [1], "left-out": [3]}))),
    ("decryption.trustees", "not signed by trustee 1", signed_by("decryption", "trustee-2")),
    ("decryption.trustees", "not one for each tallied group", lists(swap_first_two)),
    ("decryption.trustees", "does not say how", lists(lambda items: items.pop())),
    ("decryption.trustees", "in ascending order", lists(lambda items: items[0].update(used=[3, 1]))),
    ("decryption.trustees", "either used or left out", lists(lambda items: items[0].update(used=[1]))),
    ("decryption.trustees", "either used or left out", lists(lambda items: items[0].update({"left-out": [1]}))),
    ("decryption.trustees", "1 trustees, fewer than 2", lists(lambda items: items[0].update({"used": [1], "left-out": [3]}))),
    ("plaintexts.codes", "only for them", lists(lambda items: items[0].update(plaintexts=items[2]["plaintexts"]))),
    # 24
    ("tally.groups", "not tallied so", group_entry),
    ("tally.groups", "not tallied so", aggregate_of_a_mixed_contest),
    ("tally.groups", "every contest", lambda e: e.edit_blob("result", "result", lambda r: r["contests"].pop())),
    ("tally.groups", "groups are not the computed ones", result("contests", 0, "groups", 0, "counted", value=9)),
    ("tally.groups", "withheld group east is counted", result("contests", 0, "groups", 0, "status", value="withheld")),
    ("tally.groups", "totals are null", result("contests", 0, "totals", value=None)),
    ("tally.outcome", "another election", result("fingerprint", value=bytes(32))),
    ("tally.outcome", "not the withdrawals", withdrawal("ranking", "ann")),
    ("tally.outcome", "nobody who stands", withdrawal("ranking", "zoe")),
    ("tally.outcome", "nobody who stands", withdrawal("question", "yes")),
    ("tally.outcome", "nobody who stands", withdrawal("list", "blank")),
    ("tally.outcome", "nobody who stands", withdrawal("nothing", "red")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "words", "edit"), EDITS, ids=[f"{name}: {words}" for name, words, _ in EDITS])
def test_the_rule_is_looked_at(edited: Edited, name: str, words: str, edit: Edit) -> None:
    edit(edited)
    found = sentences(edited, name)
    assert any(words in sentence for sentence in found), found


def test_the_unedited_record_passes_every_check(edited: Edited) -> None:
    found = {check.name: sentences(edited, check.name) for check in CHECKS}
    # The editor writes no cosignatures, and leaves no blob out.
    assert {name for name, failures in found.items() if failures} <= {"checkpoint.quorum", "checkpoint.times"}


def test_an_extension_moves_the_closing(edited: Edited) -> None:
    put("epoch", "time", value=1_700_100_001, number=1)(edited)
    body: Any = {"closes": 1_700_200_000, "reason": "storm", "time": 1_700_000_002}
    add("extension", body, "officer-1", "officer-2", before="epoch")(edited)
    assert sentences(edited, "bounds.closing") == []


def test_a_terminal_may_be_excluded_instead_of_closed(edited: Edited) -> None:
    index = edited.at("terminal-closing")
    body: Any = {"terminal": "terminal-1", "count": 0, "reason": "lost", "time": 1_700_000_009}
    edited.entries[index] = edited.sign("terminal-exclusion", body, "officer-1", "officer-2")
    assert sentences(edited, "bounds.terminals") == []


def test_complaints_and_withdrawals_may_stand_anywhere_after_the_opening(edited: Edited) -> None:
    body: Any = {"number": "1", "subject": "x", "document": None, "time": 1_700_000_003}
    complaint = edited.sign("complaint", body, "officer-1")
    for kind in ("epoch", "close", "ledger", "mix", "decryption", "result"):
        insert(edited, edited.at(kind), complaint)
    edited.entries.append(complaint)
    assert sentences(edited, "order.phases") == []
    assert sentences(edited, "order.counts") == []


def test_a_later_enrolment_is_for_model_elections_only(edited: Edited) -> None:
    key = edited.election.keys["identity-provider"]
    text = edited.checkpoint(5, os.urandom(32), key, f"{ORIGIN}/enrolment").decode()
    body: Any = {"checkpoint": text, "time": 1_700_000_003}
    insert(edited, edited.at("epoch", 1) + 1, edited.sign("enrolment", body, "identity-provider", "registrar"))
    for name in ("order.phases", "order.counts", "opening.roll"):
        assert sentences(edited, name) == []
    _MODEL_OFF(edited)
    assert sentences(edited, "order.phases") == ["enrolment is out of its phase"]
    assert sentences(edited, "order.counts") == ["there are 2 enrolment entries instead of one"]
