"""ElGamal over ristretto255 with precomputed tables (docs/spec/01-encoding.md section 1.4)."""

from __future__ import annotations

from dataclasses import dataclass

from crypto.group.interface import ElementVector, FixedBase, Group, ScalarVector

CIPHERTEXT_BYTES = 64


@dataclass(frozen=True)
class EncryptionKey:
    """A public key K with tables for the two bases that everything on a ballot is made of."""

    group: Group
    element: ElementVector
    generator_table: FixedBase
    key_table: FixedBase

    @classmethod
    def from_element(cls, group: Group, element: ElementVector) -> EncryptionKey:
        """Precompute the tables of a key that is known to be valid and not the identity."""
        return cls(group, element, group.fixed_base(group.generator()), group.fixed_base(element))

    @classmethod
    def decode(cls, group: Group, data: bytes) -> EncryptionKey:
        """The key that 32 bytes encode.

        Raises:
            DecodeError: not canonical, or the identity.
        """
        return cls.from_element(group, group.elements_decode(data, allow_identity=False))


@dataclass(frozen=True)
class Ciphertexts:
    """n ciphertexts as two vectors."""

    pads: ElementVector
    data: ElementVector

    def __len__(self) -> int:
        return len(self.pads)

    def encode(self, group: Group) -> bytes:
        """n * 64 bytes: pad || data for each."""
        return group.interleave_elements([self.pads, self.data]).encode()


def encrypt(key: EncryptionKey, messages: ElementVector, randomizers: ScalarVector) -> Ciphertexts:
    """(r*G, M + r*K) for each message. Constant time; two fixed-base multiplications each."""
    return Ciphertexts(
        key.generator_table.mul(randomizers),
        messages + key.key_table.mul(randomizers),
    )


def decode_ciphertexts(group: Group, data: bytes, *, allow_identity: bool = False) -> Ciphertexts:
    """n ciphertexts of 64 bytes.

    Raises:
        DecodeError: a component is not canonical, or the identity where that is refused.
    """
    elements = group.elements_decode(data, allow_identity=allow_identity)
    if len(elements) % 2:
        raise ValueError("ciphertexts are pairs of elements")
    return Ciphertexts(elements[0::2], elements[1::2])


def small_multiples(group: Group, count: int) -> ElementVector:
    """O, G, 2G, ..., (count-1)G: the messages of exponential ElGamal."""
    elements = [group.identity()]
    for _ in range(count - 1):
        elements.append(elements[-1] + group.generator())
    return group.concat_elements(elements)
