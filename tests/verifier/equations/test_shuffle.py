"""The shuffle's equations against an independent small prover, and one planted defect for each check of section 8.6."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from crypto.group import ORDER, Group
from tests.verifier.equations.provers import Randomness, generator, linear
from tests.verifier.equations.shuffle_prover import Case, make_case, random_list
from verifier.equations import shuffle, shuffle_equations
from verifier.equations.shuffle import verify_shuffle
from verifier.equations.shuffle_proof import POWER_CHALLENGES, _layout, shape_of, unusable_challenges


def verdict(case: Case, group: Group) -> set[str]:
    """Names of the equations that a report would name."""
    failures = verify_shuffle(**asdict(case), group=group, randomness=Randomness("weights"))
    return {(failure.equation or "").removeprefix("shuffle.") for failure in failures}


@pytest.mark.parametrize(("count", "width"), [(1, 1), (2, 3), (4, 1), (5, 2), (7, 1), (23, 1)])
def test_valid_shuffles_are_accepted(group: Group, count: int, width: int) -> None:
    assert verdict(make_case(group, count, width), group) == set()


def test_both_arithmetics_accept_and_refuse(each_group: Group) -> None:
    assert verdict(make_case(each_group, 5, 2), each_group) == set()
    assert verdict(make_case(each_group, 5, 2, defect="zero.D"), each_group) == {"zero.D"}


#: The one equation that a defect violates -> the function that checks it.
EQUATIONS = {
    "hadamard.c_B1": "hadamard_c_B1",
    "hadamard.c_Bm": "hadamard_c_Bm",
    "zero.c_Dm+1": "zero_c_Dm_1",
    "zero.A": "zero_A",
    "zero.B": "zero_B",
    "zero.D": "zero_D",
    "single-value.A": "single_value_A",
    "single-value.Delta": "single_value_Delta",
    "single-value.b1": "single_value_b1",
    "single-value.bn": "single_value_bn",
    "multi-exponentiation.c_Bm": "multi_exponentiation_c_Bm",
    "multi-exponentiation.E_m": "multi_exponentiation_E_m",
    "multi-exponentiation.A": "multi_exponentiation_A",
    "multi-exponentiation.B": "multi_exponentiation_B",
    "multi-exponentiation.E": "multi_exponentiation_E",
}


@pytest.mark.parametrize("name", EQUATIONS)
@pytest.mark.parametrize("width", [1, 2])
def test_only_the_violated_equation_is_named(group: Group, name: str, width: int) -> None:
    assert verdict(make_case(group, 7, width, defect=name), group) == {name}


@pytest.mark.parametrize("name", EQUATIONS)
def test_M9_an_equation_replaced_by_pass_is_noticed(group: Group, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted defect is caught by this one equation: without it the false proof passes."""
    monkeypatch.setattr(shuffle_equations, EQUATIONS[name], lambda *_: True)
    assert verdict(make_case(group, 7, 1, defect=name), group) == set()


def test_every_equation_of_the_module_has_its_defect() -> None:
    names = {name for name in vars(shuffle_equations) if name.startswith(("hadamard_", "zero_", "single_", "multi_"))}
    assert names == set(EQUATIONS.values())


# Checks of form. Each case is true but for its form, so that nothing else can catch it.


def input_with_identity(group: Group) -> Case:
    inputs = random_list(group, Randomness("identity"), 7, 1)
    return make_case(group, 7, 1, inputs=bytes(32) + inputs[32:])


def output_with_identity(group: Group) -> Case:
    """The mixer cancels the randomness of the first output's input."""
    rng = Randomness("known")
    base = generator(group)
    known = rng.scalars(14)
    inputs = b"".join(linear(group, (value, base)) for value in known)
    zero = [[0] for _ in range(7)]
    plain = make_case(group, 7, 1, inputs=inputs, randomizers=zero)
    first = next(i for i in range(7) if inputs[64 * i : 64 * i + 32] == plain.outputs[:32])
    return make_case(group, 7, 1, inputs=inputs, randomizers=[[-known[2 * first] % ORDER], *zero[1:]])


def scalar_plus_order(group: Group) -> Case:
    case = make_case(group, 7, 1)
    shifted = int.from_bytes(case.proof[-32:], "little") + ORDER
    return case.with_(proof=case.proof[:-32] + shifted.to_bytes(32, "little"))


def trailing_byte(group: Group) -> Case:
    case = make_case(group, 7, 1)
    return case.with_(proof=case.proof + b"\0")


def proof_for_the_empty_list(group: Group) -> Case:
    return make_case(group, 0, 1).with_(proof=bytes(32))


def lists_of_other_lengths(group: Group) -> Case:
    case = make_case(group, 7, 1)
    return case.with_(inputs=case.inputs + case.inputs[:64])


def key_that_is_the_identity(group: Group) -> Case:
    return make_case(group, 7, 1).with_(public_key=bytes(32))


FORMS: dict[str, tuple[Callable[[Group], Case], str]] = {
    "input-identity": (input_with_identity, "inputs"),
    "output-identity": (output_with_identity, "outputs"),
    "scalar-plus-order": (scalar_plus_order, "encoding"),
    "trailing-byte": (trailing_byte, "proof-size"),
    "empty-list": (proof_for_the_empty_list, "proof-size"),
    "M6-lengths": (lists_of_other_lengths, "statement"),
    "S8-identity-key": (key_that_is_the_identity, "statement"),
}


@pytest.mark.parametrize("name", FORMS)
def test_defects_of_form(group: Group, name: str) -> None:
    make, expected = FORMS[name]
    assert verdict(make(group), group) == {expected}


def test_M6_the_empty_list_and_a_list_of_one(group: Group) -> None:
    assert verdict(make_case(group, 0, 1), group) == set()
    one = make_case(group, 1, 1)
    assert verdict(one, group) == set()
    assert verdict(one.with_(outputs=one.inputs), group)


def test_M6_a_width_of_zero_is_refused(group: Group) -> None:
    assert verdict(make_case(group, 7, 1).with_(width=0), group) == {"statement"}


# Attacks.


def test_M1_one_output_replaced(group: Group) -> None:
    case = make_case(group, 7, 1)
    other = random_list(group, Randomness("other"), 1, 1)
    assert verdict(case.with_(outputs=other + case.outputs[64:]), group)


def test_M2_one_dropped_another_doubled(group: Group) -> None:
    case = make_case(group, 7, 1)
    assert verdict(case.with_(outputs=case.outputs[64:128] + case.outputs[64:]), group)


@pytest.mark.parametrize("field", ["fingerprint", "contest", "group_id", "stage", "mixer", "public_key"])
def test_M5_a_proof_is_bound_to_its_context(group: Group, field: str) -> None:
    case = make_case(group, 5, 1)
    other: dict[str, object] = {
        "fingerprint": bytes(32),
        "contest": "president",
        "group_id": "south",
        "stage": 3,
        "mixer": "mixer-3",
        "public_key": generator(group),
    }
    assert verdict(case.with_(**{field: other[field]}), group)


def test_M5_the_proof_of_another_list(group: Group) -> None:
    case, other = make_case(group, 5, 1), make_case(group, 5, 1, seed="other")
    assert verdict(case.with_(proof=other.proof), group)


def test_positions_of_a_ciphertext_cannot_move_apart(group: Group) -> None:
    """Ranks of two ballots exchanged, each position a valid shuffle by itself."""
    case = make_case(group, 5, 2)
    first, second = case.outputs[:128], case.outputs[128:256]
    crossed = first[:64] + second[64:] + second[:64] + first[64:]
    assert verdict(case.with_(outputs=crossed + case.outputs[256:]), group)


@pytest.mark.parametrize(("count", "m"), [(1, 2), (4, 2), (5, 3), (99, 3), (100, 15), (199_999, 15), (200_000, 63)])
def test_M11_the_shape_is_that_of_the_table(count: int, m: int) -> None:
    shape = shape_of(count, 1)
    assert shape.m == m
    assert (m - 1) * shape.n < count <= m * shape.n or (count < 4 and shape.n == 2)


def _of_order(order: int) -> int:
    """An element of the given order of the multiplicative group modulo L."""
    for base in range(2, 100):
        candidate = pow(base, (ORDER - 1) // order, ORDER)
        if all(pow(candidate, order // prime, ORDER) != 1 for prime in (2, 3, 11) if order % prime == 0):
            return candidate
    raise AssertionError


@pytest.mark.parametrize("order", [1, 2, 3, 4, 6, 11, 12, 22, 33, 44, 66, 132])
def test_M8_power_challenges_of_small_order_are_refused(order: int) -> None:
    good = dict.fromkeys(["shuffle.y", "single-value.x", *POWER_CHALLENGES], 12345)
    assert unusable_challenges(good) == []
    for label in POWER_CHALLENGES:
        assert unusable_challenges(good | {label: _of_order(order)}) == [label]
    assert unusable_challenges(good | {"shuffle.y": _of_order(order)}) == []


@pytest.mark.parametrize("label", ["shuffle.x", "shuffle.y", "shuffle.z", "single-value.x"])
def test_M8_a_challenge_of_zero_is_refused(label: str) -> None:
    assert unusable_challenges({label: 0}) == [label]


def test_M8_unusable_challenges_fail_the_proof(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    """No prover can produce one, so the finding itself is planted."""
    monkeypatch.setattr(shuffle, "unusable_challenges", lambda _: ["shuffle.x"])
    assert verdict(make_case(group, 5, 1), group) == {"challenge"}


@pytest.mark.parametrize("chunk", [1, 3, 8])
def test_the_lists_are_read_in_chunks_of_any_size(group: Group, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shuffle, "CHUNK", chunk)
    monkeypatch.setattr(shuffle_equations, "CHUNK", chunk)
    assert verdict(make_case(group, 23, 2), group) == set()
    assert verdict(make_case(group, 7, 1, defect="multi-exponentiation.E"), group) == {"multi-exponentiation.E"}


def test_a_bad_component_is_named_by_its_place_in_the_whole_list(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shuffle, "CHUNK", 1)
    case = make_case(group, 7, 1)
    broken = case.with_(inputs=case.inputs[: 64 * 6 + 32] + b"\xff" * 32)
    failures = verify_shuffle(**asdict(broken), group=group, randomness=Randomness("weights"))
    assert [failure.equation for failure in failures] == ["shuffle.inputs"]
    assert "component 13" in failures[0].sentence


def test_memory_maps_are_accepted(group: Group) -> None:
    case = make_case(group, 5, 1)
    views = asdict(case) | {"inputs": memoryview(case.inputs), "outputs": memoryview(case.outputs)}
    assert verify_shuffle(**views, group=group, randomness=os.urandom) == []


@pytest.mark.full
def test_cost_at_100000_ciphertexts(group: Group) -> None:
    """CPU at most 1.15 times one decoding and one term for each component of both lists; memory below 600 MB.

    The proof is well-formed and false: all that is measured happens before its equations are looked at one by one.
    """
    count = 100_000
    encoded = group.fixed_base(group.generator()).mul_encode_vartime(group.scalars_wide(os.urandom(128 * count)))
    shape = shape_of(count, 1)
    proof = b"".join(encoded[: 32 * n] if is_element else bytes(32 * n) for _, n, is_element in _layout(shape))
    case = make_case(group, 1, 1).with_(inputs=encoded, outputs=encoded, proof=proof)
    ratios: list[float] = []
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shuffle, "_failing_group_equations", lambda *_: ["batch"])
        for _ in range(3):
            scalars = group.scalars_wide(os.urandom(128 * count))
            start = time.process_time()
            for _ in range(2):
                group.msm_decode(scalars, encoded, allow_identity=False)
            floor = time.process_time() - start
            start = time.process_time()
            assert verify_shuffle(**asdict(case), group=group, randomness=os.urandom)
            ratios.append((time.process_time() - start) / floor)
    assert min(ratios) < 1.15
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    assert int(peak.split()[1]) < 600 * 1024
