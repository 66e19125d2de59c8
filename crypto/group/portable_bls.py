"""The portable pairing group: BLS12-381 on ``py_ecc``, which shares no line of code with blst.

Nothing here is constant-time. One credential costs about 12 ms to decode, hash and weigh; a pairing 150 ms.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final, Protocol, Self

from py_ecc.bls.hash_to_curve import hash_to_G1
from py_ecc.bls.point_compression import modular_squareroot_in_FQ2
from py_ecc.fields import optimized_bls12_381_FQ as FQ
from py_ecc.fields import optimized_bls12_381_FQ2 as FQ2
from py_ecc.fields import optimized_bls12_381_FQ12 as FQ12
from py_ecc.optimized_bls12_381 import G1, G2, Z1, Z2, add, b2, eq, field_modulus, is_inf, multiply, neg, normalize
from py_ecc.optimized_bls12_381.optimized_pairing import final_exponentiate, pairing

from crypto.errors import DecodeError
from crypto.group.interface import BLS_ORDER, G1_BYTES, G2_BYTES
from crypto.group.portable import Vector, broadcast_length, check_lengths, split

COORDINATE_BYTES: Final = 48
WEIGHT_BYTES: Final = 16
COMPRESSED: Final = 0x80
INFINITY: Final = 0x40
SIGN: Final = 0x20

#: A point of py_ecc: three projective coordinates over FQ or FQ2.
Point = tuple[Any, Any, Any]


class _Refusal(Exception):
    """Why an encoding was refused."""


def _coordinates(data: bytes) -> tuple[bool, list[int]]:
    """Sign flag and the coordinates of x, highest coefficient first."""
    flags, first = data[0], bytes([data[0] & 0x1F]) + data[1:COORDINATE_BYTES]
    if not flags & COMPRESSED:
        raise _Refusal("not a canonical encoding")
    parts = [first] + [data[i : i + COORDINATE_BYTES] for i in range(COORDINATE_BYTES, len(data), COORDINATE_BYTES)]
    coordinates = [int.from_bytes(part, "big") for part in parts]
    if flags & INFINITY:
        raise _Refusal("not a canonical encoding" if flags & SIGN or any(coordinates) else "the identity")
    if any(coordinate >= field_modulus for coordinate in coordinates):
        raise _Refusal("not a canonical encoding")
    return bool(flags & SIGN), coordinates


def _is_large(value: int) -> bool:
    return 2 * value > field_modulus


def _decode_g1(data: bytes) -> Point:
    sign, (x,) = _coordinates(data)
    square = (pow(x, 3, field_modulus) + 4) % field_modulus
    y = pow(square, (field_modulus + 1) // 4, field_modulus)
    if y * y % field_modulus != square:
        raise _Refusal("not on the curve")
    if _is_large(y) != sign:
        y = -y % field_modulus
    return FQ(x), FQ(y), FQ.one()


def _decode_g2(data: bytes) -> Point:
    sign, (imaginary, real) = _coordinates(data)
    x = FQ2([real, imaginary])
    y = modular_squareroot_in_FQ2(x**3 + b2)
    if y is None:
        raise _Refusal("not on the curve")
    if _g2_sign(y) != sign:
        y = -y
    return x, y, FQ2.one()


def _g2_sign(y: Any) -> bool:
    real, imaginary = (int(coefficient) for coefficient in y.coeffs)
    return _is_large(imaginary) or (imaginary == 0 and _is_large(real))


def _encode_g1(point: Point) -> bytes:
    if is_inf(point):
        return bytes([COMPRESSED | INFINITY]).ljust(G1_BYTES, b"\0")
    x, y = normalize(point)
    return _with_flags(int(x).to_bytes(COORDINATE_BYTES, "big"), _is_large(int(y)))


def _encode_g2(point: Point) -> bytes:
    if is_inf(point):
        return bytes([COMPRESSED | INFINITY]).ljust(G2_BYTES, b"\0")
    x, y = normalize(point)
    real, imaginary = (int(coefficient).to_bytes(COORDINATE_BYTES, "big") for coefficient in x.coeffs)
    return _with_flags(imaginary + real, _g2_sign(y))


def _with_flags(data: bytes, sign: bool) -> bytes:
    return bytes([data[0] | COMPRESSED | (SIGN if sign else 0)]) + data[1:]


class _Decoder(Protocol):
    def __call__(self, data: bytes, /) -> Point: ...


def _decode(label: str, unit: int, decode: _Decoder, data: bytes) -> list[Point]:
    points = []
    for index, part in enumerate(split(f"{label} points", data, unit)):
        try:
            point = decode(part)
            if not is_inf(multiply(point, BLS_ORDER)):
                raise _Refusal("not in the subgroup")
        except _Refusal as refusal:
            raise DecodeError(f"{label} point {index} is {refusal}", index) from None
        points.append(point)
    return points


class _PointVector(Vector[Point]):
    zero: Point

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return len(self) == len(other) and all(eq(a, b) for a, b in zip(self.items, other.items, strict=True))

    def __add__(self, other: Self) -> Self:
        if type(other) is not type(self):
            return NotImplemented
        return type(self)([add(a, b) for a, b in self.paired(other)])

    def __neg__(self) -> Self:
        return type(self)([neg(point) for point in self.items])

    def mul(self, scalars: Sequence[int]) -> Self:
        scalars = list(scalars)
        length = broadcast_length(len(self), len(scalars))
        points = self.items * length if len(self) == 1 else self.items
        scalars = scalars * length if len(scalars) == 1 else scalars
        return type(self)([multiply(point, s % BLS_ORDER) for point, s in zip(points, scalars, strict=True)])

    def sum(self) -> Self:
        total = self.zero
        for point in self.items:
            total = add(total, point)
        return type(self)([total])


class PortableG1Vector(_PointVector):
    zero = Z1

    def encode(self) -> bytes:
        return b"".join(map(_encode_g1, self.items))


class PortableG2Vector(_PointVector):
    zero = Z2

    def encode(self) -> bytes:
        return b"".join(map(_encode_g2, self.items))


def _bucket_sum(weights: Sequence[int], points: Sequence[Point], window: int) -> Point:
    """Pippenger's method: per window one bucket for each digit, then a running sum over the buckets."""
    total = Z1
    for shift in reversed(range(0, 8 * WEIGHT_BYTES, window)):
        for _ in range(window):
            total = add(total, total)
        buckets = [Z1] * (1 << window)
        for weight, point in zip(weights, points, strict=True):
            digit = weight >> shift & ((1 << window) - 1)
            buckets[digit] = add(buckets[digit], point)
        running = Z1
        for bucket in reversed(buckets[1:]):
            running = add(running, bucket)
            total = add(total, running)
    return total


class PortablePairingGroup:
    """BLS12-381 on py_ecc."""

    name = "portable"

    def g1_generator(self) -> PortableG1Vector:
        return PortableG1Vector([G1])

    def g2_generator(self) -> PortableG2Vector:
        return PortableG2Vector([G2])

    def g1_decode(self, data: bytes) -> PortableG1Vector:
        return PortableG1Vector(_decode("G1", G1_BYTES, _decode_g1, data))

    def g2_decode(self, data: bytes) -> PortableG2Vector:
        return PortableG2Vector(_decode("G2", G2_BYTES, _decode_g2, data))

    def hash_to_g1(self, messages: Sequence[bytes], dst: bytes) -> PortableG1Vector:
        check_dst(dst)
        # py_ecc annotates the hash function by its instances, not by its constructor.
        constructor: Any = hashlib.sha256
        return PortableG1Vector([hash_to_G1(message, dst, constructor) for message in messages])

    def g1_msm(self, weights: bytes, points: PortableG1Vector) -> PortableG1Vector:
        decoded = [int.from_bytes(weight, "little") for weight in split("weights", weights, WEIGHT_BYTES)]
        check_lengths(len(decoded), len(points))
        return PortableG1Vector([_bucket_sum(decoded, points.items, 8 if len(points) >= 128 else 4)])

    def g1_msm_decode(self, weights: bytes, data: bytes) -> PortableG1Vector:
        return self.g1_msm(weights, self.g1_decode(data))

    def g1_msm_hash(self, weights: bytes, messages: Sequence[bytes], dst: bytes) -> PortableG1Vector:
        return self.g1_msm(weights, self.hash_to_g1(messages, dst))

    def pairing_product_is_one(self, g1: PortableG1Vector, g2: PortableG2Vector) -> bool:
        check_lengths(len(g1), len(g2))
        product = FQ12.one()
        for p, q in zip(g1.items, g2.items, strict=True):
            product *= pairing(q, p, final_exponentiate=False)
        return bool(final_exponentiate(product) == FQ12.one())


def check_dst(dst: bytes) -> None:
    """RFC 9380 section 3.1: never empty; longer tags than 255 bytes would need hashing first and are refused."""
    if not 1 <= len(dst) <= 255:
        raise ValueError(f"a domain separation tag has 1 to 255 bytes, got {len(dst)}")
