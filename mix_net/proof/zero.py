"""Zero argument: committed rows V_k and W_k satisfy sum_k bil(V_k, W_k) = 0.

Bayer-Groth (Eurocrypt 2012) section 5.2; docs/spec/08-mixing.md sections 8.6 and 8.7. The bilinear map is
bil(v, w) = sum_j v_j w_j y^j.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crypto.errors import InvalidProof
from crypto.group.interface import ORDER, ScalarVector
from crypto.transcript import Transcript
from mix_net.commitment import CommitmentKey
from mix_net.context import power_challenge
from mix_net.proof.equations import IDENTITY, EquationBatch, Form, commitment_form, polynomial_form
from mix_net.proof.layout import ProofReader, encode_scalars
from mix_net.randomness import Randomness, random_scalar, random_scalars


@dataclass(frozen=True)
class ZeroStatement:
    """Commitments c_V_1..c_V_m and c_W_1..c_W_m, and the challenge y of the bilinear map."""

    left: Sequence[Form]
    right: Sequence[Form]
    y: int


@dataclass(frozen=True)
class ZeroWitness:
    """Rows V_1..V_m and W_1..W_m of length n with their blindings, and y."""

    left: Sequence[ScalarVector]
    left_blindings: Sequence[int]
    right: Sequence[ScalarVector]
    right_blindings: Sequence[int]
    y: int


@dataclass(frozen=True)
class ZeroProof:
    """c_V_0, c_W_(m+1), c_D_0..c_D_2m; then vo, wo, ro, so, to."""

    left_mask: bytes
    right_mask: bytes
    diagonals: bytes
    left: ScalarVector
    right: ScalarVector
    left_blinding: int
    right_blinding: int
    diagonal_blinding: int

    def encode(self) -> bytes:
        return b"".join([data for _, data in (*self.commitments(), *self.responses())])

    @classmethod
    def decode(cls, reader: ProofReader, rows: int, columns: int) -> ZeroProof:
        return cls(
            reader.elements(1),
            reader.elements(1),
            reader.elements(2 * rows + 1),
            reader.scalars(columns),
            reader.scalars(columns),
            reader.scalar(),
            reader.scalar(),
            reader.scalar(),
        )

    def commitments(self) -> list[tuple[str, bytes]]:
        return [("zero.c_A0", self.left_mask), ("zero.c_Bm+1", self.right_mask), ("zero.c_D", self.diagonals)]

    def responses(self) -> list[tuple[str, bytes]]:
        return [
            ("zero.a", self.left.encode()),
            ("zero.b", self.right.encode()),
            ("zero.r", encode_scalars(self.left_blinding)),
            ("zero.s", encode_scalars(self.right_blinding)),
            ("zero.t", encode_scalars(self.diagonal_blinding)),
        ]


def prove_zero(witness: ZeroWitness, key: CommitmentKey, transcript: Transcript, randomness: Randomness) -> ZeroProof:
    """Prove that the rows' bilinear products add up to zero.

    Cost: two commitments of n terms and (m + 1)^2 inner products of n scalars. Variable time (ADR 0003).
    """
    group, rows, columns = key.group, len(witness.left), len(witness.left[0])
    left = [random_scalars(group, randomness, columns), *witness.left]
    right = [*witness.right, random_scalars(group, randomness, columns)]
    left_blindings = [random_scalar(group, randomness), *witness.left_blindings]
    right_blindings = [*witness.right_blindings, random_scalar(group, randomness)]
    diagonals = _diagonals(left, right, group.powers(witness.y, columns, 1))
    diagonal_blindings = random_scalars(group, randomness, 2 * rows + 1).to_ints()
    diagonal_blindings[rows + 1] = 0
    left_mask = key.commit(left[0], left_blindings[0]).encode()
    right_mask = key.commit(right[-1], right_blindings[-1]).encode()
    c_diagonals = key.commit_all([group.scalars([d]) for d in diagonals], diagonal_blindings).encode()
    transcript.append("zero.c_A0", left_mask)
    transcript.append("zero.c_Bm+1", right_mask)
    transcript.append("zero.c_D", c_diagonals)
    x = power_challenge(transcript, "zero.x")
    ascending = group.powers(x, rows + 1)
    descending = ascending[::-1]
    proof = ZeroProof(
        left_mask,
        right_mask,
        c_diagonals,
        group.concat_scalars(left).combine_rows(ascending),
        group.concat_scalars(right).combine_rows(descending),
        group.scalars(left_blindings).inner(ascending),
        group.scalars(right_blindings).inner(descending),
        group.scalars(diagonal_blindings).inner(group.powers(x, 2 * rows + 1)),
    )
    for label, data in proof.responses():
        transcript.append(label, data)
    return proof


def _diagonals(left: Sequence[ScalarVector], right: Sequence[ScalarVector], y_powers: ScalarVector) -> list[int]:
    """D_k = sum of bil(V_i, W_j) with i + m + 1 - j = k; ``left`` is V_0..V_m, ``right`` is W_1..W_(m+1)."""
    rows = len(left) - 1
    diagonals = [0] * (2 * rows + 1)
    weighted = [row * y_powers for row in right]
    for i, row in enumerate(left):
        for j, other in enumerate(weighted, start=1):
            k = i + rows + 1 - j
            diagonals[k] = (diagonals[k] + row.inner(other)) % ORDER
    return diagonals


def verify_zero(statement: ZeroStatement, proof: ZeroProof, transcript: Transcript, batch: EquationBatch) -> None:
    """Replay the transcript, check what needs no group arithmetic, and put the rest into the batch.

    Raises:
        InvalidProof: ``shuffle.zero.c_Dm+1``.
    """
    rows = len(statement.left)
    for label, data in proof.commitments():
        transcript.append(label, data)
    x = power_challenge(transcript, "zero.x")
    for label, data in proof.responses():
        transcript.append(label, data)
    left = [*batch.elements(proof.left_mask), *statement.left]
    right = [*statement.right, *batch.elements(proof.right_mask)]
    diagonals = batch.elements(proof.diagonals)

    _require_middle_diagonal(proof, rows)
    opened_left = commitment_form(proof.left, proof.left_blinding)
    batch.require("shuffle.zero.A", polynomial_form(left, x) - opened_left)
    opened_right = commitment_form(proof.right, proof.right_blinding)
    batch.require("shuffle.zero.B", polynomial_form(right[::-1], x) - opened_right)
    product = (proof.left * proof.right).inner(batch.group.powers(statement.y, len(proof.left), 1))
    opened_product = commitment_form(batch.group.scalars([product]), proof.diagonal_blinding)
    batch.require("shuffle.zero.D", polynomial_form(diagonals, x) - opened_product)


def _require_middle_diagonal(proof: ZeroProof, rows: int) -> None:
    """The statement itself: the diagonal of V_k and W_k is a commitment to zero with blinding zero."""
    middle = proof.diagonals[32 * (rows + 1) : 32 * (rows + 2)]
    if middle != IDENTITY:
        raise InvalidProof("shuffle.zero.c_Dm+1", "the middle diagonal of the zero argument is not com(0; 0)")
