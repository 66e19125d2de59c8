"""Rules that other rules of the same check would hide: each defect here is one that only its own rule sees."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from nacl.signing import SigningKey

from tests.support.small_election import ORIGIN
from tests.verifier.edited import Edited
from tests.verifier.edits import Edit, lists, move, put, sentences
from verifier.checks.checkpoint import checkpoint_signature
from verifier.checks.opening import opening_keys
from verifier.checks.record import record_files
from verifier.checks.registry import NotRun
from verifier.record.note import ED25519_NOTE, VerifierKey, parse_checkpoint
from verifier.record.policy import Policy
from verifier.record.trust import TrustRoot

EAST, WEST = 0, 1


def shifted_votes(result: Any) -> None:
    """A vote moves from the west to the east: no total changes."""
    groups = result["contests"][0]["groups"]
    donor = next(place for place, count in enumerate(groups[WEST]["counts"]) if count)
    groups[WEST]["counts"][donor] -= 1
    groups[EAST]["counts"][donor] += 1


def shifted_plaintexts(result: Any) -> None:
    """The same with codes of the list."""
    contest = next(item for item in result["contests"] if item["contest"] == "list")
    groups = contest["groups"]
    donor = next(place for place, count in enumerate(groups[WEST]["counts"]) if count)
    groups[WEST]["counts"][donor] -= 1
    groups[EAST]["counts"][donor] += 1


def in_group(**fields: Any) -> Any:
    return lambda result: result["contests"][0]["groups"][EAST].update(fields)


def of_result(change: Any) -> Edit:
    return lambda edited: edited.edit_blob("result", "result", change)


def other_aggregate(edited: Edited) -> None:
    data = edited.body("aggregate")["ciphertexts"]
    edited.set("aggregate", "ciphertexts", value=data[64:] + data[:64])


# check, words of the sentence, edit
EDITS: list[tuple[str, str, Edit]] = [
    ("order.phases", "epoch is out of its phase", lambda e: move(e, "epoch", "opening")),
    ("bounds.terminals", "neither closing protocol", lambda e: move(e, "terminal-closing", "terminal-opening")),
    ("decryption.input", "not the sum of the counted ballots", other_aggregate),
    ("decryption.input", "not the sum of the counted ballots", put("aggregate", "ballots", value=5)),
    (
        "decryption.trustees",
        "not listed in ascending order",
        lists(lambda items: items[0].update({"left-out": [3, 2]})),
    ),
    (
        "decryption.trustees",
        "not listed in ascending order",
        lists(lambda items: items[0].update(used=items[0]["used"][::-1])),
    ),
    ("tally.totals", "group east: the published totals are not what the factors give", of_result(shifted_votes)),
    ("tally.totals", "group east: counts is not what the plaintexts give", of_result(shifted_plaintexts)),
    ("tally.totals", "group east: the fields of its counts", of_result(in_group(invalid=1))),
    ("tally.totals", "group east: the bounds of its counts", of_result(in_group(counted=1))),
    ("tally.totals", "group east is withheld, yet counted", of_result(in_group(status="withheld"))),
    ("tally.totals", "group east is empty, its counts are not", of_result(in_group(status="empty"))),
    (
        "tally.totals",
        "not run: plaintexts.codes: contest list, group east: plaintexts cannot be read",
        lambda e: lists(lambda items: next(i for i in items if i["contest"] == "list").update(plaintexts=e.blob(b"x")))(
            e
        ),
    ),
]


@pytest.mark.parametrize(("name", "words", "edit"), EDITS, ids=[f"{name}: {words}" for name, words, _ in EDITS])
def test_the_rule_is_looked_at(edited: Edited, name: str, words: str, edit: Edit) -> None:
    edit(edited)
    found = sentences(edited, name)
    assert any(words in sentence for sentence in found), found


def test_a_group_called_empty_is_compared_with_zero_only(edited: Edited) -> None:
    """That it is not empty is what ``tally.groups`` says."""

    def empty(result: Any) -> None:
        contest = result["contests"][0]
        group = contest["groups"][EAST]
        counts, rest = contest["totals"]["counts"], contest["groups"][WEST]
        group.update(status="empty", counted=0, counts=[0] * len(counts))
        contest["totals"].update(
            counted=rest["counted"],
            valid=rest["counted"],
            counts=rest["counts"],
            choices=sum(rest["counts"]),
            blank=rest["counted"] - sum(rest["counts"]),
        )

    edited.edit_blob("result", "result", empty)
    assert sentences(edited, "tally.totals") == []
    assert "contest question: the groups are not the computed ones" in sentences(edited, "tally.groups")


@pytest.mark.parametrize("place", ["", "blob/sha256", "tile/0"])
def test_an_extra_link_is_found(edited: Edited, place: str) -> None:
    state = edited.state()
    (edited.root / place / "link").symlink_to(edited.root / "checkpoint")
    assert [failure.sentence for failure in record_files(state)] == [
        f"{(place + '/link').lstrip('/')!r} is not a regular file, or cannot be listed"
    ]


@pytest.mark.parametrize("which", ["trustees", "issuers"])
@pytest.mark.parametrize("field", ["joint_keys", "verification_keys"])
def test_a_transcript_that_gives_no_key_compares_with_nothing(edited: Edited, which: str, field: str) -> None:
    """A failed ceremony gives neither kind of keys; each one is planted as missing by itself."""
    state = edited.state()
    missing: Any = {field: None}
    ceremony = replace(state.ceremony(which), **missing)
    state.__dict__[f"_{which}"] = ceremony
    with pytest.raises(NotRun, match=f"ceremony.{which}: the transcript gives no key"):
        list(opening_keys(state))


def test_L6_a_second_log_key_whose_line_does_not_verify(edited: Edited) -> None:
    """One key of the policy signed; the line of another is not its signature, so the note is refused."""
    state = edited.state()
    other = SigningKey.generate()
    key = VerifierKey(ORIGIN, ED25519_NOTE, bytes(other.verify_key))
    policy: Policy = state.trust.policy
    state.trust = TrustRoot(state.trust.fingerprint, replace(policy, logs=(*policy.logs, key)))
    size, root = state.checkpoint.size, state.checkpoint.root
    first, second = edited.checkpoint(size, root), edited.checkpoint(size, root, other)
    line = second.split(b"\n\n")[1]

    def found(data: bytes) -> list[str]:
        state.checkpoint = parse_checkpoint(data)
        return [failure.sentence for failure in checkpoint_signature(state)]

    assert found(first) == []
    assert found(first + line) == []
    head, signed = line.rsplit(b" ", 1)
    broken = signed[:20] + (b"A" if signed[20:21] != b"A" else b"B") + signed[21:]
    assert found(first + head + b" " + broken) == [f"the line of the log key {ORIGIN} does not verify"]
