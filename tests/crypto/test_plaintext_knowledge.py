"""Knowledge of randomizers: complete, bound to both components, and worthless to whoever copies or shifts."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.batch import Accumulator, find_failures
from crypto.elgamal import EncryptionKey, decode_ciphertexts
from crypto.group import Group, load_group, native_available
from crypto.group.interface import ORDER, ScalarVector
from crypto.hashing import hash_to_group
from crypto.proofs.plaintext_knowledge import KnowledgeLayout, KnowledgeProofs, accumulate_knowledge, prove_knowledge
from tests.support.arithmetics import deterministic_entropy, each_group


@dataclass(frozen=True)
class Contest:
    """A mixed contest whose challenge hashes a context and everything sent."""

    group: Group
    layout: KnowledgeLayout
    context: bytes = b"pseudonym"

    @property
    def key(self) -> EncryptionKey:
        return EncryptionKey.from_element(self.group, self.group.generator().mul(self.group.scalars([99])))

    def challenges(self, rows: int) -> Callable[[bytes, bytes], ScalarVector]:
        size, short = self.layout.ciphertext_bytes, 32 * self.layout.commitments

        def hashed(ciphertexts: bytes, commitments: bytes) -> ScalarVector:
            return self.group.scalars_wide(
                b"".join(
                    hashlib.sha512(
                        self.context + ciphertexts[size * i : size * (i + 1)] + commitments[short * i : short * (i + 1)]
                    ).digest()
                    for i in range(rows)
                )
            )

        return hashed

    def prove(self, rows: int, entropy: Callable[[int], bytes] = os.urandom) -> KnowledgeProofs:
        count = rows * self.layout.width
        messages = hash_to_group(self.group, "evoting/v1/code", *[bytes([i]) for i in range(count)])
        randomizers = self.group.scalars_wide(entropy(64 * count))
        return prove_knowledge(self.key, self.layout, messages, randomizers, self.challenges(rows), entropy)

    def holds(self, proofs: KnowledgeProofs) -> bool:
        group, rows = self.group, len(proofs.ciphertexts) // self.layout.ciphertext_bytes
        accumulator = Accumulator(group, self.key.element)
        accumulate_knowledge(
            accumulator,
            group,
            self.layout,
            decode_ciphertexts(group, proofs.ciphertexts).pads,
            group.elements_decode(proofs.commitments, allow_identity=False),
            group.scalars_decode(proofs.scalars),
            self.challenges(rows)(proofs.ciphertexts, proofs.commitments),
            lambda count: group.scalars_short(os.urandom(16 * count)),
        )
        return accumulator.holds()


def join(proofs: Sequence[KnowledgeProofs]) -> KnowledgeProofs:
    return KnowledgeProofs(
        b"".join(p.ciphertexts for p in proofs),
        b"".join(p.commitments for p in proofs),
        b"".join(p.scalars for p in proofs),
    )


def add_to_scalar(data: bytes, index: int, amount: int) -> bytes:
    value = (int.from_bytes(data[32 * index : 32 * index + 32], "little") + amount) % ORDER
    return data[: 32 * index] + value.to_bytes(32, "little") + data[32 * index + 32 :]


@each_group
@pytest.mark.parametrize("width", [1, 3])
def test_proofs_of_any_width_hold(group: Group, width: int) -> None:
    contest = Contest(group, KnowledgeLayout(width))
    proofs = contest.prove(4)
    assert len(proofs.ciphertexts) == 4 * 64 * width
    assert len(proofs.commitments) == len(proofs.scalars) == 4 * 32 * width
    assert contest.holds(proofs)


@each_group
def test_B2_M7_a_shifted_copy_has_no_proof(group: Group) -> None:
    """Re-randomising or shifting the message keeps the ciphertext related; its owner cannot answer."""
    contest = Contest(group, KnowledgeLayout(1))
    original = contest.prove(1)
    pairs = decode_ciphertexts(group, original.ciphertexts)
    shift = group.scalars([7])
    rerandomised = (pairs.pads + group.generator().mul(shift)).encode() + (
        pairs.data + contest.key.element.mul(shift)
    ).encode()
    shifted_message = original.ciphertexts[:32] + (pairs.data + group.generator()).encode()
    for ciphertexts in (rerandomised, shifted_message):
        assert not contest.holds(replace(original, ciphertexts=ciphertexts))
    # Adding e * 7 to the answer would satisfy the equation for the old challenge; the new one differs.
    e = contest.challenges(1)(original.ciphertexts, original.commitments).to_ints()[0]
    answered = KnowledgeProofs(rerandomised, original.commitments, add_to_scalar(original.scalars, 0, 7 * e))
    assert not contest.holds(answered)


@each_group
def test_B1_the_proof_of_another_pseudonym(group: Group) -> None:
    contest = Contest(group, KnowledgeLayout(2))
    assert not replace(contest, context=b"other").holds(contest.prove(1))


@each_group
def test_ranks_cannot_be_swapped_with_their_proofs(group: Group) -> None:
    contest = Contest(group, KnowledgeLayout(2))
    proofs = contest.prove(1)

    def swap(data: bytes) -> bytes:
        half = len(data) // 2
        return data[half:] + data[:half]

    assert not contest.holds(KnowledgeProofs(swap(proofs.ciphertexts), swap(proofs.commitments), swap(proofs.scalars)))


@each_group
def test_D9_every_rank_is_checked(group: Group) -> None:
    contest = Contest(group, KnowledgeLayout(3))
    proofs = contest.prove(1)
    for index in range(3):
        assert not contest.holds(replace(proofs, scalars=add_to_scalar(proofs.scalars, index, 1)))


@each_group
def test_B11_cancelling_errors_of_two_ballots_and_of_two_ranks(group: Group) -> None:
    contest = Contest(group, KnowledgeLayout(2))
    ballots = [contest.prove(1) for _ in range(4)]
    ballots[0] = replace(ballots[0], scalars=add_to_scalar(ballots[0].scalars, 0, 3))
    ballots[3] = replace(ballots[3], scalars=add_to_scalar(ballots[3].scalars, 0, -3))
    within = add_to_scalar(add_to_scalar(ballots[2].scalars, 0, 3), 1, -3)
    ballots[2] = replace(ballots[2], scalars=within)
    assert find_failures(ballots, lambda part: contest.holds(join(part))) == [0, 2, 3]


@pytest.mark.skipif(not native_available(), reason="the native arithmetic is not built here")
@given(st.integers(1, 3), st.integers(0, 3), st.text(max_size=4))
@settings(max_examples=10, deadline=None)
def test_both_arithmetics_make_and_judge_the_same_proofs(width: int, rows: int, seed: str) -> None:
    first, second = (Contest(load_group(name), KnowledgeLayout(width)) for name in ("native", "portable"))
    proofs = first.prove(rows, deterministic_entropy(seed))
    assert proofs == second.prove(rows, deterministic_entropy(seed))
    assert first.holds(proofs)
    assert second.holds(proofs)
