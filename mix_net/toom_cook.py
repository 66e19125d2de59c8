"""Products of two polynomials, one with rows of scalars and one with rows of elements as coefficients.

Where the coefficients are vectors of length n, "product" means inner product, so that the coefficients of the result
are single elements: E_k = sum over i + j = k of <a_i, p_j>. Multiplied naively, M coefficients each cost M^2
multi-scalar multiplications of n terms. Toom-Cook with four blocks evaluates both at seven points (0, 1, -1, 2, -2, 1/2
and infinity), multiplies there, and interpolates; the last four rows are multiplied by Karatsuba's method, twice. That
makes 63 products for 16 rows. Evaluation is additions of elements only; interpolation touches 2M - 1 elements
(docs/spec/08-mixing.md section 8.7, ADR 0008).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from typing import TypeVar

from crypto.group.interface import ORDER, ElementVector, Group, ScalarVector

_BLOCKS = 4
_POINTS = 7

Vector = TypeVar("Vector", ScalarVector, ElementVector)


def polynomial_product(
    group: Group, scalars: ScalarVector, elements: Sequence[ElementVector], rows: int, *, last_row_empty: bool = False
) -> list[ElementVector]:
    """The 2 * rows - 1 coefficients of the product, for each of several element polynomials with one scalar polynomial.

    Args:
        scalars: ``rows`` coefficients of equal length, one after the other, constant coefficient first.
        elements: polynomials of the same layout.
        rows: 2 and 4 are multiplied by Karatsuba, multiples of four by Toom-Cook, anything else naively.
        last_row_empty: the highest coefficients of the element polynomials are identities, which saves a product.

    Returns:
        For each polynomial in ``elements``, its product's coefficients as a vector of 2 * rows - 1 elements.

    Variable time (ADR 0003). Cost with rows = 4^k: 9 * 7^(k-1) multi-scalar multiplications of n terms for each
    polynomial in ``elements``.
    """
    if rows == 1:
        if last_row_empty:
            return [group.identity(1) for _ in elements]
        return [group.msm(scalars, polynomial) for polynomial in elements]
    if rows in (2, _BLOCKS):
        return _karatsuba(group, scalars, elements, rows // 2, last_row_empty)
    if rows % _BLOCKS:
        return [_naive_product(group, scalars, polynomial, rows) for polynomial in elements]
    block_rows = rows // _BLOCKS
    element_values = [_element_values(group, polynomial) for polynomial in elements]
    products: list[list[ElementVector]] = []
    for point, scalar_value in enumerate(_scalar_values(scalars)):
        values = [next(value) for value in element_values]
        empty = last_row_empty and point == _POINTS - 1
        products.append(polynomial_product(group, scalar_value, values, block_rows, last_row_empty=empty))
    return [_interpolate(group, list(values), block_rows) for values in zip(*products, strict=True)]


def _naive_product(group: Group, scalars: ScalarVector, polynomial: ElementVector, rows: int) -> ElementVector:
    scalar_rows, element_rows = _split(scalars, rows), _split(polynomial, rows)
    coefficients = []
    for k in range(2 * rows - 1):
        pairs = [(i, k - i) for i in range(rows) if 0 <= k - i < rows]
        left = group.concat_scalars([scalar_rows[i] for i, _ in pairs])
        right = group.concat_elements([element_rows[j] for _, j in pairs])
        coefficients.append(group.msm(left, right))
    return group.concat_elements(coefficients)


def _karatsuba(
    group: Group, scalars: ScalarVector, elements: Sequence[ElementVector], half: int, last_row_empty: bool
) -> list[ElementVector]:
    """(a0 + a1 Y)(p0 + p1 Y) by three products; on four rows twice this beats Toom-Cook, whose values cost more."""
    a0, a1 = _split(scalars, 2)
    parts = [_split(polynomial, 2) for polynomial in elements]
    low = polynomial_product(group, a0, [p0 for p0, _ in parts], half)
    high = polynomial_product(group, a1, [p1 for _, p1 in parts], half, last_row_empty=last_row_empty)
    both = polynomial_product(group, a0 + a1, [p0 + p1 for p0, p1 in parts], half)
    gap = group.identity(1)
    results = []
    for p_low, p_high, p_both in zip(low, high, both, strict=True):
        outer = group.concat_elements([p_low, gap, p_high])
        inner = p_both - p_low - p_high
        middle = outer[half : 3 * half - 1] + inner
        results.append(group.concat_elements([outer[:half], middle, outer[3 * half - 1 :]]))
    return results


def _split(vector: Vector, parts: int) -> list[Vector]:
    size = len(vector) // parts
    return [vector[at * size : (at + 1) * size] for at in range(parts)]


def _scalar_values(polynomial: ScalarVector) -> Iterator[ScalarVector]:
    """The polynomial c0 + c1 Y + c2 Y^2 + c3 Y^3 of its four blocks at 0, 1, -1, 2, -2, 1/2 (times 8) and infinity."""
    c0, c1, c2, c3 = _split(polynomial, _BLOCKS)
    yield c0
    even, odd = c0 + c2, c1 + c3
    yield even + odd
    yield even - odd
    even, odd = c0 + _double(_double(c2)), _double(c1 + _double(_double(c3)))
    yield even + odd
    yield even - odd
    yield _double(_double(_double(c0) + c1) + c2) + c3
    yield c3


def _double(vector: ScalarVector) -> ScalarVector:
    """An addition costs a quarter of a multiplication by 2."""
    return vector + vector


def _element_values(group: Group, polynomial: ElementVector) -> Iterator[ElementVector]:
    """The same for elements; in few parts, so that a caller who is done with a value can drop it."""
    size = len(polynomial) // _BLOCKS
    yield polynomial[:size]
    for place in range(3):
        yield from group.evaluate_cubic(polynomial, place)
    yield polynomial[3 * size :]


def _interpolate(group: Group, values: Sequence[ElementVector], block_rows: int) -> ElementVector:
    """From the products at the seven points, each 2 * block_rows - 1 coefficients, the coefficients of the product."""
    columns = group.interleave_elements(values)
    gap = group.identity(1)
    carry = group.identity(block_rows)
    blocks = []
    for weights in _interpolation_matrix():
        scalars = group.scalars(list(weights) * (2 * block_rows - 1))
        block = group.concat_elements([columns.mul_vartime(scalars).sum_groups(_POINTS), gap])
        blocks.append(block[:block_rows] + carry)
        carry = block[block_rows:]
    return group.concat_elements([*blocks, carry])[: 8 * block_rows - 1]


@cache
def _interpolation_matrix() -> tuple[tuple[int, ...], ...]:
    """Row s gives coefficient s of a polynomial of degree 6 from its values at the seven points, modulo ORDER."""
    size = _POINTS
    points = [[Fraction(point**power) for power in range(size)] for point in (0, 1, -1, 2, -2)]
    points.append([Fraction(2 ** (size - 1 - power)) for power in range(size)])
    points.append([Fraction(int(power == size - 1)) for power in range(size)])
    inverse = _invert(points)
    return tuple(tuple(entry.numerator * pow(entry.denominator, -1, ORDER) % ORDER for entry in row) for row in inverse)


def _invert(matrix: list[list[Fraction]]) -> list[list[Fraction]]:
    """Gauss-Jordan elimination."""
    size = len(matrix)
    work = [[*row, *[Fraction(int(i == j)) for j in range(size)]] for i, row in enumerate(matrix)]
    for column in range(size):
        pivot = next(row for row in range(column, size) if work[row][column])
        work[column], work[pivot] = work[pivot], work[column]
        work[column] = [entry / work[column][column] for entry in work[column]]
        for row in range(size):
            if row != column and work[row][column]:
                factor = work[row][column]
                work[row] = [a - factor * b for a, b in zip(work[row], work[column], strict=True)]
    return [row[size:] for row in work]
