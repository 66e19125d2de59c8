"""Cheating provers: proofs of a false shuffle that every equation but one accepts.

Output 1 is replaced: it encrypts FALSE_VALUE. The cheater knows all plaintexts as multiples of G (it colludes with the
voters). Either it picks the committed exponents b so that the multi-exponentiation argument holds for the false
outputs, b_1 = x^pi(1) * v / FALSE_VALUE, and bends the product argument in one place; or it leaves b alone and bends
the multi-exponentiation argument.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest

from crypto.group.interface import ORDER, ScalarVector
from crypto.transcript import Transcript
from mix_net.commitment import CommitmentKey
from mix_net.proof import multi_exponentiation, product
from mix_net.proof.hadamard import HadamardWitness, prove_hadamard
from mix_net.proof.multi_exponentiation import MultiExponentiationWitness, prove_multi_exponentiation
from mix_net.proof.product import ProductProof, ProductWitness
from mix_net.proof.single_value import SingleValueProof, SingleValueWitness, prove_single_value
from mix_net.randomness import Randomness, random_scalar, random_scalars
from mix_net.shape import matrix_shape
from mix_net.shuffle import (
    bind_statement,
    decode_list,
    expected_product,
    fixed_bases,
    prove_shuffle,
    rows_of,
)
from tests.mix_net.support import Instance, SeededRandomness, TamperingTranscript, encrypt, make_instance, plus_one

FALSE_VALUE = 4711

ProductProver = Callable[[ProductWitness, CommitmentKey, TamperingTranscript, Randomness], ProductProof]


@dataclass(frozen=True)
class FalseShuffle:
    """A list whose first output is replaced, with the witness that was honest before.

    Attributes:
        true_value: what output 1 should encrypt.
        outputs: the randomizer that each output was encrypted with.
    """

    instance: Instance
    true_value: int
    output_randomizers: tuple[int, ...]


def false_shuffle(count: int) -> FalseShuffle:
    """Output 1 encrypts FALSE_VALUE instead of the value of the input that it stems from."""
    instance = make_instance(count, seed="false shuffle")
    sources = instance.witness.permutation.tolist()
    randomizers = [
        (instance.input_randomizers[source] + rho) % ORDER
        for source, rho in zip(sources, instance.witness.randomizers.to_ints(), strict=True)
    ]
    replaced = encrypt(instance.group, instance.secret, [FALSE_VALUE], randomizers[:1])
    statement = replace(instance.statement, outputs=replaced + instance.statement.outputs[64:])
    false = replace(instance, statement=statement, witness=replace(instance.witness, outputs=None))
    return FalseShuffle(false, instance.values[sources[0]], tuple(randomizers))


def forge_product(case: FalseShuffle, prove_product: ProductProver) -> bytes:
    """Commit to exponents that satisfy the multi-exponentiation argument, and bend the product argument."""
    instance, randomness, transcript = case.instance, SeededRandomness("forger"), TamperingTranscript()
    group, key, count, shape = instance.group, instance.key, instance.count, matrix_shape(instance.count)
    bind_statement(instance.statement, shape, key, transcript)
    permutation = np.concatenate([instance.witness.permutation, np.arange(count, shape.positions, dtype=np.uint32)])

    positions = group.scalars((permutation + 1).tolist())
    position_blindings = random_scalars(group, randomness, shape.rows).to_ints()
    c_positions = key.commit_all(rows_of(positions, shape), position_blindings).encode()
    transcript.append("shuffle.c_A", c_positions)
    x = transcript.challenge("shuffle.x")
    powers = group.powers(x, shape.positions, 1)
    exponents = _scale_first(powers.gather(permutation), case.true_value * pow(FALSE_VALUE, -1, ORDER), key)
    exponent_blindings = random_scalars(group, randomness, shape.rows).to_ints()
    c_exponents = key.commit_all(rows_of(exponents, shape), exponent_blindings).encode()
    transcript.append("shuffle.c_B", c_exponents)
    y, z = transcript.challenge("shuffle.y"), transcript.challenge("shuffle.z")
    witness = ProductWitness(
        rows_of(positions * y + exponents - z, shape),
        [(y * a + b) % ORDER for a, b in zip(position_blindings, exponent_blindings, strict=True)],
    )
    product_proof = prove_product(witness, key, transcript, randomness)

    # Sum of x^i * inputs_i - sum of b_i * outputs_i = Enc(0; sum of x^i R_i - sum of b_i R'_i).
    left = powers[:count].inner(group.scalars(list(instance.input_randomizers)))
    right = exponents[:count].inner(group.scalars(list(case.output_randomizers)))
    outputs = decode_list(group, "outputs", instance.statement.outputs, 2)
    multi = MultiExponentiationWitness(
        exponents, exponent_blindings, [(left - right) % ORDER], [outputs[::2], outputs[1::2]]
    )
    bases = fixed_bases(group, instance.statement.public_key)
    multi_proof = prove_multi_exponentiation(multi, shape, bases, key, transcript, randomness)
    return c_positions + c_exponents + product_proof.encode() + multi_proof.encode()


def bend_chain_of_rows(at: int) -> ProductProver:
    """The missing factor enters the chain of partial products at u_at; with at = 0 it enters c_b, behind the chain."""

    def prove_product(
        witness: ProductWitness, key: CommitmentKey, transcript: TamperingTranscript, randomness: Randomness
    ) -> ProductProof:
        factor = _missing_factor(transcript, witness, key)
        products = [witness.rows[0]]
        for row in witness.rows[1:]:
            products.append(products[-1] * row)
        if at:
            products[at - 1 :] = [_scale_first(row, factor, key) for row in products[at - 1 :]]
        committed = products[-1] if at else _scale_first(products[-1], factor, key)
        blinding = random_scalar(key.group, randomness)
        column_products = key.commit(committed, blinding).encode()
        transcript.append("product.c_b", column_products)
        last_product = key.commit(products[-1], blinding).encode()
        hadamard = HadamardWitness(witness.rows, witness.blindings, products, last_product, blinding)
        hadamard_proof = prove_hadamard(hadamard, key, transcript, randomness)
        single_value = prove_single_value(SingleValueWitness(committed, blinding), key, transcript, randomness)
        return ProductProof(column_products, hadamard_proof, single_value)

    return prove_product


def bend_start_of_entries(
    witness: ProductWitness, key: CommitmentKey, transcript: TamperingTranscript, randomness: Randomness
) -> ProductProof:
    """The chain of products of the entries starts with a multiple of the first entry."""
    factor = _missing_factor(transcript, witness, key)

    def prove_bent(
        single: SingleValueWitness, key: CommitmentKey, transcript: Transcript, randomness: Randomness
    ) -> SingleValueProof:
        group, a, n = key.group, single.vector, len(single.vector)
        b = a.prefix_products() * factor
        d = random_scalars(group, randomness, n)
        delta = group.concat_scalars([random_scalars(group, randomness, n - 1), group.scalars([0])])
        d_blinding, mask_blinding, chain_blinding = random_scalars(group, randomness, 3).to_ints()
        steps = delta[1:] - a[1:] * delta[: n - 1] - b[: n - 1] * d[1:]
        messages = {
            "single-value.c_d": key.commit(d, d_blinding).encode(),
            "single-value.c_delta": key.commit(-(delta[: n - 1] * d[1:]), mask_blinding).encode(),
            "single-value.c_Delta": key.commit(steps, chain_blinding).encode(),
        }
        for label, data in messages.items():
            transcript.append(label, data)
        x = transcript.challenge("single-value.x")
        proof = SingleValueProof(
            messages["single-value.c_d"],
            messages["single-value.c_delta"],
            messages["single-value.c_Delta"],
            entries=a * x + d,
            products=b * x + delta,
            blinding=(x * single.blinding + d_blinding) % ORDER,
            chain_blinding=(x * chain_blinding + mask_blinding) % ORDER,
        )
        for label, data in proof.responses():
            transcript.append(label, data)
        return proof

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(product, "prove_single_value", prove_bent)
        return product.prove_product(witness, key, transcript, randomness)


def _missing_factor(transcript: TamperingTranscript, witness: ProductWitness, key: CommitmentKey) -> int:
    """By how much the rows' product falls short of what the verifier will ask for."""
    x, y, z = (transcript.challenges[f"shuffle.{name}"] for name in "xyz")
    positions = len(witness.rows) * len(witness.rows[0])
    missing = expected_product(key.group, positions, x, y, z)
    for row in witness.rows:
        missing = missing * pow(row.prefix_products()[-1:].to_ints()[0], -1, ORDER) % ORDER
    return missing


def _scale_first(row: ScalarVector, factor: int, key: CommitmentKey) -> ScalarVector:
    return row * key.group.scalars([factor] + [1] * (len(row) - 1))


def forge_extra_message(case: FalseShuffle) -> bytes:
    """c_N_m opens to the difference between the false and the true combination of plaintexts instead of to zero."""
    instance, transcript = case.instance, TamperingTranscript()
    honest = multi_exponentiation._with_row

    def with_row(vector: ScalarVector, row: int, values: Sequence[int], key: CommitmentKey) -> ScalarVector:
        if not any(values):
            exponent = pow(transcript.challenges["shuffle.x"], int(instance.witness.permutation[0]) + 1, ORDER)
            values = [exponent * (case.true_value - FALSE_VALUE) % ORDER]
        return honest(vector, row, values, key)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(multi_exponentiation, "_with_row", with_row)
        randomness = SeededRandomness("forger")
        return prove_shuffle(instance.statement, instance.witness, transcript, randomness, instance.key)


def forge_combination(case: FalseShuffle) -> bytes:
    """An honest prover's work on the false outputs: E_m is their combination, not that of the inputs."""
    instance, randomness = case.instance, SeededRandomness("forger")
    return prove_shuffle(instance.statement, instance.witness, TamperingTranscript(), randomness, instance.key)


def forge_target(case: FalseShuffle) -> bytes:
    """E_m is set to the claimed target although the outputs combine to something else."""
    instance = case.instance
    group, shape = instance.group, matrix_shape(instance.count)

    def replace_middle(diagonals: bytes) -> bytes:
        powers = group.powers(transcript.challenges["shuffle.x"], instance.count, 1)
        inputs = decode_list(group, "inputs", instance.statement.inputs, 2)
        target = b"".join([group.msm(powers, inputs[component::2]).encode() for component in range(2)])
        return diagonals[: 64 * shape.rows] + target + diagonals[64 * (shape.rows + 1) :]

    transcript = TamperingTranscript({"multi-exponentiation.E": replace_middle})
    randomness = SeededRandomness("forger")
    honest = prove_shuffle(instance.statement, instance.witness, transcript, randomness, instance.key)
    return transcript.proof(honest)


#: Where the responses that no challenge follows stand, counted from the end of a proof of width 1.
_LAST_RESPONSES = {"multi-exponentiation.r": 128, "multi-exponentiation.s": 64, "multi-exponentiation.tau": 32}


def shift_response(instance: Instance, response: str) -> bytes:
    """One blinding or randomizer in a response is off by one; later challenges are computed accordingly."""
    transcript, randomness = TamperingTranscript({response: plus_one}), SeededRandomness("forger")
    honest = prove_shuffle(instance.statement, instance.witness, transcript, randomness, instance.key)
    if response not in _LAST_RESPONSES:
        return transcript.proof(honest)
    at = len(honest) - _LAST_RESPONSES[response]
    return honest[:at] + plus_one(honest[at : at + 32]) + honest[at + 32 :]
