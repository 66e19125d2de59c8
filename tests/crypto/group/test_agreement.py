"""Native and portable give the same bytes for every operation, on random and on edge inputs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crypto.group import ORDER, ElementVector, Group, ScalarVector

EDGES = [0, 1, 2, 3, ORDER - 1, ORDER - 2, (ORDER + 1) // 2, 2**252, 2**252 - 1, 2**128 - 1, 2**128, 2**64 - 1]
GENERATOR = bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76")

scalars = st.one_of(st.sampled_from(EDGES), st.integers(0, ORDER - 1))
scalar_lists = st.lists(scalars, max_size=9)
#: Logarithms of elements: the identity, the generator, inverses of each other and equal entries all come up.
element_lists = st.lists(st.one_of(st.sampled_from(EDGES), st.integers(0, ORDER - 1)), max_size=7)
relaxed = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)

Operation = Callable[[Group], object]


def plain(value: object) -> object:
    """What two kernels can be compared by."""
    if hasattr(value, "encode") and not isinstance(value, str):
        return value.encode()
    return value.tolist() if isinstance(value, np.ndarray) else value


def agree(both: tuple[Group, Group], *operations: Operation) -> None:
    for number, operation in enumerate(operations):
        native, portable = (plain(operation(group)) for group in both)
        assert native == portable, f"operation {number}"


def elements(group: Group, logarithms: list[int]) -> ElementVector:
    return group.generator().mul(group.scalars(logarithms))


def same_length(values: list[int], other: list[int]) -> tuple[list[int], list[int]]:
    length = min(len(values), len(other))
    return values[:length], other[:length]


@relaxed
@given(scalar_lists, scalar_lists, st.integers(-(2**300), 2**300))
def test_scalar_arithmetic(both: tuple[Group, Group], first: list[int], second: list[int], one: int) -> None:
    a, b = same_length(first, second)
    agree(
        both,
        lambda g: g.scalars(a),
        lambda g: g.scalars(a) + g.scalars(b),
        lambda g: g.scalars(a) - g.scalars(b),
        lambda g: g.scalars(a) * g.scalars(b),
        lambda g: g.scalars(a) + one,
        lambda g: g.scalars(a) - one,
        lambda g: g.scalars(a) * one,
        lambda g: -g.scalars(a),
        lambda g: g.scalars(a).sum(),
        lambda g: g.scalars(a).inner(g.scalars(b)),
        lambda g: g.scalars(a).prefix_products(),
        lambda g: g.scalars([x for x in a if x]).invert(),
        lambda g: g.scalars(a).to_ints(),
        lambda g: g.scalars([one] * 3),
        lambda g: g.scalars(a) == g.scalars(b),
        lambda g: g.scalars(a) == g.scalars(a[:-1]),
        lambda g: g.concat_scalars([g.scalars(a), g.scalars(second), g.scalars([])]),
        lambda g: g.interleave_scalars([g.scalars(a), g.scalars(b)]),
    )


@relaxed
@given(scalar_lists)
def test_scalars_are_integers_modulo_order(both: tuple[Group, Group], values: list[int]) -> None:
    """The definition itself, so that two kernels cannot be wrong together."""
    for group in both:
        vector = group.scalars(values)
        reverse = group.scalars(values[::-1])
        assert vector.inner(reverse) == sum(x * y for x, y in zip(values, values[::-1], strict=True)) % ORDER
        assert (vector * reverse).to_ints() == [x * y % ORDER for x, y in zip(values, values[::-1], strict=True)]
        inverses = group.scalars([value for value in values if value]).invert().to_ints()
        assert inverses == [pow(value, -1, ORDER) for value in values if value]


@relaxed
@given(st.integers(1, 5), scalar_lists, scalar_lists)
def test_combine_rows(both: tuple[Group, Group], rows: int, weights: list[int], entries: list[int]) -> None:
    weights = (weights * rows + [1] * rows)[:rows]
    entries = entries * rows
    agree(both, lambda g: g.scalars(entries).combine_rows(g.scalars(weights)))


@relaxed
@given(st.integers(-5, ORDER + 5), st.integers(0, 6), st.sampled_from([-3, -1, 0, 1, 2, ORDER, 2**256]))
def test_powers(both: tuple[Group, Group], base: int, count: int, first: int) -> None:
    if base % ORDER == 0 and first < 0:
        base = 7
    agree(both, lambda g: g.powers(base, count, first))
    expected = [pow(base, first + i, ORDER) for i in range(count)]
    assert all(group.powers(base, count, first).to_ints() == expected for group in both)


@relaxed
@given(st.binary(max_size=256))
def test_scalars_from_bytes(both: tuple[Group, Group], data: bytes) -> None:
    whole = data[: len(data) // 64 * 64]
    agree(both, lambda g: g.scalars_wide(whole), lambda g: g.scalars_short(whole))
    top = b"\xff" * 64
    agree(both, lambda g: g.scalars_wide(top), lambda g: g.scalars_short(top))


@relaxed
@given(element_lists, element_lists, scalar_lists)
def test_element_arithmetic(both: tuple[Group, Group], p: list[int], q: list[int], factors: list[int]) -> None:
    a, b = same_length(p, q)
    c, s = same_length(p, factors)
    one = factors[:1] or [5]
    agree(
        both,
        lambda g: elements(g, a),
        lambda g: elements(g, a) + elements(g, b),
        lambda g: elements(g, a) - elements(g, b),
        lambda g: elements(g, a) - elements(g, a),
        lambda g: elements(g, a) + elements(g, one),
        lambda g: elements(g, one) - elements(g, a),
        lambda g: -elements(g, a),
        lambda g: elements(g, a).sum(),
        lambda g: elements(g, a + b).sum_groups(2),
        lambda g: elements(g, a).identity_mask(),
        lambda g: elements(g, c).mul(g.scalars(s)),
        lambda g: elements(g, c).mul_vartime(g.scalars(s)),
        lambda g: elements(g, c).mul_encode(g.scalars(s)),
        lambda g: elements(g, c).mul(g.scalars(one)),
        lambda g: elements(g, one).mul(g.scalars(s)),
        lambda g: g.msm(g.scalars(s), elements(g, c)),
        lambda g: g.msm_decode(g.scalars(s), elements(g, c).encode(), allow_identity=True),
        lambda g: elements(g, a) == elements(g, b),
        lambda g: g.concat_elements([elements(g, a), elements(g, q)]),
        lambda g: g.interleave_elements([elements(g, a), elements(g, b), elements(g, a)]),
    )


@relaxed
@given(element_lists, scalar_lists)
def test_elements_behave_like_their_logarithms(
    both: tuple[Group, Group], logarithms: list[int], factors: list[int]
) -> None:
    p, s = same_length(logarithms, factors)
    total = sum(x * y for x, y in zip(p, s, strict=True))
    for group in both:
        product = group.msm(group.scalars(s), elements(group, p))
        assert product == elements(group, [total])
        assert product == elements(group, p).mul(group.scalars(s)).sum()


@relaxed
@given(scalars, scalar_lists)
def test_fixed_base(both: tuple[Group, Group], base: int, factors: list[int]) -> None:
    agree(
        both,
        lambda g: g.fixed_base(elements(g, [base])).mul(g.scalars(factors)),
        lambda g: g.fixed_base(elements(g, [base])).mul_vartime(g.scalars(factors)),
        lambda g: g.fixed_base(elements(g, [base])).mul_encode(g.scalars(factors)),
        lambda g: g.fixed_base(elements(g, [base])).mul_encode_vartime(g.scalars(factors)),
        lambda g: g.fixed_base(g.generator()).mul(g.scalars(factors)),
    )


@relaxed
@given(st.binary(max_size=192))
def test_elements_from_uniform(both: tuple[Group, Group], data: bytes) -> None:
    whole = data[: len(data) // 64 * 64]
    agree(both, lambda g: g.elements_from_uniform(whole))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(st.binary(min_size=32, max_size=32), st.integers(0, 2**255 - 20).map(lambda s: s.to_bytes(32, "little")))
)
def test_same_encodings_are_valid(both: tuple[Group, Group], data: bytes) -> None:
    def decode(group: Group) -> object:
        try:
            return group.elements_decode(data, allow_identity=True).encode()
        except ValueError as error:
            return str(error)

    agree(both, decode)


@relaxed
@given(scalar_lists, st.slices(9), st.lists(st.integers(0, 8), max_size=12))
def test_slices_and_gather(both: tuple[Group, Group], values: list[int], part: slice, picks: list[int]) -> None:
    indices = np.array([pick for pick in picks if pick < len(values)], dtype=np.uint32)
    agree(
        both,
        lambda g: g.scalars(values)[part],
        lambda g: g.scalars(values)[part][::2],
        lambda g: g.scalars(values).gather(indices),
        lambda g: elements(g, values)[part],
        lambda g: elements(g, values)[part][::-1],
        lambda g: elements(g, values).gather(indices),
        lambda g: g.scalars(values)[::3].inner(g.scalars(values)[::3]),
    )
    for group in both:
        assert group.scalars(values)[part].to_ints() == values[part]
        assert group.scalars(values).gather(indices).to_ints() == [values[i] for i in indices]


def test_empty_vectors(group: Group) -> None:
    nothing: ScalarVector = group.scalars([])
    void = group.identity(0)
    assert len(nothing) == len(void) == 0
    assert nothing.encode() == void.encode() == b""
    assert nothing.sum() == 0
    assert nothing.inner(nothing) == 0
    assert void.sum().identity_mask().tolist() == [True]
    assert group.msm(nothing, void).identity_mask().tolist() == [True]
    assert group.msm_decode(nothing, b"", allow_identity=False).identity_mask().tolist() == [True]
    assert len(void.mul(group.scalars([1]))) == 0
    assert len(group.generator().mul(nothing)) == 0
    assert len(group.generator() + void) == 0
    assert len(nothing.prefix_products()) == len(nothing.invert()) == len(nothing.gather(np.zeros(0, np.uint32))) == 0
    assert len(group.concat_scalars([])) == len(group.interleave_elements([])) == 0
    assert len(nothing.combine_rows(group.scalars([1, 2]))) == 0


@pytest.mark.parametrize("count", [1, 189, 190, 499, 500, 801, 2047, 2500])
def test_long_multiplications(both: tuple[Group, Group], count: int) -> None:
    """Lengths on both sides of every change of method in the native kernel, against the logarithms."""
    native, _ = both
    a, b = native.powers(12345, count), native.powers(-678, count, 3)
    points = native.fixed_base(native.generator()).mul_vartime(b)
    expected = native.generator().mul(native.scalars([a.inner(b)]))
    assert native.msm(a, points) == expected
    assert native.msm_decode(a, points.encode(), allow_identity=False) == expected
    short = native.scalars_short(bytes(range(16)) * count)
    assert native.msm(short, points) == native.generator().mul(native.scalars([short.inner(b)]))
    assert points == native.generator().mul(b)
    assert native.fixed_base(native.generator()).mul_encode_vartime(b) == points.encode()


def test_portable_fixed_base_of_generator_is_not_special(both: tuple[Group, Group]) -> None:
    factors = [0, 1, 2**200, ORDER - 1]
    for group in both:
        generator = group.elements_decode(GENERATOR, allow_identity=False)
        assert group.fixed_base(generator).mul(group.scalars(factors)) == elements(group, factors)


@pytest.mark.parametrize("count", [63, 64, 65, 300, 5000])
def test_lazy_sums_of_largest_scalars(both: tuple[Group, Group], count: int) -> None:
    """Sums of products are reduced once at the end; nothing may be lost above 512 bits."""
    largest = [ORDER - 1 - i % 2 for i in range(count)]
    expected = sum(value * value for value in largest) % ORDER
    for group in both:
        vector = group.scalars(largest)
        assert vector.inner(vector) == expected
        assert vector.combine_rows(vector).to_ints() == [expected]
        assert group.interleave_scalars([vector] * 3).combine_rows(vector).to_ints() == [expected] * 3


@relaxed
@given(element_lists, st.slices(7), st.lists(st.integers(0, 6), max_size=9))
def test_kept_encodings_follow_their_elements(
    both: tuple[Group, Group], logarithms: list[int], part: slice, picks: list[int]
) -> None:
    """A vector remembers the encodings that it was decoded from; whatever rearranges it must rearrange them alike."""
    indices = np.array([pick for pick in picks if pick < len(logarithms)], dtype=np.uint32)
    for group in both:
        fresh = elements(group, logarithms)
        data = elements(group, logarithms).encode()
        known = group.elements_decode(data, allow_identity=True)
        assert known.encode() == data
        assert known[part].encode() == fresh[part].encode()
        assert known.gather(indices).encode() == fresh.gather(indices).encode()
        assert group.concat_elements([known, known[part]]).encode() == data + fresh[part].encode()
        assert group.concat_elements([known, -fresh]).encode() == data + (-fresh).encode()
        rows = group.interleave_elements([known, known[::-1]]).encode()
        assert rows == group.interleave_elements([fresh, fresh[::-1]]).encode()
        assert (-known).encode() == (-fresh).encode()
        assert known == fresh
