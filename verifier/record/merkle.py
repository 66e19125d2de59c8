"""Merkle tree hashes of RFC 6962 section 2.1; docs/spec/02-log.md."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

#: Hash of the empty tree.
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 || entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Root over the hashes of consecutive subtrees of one full size (the last may be smaller), in order.

    A tree's left subtree is the largest full one, so pairing up level by level, with an odd last hash moved up as it
    is, gives the same root as the recursive definition.
    """
    if not hashes:
        return EMPTY_ROOT
    level = list(hashes)
    sha256 = hashlib.sha256
    while len(level) > 1:
        odd = level[-1:] if len(level) % 2 else []
        level = [sha256(b"\x01" + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)] + odd
    return level[0]
