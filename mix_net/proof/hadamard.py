"""Hadamard product argument: committed rows multiply, element-wise, to a committed vector.

Bayer-Groth (Eurocrypt 2012) section 5.1; docs/spec/08-mixing.md sections 8.6 and 8.7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crypto.errors import InvalidProof
from crypto.group.interface import ELEMENT_BYTES, ORDER, ScalarVector
from crypto.transcript import Transcript
from mix_net.commitment import CommitmentKey
from mix_net.context import power_challenge
from mix_net.proof.equations import EquationBatch, Form
from mix_net.proof.layout import ProofReader
from mix_net.proof.zero import ZeroProof, ZeroStatement, ZeroWitness, prove_zero, verify_zero
from mix_net.randomness import Randomness, random_scalars


@dataclass(frozen=True)
class HadamardStatement:
    """Commitments c_A'_1..c_A'_m to the rows, and c_b to their product, encoded and as a form."""

    rows: Sequence[Form]
    product: Form
    product_encoding: bytes


@dataclass(frozen=True)
class HadamardWitness:
    """Rows P_1..P_m with their blindings; partial products u_1..u_m; the encoding of c_b and its blinding."""

    rows: Sequence[ScalarVector]
    blindings: Sequence[int]
    partial_products: Sequence[ScalarVector]
    product_encoding: bytes
    product_blinding: int


@dataclass(frozen=True)
class HadamardProof:
    """c_U_1..c_U_m and a zero argument."""

    partial_products: bytes
    zero: ZeroProof

    def encode(self) -> bytes:
        return self.partial_products + self.zero.encode()

    @classmethod
    def decode(cls, reader: ProofReader, rows: int, columns: int) -> HadamardProof:
        return cls(reader.elements(rows), ZeroProof.decode(reader, rows, columns))


def prove_hadamard(
    witness: HadamardWitness, key: CommitmentKey, transcript: Transcript, randomness: Randomness
) -> HadamardProof:
    """Prove the element-wise product of the rows.

    Cost: m + 1 commitments of n terms, and the zero argument's inner products. Variable time (ADR 0003).
    """
    group, rows, u = key.group, len(witness.rows), witness.partial_products
    inner_blindings = random_scalars(group, randomness, rows - 2).to_ints()
    u_blindings = [witness.blindings[0], *inner_blindings, witness.product_blinding]
    commitments = key.commit_all(u[:-1], u_blindings[:-1]).encode() + witness.product_encoding
    transcript.append("hadamard.c_B", commitments)
    x = power_challenge(transcript, "hadamard.x")
    y = power_challenge(transcript, "hadamard.y")

    powers = group.powers(x, rows - 1, 1)
    weights = powers.to_ints()
    minus_one = -group.powers(1, len(u[0]))
    shifted = group.concat_scalars(u[1:]).combine_rows(powers)
    shifted_blinding = group.scalars(u_blindings[1:]).inner(powers)
    zero = ZeroWitness(
        left=[*witness.rows[1:], minus_one],
        left_blindings=[*witness.blindings[1:], 0],
        right=[*[row * weight for row, weight in zip(u[:-1], weights, strict=True)], shifted],
        right_blindings=[
            *[blinding * weight % ORDER for blinding, weight in zip(u_blindings[:-1], weights, strict=True)],
            shifted_blinding,
        ],
        y=y,
    )
    return HadamardProof(commitments, prove_zero(zero, key, transcript, randomness))


def verify_hadamard(
    statement: HadamardStatement, proof: HadamardProof, transcript: Transcript, batch: EquationBatch
) -> None:
    """Replay the transcript, check what needs no group arithmetic, and put the rest into the batch.

    Raises:
        InvalidProof: ``shuffle.hadamard.c_Bm``, or an equation of the zero argument.
    """
    transcript.append("hadamard.c_B", proof.partial_products)
    x = power_challenge(transcript, "hadamard.x")
    y = power_challenge(transcript, "hadamard.y")
    u = batch.elements(proof.partial_products)

    batch.require("shuffle.hadamard.c_B1", u[0] - statement.rows[0])
    _require_last_product(proof, statement.product_encoding)
    weights = [pow(x, k, ORDER) for k in range(1, len(u))]
    shifted = sum((form * weight for form, weight in zip(u[1:], weights, strict=True)), Form())
    zero = ZeroStatement(
        left=[*statement.rows[1:], Form(all_generators=ORDER - 1)],
        right=[*[form * weight for form, weight in zip(u[:-1], weights, strict=True)], shifted],
        y=y,
    )
    verify_zero(zero, proof.zero, transcript, batch)


def _require_last_product(proof: HadamardProof, product: bytes) -> None:
    if proof.partial_products[-ELEMENT_BYTES:] != product:
        raise InvalidProof("shuffle.hadamard.c_Bm", "the last partial product is not the committed product")
