"""Honest ceremonies: what they give, and how they go on after an exclusion."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.dkg.audit import audit_ceremony, require_published_keys
from crypto.dkg.errors import InvalidCeremony
from crypto.dkg.key_group import G2KeyGroup, RistrettoKeyGroup
from crypto.dkg.messages import Message, open_message
from crypto.dkg.parameters import CeremonyParameters, issuer_ceremony
from crypto.dkg.participant import Completed, begin_attempt
from crypto.dkg.shamir import evaluate_commitments, evaluate_polynomial, lagrange_at_zero
from crypto.dkg.transcript import Attempt
from crypto.dkg.verdict import Culprit
from crypto.errors import CeremonyError
from crypto.group import load_group, load_pairing_group, native_available
from crypto.group.interface import BLS_ORDER, ORDER
from tests.crypto.dkg.ceremony_support import (
    MANIFEST_HASH,
    actors_of,
    issuers,
    play,
    seed,
    signer,
    transcript_of,
    trustees,
)

ARITHMETICS = ["native", "portable"] if native_available() else ["portable"]


def run_honest(parameters: CeremonyParameters, history: tuple[Attempt, ...] = ()) -> list[Completed]:
    """The state machine for everybody who takes part."""
    number = len(history) + 1
    participants = history[-1].remaining() if history else parameters.indices
    seats: list[object] = [
        begin_attempt(parameters, history, index, seed(index, number), signer(parameters.kind, index))
        for index in participants
    ]
    for round_number in range(1, 5):
        messages: list[Message] = [
            open_message(parameters, seat.message, attempt=number, round_number=round_number)  # type: ignore[attr-defined]
            for seat in seats
        ]
        seats = [seat.receive(messages) for seat in seats]  # type: ignore[attr-defined]
    assert all(isinstance(seat, Completed) for seat in seats)
    return seats  # type: ignore[return-value]


def require_consistent(parameters: CeremonyParameters, done: list[Completed]) -> None:
    """Any threshold of the shares gives the secret of the joint key, for every label."""
    group = parameters.group
    for position, key in enumerate(done[0].outcome.keys):
        shares = {}
        for completed in done:
            share = completed.key_shares[position]
            (secret,) = group.decode_scalars(share.secret)
            assert group.generate([secret]).encode() == key.verification_keys[share.index - 1]
            shares[share.index] = secret
        for chosen in itertools.combinations(shares, parameters.threshold):
            lambdas = lagrange_at_zero(chosen, group.order)
            secret = sum(c * shares[j] for c, j in zip(lambdas, chosen, strict=True)) % group.order
            assert group.generate([secret]).encode() == key.joint_key
        for chosen in itertools.combinations(shares, parameters.threshold - 1):
            lambdas = lagrange_at_zero(chosen, group.order)
            secret = sum(c * shares[j] for c, j in zip(lambdas, chosen, strict=True)) % group.order
            assert group.generate([secret]).encode() != key.joint_key


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_trustees_share_one_key_that_any_threshold_of_them_opens(arithmetic: str) -> None:
    parameters = trustees(5, 3, arithmetic=arithmetic)
    done = run_honest(parameters)
    assert len({completed.transcript for completed in done}) == 1
    assert audit_ceremony(parameters, done[0].transcript) == done[4].outcome
    require_consistent(parameters, done)


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_issuers_share_one_key_for_each_style(arithmetic: str) -> None:
    parameters = issuers(2, 2, arithmetic=arithmetic) if arithmetic == "portable" else issuers(4, 3)
    done = run_honest(parameters)
    outcome = audit_ceremony(parameters, done[0].transcript)
    assert outcome == done[1].outcome
    assert len({key.joint_key for key in outcome.keys}) == 2
    require_consistent(parameters, done)


@pytest.mark.skipif(len(ARITHMETICS) < 2, reason="one arithmetic only")
def test_both_arithmetics_make_the_same_transcripts() -> None:
    for name in ARITHMETICS:
        assert run_honest(trustees(3, 2, arithmetic=name))[0].transcript == run_honest(trustees(3, 2))[0].transcript
        few = issuers(1, 1, ["city"], arithmetic=name)
        assert run_honest(few)[0].transcript == run_honest(issuers(1, 1, ["city"]))[0].transcript


def test_participants_and_the_independent_actors_send_the_same_bytes() -> None:
    parameters = trustees(4, 3)
    assert run_honest(parameters)[0].transcript == transcript_of(parameters, play(actors_of(parameters)))


def test_another_seed_or_attempt_or_manifest_gives_another_key() -> None:
    parameters = trustees()
    first = run_honest(parameters)[0].outcome.keys[0].joint_key
    failed = play(actors_of(parameters), alter={(1, 3): lambda _: None}, rounds=1, culprits=[Culprit(3, "missing")])
    second = run_honest(parameters, (failed,))[0].outcome.keys[0].joint_key
    other = run_honest(trustees(manifest_hash=bytes(32)))[0].outcome.keys[0].joint_key
    assert len({first, second, other}) == 3


def test_after_an_exclusion_the_others_keep_their_indices_and_the_excluded_one_has_no_key() -> None:
    parameters = trustees(5, 3)
    failed = play(
        actors_of(parameters),
        alter={(2, 2): lambda _: None, (2, 4): lambda _: None},
        rounds=2,
        culprits=[Culprit(2, "missing"), Culprit(4, "missing")],
    )
    done = run_honest(parameters, (failed,))
    outcome = audit_ceremony(parameters, done[0].transcript)
    assert outcome.participants == (1, 3, 5)
    assert outcome.excluded == (Culprit(2, "missing"), Culprit(4, "missing"))
    keys = outcome.keys[0].verification_keys
    assert keys[1] == keys[3] == bytes(32)
    assert [completed.key_shares[0].index for completed in done] == [1, 3, 5]
    require_consistent(parameters, done)
    require_published_keys(outcome.keys[0], outcome.keys[0].joint_key, b"".join(keys))


def test_a_ceremony_with_fewer_than_the_threshold_left_has_failed() -> None:
    parameters = trustees(3, 3)
    failed = play(actors_of(parameters), alter={(1, 2): lambda _: None}, rounds=1, culprits=[Culprit(2, "missing")])
    with pytest.raises(CeremonyError, match="has failed: 2 participants remain and it takes 3"):
        begin_attempt(parameters, (failed,), 1, seed(1, 2), signer("trustees", 1))


def test_an_excluded_participant_cannot_begin_another_attempt() -> None:
    parameters = trustees()
    failed = play(actors_of(parameters), alter={(1, 2): lambda _: None}, rounds=1, culprits=[Culprit(2, "missing")])
    with pytest.raises(CeremonyError, match="participant 2 does not take part in attempt 2"):
        begin_attempt(parameters, (failed,), 2, seed(2, 2), signer("trustees", 2))


def test_a_single_participant_can_hold_a_ceremony() -> None:
    parameters = trustees(1, 1)
    (done,) = run_honest(parameters)
    assert audit_ceremony(parameters, done.transcript) == done.outcome


@pytest.mark.parametrize(("count", "threshold"), [(4, 2), (3, 1), (2, 1)])
def test_issuers_whose_threshold_is_no_majority_are_refused(count: int, threshold: int) -> None:
    with pytest.raises(ValueError, match="must exceed half"):
        issuers(count, threshold)


@pytest.mark.parametrize(("count", "threshold"), [(0, 0), (2, 3), (3, 0)])
def test_impossible_thresholds_are_refused(count: int, threshold: int) -> None:
    with pytest.raises(ValueError, match="impossible"):
        trustees(count, threshold)


def test_one_role_key_for_two_participants_is_refused() -> None:
    roles = list(trustees().roles)
    with pytest.raises(ValueError, match="same role key"):
        issuer_ceremony(
            load_group(),
            load_pairing_group(),
            MANIFEST_HASH,
            [roles[0], roles[0].__class__("b", roles[0].key)],
            2,
            ["a"],
        )


def test_S8_published_keys_that_are_not_those_of_the_ceremony() -> None:
    parameters = trustees()
    key = run_honest(parameters)[0].outcome.keys[0]
    published = b"".join(key.verification_keys)
    other = parameters.group.generate([7]).encode()
    with pytest.raises(InvalidCeremony) as caught:
        require_published_keys(key, other, published)
    assert caught.value.rule == "joint-key"
    with pytest.raises(InvalidCeremony) as caught:
        require_published_keys(key, key.joint_key, published[:32] + other + published[64:])
    assert caught.value.rule == "verification-keys"


@pytest.mark.parametrize("order", [ORDER, BLS_ORDER])
@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_any_threshold_of_points_gives_the_constant_term(order: int, data: st.DataObject) -> None:
    coefficients = data.draw(st.lists(st.integers(0, order - 1), min_size=1, max_size=6))
    indices = data.draw(
        st.lists(st.integers(1, 255), min_size=len(coefficients), max_size=len(coefficients) + 3, unique=True)
    )
    points = [evaluate_polynomial(coefficients, index, order) for index in indices]
    lambdas = lagrange_at_zero(indices, order)
    assert sum(c * p for c, p in zip(lambdas, points, strict=True)) % order == coefficients[0]


@given(coefficients=st.lists(st.integers(1, 2**200), min_size=1, max_size=4), point=st.integers(1, 255))
@settings(max_examples=20, deadline=None)
def test_commitments_evaluate_to_the_commitment_of_the_share(coefficients: list[int], point: int) -> None:
    for group in (RistrettoKeyGroup(load_group()), G2KeyGroup(load_pairing_group())):
        commitments = group.generate(coefficients)
        share = evaluate_polynomial(coefficients, point, group.order)
        assert evaluate_commitments(group, commitments, point).encode() == group.generate([share]).encode()


@pytest.mark.parametrize("indices", [[], [0], [1, 1], [2, 0, 1], [-1, 2]])
def test_D4_lagrange_refuses_a_trustee_twice_or_index_zero(indices: list[int]) -> None:
    with pytest.raises(ValueError, match="different indices"):
        lagrange_at_zero(indices, ORDER)
