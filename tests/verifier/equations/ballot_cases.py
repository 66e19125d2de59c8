"""Ballots for the tests of the ballots' equations: honest ones, and one for each equation that fails it alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from crypto.group import ORDER, Group
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
    prove_codes,
    prove_selections,
    signed,
    times_generator,
    to_batch,
    with_contest,
)
from verifier.equations import ballots as ballots_module
from verifier.equations import statements
from verifier.equations.ballots import verify_ballots
from verifier.equations.interface import ContestShape
from verifier.equations.parameters import code_elements
from verifier.failure import RowFailure
from verifier.hashing import scalar

#: Contests of the setting: (options, minimum, maximum), then a ranked contest of width 2.
PRESIDENT, COUNCIL, LIST = 0, 1, 2


def make_contests(group: Group) -> list[ContestShape]:
    codes = code_elements(group, bytes(32), "list", ["a", "b", "none"])
    return [
        ContestShape("president", "homomorphic", 0, options=3, minimum=1, maximum=1),
        ContestShape("council", "homomorphic", 1, options=2, minimum=0, maximum=2),
        ContestShape("list", "mixed", 2, width=2, code_book=codes),
    ]


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


def verdict(setting: Setting, ballots: list[Ballot], kind: str = "ballot") -> list[RowFailure]:
    batch = to_batch(setting, ballots, kind)
    return verify_ballots(batch, setting.election, setting.group, setting.pairing, Randomness("weights"))


def found(setting: Setting, ballots: list[Ballot]) -> list[tuple[int, str, str]]:
    return [(failure.row, failure.reason, failure.equation) for failure in verdict(setting, ballots)]


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


def identity_commitment(setting: Setting) -> Ballot:
    """Commitments that are the identity, with proofs that hold: the voter's nonces are zero."""

    def contest(shape: ContestShape, pseudonym: bytes) -> Encrypted:
        made = choose(setting)(shape, pseudonym)
        if shape.position != LIST:
            return made
        commitments, randomizers = bytes(64), made.opening.randomizers
        e = challenge_of(setting, shape, pseudonym, made.ciphertexts, commitments)
        responses = [e * int.from_bytes(randomizers[at : at + 32], "little") for at in (0, 32)]
        return replace(made, commitments=commitments, scalars=encode_scalars(responses))

    return make_ballot(setting, contest)


def identity_nonce(setting: Setting) -> Ballot:
    """A signature whose equation holds with the identity as R: it gives the pseudonym's secret away."""
    ballot = make_ballot(setting, choose(setting))
    e = scalar("evoting/v1/ballot-signature", bytes(32), ballot.pseudonym, ballot.message)
    return replace(ballot, signature=bytes(32) + encode_scalars([e * ballot.secret]))


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
