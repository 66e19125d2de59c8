"""Attacks on the shuffle, named after their line in the catalogue; each names the check that refuses it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from crypto.errors import InvalidProof
from crypto.group import load_group
from crypto.group.interface import ORDER
from crypto.transcript import Transcript
from mix_net import shuffle
from mix_net.commitment import CommitmentKey
from mix_net.proof.equations import EquationBatch, Form
from mix_net.proof.product import prove_product
from mix_net.shape import Shape, matrix_shape, proof_size
from mix_net.shuffle import ShuffleStatement
from tests.mix_net import forgeries
from tests.mix_net.support import (
    CONTEXT_LABELS,
    STATEMENT_LABELS,
    Instance,
    SeededRandomness,
    TamperingTranscript,
    WeakTranscript,
    context,
    make_instance,
    prove,
    verify,
)

COUNTS = [4, 7, 100]


def refused(instance: Instance, proof: bytes, transcript: Transcript | None = None) -> str:
    """The name of the check that refuses the proof."""
    with pytest.raises(InvalidProof) as caught:
        verify(instance, proof, transcript)
    return caught.value.check


def with_outputs(instance: Instance, outputs: bytes) -> Instance:
    statement = replace(instance.statement, outputs=outputs)
    return replace(instance, statement=statement, witness=replace(instance.witness, outputs=None))


def rows(data: bytes, size: int = 64) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


# One output replaced: a proof that satisfies all equations but one, for every equation that could carry it.

FORGERIES: dict[str, Callable[[forgeries.FalseShuffle], bytes]] = {
    "shuffle.hadamard.c_B1": lambda case: forgeries.forge_product(case, forgeries.bend_chain_of_rows(1)),
    "shuffle.zero.c_Dm+1": lambda case: forgeries.forge_product(case, forgeries.bend_chain_of_rows(2)),
    "shuffle.hadamard.c_Bm": lambda case: forgeries.forge_product(case, forgeries.bend_chain_of_rows(0)),
    "shuffle.single-value.b1": lambda case: forgeries.forge_product(case, forgeries.bend_start_of_entries),
    "shuffle.single-value.bn": lambda case: forgeries.forge_product(case, prove_product),
    "shuffle.multi-exponentiation.c_Bm": forgeries.forge_extra_message,
    "shuffle.multi-exponentiation.E_m": forgeries.forge_combination,
    "shuffle.multi-exponentiation.E": forgeries.forge_target,
}

SHIFTED_RESPONSES = {
    "shuffle.zero.A": "zero.r",
    "shuffle.zero.B": "zero.s",
    "shuffle.zero.D": "zero.t",
    "shuffle.single-value.A": "single-value.r",
    "shuffle.single-value.Delta": "single-value.s",
    "shuffle.multi-exponentiation.A": "multi-exponentiation.r",
    "shuffle.multi-exponentiation.B": "multi-exponentiation.s",
    "shuffle.multi-exponentiation.E": "multi-exponentiation.tau",
}


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("check", FORGERIES)
def test_M1_replaced_output_with_all_equations_but_one_satisfied(check: str, count: int) -> None:
    case = forgeries.false_shuffle(count)
    proof = FORGERIES[check](case)
    assert refused(case.instance, proof) == check
    assert failing_checks(case.instance, proof) == {check}


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("check", SHIFTED_RESPONSES)
def test_M9_shifted_response_is_caught_by_its_equation_alone(check: str, count: int) -> None:
    instance = make_instance(count)
    proof = forgeries.shift_response(instance, SHIFTED_RESPONSES[check])
    assert refused(instance, proof) == check
    assert failing_checks(instance, proof) == {check}


def failing_checks(instance: Instance, proof: bytes) -> set[str]:
    """All checks that fail, found by muting the one that raised and verifying again."""
    failing: set[str] = set()
    steps = {
        "shuffle.zero.c_Dm+1": "mix_net.proof.zero._require_middle_diagonal",
        "shuffle.hadamard.c_Bm": "mix_net.proof.hadamard._require_last_product",
        "shuffle.single-value.b1": "mix_net.proof.single_value._require_start",
        "shuffle.single-value.bn": "mix_net.proof.single_value._require_end",
        "shuffle.multi-exponentiation.c_Bm": "mix_net.proof.multi_exponentiation._require_middle_message",
    }
    with pytest.MonkeyPatch.context() as patch:
        require = EquationBatch.require

        def require_others(batch: EquationBatch, name: str, form: Form) -> None:
            if name not in failing:
                require(batch, name, form)

        patch.setattr(EquationBatch, "require", require_others)
        for _ in range(20):
            try:
                verify(instance, proof)
            except InvalidProof as error:
                failing.add(error.check)
                if error.check in steps:
                    patch.setattr(steps[error.check], lambda *_: None)
            else:
                return failing
    raise AssertionError("a muted check still fails")


@pytest.mark.parametrize("count", [1, 2, 5, 30])
def test_M1_one_output_replaced(count: int) -> None:
    instance, other = make_instance(count), make_instance(count, seed="other")
    outputs = other.statement.outputs[:64] + instance.statement.outputs[64:]
    assert refused(with_outputs(instance, outputs), prove(instance)).startswith("shuffle.")
    assert refused(with_outputs(instance, outputs), prove(with_outputs(instance, outputs))) == (
        "shuffle.multi-exponentiation.E_m"
    )


def test_M1_one_component_of_a_wide_output_replaced() -> None:
    """The positions of a ciphertext move together: the second pair of output 1 comes from another input."""
    instance = make_instance(6, 2)
    pairs = rows(instance.statement.outputs)
    pairs[1], pairs[3] = pairs[3], pairs[1]
    swapped = with_outputs(instance, b"".join(pairs))
    assert refused(swapped, prove(swapped)) == "shuffle.multi-exponentiation.E_m"


@pytest.mark.parametrize("count", [2, 5, 30])
def test_M2_one_output_dropped_and_another_doubled(count: int) -> None:
    instance = make_instance(count)
    outputs = rows(instance.statement.outputs)
    doubled = with_outputs(instance, b"".join([outputs[1], *outputs[1:]]))
    assert refused(doubled, prove(instance)).startswith("shuffle.")
    # The prover says so in its witness: position 1 stems from where position 2 stems from.
    permutation = instance.witness.permutation.copy()
    permutation[0] = permutation[1]
    randomizers = instance.witness.randomizers
    group = instance.group
    witness = replace(
        doubled.witness,
        permutation=permutation,
        randomizers=group.concat_scalars([randomizers[1:2], randomizers[1:]]),
    )
    assert refused(doubled, prove(replace(doubled, witness=witness))) == "shuffle.single-value.bn"


def test_M2_list_shortened_or_lengthened() -> None:
    instance = make_instance(8)
    proof = prove(instance)
    for outputs in (instance.statement.outputs[64:], instance.statement.outputs + instance.statement.outputs[:64]):
        assert refused(with_outputs(instance, outputs), proof) == "shuffle.statement"


# Weak Fiat-Shamir.


@pytest.mark.parametrize("label", [*CONTEXT_LABELS, *STATEMENT_LABELS])
def test_M3_challenge_that_omits_one_input(label: str) -> None:
    instance = make_instance(6)
    proof = prove(instance, WeakTranscript(label))
    verify(instance, proof, WeakTranscript(label))
    assert refused(instance, proof)


PROOF_LABELS = [
    "shuffle.c_A",
    "shuffle.c_B",
    "product.c_b",
    "hadamard.c_B",
    "zero.c_A0",
    "zero.c_Bm+1",
    "zero.c_D",
    "zero.a",
    "zero.b",
    "zero.r",
    "zero.s",
    "zero.t",
    "single-value.c_d",
    "single-value.c_delta",
    "single-value.c_Delta",
    "single-value.a",
    "single-value.b",
    "single-value.r",
    "single-value.s",
    "multi-exponentiation.c_A0",
    "multi-exponentiation.c_B",
    "multi-exponentiation.E",
]


@pytest.mark.parametrize("label", PROOF_LABELS)
def test_M3_challenge_that_omits_one_message(label: str) -> None:
    instance = make_instance(6)
    proof = prove(instance, WeakTranscript(label))
    verify(instance, proof, WeakTranscript(label))
    assert refused(instance, proof)


def test_M3_labels_are_all_that_the_transcript_absorbs() -> None:
    transcript = TamperingTranscript()
    prove(make_instance(6), transcript)
    assert list(transcript.messages) == [*CONTEXT_LABELS, *STATEMENT_LABELS, *PROOF_LABELS]


def test_M3_inputs_chosen_after_the_challenge() -> None:
    """Without the inputs in the challenge, any change that keeps the sum of x^i * inputs_i passes."""
    instance = make_instance(6)
    group = instance.group
    weak = TamperingTranscript({"inputs": lambda _: bytes(64)})
    proof = prove(instance, weak)
    x = weak.challenges["shuffle.x"]
    difference = group.concat_elements([group.generator(), group.generator()])
    decoded = group.elements_decode(instance.statement.inputs, allow_identity=False)
    changed = group.concat_elements(
        [decoded[:2] + difference.mul(group.scalars([x])), decoded[2:4] - difference, decoded[4:]]
    ).encode()
    planted = instance.with_statement(replace(instance.statement, inputs=changed))
    verify(planted, proof, TamperingTranscript({"inputs": lambda _: bytes(64)}))
    assert refused(planted, proof).startswith("shuffle.")


def test_M3_outputs_chosen_after_the_challenge() -> None:
    """The same for the outputs and the last challenge."""
    instance = make_instance(6)
    group, (m, n) = instance.group, matrix_shape(6)
    weak = TamperingTranscript({"outputs": lambda _: bytes(64)})
    proof = prove(instance, weak)
    row = rows(proof[-32 * (n + 4) : -32 * 4], 32)
    first, second = (int.from_bytes(entry, "little") for entry in row)
    assert m == 3
    assert n == 2
    decoded = group.elements_decode(instance.statement.outputs, allow_identity=False)
    difference = group.concat_elements([group.generator(), group.generator()])
    changed = group.concat_elements(
        [
            decoded[:2] + difference.mul(group.scalars([second])),
            decoded[2:4] - difference.mul(group.scalars([first])),
            decoded[4:],
        ]
    ).encode()
    planted = with_outputs(instance, changed)
    verify(planted, proof, TamperingTranscript({"outputs": lambda _: bytes(64)}))
    assert refused(planted, proof).startswith("shuffle.")


def test_M3_S6_generators_with_known_logarithms() -> None:
    """A prover with generators of its own convinces whoever takes them over, and nobody who derives them."""
    instance = make_instance(6)
    group = instance.group
    logarithms = group.scalars_wide(SeededRandomness("trapdoor")(64 * 3))
    trapdoor = group.generator().mul(logarithms)
    own = replace(instance, key=CommitmentKey(group, trapdoor[:1], trapdoor[1:]))
    for forgotten in ((), ("generators",)):
        proof = prove(own, WeakTranscript(*forgotten))
        verify(own, proof, WeakTranscript(*forgotten))
        assert refused(instance, proof).startswith("shuffle.")
        assert refused(instance, proof, WeakTranscript(*forgotten)).startswith("shuffle.")


# Proofs of something else.


def test_M5_proof_of_another_list() -> None:
    instance, other = make_instance(9), make_instance(9, seed="other")
    proof = prove(other)
    verify(other, proof)
    assert refused(instance, proof).startswith("shuffle.")


@pytest.mark.parametrize(
    "change",
    [
        {"fingerprint": hashlib.sha256(b"another election").digest()},
        {"contest": "referendum"},
        {"group": "style-2"},
        {"stage": 2},
        {"mixer": "mixer-2"},
    ],
)
def test_M5_proof_of_another_place_in_the_election(change: dict[str, object]) -> None:
    instance = make_instance(9)
    assert refused(instance, prove(instance, context(**change))).startswith("shuffle.")


def test_M5_proof_under_another_key() -> None:
    instance = make_instance(9)
    key = instance.group.generator().encode()
    other = instance.with_statement(replace(instance.statement, public_key=key))
    assert refused(other, prove(instance)).startswith("shuffle.")


def test_M5_inputs_and_outputs_exchanged() -> None:
    instance = make_instance(9)
    statement = instance.statement
    exchanged = replace(statement, inputs=statement.outputs, outputs=statement.inputs)
    assert refused(instance.with_statement(exchanged), prove(instance)).startswith("shuffle.")


# Lengths and encodings.


@pytest.mark.parametrize("arithmetic", ["native", "portable"])
def test_M6_empty_list_takes_the_empty_proof_only(arithmetic: str) -> None:
    instance = make_instance(0, arithmetic=arithmetic)
    assert prove(instance) == b""
    verify(instance, b"")
    assert refused(instance, bytes(32)) == "shuffle.proof-size"
    assert refused(make_instance(1, arithmetic=arithmetic), b"") == "shuffle.proof-size"


def test_M6_single_ciphertext() -> None:
    instance = make_instance(1, 2)
    proof = prove(instance)
    verify(instance, proof)
    replaced = with_outputs(instance, make_instance(1, 2, seed="other").statement.outputs)
    assert refused(replaced, proof).startswith("shuffle.")
    assert refused(replaced, prove(replaced)) == "shuffle.multi-exponentiation.E_m"


@pytest.mark.parametrize("count", [1, 5, 100])
def test_M6_wrong_lengths(count: int) -> None:
    instance = make_instance(count, 2)
    proof = prove(instance)
    for wrong in (b"", proof[:-1], proof[:-32], proof + bytes(1), proof + bytes(32), proof * 2):
        assert refused(instance, wrong) == "shuffle.proof-size"
    statement = instance.statement
    for changed in (
        replace(statement, inputs=statement.inputs[:-1]),
        replace(statement, inputs=statement.inputs[:-64]),
        replace(statement, outputs=statement.outputs[:-1]),
        replace(statement, outputs=b""),
        replace(statement, width=0),
        replace(statement, width=-1),
        replace(statement, public_key=statement.public_key + b"\0"),
        replace(statement, public_key=bytes(32)),
        replace(statement, public_key=b"\xff" * 32),
    ):
        assert refused(instance.with_statement(changed), proof) == "shuffle.statement"


def test_M6_same_bytes_read_with_another_width() -> None:
    instance = make_instance(8, 1)
    other = instance.with_statement(replace(instance.statement, width=2))
    assert refused(other, prove(instance)) == "shuffle.proof-size"


@pytest.mark.parametrize("arithmetic", ["native", "portable"])
@pytest.mark.parametrize("name", ["inputs", "outputs"])
@pytest.mark.parametrize("bad", [bytes(32), b"\xff" * 32, b"\1" + bytes(31)], ids=["identity", "large", "negative"])
def test_M6_component_that_is_no_valid_element(bad: bytes, name: str, arithmetic: str) -> None:
    instance = make_instance(6, arithmetic=arithmetic)
    encoded = getattr(instance.statement, name)
    spoiled = encoded[: 64 * 4 + 32] + bad + encoded[64 * 5 :]
    planted = instance.with_statement(replace(instance.statement, **{name: spoiled}))
    proof = prove(planted)
    with pytest.raises(InvalidProof) as caught:
        verify(planted, proof)
    assert caught.value.check == f"shuffle.{name}"
    assert caught.value.index == 4


@pytest.mark.parametrize("count", [3, 6, 100])
def test_M6_every_item_of_the_proof_is_decoded_canonically(count: int) -> None:
    instance = make_instance(count)
    proof = prove(instance)
    for at in range(0, len(proof), 32):
        spoiled = proof[:at] + b"\xff" * 32 + proof[at + 32 :]
        assert refused(instance, spoiled) == "shuffle.encoding"


def test_M6_scalar_plus_the_order() -> None:
    instance = make_instance(3)
    proof = prove(instance)
    last = int.from_bytes(proof[-32:], "little") + ORDER
    assert refused(instance, proof[:-32] + last.to_bytes(32, "little")) == "shuffle.encoding"


def test_flipped_bits_anywhere_are_refused() -> None:
    instance = make_instance(6)
    proof = prove(instance)
    for at in range(0, len(proof), 13):
        flipped = bytearray(proof)
        flipped[at] ^= 1 << at % 8
        assert refused(instance, bytes(flipped)).startswith("shuffle.")


# Challenges and shapes.


class ChosenChallenges(Transcript):
    """A transcript whose challenge at one label is fixed."""

    def __init__(self, label: str, value: int) -> None:
        super().__init__("evoting/v1/mix")
        self._label = label
        self._value = value

    def challenge(self, label: str) -> int:
        value = super().challenge(label)
        return self._value if label == self._label else value


POWER_CHALLENGES = ["shuffle.x", "hadamard.x", "hadamard.y", "zero.x", "multi-exponentiation.x"]
#: An element of order 132, the largest order that is refused.
ORDER_132 = pow(2, (ORDER - 1) // 132, ORDER)


@pytest.mark.parametrize("label", POWER_CHALLENGES)
@pytest.mark.parametrize(
    "value", [0, 1, ORDER - 1, pow(2, (ORDER - 1) // 3, ORDER), ORDER_132], ids=["zero", "one", "two", "three", "132"]
)
def test_M8_zero_or_repeated_challenge_vector(label: str, value: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both sides draw a challenge whose powers are zero or repeat; even the proof that fits it is refused."""
    instance = make_instance(6)
    with monkeypatch.context() as patch:
        for module in ("shuffle", "proof.hadamard", "proof.zero", "proof.multi_exponentiation"):
            patch.setattr(f"mix_net.{module}.power_challenge", lambda transcript, label: transcript.challenge(label))
        proof = prove(instance, ChosenChallenges(label, value))
    assert refused(instance, proof, ChosenChallenges(label, value)) == "shuffle.challenge"


def test_M8_refused_orders_are_all_that_are_small() -> None:
    large = (198211423230930754013084525763697, 276602624281642239937218680557139826668747)
    assert 132 * large[0] * large[1] == ORDER - 1
    assert min(large) > 2**107
    assert len({pow(ORDER_132, power, ORDER) for power in range(132)}) == 132


class ZeroDigest(Transcript):
    """A transcript whose hash gives zero at one label."""

    def __init__(self, label: str) -> None:
        super().__init__("evoting/v1/mix")
        self._label = label

    def challenge(self, label: str) -> int:
        if label == self._label:
            self._state = ZeroHash()  # type: ignore[assignment]
        return super().challenge(label)


class ZeroHash:
    def update(self, data: bytes) -> None:
        pass

    def digest(self) -> bytes:
        return bytes(64)


@pytest.mark.parametrize("label", ["shuffle.y", "shuffle.z", "single-value.x", *POWER_CHALLENGES])
def test_M8_zero_challenge(label: str) -> None:
    instance = make_instance(6)
    proof = prove(instance, Transcript("evoting/v1/mix"))
    assert refused(instance, proof, ZeroDigest(label)) == "transcript.zero-challenge"


@pytest.mark.parametrize(
    ("count", "shape"), [(6, Shape(2, 3)), (6, Shape(6, 2)), (12, Shape(2, 6)), (120, Shape(3, 40))]
)
def test_M11_matrix_shape_of_the_provers_choice(count: int, shape: Shape) -> None:
    instance = make_instance(count)
    instance = replace(instance, key=CommitmentKey.derive(instance.group, 40))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shuffle, "matrix_shape", lambda _: shape)
        proof = prove(instance)
        verify(instance, proof)
    assert refused(instance, proof) == "shuffle.proof-size"


def test_M11_shape_with_the_same_proof_size() -> None:
    """Five rows fewer and eleven columns more: the length does not tell; the transcript does."""
    count = 100
    table, chosen = matrix_shape(count), Shape(10, 18)
    assert proof_size(chosen, 1) == proof_size(table, 1)
    instance = make_instance(count)
    instance = replace(instance, key=CommitmentKey.derive(instance.group, 18))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shuffle, "matrix_shape", lambda _: chosen)
        proof = prove(instance)
        verify(instance, proof)
    assert refused(instance, proof).startswith("shuffle.")


def test_batched_errors_do_not_cancel() -> None:
    """Two equations are off by opposite amounts; independent weights tell, equal ones would not."""
    instance = make_instance(6)
    group, (_, columns) = instance.group, matrix_shape(6)
    batch = EquationBatch(instance.key, columns, group.generator())
    batch.require("one", Form(base=5))
    batch.require("two", Form(base=ORDER - 5))
    equal = (7).to_bytes(16, "little")
    batch.verify(equal * 2)
    with pytest.raises(InvalidProof) as caught:
        batch.verify(SeededRandomness("weights")(32))
    assert caught.value.check == "one"


def test_statement_and_proof_are_not_changed_by_the_group() -> None:
    """A proof made by one arithmetic is refused by the other for the same reason."""
    case = forgeries.false_shuffle(6)
    proof = forgeries.forge_combination(case)
    portable = make_instance(6, arithmetic="portable", seed="false shuffle")
    planted = portable.with_statement(
        ShuffleStatement(portable.statement.public_key, portable.statement.inputs, case.instance.statement.outputs)
    )
    assert load_group("portable").name == "portable"
    assert refused(planted, proof) == refused(case.instance, proof) == "shuffle.multi-exponentiation.E_m"
