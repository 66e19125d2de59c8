"""Toom-Cook products against the definition."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.group import load_group
from crypto.group.interface import ORDER
from mix_net.toom_cook import polynomial_product
from tests.mix_net.support import SeededRandomness

scalar = st.integers(0, ORDER - 1) | st.sampled_from([0, 1, 2, ORDER - 1])


def expected_logarithms(left: list[int], right: list[int], rows: int) -> list[int]:
    """Coefficients of the product where both polynomials are known as scalars."""
    n = len(left) // rows
    out = [0] * (2 * rows - 1)
    for i in range(rows):
        for j in range(rows):
            out[i + j] += sum(left[i * n + k] * right[j * n + k] for k in range(n))
    return out


@pytest.mark.parametrize("arithmetic", ["native", "portable"])
@pytest.mark.parametrize(("rows", "columns"), [(1, 3), (2, 2), (3, 2), (4, 1), (4, 5), (12, 2), (16, 3), (64, 1)])
def test_product_equals_its_definition(rows: int, columns: int, arithmetic: str) -> None:
    group, randomness = load_group(arithmetic), SeededRandomness(f"toom {rows} {columns}")
    left, first, second = (group.scalars_wide(randomness(64 * rows * columns)) for _ in range(3))
    elements = [group.generator().mul(values) for values in (first, second)]
    products = polynomial_product(group, left, elements, rows)
    for product, values in zip(products, (first, second), strict=True):
        expected = expected_logarithms(left.to_ints(), values.to_ints(), rows)
        assert product == group.generator().mul(group.scalars(expected))


@settings(max_examples=25, deadline=None)
@given(st.lists(scalar, min_size=16, max_size=16), st.lists(scalar, min_size=16, max_size=16))
def test_edge_values(left: list[int], right: list[int]) -> None:
    """Zeros, ones and equal entries, which make evaluations meet the identity or each other."""
    group = load_group("native")
    (product,) = polynomial_product(group, group.scalars(left), [group.generator().mul(group.scalars(right))], 16)
    assert product == group.generator().mul(group.scalars(expected_logarithms(left, right, 16)))


@pytest.mark.parametrize("rows", [1, 2, 4, 16, 64])
def test_row_of_identities_is_left_out(rows: int) -> None:
    group, randomness = load_group("native"), SeededRandomness("mask row")
    left = group.scalars_wide(randomness(64 * 2 * rows))
    others = group.generator().mul(group.scalars_wide(randomness(64 * 2 * (rows - 1))))
    polynomial = group.concat_elements([others, group.identity(2)])
    (product,) = polynomial_product(group, left, [polynomial], rows, last_row_empty=True)
    assert [product] == polynomial_product(group, left, [polynomial], rows)
    assert product.identity_mask().tolist() == [False] * (2 * rows - 2) + [True]
