"""Products of two polynomials, one with rows of scalars and one with rows of elements as coefficients.

Where the coefficients are vectors of length n, "product" means inner product, so that the coefficients of the result
are single elements: E_k = sum over i + j = k of <a_i, p_j>. Multiplied naively, M coefficients each cost M^2
multi-scalar multiplications of n terms. Toom-Cook with four blocks evaluates both at seven points (0, 1, -1, 2, -2, 1/2
and infinity), multiplies there, and interpolates: 7^k multiplications for M = 4^k. Evaluation is additions and
doublings of elements only; interpolation touches 2M - 1 elements (docs/spec/08-mixing.md section 8.7, ADR 0008).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from typing import TypeVar

from crypto.group.interface import ORDER, ElementVector, Group, ScalarVector

_BLOCKS = 4
_POINTS = 7

Vector = TypeVar("Vector", ScalarVector, ElementVector)


def polynomial_product(
    group: Group, scalars: ScalarVector, elements: Sequence[ElementVector], rows: int
) -> list[ElementVector]:
    """The 2 * rows - 1 coefficients of the product, for each of several element polynomials with one scalar polynomial.

    Args:
        scalars: ``rows`` coefficients of equal length, one after the other, constant coefficient first.
        elements: polynomials of the same layout.
        rows: a power of four is multiplied by Toom-Cook, anything else naively.

    Returns:
        For each polynomial in ``elements``, its product's coefficients as a vector of 2 * rows - 1 elements.

    Variable time (ADR 0003). Cost with rows = 4^k: 7^k multi-scalar multiplications of n terms for each polynomial.
    """
    if rows == 1:
        return [group.msm(scalars, polynomial) for polynomial in elements]
    if rows % _BLOCKS:
        return [_naive_product(group, scalars, polynomial, rows) for polynomial in elements]
    block_rows = rows // _BLOCKS
    scalar_values = _evaluate(_blocks(scalars))
    element_values = [_evaluate(_blocks(polynomial)) for polynomial in elements]
    products: list[list[ElementVector]] = []
    for scalar_value in scalar_values:
        values = [next(value) for value in element_values]
        products.append(polynomial_product(group, scalar_value, values, block_rows))
    return [_interpolate(group, list(values), block_rows) for values in zip(*products, strict=True)]
