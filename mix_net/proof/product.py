"""Product argument: all entries of the committed rows multiply to a public value.

Bayer-Groth (Eurocrypt 2012) section 5; docs/spec/08-mixing.md sections 8.6 and 8.7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crypto.group.interface import ScalarVector
from crypto.transcript import Transcript
from mix_net.commitment import CommitmentKey
from mix_net.proof.equations import EquationBatch, Form
from mix_net.proof.hadamard import (
    HadamardProof,
    HadamardStatement,
    HadamardWitness,
    prove_hadamard,
    verify_hadamard,
)
from mix_net.proof.layout import ProofReader
from mix_net.proof.single_value import (
    SingleValueProof,
    SingleValueStatement,
    SingleValueWitness,
    prove_single_value,
    verify_single_value,
)
from mix_net.randomness import Randomness, random_scalar


@dataclass(frozen=True)
class ProductStatement:
    """Commitments c_A'_1..c_A'_m to rows of n entries, and the product b of all entries."""

    rows: Sequence[Form]
    product: int


@dataclass(frozen=True)
class ProductWitness:
    """Rows P_1..P_m and their blindings."""

    rows: Sequence[ScalarVector]
    blindings: Sequence[int]


@dataclass(frozen=True)
class ProductProof:
    """c_b, the Hadamard and the single value argument."""

    column_products: bytes
    hadamard: HadamardProof
    single_value: SingleValueProof

    def encode(self) -> bytes:
        return self.column_products + self.hadamard.encode() + self.single_value.encode()

    @classmethod
    def decode(cls, reader: ProofReader, rows: int, columns: int) -> ProductProof:
        return cls(
            reader.elements(1),
            HadamardProof.decode(reader, rows, columns),
            SingleValueProof.decode(reader, columns),
        )


def prove_product(
    witness: ProductWitness, key: CommitmentKey, transcript: Transcript, randomness: Randomness
) -> ProductProof:
    """Prove the product of all entries. Cost: m + 5 commitments of n terms. Variable time (ADR 0003)."""
    partial_products = [witness.rows[0]]
    for row in witness.rows[1:]:
        partial_products.append(partial_products[-1] * row)
    blinding = random_scalar(key.group, randomness)
    column_products = key.commit(partial_products[-1], blinding).encode()
    transcript.append("product.c_b", column_products)
    hadamard = HadamardWitness(witness.rows, witness.blindings, partial_products, column_products, blinding)
    hadamard_proof = prove_hadamard(hadamard, key, transcript, randomness)
    single_value = SingleValueWitness(partial_products[-1], blinding)
    single_value_proof = prove_single_value(single_value, key, transcript, randomness)
    return ProductProof(column_products, hadamard_proof, single_value_proof)


def verify_product(
    statement: ProductStatement, proof: ProductProof, transcript: Transcript, batch: EquationBatch
) -> None:
    """Verify both parts; group equations go into the batch.

    Raises:
        InvalidProof: names the equation that does not hold.
    """
    transcript.append("product.c_b", proof.column_products)
    (column_products,) = batch.elements(proof.column_products)
    hadamard = HadamardStatement(statement.rows, column_products, proof.column_products)
    verify_hadamard(hadamard, proof.hadamard, transcript, batch)
    single_value = SingleValueStatement(column_products, statement.product)
    verify_single_value(single_value, proof.single_value, transcript, batch)
