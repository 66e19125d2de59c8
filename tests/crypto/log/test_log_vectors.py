"""docs/spec/vectors/log.json is what this implementation makes, and both implementations judge it alike.

The reader of the verifier shares no code with ``crypto.log``; what it has no function for is not asked of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from crypto.log.checkpoint import decode_checkpoint_text
from crypto.log.errors import InvalidNoteSignature, LogError, QuorumNotReached, UnknownLog
from crypto.log.merkle import hash_leaf, verify_consistency, verify_inclusion
from crypto.log.note import decode_note, decode_vkey
from crypto.log.policy import decode_policy, verify_checkpoint
from crypto.log.proof import decode_receipt, verify_receipt
from crypto.log.tiles import decode_bundle, parse_tile_path
from crypto.log.witness import WitnessedHead, accept_checkpoint, decode_request
from tests.crypto.log.make_log_vectors import ENTRIES, PATH, render
from verifier.record import files as verifier_files
from verifier.record import merkle as verifier_merkle
from verifier.record import note as verifier_note
from verifier.record import policy as verifier_policy
from verifier.record.errors import FormatError

VECTORS: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
ROOTS = {case["size"]: bytes.fromhex(case["root"]) for case in VECTORS["checkpoints"]}


def test_file_is_what_is_made() -> None:
    assert PATH.read_text(encoding="utf-8") == render()


@pytest.mark.parametrize("case", VECTORS["checkpoints"], ids=lambda case: str(case["size"]))
def test_both_read_the_checkpoints_and_agree_on_the_roots(case: dict[str, Any]) -> None:
    theirs = verifier_note.parse_checkpoint(case["note"].encode())
    ours = decode_checkpoint_text(decode_note(case["note"].encode()).text)
    assert (theirs.origin, theirs.size, theirs.root) == (ours.origin, ours.size, ours.root)
    leaves = [verifier_merkle.leaf_hash(entry) for entry in ENTRIES[: case["size"]]]
    assert theirs.root == verifier_merkle.root_of(leaves)
    assert verifier_note.verify_note(theirs.note, verifier_note.parse_vkey(VECTORS["keys"][0]["vkey"]))


def test_both_place_the_files_alike() -> None:
    log = verifier_files.LogFiles(PATH.parent, 300)
    assert {case["path"] for case in VECTORS["files"]} | {"checkpoint"} == log.expected_paths()


def test_proofs_verify() -> None:
    roots = {**ROOTS}
    for case in VECTORS["inclusion"]:
        proof = [bytes.fromhex(value) for value in case["proof"]]
        verify_inclusion(hash_leaf(ENTRIES[case["index"]]), case["index"], case["size"], proof, roots[case["size"]])
    for case in VECTORS["consistency"]:
        if case["old"] in roots:
            proof = [bytes.fromhex(value) for value in case["proof"]]
            verify_consistency(case["old"], roots[case["old"]], case["new"], roots[case["new"]], proof)


@pytest.mark.parametrize("case", VECTORS["evaluations"], ids=lambda case: case["what"])
def test_evaluations(case: dict[str, Any]) -> None:
    policy = decode_policy(VECTORS["policy"].encode())
    note = decode_note(case["checkpoint"].encode())
    if case["fails"] is None:
        verify_checkpoint(note, policy, case["now"])
        return
    with pytest.raises(LogError) as caught:
        verify_checkpoint(note, policy, case["now"])
    error = caught.value
    if isinstance(error, QuorumNotReached):
        everybody = {*error.cosigned, *error.future}
        name = "checkpoint.times" if policy.is_satisfied(everybody) else "checkpoint.quorum"
    else:
        assert isinstance(error, InvalidNoteSignature | UnknownLog)
        by_log = isinstance(error, UnknownLog) or error.key_name == policy.logs[0].name
        name = "checkpoint.signature" if by_log else "checkpoint.quorum"
    assert name == case["fails"]


def test_receipt_and_witness() -> None:
    policy = decode_policy(VECTORS["policy"].encode())
    case = VECTORS["receipt"]
    receipt = decode_receipt(case["text"].encode())
    verify_receipt(receipt, case["entry"].encode(), policy, case["now"])
    assert receipt.index == case["index"]
    witness = VECTORS["witness"]
    request = decode_request(witness["request"].encode())
    [old] = [item for item in VECTORS["checkpoints"] if item["size"] == witness["remembers"]]
    previous = WitnessedHead(decode_checkpoint_text(decode_note(old["note"].encode()).text), witness["now"])
    accepted = accept_checkpoint(request, policy.logs, previous, witness["now"])
    assert accepted.checkpoint.size == 300
    assert witness["answer"] in VECTORS["evaluations"][0]["checkpoint"]


_Reader = Callable[[dict[str, Any]], object]
OURS: dict[str, _Reader] = {
    "vkey": lambda case: decode_vkey(case["text"]),
    "checkpoint": lambda case: decode_checkpoint_text(decode_note(case["text"].encode()).text),
    "policy": lambda case: decode_policy(case["text"].encode()),
    "receipt": lambda case: decode_receipt(case["text"].encode()),
    "path": lambda case: parse_tile_path(case["text"]),
    "bundle": lambda case: decode_bundle(bytes.fromhex(case["hex"]), case["width"]),
}
THEIRS: dict[str, _Reader] = {
    "vkey": lambda case: verifier_note.parse_vkey(case["text"]),
    "checkpoint": lambda case: verifier_note.parse_checkpoint(case["text"].encode()),
    "policy": lambda case: verifier_policy.parse_policy(case["text"]),
}


def name(case: dict[str, Any]) -> str:
    return f"{case['kind']}: {case['reason']}"


@pytest.mark.parametrize("case", VECTORS["refused"], ids=name)
def test_refused_by_both(case: dict[str, Any]) -> None:
    with pytest.raises(LogError):
        OURS[case["kind"]](case)
    if case["kind"] in THEIRS:
        with pytest.raises(FormatError):
            THEIRS[case["kind"]](case)
