"""A tree that grows leaf by leaf, and inclusion proofs; docs/spec/02-log.md section 2."""

from __future__ import annotations

from verifier.record.merkle import EMPTY_ROOT, node_hash

HASH_BYTES = 32


class Frontier:
    """The roots of the full subtrees of a growing log, largest first: one hash for each bit of its size."""

    def __init__(self) -> None:
        self.size = 0
        self._hashes: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """One more leaf hash. Cost: one hash, amortised."""
        self._hashes.append(leaf)
        self.size += 1
        width = self.size
        while width % 2 == 0:
            right = self._hashes.pop()
            self._hashes.append(node_hash(self._hashes.pop(), right))
            width //= 2

    def root(self) -> bytes:
        """Root over all leaves so far."""
        if not self._hashes:
            return EMPTY_ROOT
        root = self._hashes[-1]
        for left in reversed(self._hashes[:-1]):
            root = node_hash(left, root)
        return root


def root_from_path(leaf: bytes, index: int, size: int, path: bytes) -> bytes | None:
    """The root that an inclusion proof leads to, or None where the proof has not the length of this index and size.

    Args:
        leaf: the leaf's hash.
        path: the proof's hashes, concatenated, from the leaf's sibling upwards.
    """
    if index >= size or len(path) % HASH_BYTES:
        return None
    first, last, node = index, size - 1, leaf
    for at in range(0, len(path), HASH_BYTES):
        sibling = path[at : at + HASH_BYTES]
        if last == 0:
            return None
        if first % 2 or first == last:
            node = node_hash(sibling, node)
            while first and first % 2 == 0:
                first, last = first // 2, last // 2
        else:
            node = node_hash(node, sibling)
        first, last = first // 2, last // 2
    return node if last == 0 else None
