"""Batch verification: one multi-scalar multiplication for many linear equations, and bisection when it fails.

An equation is a linear combination of elements that must give the identity. Each is multiplied by a fresh independent
128-bit weight and all are added; a false equation survives with probability 2^-128. The weights must be drawn after the
statements are fixed and never depend on them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from crypto.group.interface import ElementVector, Group, ScalarVector

T = TypeVar("T")


class Accumulator:
    """Weighted equations over encoded elements and two fixed bases: the generator G and a public key K."""

    def __init__(self, group: Group, key: ElementVector) -> None:
        self._group = group
        self._key = key
        self._scalars: list[ScalarVector] = []
        self._elements: list[ElementVector] = []
        self._generator_scalar = 0
        self._key_scalar = 0

    def add(self, scalars: ScalarVector, elements: ElementVector) -> None:
        """Add the terms scalars[i] * elements[i]."""
        self._scalars.append(scalars)
        self._elements.append(elements)

    def add_generator(self, scalar: int) -> None:
        self._generator_scalar += scalar

    def add_key(self, scalar: int) -> None:
        self._key_scalar += scalar

    def holds(self) -> bool:
        """Whether everything added so far sums to the identity. Variable time."""
        group = self._group
        bases = group.concat_elements([group.generator(), self._key])
        scalars = group.concat_scalars([*self._scalars, group.scalars([self._generator_scalar, self._key_scalar])])
        elements = group.concat_elements([*self._elements, bases])
        return bool(group.msm(scalars, elements).identity_mask()[0])


def find_failures(rows: Sequence[T], holds: Callable[[Sequence[T]], bool]) -> list[int]:
    """Indices of the rows that fail, found by halving; ``holds`` verifies any subset as one batch.

    Cost: one call when all hold, at most about 2 log2(n) calls for each bad row.
    """
    failures: list[int] = []
    pending = [(0, len(rows))]
    while pending:
        start, stop = pending.pop()
        if start == stop or holds(rows[start:stop]):
            continue
        if stop - start == 1:
            failures.append(start)
            continue
        middle = (start + stop) // 2
        pending.append((middle, stop))
        pending.append((start, middle))
    return failures
