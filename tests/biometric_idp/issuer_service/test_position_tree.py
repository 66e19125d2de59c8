"""The tree that is kept for proofs says what the whole tree says, at every size and for every position."""

from __future__ import annotations

import tracemalloc
from collections.abc import Mapping
from hashlib import sha256

import pytest

from biometric_idp.issuer.ledger import prove_position, tree_leaf_hashes, verify_position
from biometric_idp.issuer.position_tree import PositionTree
from crypto.log.merkle import root_of_hashes
from tests.biometric_idp.world import key

SECRET = sha256(b"ledger secret").digest()
FINGERPRINT = sha256(b"election").digest()


class Ledger:
    """Every third position has a hash; remembers how much was asked for."""

    def __init__(self, size: int) -> None:
        self.hashes = {position: sha256(b"%d" % position).digest() for position in range(0, size, 3)}
        self.asked = 0

    def values(self, start: int, stop: int) -> Mapping[int, bytes]:
        self.asked += stop - start
        return {at: self.hashes[at] for at in range(start, stop) if at in self.hashes}


@pytest.mark.parametrize("size", [1, 2, 3, 255, 256, 257, 511, 513, 1025, 1281, 3000])
def test_root_and_proofs_are_those_of_the_whole_tree(size: int) -> None:
    ledger = Ledger(size)
    tree = PositionTree(SECRET, FINGERPRINT, 7, size, ledger.values)
    assert tree.root == root_of_hashes(tree_leaf_hashes(SECRET, FINGERPRINT, 7, size, ledger.hashes))
    positions = {0, 1, 2, 254, 255, 256, 257, 511, 512, size // 2, size - 2, size - 1}
    for position in sorted(at for at in positions if 0 <= at < size):
        proof = tree.prove(position, ledger.values)
        assert proof == prove_position(SECRET, FINGERPRINT, 7, size, ledger.hashes, position)
        verify_position(proof, FINGERPRINT, tree.root, size)


@pytest.mark.slow
def test_a_proof_reads_one_block_of_the_ledger_and_the_tree_keeps_little() -> None:
    size = 200_000
    ledger = Ledger(size)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tree = PositionTree(SECRET, FINGERPRINT, 7, size, ledger.values)
    kept = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert ledger.asked == size
    # 64 bytes for 256 positions, and some room for Python's own.
    assert kept < size // 256 * 64 + 20_000
    ledger.asked = 0
    verify_position(tree.prove(123_456, ledger.values), FINGERPRINT, tree.root, size)
    assert ledger.asked == 256


def test_C12_a_statement_is_signed_over_everything_in_it() -> None:
    ledger = Ledger(300)
    statement = PositionTree(SECRET, FINGERPRINT, 7, 300, ledger.values).sign(key("issuer"), 2, 1_800_000_000)
    public = bytes(key("issuer").verify_key)
    assert statement.holds(public)
    for name, other in (
        ("issuer", 3),
        ("fingerprint", bytes(32)),
        ("ledger_size", 8),
        ("root", bytes(32)),
        ("tree_size", 299),
        ("time", 1_800_000_001),
    ):
        fields = {at: getattr(statement, at) for at in statement.__slots__}
        assert not type(statement)(**{**fields, name: other}).holds(public)
