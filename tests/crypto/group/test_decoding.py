"""What is refused, with which index, and that both kernels say it in the same words."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from crypto.errors import DecodeError
from crypto.group import ORDER, Group

BAD = bytes.fromhex("26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371")


@pytest.mark.parametrize("position", [0, 1, 255, 256, 599])
@pytest.mark.parametrize("later", [True, False])
def test_first_bad_element_is_named(group: Group, position: int, later: bool) -> None:
    encodings = [group.generator().encode()] * 600
    encodings[position] = BAD
    if later:
        encodings[-1] = BAD
    decoders: list[Callable[[bytes], object]] = [
        lambda data: group.elements_decode(data, allow_identity=False),
        lambda data: group.msm_decode(group.powers(3, 600), data, allow_identity=False),
    ]
    for decode in decoders:
        with pytest.raises(DecodeError, match=f"^element {position} is not a canonical encoding$") as caught:
            decode(b"".join(encodings))
        assert caught.value.index == position


def test_identity_is_the_callers_decision(group: Group) -> None:
    data = group.generator().encode() + bytes(32)
    assert group.elements_decode(data, allow_identity=True).identity_mask().tolist() == [False, True]
    assert group.msm_decode(group.scalars([2, 3]), data, allow_identity=True) == group.generator() + group.generator()
    with pytest.raises(DecodeError, match="^element 1 is the identity$") as caught:
        group.elements_decode(data, allow_identity=False)
    assert caught.value.index == 1
    with pytest.raises(DecodeError, match="^element 1 is the identity$") as caught:
        group.msm_decode(group.scalars([2, 3]), data, allow_identity=False)
    assert caught.value.index == 1


@pytest.mark.parametrize("value", [ORDER, ORDER + 1, 2**253, 2**255 - 20, 2**256 - 1])
def test_scalar_not_below_order_refused(group: Group, value: int) -> None:
    good = (ORDER - 1).to_bytes(32, "little")
    with pytest.raises(DecodeError, match="^scalar 1 is not below the group order$") as caught:
        group.scalars_decode(good + value.to_bytes(32, "little") + value.to_bytes(32, "little"))
    assert caught.value.index == 1
    assert group.scalars_decode(good).to_ints() == [ORDER - 1]


@pytest.mark.parametrize("length", [1, 15, 31, 33, 65])
def test_partial_items_refused(group: Group, length: int) -> None:
    decoders: list[tuple[int, Callable[[bytes], object]]] = [
        (32, group.scalars_decode),
        (64, group.scalars_wide),
        (16, group.scalars_short),
        (32, lambda data: group.elements_decode(data, allow_identity=True)),
        (64, group.elements_from_uniform),
        (32, lambda data: group.msm_decode(group.scalars([]), data, allow_identity=True)),
    ]
    for unit, decode in decoders:
        with pytest.raises(DecodeError, match=f"take a multiple of {unit} bytes, got {length}$") as caught:
            decode(bytes(length))
        assert caught.value.index is None


def _failures(group: Group) -> list[Callable[[], object]]:
    two, three = group.scalars([1, 2]), group.scalars([1, 2, 3])
    pair, triple = group.generator().mul(two), group.generator().mul(three)
    far = np.array([0, 3], dtype=np.uint32)
    return [
        lambda: two + three,
        lambda: two - three,
        lambda: two * three,
        lambda: two.inner(three),
        lambda: three.combine_rows(two),
        lambda: three.combine_rows(group.scalars([])),
        lambda: three.gather(far),
        lambda: three.gather(far.astype(np.int64)),
        lambda: three.gather(far.reshape(2, 1)),
        lambda: three[0],  # type: ignore[index]
        lambda: group.scalars([4, 0, 1, 0]).invert(),
        lambda: group.interleave_scalars([two, three]),
        lambda: pair + triple,
        lambda: pair - triple,
        lambda: pair.mul(three),
        lambda: pair.mul_vartime(three),
        lambda: pair.mul_encode(three),
        lambda: triple.sum_groups(2),
        lambda: triple.sum_groups(0),
        lambda: triple.gather(far),
        lambda: triple[1],  # type: ignore[index]
        lambda: group.interleave_elements([pair, triple]),
        lambda: group.msm(two, triple),
        lambda: group.msm_decode(two, triple.encode(), allow_identity=False),
        lambda: group.fixed_base(pair),
    ]


def test_misuse_fails_alike(both: tuple[Group, Group]) -> None:
    for number, (native, portable) in enumerate(zip(*map(_failures, both), strict=True)):
        raised: list[tuple[type[BaseException], str]] = []
        for misuse in (native, portable):
            with pytest.raises((ValueError, TypeError, IndexError, ZeroDivisionError)) as caught:
                misuse()
            raised.append((caught.type, str(caught.value)))
        assert raised[0] == raised[1], f"case {number}"
