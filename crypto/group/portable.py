"""The portable implementation: libsodium's ristretto255 through ``rbcl``, one element at a time.

It shares no line of curve code with the native kernel. Elements are kept as their canonical encodings, so equality is
equality of bytes. Element operations inherit libsodium's constant time; scalars are Python integers and are not
constant-time (ADR 0002), so this module is for verifying and for machines without a Rust toolchain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, chain
from typing import Final, Generic, Self, TypeVar

import numpy as np
import rbcl
from numpy.typing import NDArray

from crypto.errors import DecodeError
from crypto.group.interface import ELEMENT_BYTES, ORDER, SCALAR_BYTES, Indices

T = TypeVar("T")
U = TypeVar("U")

FIELD_PRIME: Final = 2**255 - 19
IDENTITY: Final = bytes(ELEMENT_BYTES)
GENERATOR: Final[bytes] = rbcl.crypto_scalarmult_ristretto255_base((1).to_bytes(SCALAR_BYTES, "little"))


def check_lengths(left: int, right: int) -> None:
    if left != right:
        raise ValueError(f"lengths differ: {left} and {right}")


def broadcast_length(left: int, right: int) -> int:
    """Length of a result where a vector of length one is repeated as often as the other needs it."""
    if left == 1:
        return right
    if right != 1:
        check_lengths(left, right)
    return left


def split(what: str, data: bytes, unit: int) -> list[bytes]:
    if len(data) % unit:
        raise DecodeError(f"{what} take a multiple of {unit} bytes, got {len(data)}")
    return [data[start : start + unit] for start in range(0, len(data), unit)]


class Vector(Generic[T]):
    """An immutable sequence of valid items."""

    __slots__ = ("items",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, items: list[T]) -> None:
        self.items: Final = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: slice) -> Self:
        if not isinstance(index, slice):
            raise TypeError("vectors take slices only")
        return type(self)(self.items[index])

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.items == other.items

    def gather(self, indices: Indices) -> Self:
        if not isinstance(indices, np.ndarray) or indices.dtype != np.uint32 or indices.ndim != 1:
            raise TypeError("indices are a one-dimensional array of uint32")
        length = len(self.items)
        picked = indices.tolist()
        for index in picked:
            if index >= length:
                raise IndexError(f"index {index} is out of range for {length} entries")
        return type(self)([self.items[index] for index in picked])

    @classmethod
    def concat(cls, vectors: Sequence[Self]) -> Self:
        return cls(list(chain.from_iterable(vector.items for vector in vectors)))

    @classmethod
    def interleave(cls, vectors: Sequence[Self]) -> Self:
        for vector in vectors:
            check_lengths(len(vectors[0]), len(vector))
        return cls(list(chain.from_iterable(zip(*(vector.items for vector in vectors), strict=True))))

    def paired(self, other: Vector[U]) -> Iterator[tuple[T, U]]:
        """Pairs of entries, a vector of length one being repeated."""
        length = broadcast_length(len(self), len(other))
        left = self.items * length if len(self) == 1 else self.items
        right = other.items * length if len(other) == 1 else other.items
        return zip(left, right, strict=True)


class PortableScalarVector(Vector[int]):
    def _combine(self, other: Self | int, operation: Callable[[int, int], int]) -> Self:
        if isinstance(other, int):
            return type(self)([operation(value, other) % ORDER for value in self.items])
        if not isinstance(other, PortableScalarVector):
            return NotImplemented
        check_lengths(len(self), len(other))
        return type(self)([operation(a, b) % ORDER for a, b in zip(self.items, other.items, strict=True)])

    def __add__(self, other: Self | int) -> Self:
        return self._combine(other, int.__add__)

    def __sub__(self, other: Self | int) -> Self:
        return self._combine(other, int.__sub__)

    def __mul__(self, other: Self | int) -> Self:
        return self._combine(other, int.__mul__)

    def __neg__(self) -> Self:
        return type(self)([-value % ORDER for value in self.items])

    def encode(self) -> bytes:
        return b"".join(self._encodings())

    def _encodings(self) -> list[bytes]:
        return [value.to_bytes(SCALAR_BYTES, "little") for value in self.items]

    def to_ints(self) -> list[int]:
        return list(self.items)

    def sum(self) -> int:
        return sum(self.items) % ORDER

    def inner(self, other: Self) -> int:
        check_lengths(len(self), len(other))
        return sum(a * b for a, b in zip(self.items, other.items, strict=True)) % ORDER

    def prefix_products(self) -> Self:
        return type(self)(list(accumulate(self.items, lambda product, value: product * value % ORDER)))

    def invert(self) -> Self:
        for index, value in enumerate(self.items):
            if value == 0:
                raise ZeroDivisionError(f"scalar {index} is zero and has no inverse")
        return type(self)([pow(value, -1, ORDER) for value in self.items])

    def combine_rows(self, weights: Self) -> Self:
        rows = len(weights)
        if rows == 0 or len(self) % rows:
            raise ValueError(f"{len(self)} entries do not make {rows} rows")
        columns = len(self) // rows
        return type(self)(
            [
                sum(weight * value for weight, value in zip(weights.items, self.items[j::columns], strict=True)) % ORDER
                for j in range(columns)
            ]
        )


def _is_canonical(element: bytes) -> bool:
    """Checked here too: libsodium 1.0.18, which rbcl bundles, ignores the highest bit."""
    value = int.from_bytes(element, "little")
    return value < FIELD_PRIME and value % 2 == 0


def _multiply(scalar: bytes, element: bytes) -> bytes:
    """libsodium reports a result that is the identity as a failure; with a valid element nothing else can fail."""
    if element == IDENTITY or not any(scalar):
        return IDENTITY
    return bytes(rbcl.crypto_scalarmult_ristretto255(scalar, element))


def _multiply_generator(scalar: bytes) -> bytes:
    if not any(scalar):
        return IDENTITY
    return bytes(rbcl.crypto_scalarmult_ristretto255_base(scalar))


def _sum(elements: Sequence[bytes]) -> bytes:
    total = IDENTITY
    for element in elements:
        total = rbcl.crypto_core_ristretto255_add(total, element)
    return total


class PortableElementVector(Vector[bytes]):
    def __add__(self, other: Self) -> Self:
        if not isinstance(other, PortableElementVector):
            return NotImplemented
        return type(self)([rbcl.crypto_core_ristretto255_add(a, b) for a, b in self.paired(other)])

    def __sub__(self, other: Self) -> Self:
        if not isinstance(other, PortableElementVector):
            return NotImplemented
        return type(self)([rbcl.crypto_core_ristretto255_sub(a, b) for a, b in self.paired(other)])

    def __neg__(self) -> Self:
        return type(self)([rbcl.crypto_core_ristretto255_sub(IDENTITY, element) for element in self.items])

    def encode(self) -> bytes:
        return b"".join(self.items)

    def mul(self, scalars: PortableScalarVector) -> Self:
        encoded = Vector(scalars._encodings())
        return type(self)([_multiply(scalar, element) for element, scalar in self.paired(encoded)])

    def mul_vartime(self, scalars: PortableScalarVector) -> Self:
        return self.mul(scalars)

    def mul_encode(self, scalars: PortableScalarVector) -> bytes:
        return self.mul(scalars).encode()

    def sum(self) -> Self:
        return type(self)([_sum(self.items)])

    def sum_groups(self, size: int) -> Self:
        if size < 0:
            raise OverflowError("a size is not negative")
        if size == 0 or len(self) % size:
            raise ValueError(f"{len(self)} entries do not make runs of {size}")
        return type(self)([_sum(self.items[start : start + size]) for start in range(0, len(self), size)])

    def identity_mask(self) -> NDArray[np.bool_]:
        return np.array([element == IDENTITY for element in self.items], dtype=np.bool_)


class PortableFixedBase:
    """There are no tables to make except libsodium's own for the generator."""

    def __init__(self, base: bytes) -> None:
        self._base = PortableElementVector([base])
        self._is_generator = base == GENERATOR

    def mul(self, scalars: PortableScalarVector) -> PortableElementVector:
        if self._is_generator:
            return PortableElementVector([_multiply_generator(scalar) for scalar in scalars._encodings()])
        return self._base.mul(scalars)

    def mul_vartime(self, scalars: PortableScalarVector) -> PortableElementVector:
        return self.mul(scalars)

    def mul_add_vartime(self, scalars: PortableScalarVector, elements: PortableElementVector) -> PortableElementVector:
        check_lengths(len(scalars), len(elements))
        return self.mul(scalars) + elements

    def mul_encode(self, scalars: PortableScalarVector) -> bytes:
        return self.mul(scalars).encode()

    def mul_encode_vartime(self, scalars: PortableScalarVector) -> bytes:
        return self.mul(scalars).encode()


class PortableGroup:
    """ristretto255 on libsodium."""

    name = "portable"

    def scalars(self, values: Sequence[int]) -> PortableScalarVector:
        return PortableScalarVector([value % ORDER for value in values])

    def scalars_decode(self, data: bytes) -> PortableScalarVector:
        values = [int.from_bytes(part, "little") for part in split("scalars", data, SCALAR_BYTES)]
        for index, value in enumerate(values):
            if value >= ORDER:
                raise DecodeError(f"scalar {index} is not below the group order", index)
        return PortableScalarVector(values)

    def scalars_wide(self, data: bytes) -> PortableScalarVector:
        return self.scalars([int.from_bytes(part, "little") for part in split("wide scalars", data, 64)])

    def scalars_short(self, data: bytes) -> PortableScalarVector:
        return self.scalars([int.from_bytes(part, "little") for part in split("short scalars", data, 16)])

    def powers(self, base: int, count: int, first: int = 0) -> PortableScalarVector:
        values: list[int] = []
        power = pow(base, first, ORDER)
        for _ in range(count):
            values.append(power)
            power = power * base % ORDER
        return PortableScalarVector(values)

    def concat_scalars(self, vectors: Sequence[PortableScalarVector]) -> PortableScalarVector:
        return PortableScalarVector.concat(vectors)

    def interleave_scalars(self, vectors: Sequence[PortableScalarVector]) -> PortableScalarVector:
        return PortableScalarVector.interleave(vectors)

    def generator(self) -> PortableElementVector:
        return PortableElementVector([GENERATOR])

    def identity(self, count: int = 1) -> PortableElementVector:
        return PortableElementVector([IDENTITY] * count)

    def elements_decode(self, data: bytes, *, allow_identity: bool) -> PortableElementVector:
        elements = split("elements", data, ELEMENT_BYTES)
        for index, element in enumerate(elements):
            if element == IDENTITY:
                if not allow_identity:
                    raise DecodeError(f"element {index} is the identity", index)
            elif not _is_canonical(element) or not rbcl.crypto_core_ristretto255_is_valid_point(element):
                raise DecodeError(f"element {index} is not a canonical encoding", index)
        return PortableElementVector(elements)

    def elements_from_uniform(self, data: bytes) -> PortableElementVector:
        return PortableElementVector(
            [rbcl.crypto_core_ristretto255_from_hash(part) for part in split("uniform strings", data, 64)]
        )

    def concat_elements(self, vectors: Sequence[PortableElementVector]) -> PortableElementVector:
        return PortableElementVector.concat(vectors)

    def interleave_elements(self, vectors: Sequence[PortableElementVector]) -> PortableElementVector:
        return PortableElementVector.interleave(vectors)

    def evaluate_cubic(self, elements: PortableElementVector, place: int) -> list[PortableElementVector]:
        if len(elements) % 4:
            raise ValueError(f"{len(elements)} entries do not make 4 rows")
        if not 0 <= place <= 2:
            raise IndexError(f"place {place} is not among the three")
        size = len(elements) // 4
        c0, c1, c2, c3 = (elements[block * size : (block + 1) * size] for block in range(4))
        if place == 2:
            for lower in (c1, c2, c3):
                c0 = c0 + c0 + lower
            return [c0]
        for _ in range(place):
            c1, c2, c3 = c1 + c1, c2 + c2 + c2 + c2, c3 + c3
            c3 = c3 + c3 + c3 + c3
        even, odd = c0 + c2, c1 + c3
        return [even + odd, even - odd]

    def fixed_base(self, element: PortableElementVector) -> PortableFixedBase:
        check_lengths(len(element), 1)
        return PortableFixedBase(element.items[0])

    def msm(self, scalars: PortableScalarVector, elements: PortableElementVector) -> PortableElementVector:
        check_lengths(len(scalars), len(elements))
        return elements.mul(scalars).sum()

    def msm_decode(self, scalars: PortableScalarVector, data: bytes, *, allow_identity: bool) -> PortableElementVector:
        elements = self.elements_decode(data, allow_identity=allow_identity)
        return self.msm(scalars, elements)
