"""Single value product argument: the entries of one committed vector multiply to a public value.

Bayer-Groth (Eurocrypt 2012) section 5.3; docs/spec/08-mixing.md sections 8.6 and 8.7.
"""

from __future__ import annotations

from dataclasses import dataclass

from crypto.errors import InvalidProof
from crypto.group.interface import ORDER, ScalarVector
from crypto.transcript import Transcript
from mix_net.commitment import CommitmentKey
from mix_net.proof.equations import EquationBatch, Form, commitment_form
from mix_net.proof.layout import ProofReader, encode_scalars
from mix_net.randomness import Randomness, random_scalars


@dataclass(frozen=True)
class SingleValueStatement:
    """The commitment c_b and the product b of its entries."""

    commitment: Form
    product: int


@dataclass(frozen=True)
class SingleValueWitness:
    """The committed vector, at least two entries long, and its blinding."""

    vector: ScalarVector
    blinding: int


@dataclass(frozen=True)
class SingleValueProof:
    """c_d, c_delta, c_Delta; then as, bs, rs, ss."""

    mask: bytes
    chain_mask: bytes
    chain: bytes
    entries: ScalarVector
    products: ScalarVector
    blinding: int
    chain_blinding: int

    def encode(self) -> bytes:
        return b"".join([data for _, data in (*self.commitments(), *self.responses())])

    @classmethod
    def decode(cls, reader: ProofReader, columns: int) -> SingleValueProof:
        return cls(
            reader.elements(1),
            reader.elements(1),
            reader.elements(1),
            reader.scalars(columns),
            reader.scalars(columns),
            reader.scalar(),
            reader.scalar(),
        )

    def commitments(self) -> list[tuple[str, bytes]]:
        return [
            ("single-value.c_d", self.mask),
            ("single-value.c_delta", self.chain_mask),
            ("single-value.c_Delta", self.chain),
        ]

    def responses(self) -> list[tuple[str, bytes]]:
        return [
            ("single-value.a", self.entries.encode()),
            ("single-value.b", self.products.encode()),
            ("single-value.r", encode_scalars(self.blinding)),
            ("single-value.s", encode_scalars(self.chain_blinding)),
        ]


def prove_single_value(
    witness: SingleValueWitness, key: CommitmentKey, transcript: Transcript, randomness: Randomness
) -> SingleValueProof:
    """Prove the product of the vector's entries.

    Cost: three commitments of n terms. Variable time (ADR 0003).
    """
    group, a, n = key.group, witness.vector, len(witness.vector)
    b = a.prefix_products()
    d = random_scalars(group, randomness, n)
    inner_masks = random_scalars(group, randomness, n - 2)
    delta = group.concat_scalars([d[:1], inner_masks, group.scalars([0])])
    d_blinding, mask_blinding, chain_blinding = random_scalars(group, randomness, 3).to_ints()
    mask = key.commit(d, d_blinding).encode()
    chain_mask = key.commit(-(delta[: n - 1] * d[1:]), mask_blinding).encode()
    chain = key.commit(delta[1:] - a[1:] * delta[: n - 1] - b[: n - 1] * d[1:], chain_blinding).encode()
    transcript.append("single-value.c_d", mask)
    transcript.append("single-value.c_delta", chain_mask)
    transcript.append("single-value.c_Delta", chain)
    x = transcript.challenge("single-value.x")
    proof = SingleValueProof(
        mask,
        chain_mask,
        chain,
        a * x + d,
        b * x + delta,
        (x * witness.blinding + d_blinding) % ORDER,
        (x * chain_blinding + mask_blinding) % ORDER,
    )
    for label, data in proof.responses():
        transcript.append(label, data)
    return proof


def verify_single_value(
    statement: SingleValueStatement, proof: SingleValueProof, transcript: Transcript, batch: EquationBatch
) -> None:
    """Replay the transcript, check what needs no group arithmetic, and put the rest into the batch.

    Raises:
        InvalidProof: ``shuffle.single-value.b1`` or ``shuffle.single-value.bn``.
    """
    for label, data in proof.commitments():
        transcript.append(label, data)
    x = transcript.challenge("single-value.x")
    for label, data in proof.responses():
        transcript.append(label, data)
    (mask,) = batch.elements(proof.mask)
    (chain_mask,) = batch.elements(proof.chain_mask)
    (chain,) = batch.elements(proof.chain)

    _require_start(proof)
    _require_end(proof, x, statement.product)
    opened_entries = commitment_form(proof.entries, proof.blinding)
    batch.require("shuffle.single-value.A", statement.commitment * x + mask - opened_entries)
    n = len(proof.entries)
    steps = proof.products[1:] * x - proof.products[: n - 1] * proof.entries[1:]
    batch.require("shuffle.single-value.Delta", chain * x + chain_mask - commitment_form(steps, proof.chain_blinding))


def _require_start(proof: SingleValueProof) -> None:
    if proof.products[:1] != proof.entries[:1]:
        raise InvalidProof("shuffle.single-value.b1", "the chain of products does not start with the first entry")


def _require_end(proof: SingleValueProof, x: int, product: int) -> None:
    if proof.products[-1:].to_ints() != [x * product % ORDER]:
        raise InvalidProof("shuffle.single-value.bn", "the chain of products does not end with the claimed product")
