"""Deterministic rounding and draws for synthetic input. Nothing here decides an election."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray


class Draw:
    """Numbers that depend only on a seed and a label, on every platform and in every version."""

    def __init__(self, seed: str) -> None:
        self.seed = seed

    def number(self, label: str, low: int, high: int) -> int:
        """A number from low to high inclusive (the bias of 2^-200 does not matter here)."""
        digest = hashlib.sha256(f"{self.seed}|{label}".encode()).digest()
        return low + int.from_bytes(digest, "big") % (high - low + 1)

    def permutation(self, label: str, count: int) -> NDArray[np.intp]:
        """A permutation of range(count): the order of pseudo-random 64-bit keys."""
        stream = hashlib.shake_256(f"{self.seed}|{label}".encode()).digest(8 * count)
        return np.argsort(np.frombuffer(stream, dtype="<u8"), kind="stable")


def apportion(
    total: int, weights: Sequence[int | Fraction], capacities: Sequence[int] | None = None
) -> tuple[int, ...]:
    """Whole shares of a total by largest remainder; equal remainders go to the lower index.

    Args:
        capacities: no share exceeds its capacity; what does not fit goes to the others by the same rule.

    Raises:
        ValueError: all weights are zero though the total is not, or the capacities do not hold the total.
    """
    shares = [0] * len(weights)
    left = total
    while left:
        open_ = [i for i, w in enumerate(weights) if w > 0 and (capacities is None or shares[i] < capacities[i])]
        if not open_:
            raise ValueError("nowhere to put what is left")
        whole = sum(Fraction(weights[i]) for i in open_)
        exact = {i: left * Fraction(weights[i]) / whole for i in open_}
        extra = {i: int(exact[i]) for i in open_}
        missing = left - sum(extra.values())
        for i in sorted(open_, key=lambda i: (extra[i] - exact[i], i))[:missing]:
            extra[i] += 1
        for i in open_:
            room = extra[i] if capacities is None else min(extra[i], capacities[i] - shares[i])
            shares[i] += room
            left -= room
    return tuple(shares)


def table(columns: Sequence[int], rows: Sequence[int], weights: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    """Whole counts with exactly these column sums and row sums, near ``weights[column][row]``.

    Column by column; each takes its share of what the rows still hold, so rounding does not add up. The last column
    gets the rest.
    """
    if sum(columns) != sum(rows):
        raise ValueError("column sums and row sums differ")
    room = list(rows)
    result = []
    for column, total in enumerate(columns):
        later = [sum(weights[c][row] for c in range(column, len(columns))) for row in range(len(rows))]
        wanted = [
            Fraction(room[row] * weights[column][row], later[row]) if later[row] else Fraction(0)
            for row in range(len(rows))
        ]
        last = column == len(columns) - 1
        counts = tuple(room) if last else apportion(total, wanted if any(wanted) else room, room)
        room = [have - used for have, used in zip(room, counts, strict=True)]
        result.append(counts)
    return tuple(result)
