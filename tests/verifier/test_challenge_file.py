"""Files of challenged ballots: each thing that can be wrong with one is said, with its exit code."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crypto.group import ORDER
from evoting.ballots.build import challenge_ballots
from tests.support.small_election import SmallElection
from verifier.cli import main
from verifier.record.cbor import decode, encode

Content = dict[str, Any]


@pytest.fixture(scope="module")
def content(election: SmallElection) -> Content:
    """A proper file, decoded."""
    (entry,) = election.challenge("west", [1])
    return {
        "format": "evoting-challenged-ballot/v1",
        "manifest": election.manifest_bytes,
        "key": election.joint_key(),
        "entry": entry,
    }


@pytest.fixture
def describe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[Content], tuple[int, str]]:
    """Exit code, and what was printed."""

    def run(changed: Content) -> tuple[int, str]:
        (tmp_path / "ballot").write_bytes(encode(changed))
        code = main(["ballot", str(tmp_path / "ballot")])
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return run


Describe = Callable[[Content], tuple[int, str]]


def with_body(content: Content, change: Callable[[Any], Any]) -> Content:
    """The body changed; nobody signs it again."""
    entry: Any = decode(content["entry"])
    body: Any = decode(entry["body"])
    changed = change(body)
    entry["body"] = encode(body if changed is None else changed)
    return content | {"entry": encode(entry)}


def with_manifest(content: Content, **changes: Any) -> Content:
    manifest: Any = decode(content["manifest"])
    manifest.update(changes)
    return content | {"manifest": encode(manifest)}


def test_a_proper_file_is_described(content: Content, describe: Describe) -> None:
    code, shown = describe(content)
    assert code == 0
    assert "encrypts exactly this" in shown


#: What is wrong -> words of the error. Nothing can be said about the ballot.
REFUSED: dict[str, tuple[Callable[[Content], Content], str]] = {
    "an election key that is the identity": (lambda c: c | {"key": bytes(32)}, "key: "),
    "an election key that is no element": (lambda c: c | {"key": b"\xff" * 32}, "key: "),
    "a manifest that breaks a rule": (lambda c: with_manifest(c, closes=0), "manifest: closes"),
    "a manifest of another schema": (lambda c: with_manifest(c, more=0), "unknown key"),
    "a ballot that was cast": (
        lambda c: c | {"entry": encode({"type": "ballot", "body": b"", "signature": bytes(64)})},
        "the entry is not a challenge",
    ),
    "an entry of no form": (lambda c: c | {"entry": b"\xa3"}, "the entry is not a challenge"),
    "a style that the manifest has not": (
        lambda c: with_body(c, lambda body: body.update(style="north")),
        "no ballot style north",
    ),
    "a body that is no map": (lambda c: with_body(c, lambda body: [body["style"]]), "a map is expected"),
    "a body without a style": (lambda c: with_body(c, lambda body: body.pop("style") and None), "'style' is missing"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_says_nothing_is_refused(content: Content, describe: Describe, name: str) -> None:
    change, words = REFUSED[name]
    code, shown = describe(change(content))
    assert code == 2
    assert words in shown.splitlines()[0]


def response_plus_order(content: Content) -> Content:
    entry: Any = decode(content["entry"])
    larger = int.from_bytes(entry["signature"][32:], "little") + ORDER
    return content | {"entry": encode(entry | {"signature": entry["signature"][:32] + larger.to_bytes(32, "little")})}


def scalar_plus_order(body: Any) -> None:
    data = body["contests"][0]["scalars"]
    larger = int.from_bytes(data[:32], "little") + ORDER
    body["contests"][0]["scalars"] = larger.to_bytes(32, "little") + data[32:]


#: What is wrong -> words that tell why the check failed.
FAILING: dict[str, tuple[Callable[[Content], Content], str]] = {
    "a signature's response plus the order": (response_plus_order, "not below the group order"),
    "a proof's scalar plus the order": (lambda c: with_body(c, scalar_plus_order), "contest question: "),
    "a pseudonym that is the identity": (
        lambda c: with_body(c, lambda body: body.update(pseudonym=bytes(32))),
        "pseudonym: ",
    ),
    "a body changed after signing": (lambda c: with_body(c, lambda body: body.update(sequence=9)), "ballot.signature"),
}


@pytest.mark.parametrize("name", FAILING)
def test_a_ballot_that_does_not_hold_fails_the_check(content: Content, describe: Describe, name: str) -> None:
    change, words = FAILING[name]
    code, shown = describe(change(content))
    assert code == 1
    last = shown.splitlines()[-1]
    assert last.startswith("THE CHECK FAILED")
    assert words in last


def test_a_device_that_opens_another_choice_than_it_encrypted_fails_the_check(
    election: SmallElection, content: Content, describe: Describe
) -> None:
    """Everything is signed and proved; only the opening tells the lie."""
    part, built = election.build("west", [1], 0)
    shown = [chosen.copy() for chosen in built.selections]
    shown[0].flat[0] ^= 1
    (entry,) = challenge_ballots(election.key, part, replace(built, selections=shown), os.urandom)
    code, printed = describe(content | {"entry": entry})
    assert code == 1
    assert "selections and randomizers do not encrypt to the ciphertexts" in printed.splitlines()[-1]
