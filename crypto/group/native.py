"""The native implementation: a thin layer over the compiled module, which does all arithmetic."""

from __future__ import annotations

from collections.abc import Sequence

from crypto.group import _native
from crypto.group._native import (
    ElementVector,
    FixedBase,
    G1Vector,
    G2Vector,
    ScalarVector,
)
from crypto.group.interface import ORDER


class NativeGroup:
    """ristretto255 on curve25519-dalek."""

    name = "native"

    def scalars(self, values: Sequence[int]) -> ScalarVector:
        return _native.scalars_decode(b"".join([(value % ORDER).to_bytes(32, "little") for value in values]))

    def scalars_decode(self, data: bytes) -> ScalarVector:
        return _native.scalars_decode(data)

    def scalars_wide(self, data: bytes) -> ScalarVector:
        return _native.scalars_wide(data)

    def scalars_short(self, data: bytes) -> ScalarVector:
        return _native.scalars_short(data)

    def powers(self, base: int, count: int, first: int = 0) -> ScalarVector:
        return _native.powers(base, count, first)

    def concat_scalars(self, vectors: Sequence[ScalarVector]) -> ScalarVector:
        return _native.concat_scalars(vectors)

    def interleave_scalars(self, vectors: Sequence[ScalarVector]) -> ScalarVector:
        return _native.interleave_scalars(vectors)

    def generator(self) -> ElementVector:
        return _native.generator()

    def identity(self, count: int = 1) -> ElementVector:
        return _native.identity(count)

    def elements_decode(self, data: bytes, *, allow_identity: bool) -> ElementVector:
        return _native.elements_decode(data, allow_identity=allow_identity)

    def elements_from_uniform(self, data: bytes) -> ElementVector:
        return _native.elements_from_uniform(data)

    def concat_elements(self, vectors: Sequence[ElementVector]) -> ElementVector:
        return _native.concat_elements(vectors)

    def interleave_elements(self, vectors: Sequence[ElementVector]) -> ElementVector:
        return _native.interleave_elements(vectors)

    def evaluate_cubic(self, elements: ElementVector, place: int) -> list[ElementVector]:
        return _native.evaluate_cubic(elements, place)

    def fixed_base(self, element: ElementVector) -> FixedBase:
        return _native.fixed_base(element)

    def msm(self, scalars: ScalarVector, elements: ElementVector) -> ElementVector:
        return _native.msm(scalars, elements)

    def msm_decode(self, scalars: ScalarVector, data: bytes, *, allow_identity: bool) -> ElementVector:
        return _native.msm_decode(scalars, data, allow_identity=allow_identity)


class NativePairingGroup:
    """BLS12-381 on blst."""

    name = "native"

    def g1_generator(self) -> G1Vector:
        return _native.g1_generator()

    def g2_generator(self) -> G2Vector:
        return _native.g2_generator()

    def g1_decode(self, data: bytes) -> G1Vector:
        return _native.g1_decode(data)

    def g2_decode(self, data: bytes) -> G2Vector:
        return _native.g2_decode(data)

    def hash_to_g1(self, messages: Sequence[bytes], dst: bytes) -> G1Vector:
        return _native.hash_to_g1(messages, dst)

    def g1_msm(self, weights: bytes, points: G1Vector) -> G1Vector:
        return _native.g1_msm(weights, points)

    def g1_msm_decode(self, weights: bytes, data: bytes) -> G1Vector:
        return _native.g1_msm_decode(weights, data)

    def g1_msm_hash(self, weights: bytes, messages: Sequence[bytes], dst: bytes) -> G1Vector:
        return _native.g1_msm_hash(weights, messages, dst)

    def pairing_product_is_one(self, g1: G1Vector, g2: G2Vector) -> bool:
        return _native.pairing_product_is_one(g1, g2)
