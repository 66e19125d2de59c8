"""Attacks on ballots, named as in the catalogue: each is refused, with its reason and row."""

from __future__ import annotations

from dataclasses import replace

from crypto.group import BLS_ORDER
from tests.verifier.equations.ballot_cases import (
    LIST,
    PRESIDENT,
    choose,
    found,
    verdict,
    with_credential,
)
from tests.verifier.equations.provers import (
    Ballot,
    Encrypted,
    Setting,
    issue_credential,
    linear,
    make_ballot,
    prove_selections,
    sign_schnorr,
    signed,
    times_generator,
    with_contest,
)
from verifier.equations.interface import ContestShape


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
