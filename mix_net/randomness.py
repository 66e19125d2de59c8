"""Randomness as an argument: a callable that returns that many fresh bytes, ``secrets.token_bytes`` in production."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from crypto.group.interface import Group, Indices, ScalarVector

Randomness = Callable[[int], bytes]


def random_scalars(group: Group, randomness: Randomness, count: int) -> ScalarVector:
    """Uniform scalars from 64 bytes each, so that the reduction leaves no bias."""
    return group.scalars_wide(randomness(64 * count))


def random_scalar(group: Group, randomness: Randomness) -> int:
    """One uniform scalar."""
    return random_scalars(group, randomness, 1).to_ints()[0]


def random_permutation(randomness: Randomness, count: int) -> Indices:
    """A uniform permutation of 0..count-1: the order that sorts independent 128-bit keys.

    All orders of distinct keys are equally likely. Two equal keys (probability below count^2 / 2^129) would favour the
    sort's own tie rule, so they are drawn again. Sorting leaks the permutation through time (ADR 0003).
    """
    while True:
        keys = np.frombuffer(randomness(16 * count), dtype="<u8").reshape(count, 2)
        order = np.lexsort((keys[:, 0], keys[:, 1]))
        ordered = keys[order]
        if not (ordered[1:] == ordered[:-1]).all(axis=1).any():
            return order.astype(np.uint32)
