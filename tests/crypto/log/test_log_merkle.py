"""Merkle trees against published vectors, and proofs against a direct transcription of RFC 6962."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.log import merkle
from crypto.log.errors import InvalidLogProof

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "rfc6962-merkle.json").read_text())
ENTRIES = [bytes.fromhex(entry) for entry in VECTORS["entries"]]
LEAVES = [bytes.fromhex(value) for value in VECTORS["leaf_hashes"]]
ROOTS = [bytes.fromhex(value) for value in (VECTORS["empty_root"], *VECTORS["roots"])]


def mth(entries: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, word for word."""
    n = len(entries)
    if n == 0:
        return sha256(b"").digest()
    if n == 1:
        return sha256(b"\x00" + entries[0]).digest()
    k = 1
    while k * 2 < n:
        k *= 2
    return sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:])).digest()


def path(m: int, entries: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962 section 2.1.1, word for word."""
    n = len(entries)
    if n == 1:
        return []
    k = 1
    while k * 2 < n:
        k *= 2
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def subproof(m: int, entries: list[bytes], complete: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962 section 2.1.2, word for word."""
    n = len(entries)
    if m == n:
        return [] if complete else [mth(entries)]
    k = 1
    while k * 2 < n:
        k *= 2
    if m <= k:
        return [*subproof(m, entries[:k], complete), mth(entries[k:])]
    return [*subproof(m - k, entries[k:], False), mth(entries[:k])]


def numbered(size: int) -> list[bytes]:
    return [b"entry %d" % i for i in range(size)]


def nodes_of(entries: list[bytes]) -> merkle.NodeReader:
    def node(level: int, index: int) -> bytes:
        chunk = entries[index << level : (index + 1) << level]
        assert len(chunk) == 1 << level, "a proof asked for a subtree that is not full"
        return mth(chunk)

    return node


def test_leaf_hashes_match_the_published_ones() -> None:
    assert [merkle.hash_leaf(entry) for entry in ENTRIES] == LEAVES
    assert merkle.hash_leaves(ENTRIES) == b"".join(LEAVES)


@pytest.mark.parametrize("size", range(9))
def test_roots_match_the_published_ones(size: int) -> None:
    assert merkle.root_of_hashes(b"".join(LEAVES[:size])) == ROOTS[size]
    assert merkle.tree_root(size, nodes_of(ENTRIES)) == ROOTS[size]


@pytest.mark.parametrize("case", VECTORS["inclusion"], ids=lambda c: f"{c['index']}of{c['size']}")
def test_published_inclusion_proofs_are_made_and_verified(case: dict[str, object]) -> None:
    index, size = int(str(case["index"])), int(str(case["size"]))
    proof = tuple(bytes.fromhex(value) for value in case["proof"])  # type: ignore[attr-defined]
    assert merkle.prove_inclusion(index, size, nodes_of(ENTRIES)) == proof
    merkle.verify_inclusion(LEAVES[index], index, size, proof, ROOTS[size])


@pytest.mark.parametrize("case", VECTORS["consistency"], ids=lambda c: f"{c['old']}to{c['new']}")
def test_published_consistency_proofs_are_made_and_verified(case: dict[str, object]) -> None:
    old, new = int(str(case["old"])), int(str(case["new"]))
    proof = tuple(bytes.fromhex(value) for value in case["proof"])  # type: ignore[attr-defined]
    assert merkle.prove_consistency(old, new, nodes_of(ENTRIES)) == proof
    merkle.verify_consistency(old, ROOTS[old], new, ROOTS[new], proof)


def test_the_seven_leaf_example_of_rfc_9162_section_2_1_5() -> None:
    a, b, c, d, e, f, j = (merkle.hash_leaf(entry) for entry in numbered(7))
    g, h, i = merkle.hash_children(a, b), merkle.hash_children(c, d), merkle.hash_children(e, f)
    k = merkle.hash_children(g, h)
    late = merkle.hash_children(i, j)
    node = nodes_of(numbered(7))
    assert merkle.tree_root(7, node) == merkle.hash_children(k, late)
    assert merkle.prove_inclusion(0, 7, node) == (b, h, late)
    assert merkle.prove_inclusion(3, 7, node) == (c, g, late)
    assert merkle.prove_inclusion(4, 7, node) == (f, j, k)
    assert merkle.prove_inclusion(6, 7, node) == (i, k)
    assert merkle.prove_consistency(3, 7, node) == (c, d, g, late)
    assert merkle.prove_consistency(4, 7, node) == (late,)
    assert merkle.prove_consistency(6, 7, node) == (i, j, k)


@settings(max_examples=150, deadline=None)
@given(size=st.integers(1, 300), data=st.data())
def test_proofs_equal_those_of_rfc_6962_and_verify(size: int, data: st.DataObject) -> None:
    entries = numbered(size)
    node, root = nodes_of(entries), mth(entries)
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))
    inclusion = merkle.prove_inclusion(index, size, node)
    assert list(inclusion) == path(index, entries)
    merkle.verify_inclusion(merkle.hash_leaf(entries[index]), index, size, inclusion, root)
    consistency = merkle.prove_consistency(old, size, node)
    assert list(consistency) == subproof(old, entries, True)
    merkle.verify_consistency(old, mth(entries[:old]), size, root, consistency)


@settings(max_examples=100, deadline=None)
@given(size=st.integers(1, 70), data=st.data())
def test_an_inclusion_proof_holds_for_one_leaf_index_size_and_root_only(size: int, data: st.DataObject) -> None:
    entries = numbered(size)
    index = data.draw(st.integers(0, size - 1))
    leaf, root = merkle.hash_leaf(entries[index]), mth(entries)
    proof = merkle.prove_inclusion(index, size, nodes_of(entries))
    for other in range(size + 2):
        if other != index:
            with pytest.raises(InvalidLogProof):
                merkle.verify_inclusion(leaf, other, size, proof, root)
    wrong = merkle.hash_leaf(b"another")
    defects: list[tuple[bytes, tuple[bytes, ...], bytes]] = [
        (wrong, proof, root),
        (leaf, proof, wrong),
        (leaf, (*proof, wrong), root),
        (leaf, (wrong, *proof), root),
        *((leaf, (*proof[:at], wrong, *proof[at + 1 :]), root) for at in range(len(proof))),
        *((leaf, (*proof[:at], *proof[at + 1 :]), root) for at in range(len(proof))),
    ]
    for bad_leaf, bad_proof, bad_root in defects:
        with pytest.raises(InvalidLogProof):
            merkle.verify_inclusion(bad_leaf, index, size, bad_proof, bad_root)


@settings(max_examples=100, deadline=None)
@given(size=st.integers(2, 70), data=st.data())
def test_a_consistency_proof_holds_for_one_pair_of_trees_only(size: int, data: st.DataObject) -> None:
    entries = numbered(size)
    old = data.draw(st.integers(1, size - 1))
    old_root, root = mth(entries[:old]), mth(entries)
    proof = merkle.prove_consistency(old, size, nodes_of(entries))
    wrong = merkle.hash_leaf(b"another")
    edited = mth([b"edited", *entries[1:]])
    defects: list[tuple[bytes, bytes, tuple[bytes, ...]]] = [
        (wrong, root, proof),
        (old_root, wrong, proof),
        (old_root, edited, proof),
        (old_root, root, (*proof, wrong)),
        (old_root, root, ()),
        *((old_root, root, (*proof[:at], wrong, *proof[at + 1 :])) for at in range(len(proof))),
        *((old_root, root, (*proof[:at], *proof[at + 1 :])) for at in range(len(proof))),
    ]
    for bad_old, bad_new, bad_proof in defects:
        with pytest.raises(InvalidLogProof):
            merkle.verify_consistency(old, bad_old, size, bad_new, bad_proof)


def test_consistency_at_the_edges() -> None:
    root = mth(numbered(5))
    merkle.verify_consistency(0, merkle.EMPTY_ROOT, 5, root, ())
    merkle.verify_consistency(5, root, 5, root, ())
    merkle.verify_consistency(0, merkle.EMPTY_ROOT, 0, merkle.EMPTY_ROOT, ())
    for old, old_root, new, new_root, proof in (
        (0, root, 5, root, ()),
        (0, merkle.EMPTY_ROOT, 5, root, (root,)),
        (5, root, 5, root, (root,)),
        (0, merkle.EMPTY_ROOT, 0, root, ()),
        (6, root, 5, root, ()),
        (5, mth(numbered(6)), 5, root, ()),
        (2, b"short", 5, root, (root,)),
    ):
        with pytest.raises(InvalidLogProof):
            merkle.verify_consistency(old, old_root, new, new_root, proof)


def test_L2_two_roots_of_one_size_are_no_consistent_trees() -> None:
    with pytest.raises(InvalidLogProof, match="two roots for size 4"):
        merkle.verify_consistency(4, mth(numbered(4)), 4, mth([*numbered(3), b"other"]), ())


def test_L10_a_node_cannot_pass_for_a_leaf() -> None:
    """Second preimage by confusing leaf and node: an entry that spells out two child hashes gets another hash."""
    left, right = LEAVES[0], LEAVES[1]
    assert merkle.hash_leaf(left + right) != merkle.hash_children(left, right)
    assert merkle.hash_leaf(b"\x01" + left + right) != merkle.hash_children(left, right)
    two_leaves, one_leaf = merkle.root_of_hashes(left + right), merkle.hash_leaf(left + right)
    assert two_leaves != one_leaf
    # The inner node over entries 0 and 1 of an 8-entry tree, presented as an entry of the tree one level up.
    proof = merkle.prove_inclusion(0, 8, nodes_of(ENTRIES))[1:]
    with pytest.raises(InvalidLogProof):
        merkle.verify_inclusion(merkle.hash_leaf(left + right), 0, 4, proof, ROOTS[8])


def test_requests_outside_the_tree_are_refused() -> None:
    node = nodes_of(ENTRIES)
    for index, size in ((8, 8), (-1, 8), (0, 0)):
        with pytest.raises(ValueError, match="no entry"):
            merkle.prove_inclusion(index, size, node)
    with pytest.raises(ValueError, match="no consistency proof"):
        merkle.prove_consistency(5, 4, node)
