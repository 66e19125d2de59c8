"""Both arithmetics, wherever both are there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from crypto.group import Group, load_group, native_available

NAMES = ["portable", *(["native"] if native_available() else [])]

#: Parametrizes a test over both implementations of the group.
each_group = pytest.mark.parametrize("group", [load_group(name) for name in NAMES], ids=NAMES)


def deterministic_entropy(seed: str) -> Callable[[int], bytes]:
    """A source of bytes that gives the same ones in every run."""
    calls = 0

    def draw(length: int) -> bytes:
        nonlocal calls
        calls += 1
        return hashlib.shake_256(f"{seed} {calls}".encode()).digest(length)

    return draw


def short_weights(group: Group, entropy: Callable[[int], bytes]) -> Callable[[int], object]:
    """128-bit weights of a batch."""
    return lambda count: group.scalars_short(entropy(16 * count))
