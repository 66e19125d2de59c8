"""Completeness of the shuffle, its form checks, and freshness of the prover's masks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crypto.errors import InvalidProof
from crypto.group import load_group
from mix_net.proof import equations
from mix_net.proof.equations import ListCombination
from mix_net.randomness import random_permutation
from mix_net.shape import MAX_COUNT, matrix_shape, proof_size
from mix_net.shuffle import ReencryptionPairs, fixed_bases, generate_shuffle, prove_shuffle
from tests.mix_net.support import SeededRandomness, TamperingTranscript, context, make_instance, prove, verify


@pytest.mark.parametrize("width", [1, 2, 3])
@pytest.mark.parametrize("count", range(41))
def test_honest_proof_is_accepted(count: int, width: int) -> None:
    instance = make_instance(count, width)
    proof = prove(instance)
    assert len(proof) == (proof_size(matrix_shape(count), width) if count else 0)
    verify(instance, proof)


@pytest.mark.parametrize("count", [99, 100, 101, 226, 1000])
def test_honest_proof_is_accepted_across_the_shape_table(count: int) -> None:
    instance = make_instance(count)
    verify(instance, prove(instance))


@pytest.mark.parametrize(("count", "width"), [(0, 1), (1, 1), (4, 2), (5, 1), (7, 3), (100, 1)])
def test_both_arithmetics_make_and_accept_the_same_proof(count: int, width: int) -> None:
    native, portable = make_instance(count, width), make_instance(count, width, arithmetic="portable")
    assert native.statement == portable.statement
    proof = prove(native)
    assert prove(portable) == proof
    verify(portable, proof)


@pytest.mark.full
def test_honest_proof_with_63_rows() -> None:
    instance = make_instance(200_000)
    proof = prove(instance)
    verify(instance, proof)
    with pytest.raises(InvalidProof):
        verify(instance, proof[:-1] + bytes([proof[-1] ^ 1]))


def test_outputs_decrypt_to_the_permuted_plaintexts() -> None:
    instance = make_instance(23, 2)
    group = instance.group
    outputs = group.elements_decode(instance.statement.outputs, allow_identity=False)
    plaintexts = outputs[1::2] - outputs[::2].mul(group.scalars([instance.secret]))
    sources = instance.witness.permutation.tolist()
    expected = [instance.values[2 * source + position] for source in sources for position in range(2)]
    assert plaintexts == group.generator().mul(group.scalars(expected))
    assert sorted(sources) == list(range(23))
    assert sources != list(range(23))


def test_pairs_made_ahead_give_a_valid_shuffle() -> None:
    instance = make_instance(12, 2)
    group, randomness = instance.group, SeededRandomness("pairs")
    generator, key = fixed_bases(group, instance.statement.public_key)
    randomizers = group.scalars_wide(randomness(64 * 24))
    pairs = ReencryptionPairs(randomizers, generator.mul(randomizers), key.mul(randomizers))
    outputs, witness = generate_shuffle(
        group, instance.statement.public_key, instance.statement.inputs, 2, randomness, pairs=pairs
    )
    mixed = replace(instance, statement=replace(instance.statement, outputs=outputs), witness=witness)
    verify(mixed, prove(mixed))


def test_witness_without_native_outputs_gives_the_same_proof() -> None:
    instance = make_instance(17, 2)
    proof = prove(instance)
    assert prove(replace(instance, witness=replace(instance.witness, outputs=None))) == proof


def test_shape_is_a_function_of_the_count() -> None:
    shapes = {count: tuple(matrix_shape(count)) for count in (1, 2, 3, 4, 5, 6, 99, 100, 199_999, 200_000)}
    assert shapes == {
        1: (2, 2),
        2: (2, 2),
        3: (2, 2),
        4: (2, 2),
        5: (3, 2),
        6: (3, 2),
        99: (3, 33),
        100: (15, 7),
        199_999: (15, 13334),
        200_000: (63, 3175),
    }
    assert tuple(matrix_shape(100_000)) == (15, 6667)
    assert proof_size(matrix_shape(100_000), 1) == 1_072_544 < 1_200_000
    assert proof_size(matrix_shape(1_394_218), 1) == 3_563_680
    for count in (0, -1, MAX_COUNT + 1):
        with pytest.raises(ValueError, match="no matrix shape"):
            matrix_shape(count)


def test_positions_always_hold_the_list() -> None:
    for count in [*range(1, 400), 199_999, 200_000, 200_001, MAX_COUNT]:
        rows, columns = matrix_shape(count)
        assert rows >= 2
        assert columns >= 2
        assert rows * columns >= count
        assert rows * columns < 2**32


def test_permutation_is_uniform_on_three_items() -> None:
    randomness = SeededRandomness("permutation")
    seen: dict[tuple[int, ...], int] = {}
    for _ in range(6000):
        order = tuple(random_permutation(randomness, 3).tolist())
        seen[order] = seen.get(order, 0) + 1
    assert len(seen) == 6
    # Chi-square with 5 degrees of freedom: 20.5 is the 99.9th percentile; the seed is fixed.
    assert sum((n - 1000) ** 2 / 1000 for n in seen.values()) < 20.5


def test_permutation_draws_again_when_two_keys_are_equal() -> None:
    draws = [bytes(16 * 5), SeededRandomness("again")(16 * 5)]
    order = random_permutation(lambda length: draws.pop(0), 5)
    assert draws == []
    assert np.array_equal(np.sort(order), np.arange(5))


def test_masks_are_fresh() -> None:
    """Two proofs of one statement share no commitment and no response (all but what is fixed to com(0; 0))."""
    instance = make_instance(40, 2)
    first, second = prove(instance, seed="first"), prove(instance, seed="second")
    verify(instance, first)
    verify(instance, second)
    words = [{proof[at : at + 32] for at in range(0, len(proof), 32)} - {bytes(32)} for proof in (first, second)]
    common = words[0] & words[1]
    # E_m is the target, which the statement and x fix; x differs, since c_A differs.
    assert common == set()


def test_masks_within_one_proof_are_distinct() -> None:
    instance = make_instance(40)
    proof = prove(instance)
    words = [proof[at : at + 32] for at in range(0, len(proof), 32)]
    repeated = {word for word in words if words.count(word) > 1}
    shape = matrix_shape(40)
    last_product = proof[32 * 2 * shape.rows : 32 * (2 * shape.rows + 1)]
    first_entry = words[3 * shape.rows + 1 + 2 + 2 * shape.rows + 1 + 2 * shape.columns + 3 + 3]
    # com(0; 0) twice, c_b = c_U_m, and bs_1 = as_1; nothing else may repeat.
    assert repeated == {bytes(32), last_product, first_entry}


def test_every_scalar_that_the_prover_draws_is_used() -> None:
    """Each of the masks of the specification is drawn for itself, and changing any one changes the proof.

    The exceptions are the four that section 8.7 replaces: tD_(m+1), beta_m, sN_m and tau_m.
    """
    instance = make_instance(6)
    rows, columns = matrix_shape(6)

    class OneChanged(SeededRandomness):
        """Flips a bit in the scalar number ``changed`` of all that are drawn."""

        def __init__(self, changed: int) -> None:
            super().__init__("draws")
            self.drawn = 0
            self._changed = changed

        def __call__(self, length: int) -> bytes:
            data = bytearray(super().__call__(length))
            if self.drawn <= self._changed < self.drawn + length // 64:
                data[64 * (self._changed - self.drawn)] ^= 1
            self.drawn += length // 64
            return bytes(data)

    def proof_and_draws(changed: int) -> tuple[bytes, int]:
        randomness = OneChanged(changed)
        proof = prove_shuffle(instance.statement, instance.witness, context(), randomness, instance.key)
        verify(instance, proof)
        return proof, randomness.drawn

    reference, drawn = proof_and_draws(-1)
    commitments = 2 * rows + 1 + (rows - 2)
    zero, single_value, multi_exponentiation = (
        2 * columns + 2 + 2 * rows + 1,
        2 * columns - 2 + 3,
        columns + 1 + 6 * rows,
    )
    assert drawn == commitments + zero + single_value + multi_exponentiation
    without_effect = [changed for changed in range(drawn) if proof_and_draws(changed)[0] == reference]
    assert len(without_effect) == 4


def test_every_message_enters_the_transcript_before_the_next_challenge() -> None:
    """The prover's appends are, in order, the proof's bytes up to the responses that no challenge follows."""
    instance = make_instance(9, 2)
    transcript = TamperingTranscript()
    proof = prove(instance, transcript)
    columns = matrix_shape(9).columns
    last_responses = 32 * (columns + 1 + 2 + 1 + 2)
    assert transcript.proof(proof) == proof
    sent = [data for label, data in transcript.messages.items() if "." in label]
    assert b"".join(sent) == proof[:-last_responses]


@pytest.mark.parametrize("arithmetic", ["native", "portable"])
def test_decoded_lists_are_evaluated_in_blocks(monkeypatch: pytest.MonkeyPatch, arithmetic: str) -> None:
    monkeypatch.setattr(equations, "_BLOCK_TERMS", 12)
    instance = make_instance(20, 2, arithmetic=arithmetic)
    verify(instance, prove(instance))
    group = load_group(arithmetic)
    outputs = instance.statement.outputs
    spoiled = outputs[: 64 * 2 * 13 + 40] + bytes(24) + outputs[64 * 2 * 13 + 64 :]
    combination = ListCombination(group, "outputs", spoiled, group.powers(3, 20), 4)
    with pytest.raises(InvalidProof) as caught:
        combination.evaluate({0: 1})
    assert caught.value.index == 13
