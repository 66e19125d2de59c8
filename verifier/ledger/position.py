"""What an issuer says about one roll position, checked by the citizen (attack C12).

docs/spec/05-credentials.md section 5.7. An issuer cannot give two answers: there is one leaf for each position, and one
signed tree for each size of the ledger.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verifier.checks.checkpoint import checkpoint_quorum, checkpoint_signature
from verifier.checks.log import log_root
from verifier.checks.opening import opening_manifest
from verifier.checks.registry import NotRun
from verifier.checks.trust import trust_fingerprint, trust_signatures
from verifier.failure import Failure
from verifier.hashing import frames, sha
from verifier.ledger.inputs import read_json
from verifier.ledger.merkle import root_from_path
from verifier.ledger.schemas import POSITION_PROOF
from verifier.record import ed25519
from verifier.record.errors import FormatError, UnreadableError
from verifier.record.merkle import leaf_hash
from verifier.record.note import parse_checkpoint
from verifier.state import State

_MAX_BYTES = 1 << 16
_MAX_BRACKETS = 100
_OF_THE_RECORD = (
    trust_fingerprint,
    trust_signatures,
    checkpoint_signature,
    checkpoint_quorum,
    log_root,
    opening_manifest,
)


@dataclass(frozen=True)
class Tree:
    """A signed tree of roll positions."""

    root: bytes
    size: int
    source: str


@dataclass(frozen=True)
class PositionFinding:
    """What is wrong, by check, and what the tree says where nothing is."""

    failures: tuple[tuple[str, Failure], ...]
    tree: Tree | None


def read_position_proof(path: Path, fingerprint: bytes) -> Mapping[str, Any]:
    """The file that a citizen got from an issuer.

    Raises:
        UnreadableError: of another format or election.
    """
    try:
        proof: Mapping[str, Any] = POSITION_PROOF(read_json(path, _MAX_BYTES, _MAX_BRACKETS), "proof")
    except FormatError as error:
        raise UnreadableError(f"{path}: {error}") from None
    if proof["fingerprint"] != fingerprint:
        raise UnreadableError(f"{path}: a proof for another election than the trust root's")
    return proof


def check_position(state: State, proof: Mapping[str, Any]) -> PositionFinding:
    """Check a proof against the record, or against the signed tree that came with it."""
    failures = [("position.record", failure) for failure in _record(state)]
    tree: Tree | None = None
    try:
        tree = _interim_tree(proof) if "statement" in proof else _recorded_tree(state, proof)
        failures += [("position.statement", failure) for failure in _statement(state, proof)]
        failures += [("position.proof", failure) for failure in _leaf(proof, tree)]
    except NotRun as error:
        failures.append(("position.statement", Failure(f"not run because of {error}")))
    return PositionFinding(tuple(failures), tree)


def _record(state: State) -> Iterator[Failure]:
    for function in _OF_THE_RECORD:
        try:
            yield from function(state)
        except NotRun as error:
            yield Failure(f"the record cannot be used: {error}")


def _interim_tree(proof: Mapping[str, Any]) -> Tree:
    statement = proof["statement"]
    source = f"the interim statement at ledger size {statement['size']}"
    return Tree(statement["root"], statement["tree-size"], source)


def _recorded_tree(state: State, proof: Mapping[str, Any]) -> Tree:
    for entry in state.of("ledger"):
        if entry.fields["issuer"] == proof["issuer"]:
            tree = entry.fields["tree"]
            return Tree(tree["root"], tree["size"], f"the ledger statement in entry {entry.index} of the record")
    raise NotRun("position.record", f"the record has no ledger statement of issuer {proof['issuer']}")


def _statement(state: State, proof: Mapping[str, Any]) -> Iterator[Failure]:
    """An interim statement is signed, over the whole roll, and says nothing else than the record at the same size."""
    if "statement" not in proof:
        return
    statement, issuer = proof["statement"], proof["issuer"]
    size, root, tree_size = statement["size"], statement["root"], statement["tree-size"]
    parts = "evoting/v1/ledger-tree", proof["fingerprint"], issuer, size, root, tree_size, statement["time"]
    roles = [role for role in state.manifest.roles_of("issuer") if role.index == issuer]
    name = roles[0].id if roles else f"issuer {issuer}"
    if not any(ed25519.verify(role.key, frames(parts), statement["signature"]) for role in roles):
        yield Failure("the issuer's signature on the interim statement does not hold", role=name)
    if tree_size != state.opening.fields["roll"]["size"]:
        yield Failure("the tree has not one leaf for each roll position", role=name)
    for entry in state.of("ledger"):
        is_same_size = entry.fields["issuer"] == issuer and _size(entry.fields["checkpoint"]) == size
        if is_same_size and entry.fields["tree"]["root"] != root:
            yield Failure("the record has another tree at the same ledger size", entry=entry.index, role=name)


def _size(text: str) -> int | None:
    try:
        return parse_checkpoint(text.encode("utf-8", "surrogatepass")).size
    except FormatError:
        return None


def _leaf(proof: Mapping[str, Any], tree: Tree) -> Iterator[Failure]:
    value = b"none" if proof["issued"] is None else proof["issued"]
    position = proof["position"]
    leaf = leaf_hash(sha("evoting/v1/ledger-leaf", proof["fingerprint"], position, proof["salt"], value))
    if root_from_path(leaf, position, tree.size, b"".join(proof["path"])) != tree.root:
        yield Failure(f"{tree.source} says something else about position {position}", role=f"issuer {proof['issuer']}")
