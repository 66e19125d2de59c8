"""Merkle trees of RFC 6962 section 2.1 (RFC 9162 section 2.1) with SHA-256; docs/spec/02-log.md section 2.

Proofs are made from a *node reader*: a function that returns the hash of the perfect subtree of ``2**level`` leaves
that starts at leaf ``index * 2**level``. Where the nodes come from (tiles, memory) is the caller's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

from crypto.log.errors import InvalidLogProof

HASH_BYTES = 32
#: Root of the tree without leaves: SHA-256 of the empty string.
EMPTY_ROOT = sha256(b"").digest()
#: No log of ours grows larger, and every index stays an exact integer in every language.
MAX_SIZE = 2**48
#: What tlog-witness allows; proofs in trees of MAX_SIZE leaves are shorter.
MAX_PROOF_HASHES = 63

NodeReader = Callable[[int, int], bytes]


def hash_leaf(entry: bytes) -> bytes:
    """Hash of one entry: SHA-256(0x00 || entry)."""
    return sha256(b"\x00" + entry).digest()


def hash_children(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def hash_leaves(entries: Iterable[bytes]) -> bytes:
    """Leaf hashes of many entries, concatenated."""
    return b"".join([sha256(b"\x00" + entry).digest() for entry in entries])


def root_of_hashes(hashes: bytes) -> bytes:
    """Root of the tree over n concatenated leaf hashes.

    The last hash may also stand for an incomplete subtree that is no larger than its siblings: this is how the root of
    a whole log is folded from the partial tiles of its right edge.

    Cost: n - 1 hashes.
    """
    if not hashes:
        return EMPTY_ROOT
    if len(hashes) % HASH_BYTES:
        raise ValueError("length is no multiple of 32 bytes")
    while len(hashes) > HASH_BYTES:
        # RFC 6962 splits at the largest power of two below n; level by level this means: an odd last node moves up.
        paired = len(hashes) - len(hashes) % (2 * HASH_BYTES)
        pairs = [sha256(b"\x01" + hashes[at : at + 64]).digest() for at in range(0, paired, 2 * HASH_BYTES)]
        pairs.append(hashes[paired:])
        hashes = b"".join(pairs)
    return hashes


def subtree_root(start: int, stop: int, node: NodeReader) -> bytes:
    """MTH(D[start:stop]) for a range that occurs in the recursion of RFC 6962 (its start is aligned)."""
    count = stop - start
    if count == 0:
        return EMPTY_ROOT
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return node(level, start >> level)
    split = start + _split(count)
    return hash_children(subtree_root(start, split, node), subtree_root(split, stop, node))


def tree_root(size: int, node: NodeReader) -> bytes:
    """Root of the tree over the first ``size`` leaves."""
    return subtree_root(0, size, node)


def prove_inclusion(index: int, size: int, node: NodeReader) -> tuple[bytes, ...]:
    """Audit path PATH(index, D[size]) of RFC 6962 section 2.1.1, from the leaf's sibling upwards."""
    if not 0 <= index < size:
        raise ValueError(f"no entry {index} in a tree of size {size}")
    path: list[bytes] = []
    start, stop = 0, size
    while stop - start > 1:
        split = start + _split(stop - start)
        if index < split:
            path.append(subtree_root(split, stop, node))
            stop = split
        else:
            path.append(subtree_root(start, split, node))
            start = split
    return tuple(reversed(path))


def prove_consistency(old_size: int, new_size: int, node: NodeReader) -> tuple[bytes, ...]:
    """Consistency proof PROOF(old, D[new]) of RFC 6962 section 2.1.2; empty for old sizes 0 and ``new_size``."""
    if not 0 <= old_size <= new_size:
        raise ValueError(f"no consistency proof from size {old_size} to {new_size}")
    if old_size in (0, new_size):
        return ()
    path: list[bytes] = []
    start, stop = 0, new_size
    while stop != old_size:
        split = start + _split(stop - start)
        if old_size <= split:
            path.append(subtree_root(split, stop, node))
            stop = split
        else:
            path.append(subtree_root(start, split, node))
            start = split
    if start:
        # The old tree is no single subtree of the new one, so its last complete subtree has to be given.
        path.append(subtree_root(start, stop, node))
    return tuple(reversed(path))


def verify_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check an audit path; algorithm of RFC 9162 section 2.1.3.2.

    Raises:
        InvalidLogProof: the index is outside the tree, the path has the wrong length, or leads to another root.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise InvalidLogProof(f"inclusion: entry {index} is not in a tree of size {size}")
    _require_hashes("inclusion", (leaf_hash, root, *proof))
    position, last = index, size - 1
    computed = leaf_hash
    for sibling in proof:
        if last == 0:
            raise InvalidLogProof(f"inclusion: the proof for entry {index} of {size} is too long")
        if position & 1 or position == last:
            computed = hash_children(sibling, computed)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            computed = hash_children(computed, sibling)
        position >>= 1
        last >>= 1
    if last:
        raise InvalidLogProof(f"inclusion: the proof for entry {index} of {size} is too short")
    if computed != root:
        raise InvalidLogProof(f"inclusion: the proof for entry {index} of {size} leads to another root")


def verify_consistency(old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the old tree is a prefix of the new one; algorithm of RFC 9162 section 2.1.4.2.

    An old size of 0 or of ``new_size`` takes an empty proof and requires the root that follows from it.

    Raises:
        InvalidLogProof: sizes out of order, wrong length of the proof, or another root.
    """
    if not 0 <= old_size <= new_size <= MAX_SIZE:
        raise InvalidLogProof(f"consistency: old size {old_size} and new size {new_size} are out of order")
    _require_hashes("consistency", (old_root, new_root, *proof))
    where = f"from size {old_size} to {new_size}"
    if old_size in (0, new_size):
        if proof:
            raise InvalidLogProof(f"consistency: the proof {where} must be empty")
        if old_root != (EMPTY_ROOT if old_size == 0 else new_root):
            raise InvalidLogProof(f"consistency: two roots for size {old_size}")
        if new_size == 0 and new_root != EMPTY_ROOT:
            raise InvalidLogProof("consistency: the root of an empty tree is wrong")
        return
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)  # the old tree is a subtree of the new one, so its root is not repeated in the proof
    if not path:
        raise InvalidLogProof(f"consistency: the proof {where} is too short")
    position, last = old_size - 1, new_size - 1
    while position & 1:
        position >>= 1
        last >>= 1
    old_computed = new_computed = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise InvalidLogProof(f"consistency: the proof {where} is too long")
        if position & 1 or position == last:
            old_computed = hash_children(sibling, old_computed)
            new_computed = hash_children(sibling, new_computed)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            new_computed = hash_children(new_computed, sibling)
        position >>= 1
        last >>= 1
    if last:
        raise InvalidLogProof(f"consistency: the proof {where} is too short")
    if old_computed != old_root:
        raise InvalidLogProof(f"consistency: the proof {where} does not lead to the old root")
    if new_computed != new_root:
        raise InvalidLogProof(f"consistency: the proof {where} does not lead to the new root")


def _split(count: int) -> int:
    """Largest power of two below ``count``, which is at least 2."""
    return 1 << ((count - 1).bit_length() - 1)


def _require_hashes(check: str, hashes: Iterable[bytes]) -> None:
    if any(len(value) != HASH_BYTES for value in hashes):
        raise InvalidLogProof(f"{check}: a hash does not have 32 bytes")
