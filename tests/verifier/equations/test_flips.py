"""One bit flipped anywhere in what is hostile: always refused, in the right row, and never an exception."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.group import Group, PairingGroup, load_group, load_pairing_group
from tests.verifier.equations.ballot_cases import choose, make_contests
from tests.verifier.equations.ceremony_cases import audit
from tests.verifier.equations.ceremony_prover import Ceremony, Script
from tests.verifier.equations.provers import Randomness, Setting, make_ballot, make_setting, to_batch
from tests.verifier.equations.shuffle_prover import Case, make_case
from verifier.equations.ballots import verify_ballots
from verifier.equations.interface import BallotBatch
from verifier.equations.shuffle import verify_shuffle
from verifier.record import cbor

ANYWHERE = st.tuples(st.integers(0, 10**9), st.integers(0, 7))


def flip(data: bytes, place: tuple[int, int], first: int = 0, end: int | None = None) -> bytes:
    """Flip one bit of data[first:end]."""
    at = first + place[0] % ((len(data) if end is None else end) - first)
    return data[:at] + bytes([data[at] ^ (1 << place[1])]) + data[at + 1 :]


@cache
def arithmetic() -> tuple[Group, PairingGroup]:
    return load_group(), load_pairing_group()


@cache
def shuffled() -> Case:
    return make_case(arithmetic()[0], 5, 2)


@given(st.sampled_from(["inputs", "outputs", "proof", "public_key", "fingerprint"]), ANYWHERE)
@settings(max_examples=120, deadline=None)
def test_a_shuffle_with_a_flipped_bit(field: str, place: tuple[int, int]) -> None:
    case = shuffled()
    changed = case.with_(**{field: flip(getattr(case, field), place)})
    failures = verify_shuffle(**asdict(changed), group=arithmetic()[0], randomness=Randomness("weights"))
    assert failures
    assert all(failure.equation for failure in failures)


@given(st.binary(max_size=400), st.binary(max_size=400), st.binary(max_size=400), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_a_shuffle_of_any_bytes(inputs: bytes, outputs: bytes, proof: bytes, width: int) -> None:
    if inputs or outputs or proof or not width:
        case = shuffled().with_(inputs=inputs, outputs=outputs, proof=proof, width=width)
        assert verify_shuffle(**asdict(case), group=arithmetic()[0], randomness=Randomness("weights"))


@cache
def batch() -> tuple[Setting, BallotBatch]:
    """Three ballots."""
    setting = make_setting(*arithmetic(), make_contests(arithmetic()[0]), seed="flips")
    return setting, to_batch(setting, [make_ballot(setting, choose(setting)) for _ in range(3)])


COLUMNS = [(name, None) for name in ("pseudonyms", "credentials", "signatures", "messages")] + [
    (field, contest) for field in ("ciphertexts", "commitments", "scalars") for contest in range(3)
]


@given(st.sampled_from(COLUMNS), st.integers(0, 2), ANYWHERE)
@settings(max_examples=150, deadline=None)
def test_a_ballot_with_a_flipped_bit(column: tuple[str, int | None], row: int, place: tuple[int, int]) -> None:
    setting, honest = batch()
    name, contest = column
    owner: Any = honest if contest is None else honest.contests[contest]
    data = getattr(owner, name)
    if name == "messages":
        changed: Any = [flip(message, place) if i == row else message for i, message in enumerate(data)]
    else:
        size = len(data) // 3
        changed = flip(data, place, size * row, size * (row + 1))
    owner = replace(owner, **{name: changed})
    if contest is not None:
        contests = list(honest.contests)
        contests[contest] = owner
        owner = replace(honest, contests=tuple(contests))
    failures = verify_ballots(owner, setting.election, setting.group, setting.pairing, Randomness("weights"))
    assert [failure.row for failure in failures] == [row]
    if name == "messages":
        assert failures[0].reason == "signature"


@cache
def held() -> tuple[Ceremony, bytes]:
    ceremony = Ceremony(arithmetic()[0], seed="flips")
    return ceremony, cbor.encode(ceremony.transcript(Script()))


@given(ANYWHERE)
@settings(max_examples=120, deadline=None)
def test_a_ceremony_with_a_flipped_bit(place: tuple[int, int]) -> None:
    ceremony, transcript = held()
    assert audit(ceremony, arithmetic()[1], flip(transcript, place)).failures


@pytest.mark.parametrize("length", [0, 1, 100])
def test_a_ceremony_cut_short(length: int) -> None:
    ceremony, transcript = held()
    assert audit(ceremony, arithmetic()[1], transcript[:length]).failures
