"""The operations made for the shuffle prover, against their definitions, in both arithmetics."""

from __future__ import annotations

import hashlib

import pytest

from crypto.group import load_group
from crypto.group.interface import Group, ScalarVector


def scalars(group: Group, name: str, count: int) -> ScalarVector:
    return group.scalars_wide(hashlib.shake_256(name.encode()).digest(64 * count))


@pytest.mark.parametrize("arithmetic", ["native", "portable"])
@pytest.mark.parametrize("size", [0, 1, 5])
def test_evaluate_cubic(arithmetic: str, size: int) -> None:
    group = load_group(arithmetic)
    values = scalars(group, "cubic", 4 * size).to_ints()
    values[: min(2, 4 * size)] = [0] * min(2, 4 * size)
    elements = group.generator().mul(group.scalars(values))
    blocks = [values[block * size : (block + 1) * size] for block in range(4)]

    def at(weights: tuple[int, int, int, int]) -> object:
        sums = [sum(w * c for w, c in zip(weights, entry, strict=True)) for entry in zip(*blocks, strict=True)]
        return group.generator().mul(group.scalars(sums))

    assert group.evaluate_cubic(elements, 0) == [at((1, 1, 1, 1)), at((1, -1, 1, -1))]
    assert group.evaluate_cubic(elements, 1) == [at((1, 2, 4, 8)), at((1, -2, 4, -8))]
    assert group.evaluate_cubic(elements, 2) == [at((8, 4, 2, 1))]


@pytest.mark.parametrize("arithmetic", ["native", "portable"])
def test_evaluate_cubic_refuses_other_shapes(arithmetic: str) -> None:
    group = load_group(arithmetic)
    with pytest.raises(ValueError, match="do not make 4 rows"):
        group.evaluate_cubic(group.identity(6), 0)
    with pytest.raises(IndexError):
        group.evaluate_cubic(group.identity(4), 3)


@pytest.mark.parametrize(("arithmetic", "count"), [("native", 7), ("native", 3000), ("portable", 7)])
def test_fixed_base_multiples(arithmetic: str, count: int) -> None:
    """Below and above the number from which the large table is made; digits at the ends of their range."""
    group = load_group(arithmetic)
    edges = [0, 1, 2**12, 2**12 + 1, 2**13 - 1, 2**252, -1, -(2**12)]
    factors = group.concat_scalars([group.scalars(edges), scalars(group, "factors", count)])
    start = group.generator().mul(scalars(group, "start", len(factors)))
    base = group.generator().mul(group.scalars([4711]))
    table = group.fixed_base(base)
    expected = base.mul(factors)
    assert table.mul_vartime(factors) == expected
    assert table.mul_add_vartime(factors, start) == expected + start
    assert table.mul_add_vartime(factors, group.identity(len(factors))) == expected
    assert len(table.mul_add_vartime(factors[:0], start[:0])) == 0
    with pytest.raises(ValueError, match="lengths"):
        table.mul_add_vartime(factors, start[:1])
