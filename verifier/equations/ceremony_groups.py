"""The two groups of key ceremonies behind one face; docs/spec/04-ceremonies.md sections 4.1 and 4.3."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Literal

from crypto.errors import DecodeError
from crypto.group import BLS_ORDER, ELEMENT_BYTES, G2_BYTES, ORDER
from verifier.hashing import Part, wide

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crypto.group import Group, PairingGroup


class CeremonyGroup(ABC):
    """A group of prime order with encoded elements; elements in, elements out, as bytes."""

    element_bytes: int
    order: int
    endianness: Literal["little", "big"]
    identity: bytes
    generator: bytes

    @abstractmethod
    def linear(self, scalars: Sequence[int], elements: bytes, *, allow_identity: bool = False) -> bytes:
        """Encoding of the sum of scalars[i] * elements[i]; it may be the identity.

        Raises:
            DecodeError: an element is not canonical, or is the identity where that is refused.
        """

    @abstractmethod
    def check_elements(self, elements: bytes) -> None:
        """Refuse what is not a whole number of canonical elements, none the identity.

        Raises:
            DecodeError: some element is not.
        """

    def decode_scalars(self, data: bytes) -> list[int]:
        """Canonical scalars of 32 bytes.

        Raises:
            DecodeError: a scalar is not below the order, or the length is no multiple of 32.
        """
        if len(data) % 32:
            raise DecodeError("scalars have 32 bytes each")
        values = [int.from_bytes(data[at : at + 32], self.endianness) for at in range(0, len(data), 32)]
        for index, value in enumerate(values):
            if value >= self.order:
                raise DecodeError("a scalar is not below the order of its group", index)
        return values

    def challenge(self, domain: str, *parts: Part) -> int:
        """``wide(...)`` as a little-endian integer modulo the order."""
        return int.from_bytes(wide(domain, *parts), "little") % self.order


class RistrettoCeremony(CeremonyGroup):
    """ristretto255: the election key, and receiver keys of both kinds."""

    element_bytes = ELEMENT_BYTES
    order = ORDER
    endianness = "little"
    identity = bytes(ELEMENT_BYTES)

    def __init__(self, group: Group) -> None:
        self._group = group
        self.generator = group.generator().encode()

    def linear(self, scalars: Sequence[int], elements: bytes, *, allow_identity: bool = False) -> bytes:
        return self._group.msm_decode(self._group.scalars(scalars), elements, allow_identity=allow_identity).encode()

    def check_elements(self, elements: bytes) -> None:
        self._group.elements_decode(elements, allow_identity=False)


class BlsCeremony(CeremonyGroup):
    """BLS12-381 G2: issuance keys."""

    element_bytes = G2_BYTES
    order = BLS_ORDER
    endianness = "big"
    identity = b"\xc0" + bytes(G2_BYTES - 1)

    def __init__(self, pairing: PairingGroup) -> None:
        self._pairing = pairing
        self.generator = pairing.g2_generator().encode()

    def linear(self, scalars: Sequence[int], elements: bytes, *, allow_identity: bool = False) -> bytes:
        terms = list(zip(scalars, range(0, len(elements), G2_BYTES), strict=True))
        if allow_identity:
            terms = [(scalar, at) for scalar, at in terms if elements[at : at + G2_BYTES] != self.identity]
        if not terms:
            return self.identity
        points = self._pairing.g2_decode(b"".join([elements[at : at + G2_BYTES] for _, at in terms]))
        return points.mul([scalar % BLS_ORDER for scalar, _ in terms]).sum().encode()

    def check_elements(self, elements: bytes) -> None:
        self._pairing.g2_decode(elements)


def proves_logarithm(group: CeremonyGroup, statement: bytes, proof: bytes, domain: str, *parts: Part) -> bool:
    """Schnorr: with ``T = z*G - c*A``, the same hash gives c (4.3). The parts are what is hashed before T."""
    c, z = group.decode_scalars(proof)
    t = group.linear([z, -c], group.generator + statement)
    return c == group.challenge(domain, *parts, t)


def proves_equality(
    group: CeremonyGroup, statement: bytes, base: bytes, image: bytes, proof: bytes, domain: str, *parts: Part
) -> bool:
    """Chaum-Pedersen: with ``T1 = z*G - c*A`` and ``T2 = z*P - c*B``, the hash gives c (4.3)."""
    c, z = group.decode_scalars(proof)
    t1 = group.linear([z, -c], group.generator + statement)
    t2 = group.linear([z, -c], base + image)
    return c == group.challenge(domain, *parts, t1, t2)
