"""Multi-exponentiation argument: ciphertexts, weighted by committed scalars, add up to a known combination.

Bayer-Groth (Eurocrypt 2012) section 4; docs/spec/08-mixing.md sections 8.6 and 8.7. For ciphertexts of width w every
diagonal E_k carries w messages of its own, so that the argument stays perfectly zero-knowledge (section 8.8).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crypto.errors import InvalidProof
from crypto.group.interface import ELEMENT_BYTES, ORDER, ElementVector, FixedBase, ScalarVector
from crypto.transcript import Transcript
from mix_net.commitment import CommitmentKey
from mix_net.context import power_challenge
from mix_net.proof.equations import (
    IDENTITY,
    EquationBatch,
    Form,
    ListCombination,
    commitment_form,
    polynomial_form,
)
from mix_net.proof.layout import ProofReader, encode_scalars
from mix_net.randomness import Randomness, random_scalar, random_scalars
from mix_net.shape import Shape
from mix_net.toom_cook import polynomial_product


@dataclass(frozen=True)
class MultiExponentiationStatement:
    """Commitments c_B_1..c_B_m; the combination of inputs that E_m must equal; the encoded outputs and their width."""

    rows: Sequence[Form]
    target: ListCombination
    outputs: bytes
    width: int


@dataclass(frozen=True)
class MultiExponentiationWitness:
    """What is behind the commitments and the target.

    Attributes:
        rows: b, all m rows of n scalars one after the other.
        blindings: of the rows' commitments.
        randomizers: one for each position l: the target is Enc(0; randomizer) plus the combination of outputs.
        outputs: 2w components (pad 1, data 1, pad 2, ...), each with one element for each ciphertext.
    """

    rows: ScalarVector
    blindings: Sequence[int]
    randomizers: Sequence[int]
    outputs: Sequence[ElementVector]


@dataclass(frozen=True)
class MultiExponentiationProof:
    """c_M_0, c_N_0..c_N_(2m-1), E_0..E_(2m-1); then ae, re, be, se, te."""

    mask: bytes
    messages_commitments: bytes
    diagonals: bytes
    row: ScalarVector
    blinding: int
    messages: ScalarVector
    messages_blinding: int
    randomizers: ScalarVector

    def encode(self) -> bytes:
        commitments = b"".join([data for _, data in self.commitments()])
        return b"".join(
            [
                commitments,
                self.row.encode(),
                encode_scalars(self.blinding),
                self.messages.encode(),
                encode_scalars(self.messages_blinding),
                self.randomizers.encode(),
            ]
        )

    @classmethod
    def decode(cls, reader: ProofReader, rows: int, columns: int, width: int) -> MultiExponentiationProof:
        return cls(
            reader.elements(1),
            reader.elements(2 * rows),
            reader.elements(4 * rows * width),
            reader.scalars(columns),
            reader.scalar(),
            reader.scalars(width),
            reader.scalar(),
            reader.scalars(width),
        )

    def commitments(self) -> list[tuple[str, bytes]]:
        return [
            ("multi-exponentiation.c_A0", self.mask),
            ("multi-exponentiation.c_B", self.messages_commitments),
            ("multi-exponentiation.E", self.diagonals),
        ]


def prove_multi_exponentiation(
    witness: MultiExponentiationWitness,
    shape: Shape,
    bases: tuple[FixedBase, FixedBase],
    key: CommitmentKey,
    transcript: Transcript,
    randomness: Randomness,
) -> MultiExponentiationProof:
    """Prove the combination of outputs.

    Args:
        bases: tables for G and K.

    Cost: 9 * 7^(k-1) * 2w multi-scalar multiplications of n terms where m + 1 = 4^k. Variable time (ADR 0003).
    """
    group, (rows, columns), width = key.group, shape, len(witness.randomizers)
    mask, mask_blinding = random_scalars(group, randomness, columns), random_scalar(group, randomness)
    all_rows = group.concat_scalars([mask, witness.rows])
    # Row k: beta_k, tau_k (w scalars each) and the commitment's blinding, for k = 0..2m-1.
    beta = _with_row(random_scalars(group, randomness, 2 * rows * width), rows, [0] * width, key)
    tau = _with_row(random_scalars(group, randomness, 2 * rows * width), rows, witness.randomizers, key)
    blindings = random_scalars(group, randomness, 2 * rows).to_ints()
    blindings[rows] = 0

    reversed_rows = [_reversed_rows(component, shape, key) for component in witness.outputs]
    products = polynomial_product(group, all_rows, reversed_rows, rows + 1, last_row_empty=True)
    generator, public_key = bases
    components = []
    for position in range(width):
        messages, randomizers = beta[position::width], tau[position::width]
        pad, data = products[2 * position][: 2 * rows], products[2 * position + 1][: 2 * rows]
        components.append(generator.mul_add_vartime(randomizers, pad))
        components.append(public_key.mul_add_vartime(randomizers, generator.mul_add_vartime(messages, data)))
    message_rows = [beta[k * width : (k + 1) * width] for k in range(2 * rows)]
    c_mask = key.commit(mask, mask_blinding).encode()
    c_messages = key.commit_all(message_rows, blindings).encode()
    diagonals = group.interleave_elements(components).encode()
    transcript.append("multi-exponentiation.c_A0", c_mask)
    transcript.append("multi-exponentiation.c_B", c_messages)
    transcript.append("multi-exponentiation.E", diagonals)
    x = power_challenge(transcript, "multi-exponentiation.x")
    powers, diagonal_powers = group.powers(x, rows + 1), group.powers(x, 2 * rows)
    return MultiExponentiationProof(
        c_mask,
        c_messages,
        diagonals,
        all_rows.combine_rows(powers),
        group.scalars([mask_blinding, *witness.blindings]).inner(powers),
        beta.combine_rows(diagonal_powers),
        group.scalars(blindings).inner(diagonal_powers),
        tau.combine_rows(diagonal_powers),
    )


def _with_row(vector: ScalarVector, row: int, values: Sequence[int], key: CommitmentKey) -> ScalarVector:
    """The vector, read as rows of ``len(values)`` entries, with row ``row`` replaced."""
    width = len(values)
    return key.group.concat_scalars(
        [vector[: row * width], key.group.scalars(list(values)), vector[(row + 1) * width :]]
    )


def _reversed_rows(component: ElementVector, shape: Shape, key: CommitmentKey) -> ElementVector:
    """Rows m, m-1, ..., 1 and a row of identities: the coefficients of sum over i of X^(m-i) * row_i, m + 1 of them."""
    rows, columns = shape
    reversed_rows = []
    for start in range((rows - 1) * columns, -1, -columns):
        row = component[start : start + columns]
        reversed_rows += [row, key.group.identity(columns - len(row))]
    return key.group.concat_elements([*reversed_rows, key.group.identity(columns)])


def verify_multi_exponentiation(
    statement: MultiExponentiationStatement,
    proof: MultiExponentiationProof,
    transcript: Transcript,
    batch: EquationBatch,
) -> None:
    """Replay the transcript, check what needs no group arithmetic, and put the rest into the batch.

    Raises:
        InvalidProof: ``shuffle.multi-exponentiation.c_Bm``.
    """
    group, rows, width = batch.group, len(statement.rows), statement.width
    for label, data in proof.commitments():
        transcript.append(label, data)
    x = power_challenge(transcript, "multi-exponentiation.x")
    mask = batch.elements(proof.mask)
    messages = batch.elements(proof.messages_commitments)
    diagonals = batch.elements(proof.diagonals)

    _require_middle_message(proof, rows)
    opened_row = commitment_form(proof.row, proof.blinding)
    batch.require("shuffle.multi-exponentiation.A", polynomial_form([*mask, *statement.rows], x) - opened_row)
    opened_messages = commitment_form(proof.messages, proof.messages_blinding)
    batch.require("shuffle.multi-exponentiation.B", polynomial_form(messages, x) - opened_messages)
    components = 2 * width
    for component in range(components):
        middle = diagonals[rows * components + component]
        target = Form(lists={statement.target: {component: 1}})
        batch.require("shuffle.multi-exponentiation.E_m", middle - target)
    row_weights = [pow(x, rows - k, ORDER) for k in range(1, rows + 1)]
    scalars = group.concat_scalars([proof.row * weight for weight in row_weights])
    count = len(statement.target.scalars)
    outputs = ListCombination(group, "outputs", statement.outputs, scalars[:count], components)
    encryptions = _encryption_forms(proof)
    for component in range(components):
        left = polynomial_form(diagonals[component::components], x)
        right = encryptions[component] + Form(lists={outputs: {component: 1}})
        batch.require("shuffle.multi-exponentiation.E", left - right)


def _require_middle_message(proof: MultiExponentiationProof, rows: int) -> None:
    """The target is reached without an additional message: c_N_m opens to zero with blinding zero."""
    middle = proof.messages_commitments[ELEMENT_BYTES * rows : ELEMENT_BYTES * (rows + 1)]
    if middle != IDENTITY:
        raise InvalidProof(
            "shuffle.multi-exponentiation.c_Bm", "the middle message of the multi-exponentiation is not com(0; 0)"
        )


def _encryption_forms(proof: MultiExponentiationProof) -> list[Form]:
    """(te_l*G, be_l*G + te_l*K) for every position l, one form for each component."""
    forms = []
    for message, randomizer in zip(proof.messages.to_ints(), proof.randomizers.to_ints(), strict=True):
        forms += [Form(base=randomizer), Form(base=message, key=randomizer)]
    return forms
