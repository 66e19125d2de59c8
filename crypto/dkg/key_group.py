"""What a ceremony needs of the group that its keys live in: ristretto255, or G2 of BLS12-381."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, Self, cast

from crypto.errors import DecodeError
from crypto.group.interface import (
    BLS_ORDER,
    ELEMENT_BYTES,
    G2_BYTES,
    ORDER,
    ElementVector,
    G2Vector,
    Group,
    PairingGroup,
)

SCALAR_BYTES = 32


class Elements(Protocol):
    """The part of ``ElementVector`` and ``G2Vector`` that they share."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: slice) -> Self: ...
    def __add__(self, other: Self) -> Self: ...
    def encode(self) -> bytes: ...
    def sum(self) -> Self: ...


class KeyGroup(Protocol):
    """A prime-order group with its encodings. Scalars are integers below ``order``.

    Integers of Python are not constant-time. A ceremony computes once with each secret, offline and on fresh values, so
    that nobody can gather timings; the share that outlives it is used through ``ScalarVector`` (crypto.decryption).
    """

    name: str
    order: int
    element_bytes: int

    def decode(self, data: bytes) -> Elements:
        """Canonical elements, none the identity.

        Raises:
            DecodeError: names the first bad one.
        """
        ...

    def generate(self, scalars: Sequence[int]) -> Elements:
        """Multiples of the generator."""
        ...

    def multiply(self, elements: Elements, scalars: Sequence[int]) -> Elements:
        """Element-wise multiples; one scalar or one element is broadcast."""
        ...

    def is_identity(self, element: Elements) -> bool: ...
    def encode_scalars(self, scalars: Sequence[int]) -> bytes: ...
    def decode_scalars(self, data: bytes) -> list[int]:
        """Canonical 32-byte scalars.

        Raises:
            DecodeError: names the first one that is not below the order, or a length that is no multiple of 32.
        """
        ...


def _decode_scalars(data: bytes, order: int, byteorder: str) -> list[int]:
    if len(data) % SCALAR_BYTES:
        raise DecodeError("scalars are 32 bytes each")
    values = []
    for index in range(len(data) // SCALAR_BYTES):
        piece = data[SCALAR_BYTES * index : SCALAR_BYTES * (index + 1)]
        value = int.from_bytes(piece, "little" if byteorder == "little" else "big")
        if value >= order:
            raise DecodeError("a scalar is not below the group order", index)
        values.append(value)
    return values


class RistrettoKeyGroup:
    """Keys of the trustees, and receiver keys in both ceremonies."""

    name = "ristretto255"
    order = ORDER
    element_bytes = ELEMENT_BYTES

    def __init__(self, group: Group) -> None:
        self.group = group

    def decode(self, data: bytes) -> Elements:
        return self.group.elements_decode(data, allow_identity=False)

    def generate(self, scalars: Sequence[int]) -> Elements:
        return self.group.generator().mul(self.group.scalars(scalars))

    def multiply(self, elements: Elements, scalars: Sequence[int]) -> Elements:
        return cast(ElementVector, elements).mul(self.group.scalars(scalars))

    def is_identity(self, element: Elements) -> bool:
        return element.encode() == bytes(ELEMENT_BYTES)

    def encode_scalars(self, scalars: Sequence[int]) -> bytes:
        return b"".join([scalar.to_bytes(SCALAR_BYTES, "little") for scalar in scalars])

    def decode_scalars(self, data: bytes) -> list[int]:
        return _decode_scalars(data, ORDER, "little")


class G2KeyGroup:
    """Issuance keys."""

    name = "BLS12-381 G2"
    order = BLS_ORDER
    element_bytes = G2_BYTES

    def __init__(self, pairing: PairingGroup) -> None:
        self.pairing = pairing

    def decode(self, data: bytes) -> Elements:
        return self.pairing.g2_decode(data)

    def generate(self, scalars: Sequence[int]) -> Elements:
        return self.pairing.g2_generator().mul(scalars)

    def multiply(self, elements: Elements, scalars: Sequence[int]) -> Elements:
        return cast(G2Vector, elements).mul(scalars)

    def is_identity(self, element: Elements) -> bool:
        return element.encode() == b"\xc0" + bytes(G2_BYTES - 1)

    def encode_scalars(self, scalars: Sequence[int]) -> bytes:
        return b"".join([scalar.to_bytes(SCALAR_BYTES, "big") for scalar in scalars])

    def decode_scalars(self, data: bytes) -> list[int]:
        return _decode_scalars(data, BLS_ORDER, "big")
