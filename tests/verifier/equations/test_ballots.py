"""The ballots' equations against an independent small prover, with one planted defect for each of them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.group import BLS_ORDER, ORDER, Group, PairingGroup, load_group, load_pairing_group, set_threads
from tests.verifier.equations.provers import (
    Ballot,
    Encrypted,
    Randomness,
    Setting,
    Shifts,
    challenge_of,
    encode_scalars,
    encrypt,
    issue_credential,
    linear,
    make_ballot,
    make_setting,
    prove_codes,
    prove_selections,
    sign_schnorr,
    signed,
    times_generator,
    to_batch,
    with_contest,
)
from verifier.equations import ballots as ballots_module
from verifier.equations import statements
from verifier.equations.ballots import add_sums, ciphertext_sums, select_rows, verify_ballots
from verifier.equations.combination import bad_rows
from verifier.equations.interface import ContestShape
from verifier.equations.parameters import code_elements
from verifier.failure import RowFailure

#: Contests of the setting: (options, minimum, maximum), then a ranked contest of width 2.
PRESIDENT, COUNCIL, LIST = 0, 1, 2


def make_contests(group: Group) -> list[ContestShape]:
    codes = code_elements(group, bytes(32), "list", ["a", "b", "none"])
    return [
        ContestShape("president", "homomorphic", 0, options=3, minimum=1, maximum=1),
        ContestShape("council", "homomorphic", 1, options=2, minimum=0, maximum=2),
        ContestShape("list", "mixed", 2, width=2, code_book=codes),
    ]


@pytest.fixture(scope="module")
def setting(group: Group, pairing: PairingGroup) -> Setting:
    return make_setting(group, pairing, make_contests(group))


def choose(
    setting: Setting,
    *,
    president: tuple[int, ...] = (0, 1, 0),
    shifts: dict[int, Shifts] | None = None,
    claims: dict[int | str, int] | None = None,
) -> Callable[[ContestShape, bytes], Encrypted]:
    """An honest voter's choices, or with what is asked for."""

    def contest(shape: ContestShape, pseudonym: bytes) -> Encrypted:
        shift = (shifts or {}).get(shape.position)
        if shape.kind == "mixed":
            return prove_codes(setting, shape, pseudonym, [1, 2], shifts=shift)
        selections = president if shape.position == PRESIDENT else (1, 1)
        mine = claims if shape.position == PRESIDENT else None
        return prove_selections(setting, shape, pseudonym, selections, shifts=shift, claims=mine)

    return contest


@pytest.fixture(scope="module")
def honest(setting: Setting) -> list[Ballot]:
    return [make_ballot(setting, choose(setting)) for _ in range(3)]


def verdict(setting: Setting, ballots: list[Ballot], kind: str = "ballot") -> list[RowFailure]:
    batch = to_batch(setting, ballots, kind)
    return verify_ballots(batch, setting.election, setting.group, setting.pairing, Randomness("weights"))


def found(setting: Setting, ballots: list[Ballot]) -> list[tuple[int, str, str]]:
    return [(failure.row, failure.reason, failure.equation) for failure in verdict(setting, ballots)]


def test_honest_ballots_are_accepted(setting: Setting, honest: list[Ballot]) -> None:
    assert verdict(setting, honest) == []
    assert verdict(setting, []) == []


def test_the_portable_arithmetic_agrees() -> None:
    group, pairing = load_group("portable"), load_pairing_group("portable")
    setting = make_setting(group, pairing, make_contests(group))
    good, bad = make_ballot(setting, choose(setting)), make_ballot(setting, choose(setting, claims={2: 1}))
    assert found(setting, [good, bad]) == [(1, "proof", "ballot.choice.data")]


# One defect for each equation.


@dataclass(frozen=True)
class Defect:
    """How a ballot is made, its reason, the equation that fails, and the function that checks it."""

    make: Callable[[Setting], Ballot]
    reason: str
    equation: str
    module: object
    function: str


def shifted(contest: int, statement: int | str, value: int, component: str) -> Callable[[Setting], Ballot]:
    """A commitment off by G, before the challenge is hashed."""
    return lambda setting: make_ballot(setting, choose(setting, shifts={contest: {(statement, value, component): 1}}))


def wrong_signature(setting: Setting) -> Ballot:
    ballot = make_ballot(setting, choose(setting))
    response = (int.from_bytes(ballot.signature[32:], "little") + 1) % ORDER
    return replace(ballot, signature=ballot.signature[:32] + encode_scalars([response]))


def with_credential(setting: Setting, ballot: Ballot, credential: bytes) -> Ballot:
    return signed(setting, replace(ballot, credential=credential))


def credential_of_another(setting: Setting) -> Ballot:
    other = issue_credential(setting, times_generator(setting.group, 5))
    return with_credential(setting, make_ballot(setting, choose(setting)), other)


def scalar_plus_order(setting: Setting) -> Ballot:
    ballot = make_ballot(setting, choose(setting))
    scalars = ballot.contests[PRESIDENT].scalars
    larger = (int.from_bytes(scalars[-32:], "little") + ORDER).to_bytes(32, "little")
    return with_contest(setting, ballot, PRESIDENT, scalars=scalars[:-32] + larger)


def identity_ciphertext(setting: Setting) -> Ballot:
    """A data component that is the identity, with proofs that hold: the voter chose the randomizer for it."""

    def contest(shape: ContestShape, pseudonym: bytes) -> Encrypted:
        if shape.position != LIST:
            return choose(setting)(shape, pseudonym)
        rng, key = setting.randomness, setting.election.public_key
        randomizers, nonces = rng.scalars(2), rng.scalars(2)
        first = encrypt(setting.group, key, linear(setting.group, (-randomizers[0], key)), randomizers[0])
        assert first[32:] == bytes(32)
        ciphertexts = first + encrypt(setting.group, key, shape.code_book[:32], randomizers[1])
        commitments = b"".join(times_generator(setting.group, nonce) for nonce in nonces)
        e = challenge_of(setting, shape, pseudonym, ciphertexts, commitments)
        responses = encode_scalars([n + e * r for n, r in zip(nonces, randomizers, strict=True)])
        return Encrypted(ciphertexts, commitments, responses, choose(setting)(shape, pseudonym).opening)

    return make_ballot(setting, contest)


DEFECTS = {
    "choice.pad": Defect(shifted(PRESIDENT, 1, 1, "A"), "proof", "ballot.choice.pad", statements, "choice_pad"),
    "choice.pad simulated": Defect(shifted(COUNCIL, 1, 0, "A"), "proof", "ballot.choice.pad", statements, "choice_pad"),
    "choice.data": Defect(shifted(PRESIDENT, 0, 0, "B"), "proof", "ballot.choice.data", statements, "choice_data"),
    "choice.data simulated": Defect(
        shifted(COUNCIL, 0, 0, "B"), "proof", "ballot.choice.data", statements, "choice_data"
    ),
    "sum.pad": Defect(shifted(PRESIDENT, "sum", 1, "A"), "proof", "ballot.sum.pad", statements, "sum_pad"),
    "sum.pad of several": Defect(shifted(COUNCIL, "sum", 0, "A"), "proof", "ballot.sum.pad", statements, "sum_pad"),
    "sum.data": Defect(shifted(PRESIDENT, "sum", 1, "B"), "proof", "ballot.sum.data", statements, "sum_data"),
    "sum.data of several": Defect(shifted(COUNCIL, "sum", 2, "B"), "proof", "ballot.sum.data", statements, "sum_data"),
    "plaintext-knowledge": Defect(
        shifted(LIST, 1, 0, "A"), "proof", "ballot.plaintext-knowledge", statements, "plaintext_knowledge"
    ),
    "signature": Defect(wrong_signature, "signature", "ballot.signature", ballots_module, "signature_equation"),
    "credential": Defect(
        credential_of_another, "credential", "credential.pairing", ballots_module, "credential_pairing"
    ),
    # Attacks of which exactly one equation knows.
    "B6 a choice of 2, claimed to be 1": Defect(
        lambda s: make_ballot(s, choose(s, president=(0, 2, -1), claims={1: 1, 2: 0})),
        "proof",
        "ballot.choice.data",
        statements,
        "choice_data",
    ),
    "B7 an overvote, its sum claimed to be 1": Defect(
        lambda s: make_ballot(s, choose(s, president=(1, 1, 0), claims={"sum": 1})),
        "proof",
        "ballot.sum.data",
        statements,
        "sum_data",
    ),
    "B7 an undervote": Defect(
        lambda s: make_ballot(s, choose(s, president=(0, 0, 0), claims={"sum": 1})),
        "proof",
        "ballot.sum.data",
        statements,
        "sum_data",
    ),
}


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


# Attacks.


def test_B1_another_voters_ciphertext_and_proof_do_not_fit_my_pseudonym(setting: Setting, honest: list[Ballot]) -> None:
    copy = signed(setting, replace(honest[0], contests=honest[1].contests))
    assert [f.reason for f in verdict(setting, [copy])] == ["proof"]


def test_B2_M7_a_rerandomised_ciphertext_has_no_proof(setting: Setting, honest: list[Ballot]) -> None:
    whole, key = honest[0].contests[LIST].ciphertexts, setting.election.public_key
    pad = linear(setting.group, (1, whole[:32]), (7, setting.group.generator().encode()))
    data = linear(setting.group, (1, whole[32:64]), (7, key))
    copy = with_contest(setting, honest[0], LIST, ciphertexts=pad + data + whole[64:])
    assert [f.reason for f in verdict(setting, [copy])] == ["proof"]


def test_B3_B4_every_field_of_the_challenge_binds(setting: Setting, honest: list[Ballot]) -> None:
    """The very same ballot does not fit another election, style, position, contest id or key."""
    first, *others = setting.style.contests
    style, election = setting.style, setting.election
    changed = [
        replace(setting, election=replace(election, fingerprint=bytes(32))),
        replace(setting, election=replace(election, public_key=times_generator(setting.group, 9))),
        replace(setting, style=replace(style, id="other")),
        replace(setting, style=replace(style, contests=(replace(first, id="other"), *others))),
        replace(setting, style=replace(style, contests=(replace(first, position=5), *others))),
    ]
    for other in changed:
        row = with_credential(other, honest[0], issue_credential(other, honest[0].pseudonym))
        assert [f.reason for f in verdict(other, [row])] == ["proof"]


def test_B7_the_proof_of_another_contest_does_not_fit(setting: Setting) -> None:
    shape = setting.style.contests[PRESIDENT]
    twins = (shape, replace(shape, position=1))
    twin_setting = replace(setting, style=replace(setting.style, contests=twins))

    def same(shape: ContestShape, pseudonym: bytes) -> Encrypted:
        return prove_selections(twin_setting, shape, pseudonym, (1, 0, 0))

    ballot = make_ballot(twin_setting, same)
    assert verdict(twin_setting, [ballot]) == []
    swapped = signed(twin_setting, replace(ballot, contests=(ballot.contests[1], ballot.contests[0])))
    assert [f.reason for f in verdict(twin_setting, [swapped])] == ["proof"]


def test_B8_two_options_swapped_with_their_proofs(setting: Setting, honest: list[Ballot]) -> None:
    contest = honest[0].contests[PRESIDENT]

    def swap(data: bytes, size: int) -> bytes:
        return data[size : 2 * size] + data[:size] + data[2 * size :]

    ballot = with_contest(
        setting,
        honest[0],
        PRESIDENT,
        ciphertexts=swap(contest.ciphertexts, 64),
        commitments=swap(contest.commitments, 128),
        scalars=swap(contest.scalars, 96),
    )
    assert [f.reason for f in verdict(setting, [ballot])] == ["proof"]


def test_B11_errors_that_cancel_are_found_in_both_rows(setting: Setting) -> None:
    """Equal and opposite errors in the same equation of two ballots, and in two equations of one ballot."""
    plus = make_ballot(setting, choose(setting, shifts={PRESIDENT: {(1, 1, "A"): 1}}))
    minus = make_ballot(setting, choose(setting, shifts={PRESIDENT: {(1, 1, "A"): -1}}))
    both = make_ballot(setting, choose(setting, shifts={PRESIDENT: {(0, 0, "A"): 1, (0, 1, "A"): -1}}))
    across = make_ballot(setting, choose(setting, shifts={PRESIDENT: {(0, 0, "A"): 1}, LIST: {(0, 0, "A"): -1}}))
    assert [f.row for f in verdict(setting, [plus, minus, both, across])] == [0, 1, 2, 3]


def test_B11_credentials_whose_errors_cancel(setting: Setting, honest: list[Ballot]) -> None:
    pairing = setting.pairing
    first, second = (pairing.g1_decode(ballot.credential) for ballot in honest[:2])
    error = pairing.g1_generator().mul([5])
    rows = [
        with_credential(setting, honest[0], (first + error).encode()),
        with_credential(setting, honest[1], (second + -error).encode()),
    ]
    assert [(f.row, f.reason) for f in verdict(setting, rows)] == [(0, "credential"), (1, "credential")]


def test_C5_the_credential_of_another_style_election_or_key(setting: Setting, honest: list[Ballot]) -> None:
    pseudonym = honest[0].pseudonym
    other_key = replace(setting, issuance_secret=(setting.issuance_secret + 1) % BLS_ORDER)
    other_election = replace(setting, election=replace(setting.election, fingerprint=bytes(32)))
    for credential in (
        issue_credential(setting, pseudonym, style="other"),
        issue_credential(other_key, pseudonym),
        issue_credential(other_election, pseudonym),
    ):
        ballot = with_credential(setting, honest[0], credential)
        assert found(setting, [ballot]) == [(0, "credential", "credential.pairing")]


def test_a_signature_for_a_challenge_does_not_sign_a_ballot(setting: Setting) -> None:
    challenge = make_ballot(setting, choose(setting), kind="challenge")
    assert verdict(setting, [challenge], "challenge") == []
    assert [f.reason for f in verdict(setting, [challenge])] == ["signature"]


def test_a_signature_covers_every_byte_of_the_message(setting: Setting, honest: list[Ballot]) -> None:
    changed = replace(honest[0], message=honest[0].message + b"\0")
    assert [f.reason for f in verdict(setting, [changed])] == ["signature"]
    other_signer = sign_schnorr(setting.group, setting.randomness, "evoting/v1/ballot-signature", 77, honest[0].message)
    assert [f.reason for f in verdict(setting, [replace(honest[0], signature=other_signer)])] == ["signature"]


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
