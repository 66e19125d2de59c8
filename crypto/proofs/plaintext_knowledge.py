"""Proof of knowledge of the randomizers of a contest's ciphertexts, in commitment form.

Schnorr (Crypto 1989) on every pad under one challenge that hashes both components of all ciphertexts, the pseudonym and
the context: docs/spec/06-ballots.md section 6.3. It makes a ballot's encryption non-malleable: whoever did not choose
the randomizers has no proof.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from crypto.batch import Accumulator
from crypto.elgamal import EncryptionKey, encrypt
from crypto.group.interface import ElementVector, Group, ScalarVector
from crypto.proofs.disjunctive import Challenges


@dataclass(frozen=True)
class KnowledgeLayout:
    """Shape of one mixed contest: how many ciphertexts a ballot has in it."""

    width: int

    @property
    def ciphertext_bytes(self) -> int:
        return 64 * self.width

    @property
    def commitments(self) -> int:
        return self.width

    @property
    def scalars(self) -> int:
        return self.width


@dataclass(frozen=True)
class KnowledgeProofs:
    """Encoded parts for n ballots, each the concatenation of n rows of equal length."""

    ciphertexts: bytes
    commitments: bytes
    scalars: bytes


def prove_knowledge(
    key: EncryptionKey,
    layout: KnowledgeLayout,
    messages: ElementVector,
    randomizers: ScalarVector,
    challenges: Challenges,
    entropy: Callable[[int], bytes],
) -> KnowledgeProofs:
    """Encrypt n * width messages, row by row, and prove knowledge of the randomizers.

    Time does not depend on messages or randomizers. Cost: 3 fixed-base multiplications for each ciphertext.
    """
    group = key.group
    ciphertexts = encrypt(key, messages, randomizers).encode(group)
    nonces = group.scalars_wide(entropy(64 * len(randomizers)))
    commitments = key.generator_table.mul_encode(nonces)
    challenge = challenges(ciphertexts, commitments)
    spread = group.interleave_scalars([challenge] * layout.width)
    return KnowledgeProofs(ciphertexts, commitments, (nonces + spread * randomizers).encode())


def accumulate_knowledge(
    accumulator: Accumulator,
    group: Group,
    layout: KnowledgeLayout,
    pads: ElementVector,
    commitments: ElementVector,
    scalars: ScalarVector,
    challenge: ScalarVector,
    weights: Callable[[int], ScalarVector],
) -> None:
    """Add the equations z*G = A + e*pad of n proofs to a batch.

    Args:
        pads: n * width, row by row; likewise commitments and scalars.
        challenge: the n challenges.
        weights: source of fresh independent 128-bit weights.
    """
    weight = weights(len(scalars))
    spread = group.interleave_scalars([challenge] * layout.width)
    accumulator.add(-weight, commitments)
    accumulator.add(-(weight * spread), pads)
    accumulator.add_generator(weight.inner(scalars))
