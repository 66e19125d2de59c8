"""The contract that both implementations of the group arithmetic fulfil.

Everything hot is a vector operation. A vector is immutable, held in native form, and always valid: canonical decoding
is the only way in. Lone scalars are Python integers in ``range(ORDER)``; lone elements are vectors of length one.

Shapes: a scalar encodes to 32 bytes little-endian, an element to 32 bytes (RFC 9496), a G1 point to 48 and a G2 point
to 96 bytes (compressed, ZCash convention). A vector of n of them encodes to their plain concatenation.

Time: operations whose name ends in ``_vartime``, ``msm`` and everything that decodes may leak their operands through
time and are for public values (the shuffle prover is the documented exception, ADR 0003). All others are constant-time
in the native implementation; the portable one inherits libsodium's constant time for element operations and Python's
integers for scalars, which are not constant-time (ADR 0002).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

#: Order of ristretto255: 2^252 + 27742317777372353535851937790883648493.
ORDER = 2**252 + 27742317777372353535851937790883648493
#: Order of the BLS12-381 groups.
BLS_ORDER = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001

SCALAR_BYTES = 32
ELEMENT_BYTES = 32
G1_BYTES = 48
G2_BYTES = 96

Indices = NDArray[np.uint32]


class ScalarVector(Protocol):
    """n scalars modulo ORDER."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: slice) -> Self:
        """A slice (a step is allowed and copies); integers are refused, use ``to_ints``."""
        ...

    def __eq__(self, other: object) -> bool: ...
    def __add__(self, other: Self | int) -> Self: ...
    def __sub__(self, other: Self | int) -> Self: ...
    def __mul__(self, other: Self | int) -> Self:
        """Element-wise product, or every scalar times one integer."""
        ...

    def __neg__(self) -> Self: ...
    def encode(self) -> bytes: ...
    def to_ints(self) -> list[int]: ...
    def sum(self) -> int: ...
    def inner(self, other: Self) -> int:
        """Inner product of two vectors of one length, reduced once at the end."""
        ...

    def gather(self, indices: Indices) -> Self:
        """Entry i of the result is entry ``indices[i]`` of this vector (repetition is allowed)."""
        ...

    def prefix_products(self) -> Self:
        """Entry i of the result is the product of entries 0..i."""
        ...

    def invert(self) -> Self:
        """Element-wise inverse.

        Raises:
            ZeroDivisionError: an entry is zero.
        """
        ...

    def combine_rows(self, weights: Self) -> Self:
        """Read this vector as a matrix of len(weights) rows; return the weighted sum of its rows (lazy reduction)."""
        ...


class ElementVector(Protocol):
    """n elements of ristretto255."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: slice) -> Self:
        """A slice (a step is allowed and copies)."""
        ...

    def __eq__(self, other: object) -> bool: ...
    def __add__(self, other: Self) -> Self:
        """Element-wise sum; a vector of length one is broadcast."""
        ...

    def __sub__(self, other: Self) -> Self: ...
    def __neg__(self) -> Self: ...
    def encode(self) -> bytes:
        """Canonical encodings; kept once they are known (also from decoding), so asking again is free."""
        ...

    def mul(self, scalars: ScalarVector) -> Self:
        """Element-wise multiples, constant-time; one scalar or one element is broadcast."""
        ...

    def mul_vartime(self, scalars: ScalarVector) -> Self: ...
    def mul_encode(self, scalars: ScalarVector) -> bytes:
        """``mul(scalars).encode()`` with batched encoding, constant-time."""
        ...

    def sum(self) -> Self:
        """Vector of length one; the identity for an empty vector."""
        ...

    def sum_groups(self, size: int) -> Self:
        """Sums of consecutive runs of ``size`` entries: n entries become n / size."""
        ...

    def identity_mask(self) -> NDArray[np.bool_]:
        """True where an entry is the identity."""
        ...

    def gather(self, indices: Indices) -> Self: ...


class FixedBase(Protocol):
    """Precomputed multiples of one element."""

    def mul(self, scalars: ScalarVector) -> ElementVector:
        """Multiples of the base, constant-time."""
        ...

    def mul_vartime(self, scalars: ScalarVector) -> ElementVector:
        """Multiples of the base with a larger table."""
        ...

    def mul_add_vartime(self, scalars: ScalarVector, elements: ElementVector) -> ElementVector:
        """``mul_vartime(scalars) + elements`` in one pass."""
        ...

    def mul_encode(self, scalars: ScalarVector) -> bytes:
        """``mul(scalars).encode()`` with batched encoding, constant-time."""
        ...

    def mul_encode_vartime(self, scalars: ScalarVector) -> bytes: ...


class Group(Protocol):
    """ristretto255 (RFC 9496)."""

    name: str

    def scalars(self, values: Sequence[int]) -> ScalarVector:
        """Integers reduced modulo ORDER."""
        ...

    def scalars_decode(self, data: bytes) -> ScalarVector:
        """Canonical 32-byte little-endian scalars.

        Raises:
            DecodeError: names the first index that is not below ORDER, or a length that is no multiple of 32.
        """
        ...

    def scalars_wide(self, data: bytes) -> ScalarVector:
        """64 little-endian bytes each, reduced modulo ORDER. The way to make random scalars and challenges."""
        ...

    def scalars_short(self, data: bytes) -> ScalarVector:
        """16 little-endian bytes each: the 128-bit weights of batch verification."""
        ...

    def powers(self, base: int, count: int, first: int = 0) -> ScalarVector:
        """base^first, base^(first+1), ... : ``count`` entries."""
        ...

    def concat_scalars(self, vectors: Sequence[ScalarVector]) -> ScalarVector: ...
    def interleave_scalars(self, vectors: Sequence[ScalarVector]) -> ScalarVector:
        """Columns to rows: from k vectors of length n, entry i*k + j of the result is entry i of vector j."""
        ...

    def generator(self) -> ElementVector:
        """The base point of RFC 9496, a vector of length one."""
        ...

    def identity(self, count: int = 1) -> ElementVector: ...
    def elements_decode(self, data: bytes, *, allow_identity: bool) -> ElementVector:
        """Canonical encodings (RFC 9496 section 4.3.1).

        Raises:
            DecodeError: names the first index that is not canonical, or is the identity where that is refused.
        """
        ...

    def elements_from_uniform(self, data: bytes) -> ElementVector:
        """64 bytes each through the one-way map of RFC 9496 section 4.3.4."""
        ...

    def concat_elements(self, vectors: Sequence[ElementVector]) -> ElementVector: ...
    def interleave_elements(self, vectors: Sequence[ElementVector]) -> ElementVector: ...
    def evaluate_cubic(self, elements: ElementVector, place: int) -> list[ElementVector]:
        """Values of c0 + c1 Y + c2 Y^2 + c3 Y^3, where c0, c1, c2, c3 are the four equal blocks of the vector.

        At 1 and -1 (``place`` 0), at 2 and -2 (place 1), or 8 times the value at 1/2 (place 2). Toom-Cook's evaluation.
        """
        ...

    def fixed_base(self, element: ElementVector) -> FixedBase:
        """Tables for one element; made once and kept by the caller."""
        ...

    def msm(self, scalars: ScalarVector, elements: ElementVector) -> ElementVector:
        """Sum of scalars[i] * elements[i], a vector of length one; the identity when empty. Variable time."""
        ...

    def msm_decode(self, scalars: ScalarVector, data: bytes, *, allow_identity: bool) -> ElementVector:
        """``msm`` over encoded elements, decoding chunk by chunk so that memory stays bounded.

        Raises:
            DecodeError: as ``elements_decode``.
        """
        ...


class G1Vector(Protocol):
    """n points of the prime-order subgroup of BLS12-381 G1."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: slice) -> Self: ...
    def __eq__(self, other: object) -> bool: ...
    def __add__(self, other: Self) -> Self: ...
    def __neg__(self) -> Self: ...
    def encode(self) -> bytes: ...
    def mul(self, scalars: Sequence[int]) -> Self:
        """Element-wise multiples (scalars modulo BLS_ORDER), constant-time; one scalar or one point is broadcast."""
        ...

    def sum(self) -> Self: ...


class G2Vector(Protocol):
    """n points of the prime-order subgroup of BLS12-381 G2."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: slice) -> Self: ...
    def __eq__(self, other: object) -> bool: ...
    def __add__(self, other: Self) -> Self: ...
    def __neg__(self) -> Self: ...
    def encode(self) -> bytes: ...
    def mul(self, scalars: Sequence[int]) -> Self: ...
    def sum(self) -> Self: ...


class PairingGroup(Protocol):
    """BLS12-381."""

    name: str

    def g1_generator(self) -> G1Vector: ...
    def g2_generator(self) -> G2Vector: ...
    def g1_decode(self, data: bytes) -> G1Vector:
        """Compressed points; each is checked to be canonical, on the curve, in the subgroup and not the identity.

        Raises:
            DecodeError: names the first bad index and the reason.
        """
        ...

    def g2_decode(self, data: bytes) -> G2Vector: ...
    def hash_to_g1(self, messages: Sequence[bytes], dst: bytes) -> G1Vector:
        """BLS12381G1_XMD:SHA-256_SSWU_RO_ of RFC 9380 with the given domain separation tag."""
        ...

    def g1_msm(self, weights: bytes, points: G1Vector) -> G1Vector:
        """Sum of weights[i] * points[i] with 16-byte little-endian weights; variable time."""
        ...

    def g1_msm_decode(self, weights: bytes, data: bytes) -> G1Vector:
        """``g1_msm`` over encoded points, each checked as by ``g1_decode``."""
        ...

    def g1_msm_hash(self, weights: bytes, messages: Sequence[bytes], dst: bytes) -> G1Vector:
        """``g1_msm`` over hashed messages, without keeping them."""
        ...

    def pairing_product_is_one(self, g1: G1Vector, g2: G2Vector) -> bool:
        """Whether the product of e(g1[i], g2[i]) is one: one Miller loop per pair, one final exponentiation."""
        ...
