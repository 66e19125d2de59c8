"""Shamir's secret sharing with Feldman's commitments (Shamir 1979; Feldman, FOCS 1987)."""

from __future__ import annotations

from collections.abc import Sequence

from crypto.dkg.key_group import Elements, KeyGroup


def evaluate_polynomial(coefficients: Sequence[int], point: int, order: int) -> int:
    """f(point) modulo the order; the constant term is ``coefficients[0]``."""
    value = 0
    for coefficient in reversed(coefficients):
        value = (value * point + coefficient) % order
    return value


def evaluate_commitments(group: KeyGroup, commitments: Elements, point: int) -> Elements:
    """f(point)*G from commitments to the coefficients of f, a vector of length one. Variable time is fine: public."""
    powers = [pow(point, k, group.order) for k in range(len(commitments))]
    return group.multiply(commitments, powers).sum()


def lagrange_at_zero(indices: Sequence[int], order: int) -> list[int]:
    """The coefficients lambda_j with f(0) = sum of lambda_j * f(j) for every f of degree below ``len(indices)``.

    Args:
        indices: different indices from 1 up; the result has their order.
        order: a prime above all of them.

    Raises:
        ValueError: an index is zero or negative, or occurs twice, or there is none.
    """
    if not indices or min(indices) < 1 or len(set(indices)) != len(indices):
        raise ValueError("Lagrange interpolation needs different indices, each at least 1")
    coefficients = []
    for j in indices:
        numerator = denominator = 1
        for i in indices:
            if i != j:
                numerator = numerator * i % order
                denominator = denominator * (i - j) % order
        coefficients.append(numerator * pow(denominator, -1, order) % order)
    return coefficients
