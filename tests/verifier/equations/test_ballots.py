"""The ballots' equations against an independent small prover, with one planted defect for each of them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.errors import DecodeError
from crypto.group import ORDER, Group, PairingGroup, load_group, load_pairing_group, set_threads
from tests.verifier.equations.ballot_cases import (
    DEFECTS,
    LIST,
    PRESIDENT,
    choose,
    credential_of_another,
    found,
    identity_ciphertext,
    identity_commitment,
    identity_nonce,
    make_contests,
    scalar_plus_order,
    verdict,
    with_credential,
    wrong_signature,
)
from tests.verifier.equations.provers import (
    Ballot,
    Setting,
    encode_scalars,
    linear,
    make_ballot,
    make_setting,
    prove_selections,
    signed,
    to_batch,
    with_contest,
)
from verifier.equations import ballots as ballots_module
from verifier.equations import statements
from verifier.equations.ballots import add_sums, ciphertext_sums, select_rows
from verifier.equations.combination import bad_rows
from verifier.equations.interface import ContestShape


def test_honest_ballots_are_accepted(setting: Setting, honest: list[Ballot]) -> None:
    assert verdict(setting, honest) == []
    assert verdict(setting, []) == []


def test_an_honest_batch_is_accepted_as_a_whole(
    setting: Setting, honest: list[Ballot], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One combination and one pairing product; nothing is divided."""
    calls: list[str] = []

    def counted(name: str) -> Callable[..., bool]:
        original = getattr(ballots_module, name)

        def call(*arguments: Any) -> bool:
            calls.append(name)
            return bool(original(*arguments))

        return call

    for name in ("_equations_hold", "credential_pairing"):
        monkeypatch.setattr(ballots_module, name, counted(name))
    assert verdict(setting, honest * 7) == []
    assert sorted(calls) == ["_equations_hold", "credential_pairing"]


def test_the_portable_arithmetic_agrees() -> None:
    group, pairing = load_group("portable"), load_pairing_group("portable")
    setting = make_setting(group, pairing, make_contests(group))
    good, bad = make_ballot(setting, choose(setting)), make_ballot(setting, choose(setting, claims={2: 1}))
    assert found(setting, [good, bad]) == [(1, "proof", "ballot.choice.data")]


@pytest.mark.parametrize("name", DEFECTS)
def test_the_violated_equation_and_the_row_are_named(setting: Setting, honest: list[Ballot], name: str) -> None:
    defect = DEFECTS[name]
    rows = [honest[0], defect.make(setting), honest[1]]
    assert found(setting, rows) == [(1, defect.reason, defect.equation)]


@pytest.mark.parametrize("name", DEFECTS)
def test_D9_an_equation_replaced_by_pass_is_noticed(
    setting: Setting, honest: list[Ballot], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing but this equation catches the planted defect."""
    defect = DEFECTS[name]
    ballot = defect.make(setting)
    monkeypatch.setattr(defect.module, defect.function, lambda *_: True)
    assert found(setting, [honest[0], ballot]) == []


def test_an_identity_in_a_ciphertext_is_malformed_though_its_proofs_hold(setting: Setting) -> None:
    assert found(setting, [identity_ciphertext(setting)]) == [(0, "malformed", "ballot.elements")]


def test_an_identity_among_the_commitments_is_malformed_though_its_proofs_hold(setting: Setting) -> None:
    assert found(setting, [identity_commitment(setting)]) == [(0, "malformed", "ballot.elements")]


def test_a_signature_with_the_identity_does_not_hold_though_its_equation_does(setting: Setting) -> None:
    assert found(setting, [identity_nonce(setting)]) == [(0, "signature", "ballot.signature")]


def test_B10_a_scalar_plus_the_order_is_malformed_though_its_equations_hold(setting: Setting) -> None:
    assert found(setting, [scalar_plus_order(setting)]) == [(0, "malformed", "ballot.scalars")]


@pytest.mark.parametrize("target", ["scalar_encodings", "element_encodings"])
def test_the_reason_malformed_comes_from_its_own_checks(
    setting: Setting, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decoding refuses the row in any case; without the check of encodings it would get another reason."""
    ballot = scalar_plus_order(setting) if target == "scalar_encodings" else identity_ciphertext(setting)
    monkeypatch.setattr(ballots_module, target, lambda *_: None)
    assert [reason for _, reason, _ in found(setting, [ballot])] != ["malformed"]


def test_a_challenge_of_zero_is_refused(
    setting: Setting, honest: list[Ballot], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can make one, so the hash is replaced; the proof then is all zero and its equations hold."""
    monkeypatch.setattr(statements, "contest_challenges", lambda batch, *_: setting.group.scalars([0] * len(batch)))
    ballot = with_contest(setting, honest[0], LIST, scalars=bytes(64))
    one = setting.group.generator().encode()
    zero_nonces = with_contest(setting, ballot, LIST, commitments=one + one, scalars=encode_scalars([1, 1]))
    only_list = replace(setting, style=replace(setting.style, contests=setting.style.contests[LIST:]))
    row = signed(only_list, replace(zero_nonces, contests=zero_nonces.contests[LIST:]))
    assert found(only_list, [row]) == [(0, "proof", "ballot.challenge")]
    monkeypatch.setattr(statements, "nonzero_challenge", lambda *_: True)
    assert found(only_list, [row]) == []


# Encodings.


def replace_bytes(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


#: Not canonical elements (RFC 9496 appendix A.3): the field prime, a negative one, a non-square.
BAD_ELEMENTS = [
    "00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371",
    "00" * 32,
]


@pytest.mark.parametrize("bad", BAD_ELEMENTS)
@pytest.mark.parametrize("field", ["ciphertexts", "commitments"])
@pytest.mark.parametrize("contest", [PRESIDENT, LIST])
def test_B10_every_element_must_be_canonical(
    setting: Setting, honest: list[Ballot], contest: int, field: str, bad: str
) -> None:
    whole = getattr(honest[0].contests[contest], field)
    for at in (0, len(whole) - 32):
        ballot = with_contest(setting, honest[0], contest, **{field: replace_bytes(whole, at, bytes.fromhex(bad))})
        assert found(setting, [honest[1], ballot]) == [(1, "malformed", "ballot.elements")]


def test_every_single_scalar_must_be_below_the_order(setting: Setting, honest: list[Ballot]) -> None:
    for number, contest in enumerate(honest[0].contests):
        for at in range(0, len(contest.scalars), 32):
            scalars = replace_bytes(contest.scalars, at, ORDER.to_bytes(32, "little"))
            ballot = with_contest(setting, honest[0], number, scalars=scalars)
            assert [f.reason for f in verdict(setting, [ballot])] == ["malformed"]


def test_a_pseudonym_that_is_the_identity_is_malformed(setting: Setting, honest: list[Ballot]) -> None:
    assert found(setting, [replace(honest[0], pseudonym=bytes(32))]) == [(0, "malformed", "ballot.elements")]


@pytest.mark.parametrize(
    "credential",
    [
        bytes(48),
        b"\xc0" + bytes(47),  # the identity
        b"\xff" * 48,
        bytes.fromhex("80") + bytes(46) + b"\x04",  # on the curve, outside the subgroup
    ],
)
def test_credentials_are_points_of_the_subgroup(setting: Setting, honest: list[Ballot], credential: bytes) -> None:
    ballot = with_credential(setting, honest[0], credential)
    assert found(setting, [honest[1], ballot]) == [(1, "credential", "credential.point")]


def test_a_signature_with_a_large_response_or_a_bad_nonce_is_a_bad_signature(
    setting: Setting, honest: list[Ballot]
) -> None:
    ballot = honest[0]
    larger = (int.from_bytes(ballot.signature[32:], "little") + ORDER).to_bytes(32, "little")
    for signature in (ballot.signature[:32] + larger, bytes(64), b"\xff" * 64):
        rows = [honest[1], replace(ballot, signature=signature)]
        assert [(f.row, f.reason) for f in verdict(setting, rows)] == [(1, "signature")]


def test_the_first_reason_in_the_order_of_the_table_counts(setting: Setting) -> None:
    ballot = DEFECTS["sum.data"].make(setting)
    assert [f.reason for f in verdict(setting, [ballot])] == ["proof"]
    unsigned = replace(ballot, signature=wrong_signature(setting).signature)
    assert [f.reason for f in verdict(setting, [unsigned])] == ["signature"]
    uncredited = replace(unsigned, credential=credential_of_another(setting).credential)
    assert [f.reason for f in verdict(setting, [uncredited])] == ["credential"]
    contests = (replace(ballot.contests[0], ciphertexts=bytes(64 * 3)), *ballot.contests[1:])
    assert [f.reason for f in verdict(setting, [replace(uncredited, contests=contests)])] == ["malformed"]


# Dividing.


@given(st.integers(0, 700), st.sets(st.integers(0, 699), max_size=12))
@settings(max_examples=60, deadline=None)
def test_dividing_finds_exactly_the_bad_rows(count: int, bad: set[int]) -> None:
    bad = {row for row in bad if row < count}
    assert bad_rows(count, lambda first, end: not bad & set(range(first, end))) == sorted(bad)


def test_dividing_costs_about_two_batches_for_one_bad_row_and_four_for_all() -> None:
    work: list[int] = []

    def holds(bad: set[int]) -> Callable[[int, int], bool]:
        def check(first: int, end: int) -> bool:
            work.append(end - first)
            return not bad & set(range(first, end))

        return check

    bad_rows(4096, holds({1234}))
    assert sum(work) < 2.2 * 4096
    work.clear()
    bad_rows(4096, holds(set(range(4096))))
    assert sum(work) <= 4 * 4096


def test_many_rows_with_several_bad_ones(setting: Setting, honest: list[Ballot]) -> None:
    bad = {3: DEFECTS["sum.pad"], 17: DEFECTS["credential"], 39: DEFECTS["signature"]}
    rows = [bad[i].make(setting) if i in bad else honest[i % 3] for i in range(40)]
    expected = [(row, defect.reason, defect.equation) for row, defect in bad.items()]
    assert found(setting, rows) == expected
    assert found(setting, [rows[17]] * 20) == [(row, "credential", "credential.pairing") for row in range(20)]


def test_selected_rows_are_the_rows(setting: Setting, honest: list[Ballot]) -> None:
    assert select_rows(to_batch(setting, honest), 1, 3) == to_batch(setting, honest[1:])


# Sums.


def test_sums_of_ciphertexts_are_column_sums(setting: Setting, honest: list[Ballot]) -> None:
    group = setting.group
    joined = b"".join(ballot.contests[PRESIDENT].ciphertexts for ballot in honest)
    expected = b"".join(
        linear(group, *((1, joined[192 * row + 32 * column :][:32]) for row in range(3))) for column in range(6)
    )
    assert ciphertext_sums(joined, 3, group) == expected
    assert ciphertext_sums(b"", 3, group) == bytes(192)
    for wrong in (bytes(32), b"\xff" * 32):
        with pytest.raises(DecodeError):
            ciphertext_sums(joined[:-32] + wrong, 3, group)
    parts = [ciphertext_sums(joined[:192], 3, group), ciphertext_sums(joined[192:], 3, group), bytes(192)]
    assert add_sums(parts, group) == expected


@pytest.mark.full
def test_cost_of_a_zero_or_one_choice(group: Group, pairing: PairingGroup) -> None:
    """CPU at most 1.15 times six decodings and six terms for each choice, hashing included (one contest of ten)."""
    shape = ContestShape("president", "homomorphic", 0, options=10, minimum=1, maximum=1)
    setting = make_setting(group, pairing, [shape])
    selections = (0, 0, 1, *([0] * 7))
    few = [make_ballot(setting, lambda s, p: prove_selections(setting, s, p, selections)) for _ in range(4)]
    batch = to_batch(setting, few * 1024)
    encoded = batch.contests[0].ciphertexts + batch.contests[0].commitments
    encoded = encoded[: 32 * 6 * 10 * len(batch)]
    scalars = group.scalars_wide(os.urandom(2 * len(encoded)))
    ratios = []
    set_threads(1)
    try:
        for _ in range(4):
            start = time.process_time()
            group.msm_decode(scalars, encoded, allow_identity=False)
            floor = time.process_time() - start
            start = time.process_time()
            assert ballots_module._equations_hold(batch, setting.election, group, os.urandom)
            ratios.append((time.process_time() - start) / floor)
    finally:
        set_threads(0)
    assert min(ratios) < 1.15
