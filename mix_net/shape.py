"""The matrix shape as a function of the list's length (docs/spec/08-mixing.md section 8.2, ADR 0008)."""

from __future__ import annotations

from typing import NamedTuple

#: Beyond this, positions would not fit the kernel's 32-bit indices together with their padding.
MAX_COUNT = 2**31 - 64

#: First list length of each band, and the number of rows from there on. All but the first are 4^k - 1, so that the
#: prover's mask row completes a power of four (ADR 0008).
_ROWS = ((1, 2), (5, 3), (100, 15), (200_000, 63))


class Shape(NamedTuple):
    """m rows of n columns; ``rows * columns - count`` positions are virtual padding."""

    rows: int
    columns: int

    @property
    def positions(self) -> int:
        return self.rows * self.columns


def matrix_shape(count: int) -> Shape:
    """The shape for ``count`` ciphertexts.

    Raises:
        ValueError: ``count`` is not in 1..MAX_COUNT.
    """
    if not 1 <= count <= MAX_COUNT:
        raise ValueError(f"no matrix shape for {count} ciphertexts")
    rows = max(rows for first, rows in _ROWS if first <= count)
    return Shape(rows, max(2, -(-count // rows)))


def proof_size(shape: Shape, width: int) -> int:
    """Bytes of a shuffle proof (section 8.5)."""
    rows, columns = shape
    return 32 * (7 * rows + 4 * rows * width + 5 * columns + 2 * width + 15)
