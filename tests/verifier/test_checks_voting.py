"""Groups 16 to 24: each rule of each check by itself.

One edit, properly signed again, and the sentence that must name it. Only the check in question runs on the edited
record, so that every rule is shown to be looked at by its own check.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.verifier.edited import Edited
from tests.verifier.edits import (
    MODEL_OFF,
    Edit,
    add,
    aggregate_of_a_mixed_contest,
    drop,
    group_entry,
    insert,
    lists,
    move,
    put,
    result,
    sentences,
    signed_by,
    swap_first_two,
    unsorted_batch,
    withdrawal,
)

# check, words of the sentence, edit
EDITS: list[tuple[str, str, Edit]] = [
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
    (
        "bounds.closing",
        "after the closing at 1700000002",
        add("extension", {"closes": 1_700_000_002, "reason": "", "time": 1}, "officer-1", "officer-2", before="epoch"),
    ),
    (
        "bounds.closing",
        "is to a later time",
        add("extension", {"closes": 1_700_100_000, "reason": "", "time": 1}, "officer-1", "officer-2", before="epoch"),
    ),
    (
        "bounds.closing",
        "an extension comes before",
        add(
            "extension",
            {"closes": 1_700_200_000, "reason": "", "time": 1_700_100_001},
            "officer-1",
            "officer-2",
            before="epoch",
        ),
    ),
    (
        "order.counts",
        "the same epoch entry occurs 2 times",
        lambda e: insert(e, e.at("close"), e.entries[e.at("epoch")]),
    ),
    ("bounds.closing", "closed before the closing time", MODEL_OFF),
    ("bounds.closing", "states 3 ballots", put("close", "ballots", value=3)),
    ("bounds.closing", "states 9 challenges", put("close", "challenges", value=9)),
    ("bounds.closing", "states 9 epochs", put("close", "epochs", value=9)),
    ("bounds.terminals", "neither closing protocol", drop("terminal-closing")),
    ("bounds.terminals", "neither closing protocol", lambda e: move(e, "terminal-closing", "close", after=True)),
    ("bounds.terminals", "without having been opened", drop("terminal-opening")),
    ("bounds.terminals", "does not exist", put("terminal-opening", "unit", value="north-1")),
    # 17
    ("accounting.styles", "accounting of style west is not", put("selection", "accounting", 1, "superseded", value=1)),
    (
        "accounting.styles",
        "not one accounting for each",
        lambda e: e.edit("selection", lambda b: b["accounting"].pop()),
    ),
    ("accounting.styles", "0 entries name no style, not 2", put("selection", "malformed", value=2)),
    ("accounting.groups", "of contest list are not", put("selection", "groups", 1, "groups", 0, "ballots", value=7)),
    ("accounting.groups", "every contest", lambda e: e.edit("selection", lambda b: b["groups"].pop())),
    (
        "accounting.dispositions",
        "dispositions for",
        lambda e: e.set("selection", "dispositions", value=e.blob(bytes(20))),
    ),
    (
        "accounting.dispositions",
        "disposition 9 is unknown",
        lambda e: e.set("selection", "dispositions", value=e.blob(bytes([9] * 14))),
    ),
    (
        "accounting.dispositions",
        "not a disposition of a challenge",
        lambda e: e.set("selection", "dispositions", value=e.blob(bytes(14))),
    ),
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
    (
        "decryption.proof",
        "left out, although it is valid",
        lists(lambda items: items[0].update({"used": [1], "left-out": [3]})),
    ),
    ("decryption.trustees", "not signed by trustee 1", signed_by("decryption", "trustee-2")),
    ("decryption.trustees", "not one for each tallied group", lists(swap_first_two)),
    ("decryption.trustees", "does not say how", lists(lambda items: items.pop())),
    ("decryption.trustees", "in ascending order", lists(lambda items: items[0].update(used=[3, 1]))),
    ("decryption.trustees", "either used or left out", lists(lambda items: items[0].update(used=[1]))),
    ("decryption.trustees", "either used or left out", lists(lambda items: items[0].update({"left-out": [1]}))),
    (
        "decryption.trustees",
        "1 trustees, fewer than 2",
        lists(lambda items: items[0].update({"used": [1], "left-out": [3]})),
    ),
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
]


@pytest.mark.parametrize(("name", "words", "edit"), EDITS, ids=[f"{name}: {words}" for name, words, _ in EDITS])
def test_the_rule_is_looked_at(edited: Edited, name: str, words: str, edit: Edit) -> None:
    edit(edited)
    found = sentences(edited, name)
    assert any(words in sentence for sentence in found), found


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


def test_complaints_and_annulments_may_stand_anywhere_after_the_opening(edited: Edited) -> None:
    body: Any = {"number": "1", "subject": "x", "document": None, "time": 1_700_000_003}
    complaints = [edited.sign("complaint", {**body, "number": str(number)}, "officer-1") for number in range(7)]
    annulment: Any = {"scope": "all", "reason": "x", "time": 1_700_000_003}
    edited.entries.append(edited.sign("annulment", annulment, "officer-1", "officer-2"))
    for kind in ("epoch", "close", "ledger", "mix", "decryption", "result"):
        insert(edited, edited.at(kind), complaints.pop())
    edited.entries.append(complaints.pop())
    assert sentences(edited, "order.phases") == []
    assert sentences(edited, "order.counts") == []
