"""Zero-or-one and sum proofs: complete for every allowed choice, and no equation, weight or field can be spared."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.batch import Accumulator, find_failures
from crypto.elgamal import EncryptionKey, decode_ciphertexts
from crypto.group import Group, load_group, native_available
from crypto.group.interface import ORDER, ScalarVector
from crypto.proofs.disjunctive import ChoiceLayout, ChoiceProofs, accumulate_choices, prove_choices
from tests.support.arithmetics import deterministic_entropy, each_group

SECRET = 0x1234567890ABCDEF


@dataclass(frozen=True)
class Contest:
    """A contest under a key, whose challenge hashes a context and everything sent."""

    group: Group
    layout: ChoiceLayout
    context: bytes = b"context"

    @property
    def key(self) -> EncryptionKey:
        return EncryptionKey.from_element(self.group, self.group.generator().mul(self.group.scalars([SECRET])))

    def challenges(self, rows: int) -> Callable[[bytes, bytes], ScalarVector]:
        def hashed(ciphertexts: bytes, commitments: bytes) -> ScalarVector:
            return self.group.scalars_wide(
                b"".join(
                    hashlib.sha512(self.context + split(ciphertexts, rows)[i] + split(commitments, rows)[i]).digest()
                    for i in range(rows)
                )
            )

        return hashed

    def prove(self, selections: Sequence[Sequence[int]], entropy: Callable[[int], bytes] = os.urandom) -> ChoiceProofs:
        rows = np.array(selections, dtype=np.int64).reshape(-1, self.layout.options)
        randomizers = self.group.scalars_wide(entropy(64 * rows.size))
        challenges = self.challenges(len(rows))
        return prove_choices(self.key, self.layout, rows, randomizers, challenges, entropy)  # type: ignore[arg-type]

    def holds(self, proofs: ChoiceProofs, *, weights: Callable[[int], bytes] = os.urandom) -> bool:
        rows = len(proofs.ciphertexts) // self.layout.ciphertext_bytes
        group = self.group
        accumulator = Accumulator(group, self.key.element)
        accumulate_choices(
            accumulator,
            group,
            self.layout,
            decode_ciphertexts(group, proofs.ciphertexts),
            group.elements_decode(proofs.commitments, allow_identity=False),
            group.scalars_decode(proofs.scalars),
            self.challenges(rows)(proofs.ciphertexts, proofs.commitments),
            lambda count: group.scalars_short(weights(16 * count)),
        )
        return accumulator.holds()


def split(data: bytes, rows: int) -> list[bytes]:
    size = len(data) // rows if rows else 0
    return [data[size * i : size * (i + 1)] for i in range(rows)]


def join(proofs: Sequence[ChoiceProofs]) -> ChoiceProofs:
    """Ballots put together into one batch."""
    return ChoiceProofs(
        b"".join(p.ciphertexts for p in proofs),
        b"".join(p.commitments for p in proofs),
        b"".join(p.scalars for p in proofs),
    )


def add_to_scalar(data: bytes, index: int, amount: int) -> bytes:
    value = (int.from_bytes(data[32 * index : 32 * index + 32], "little") + amount) % ORDER
    return data[: 32 * index] + value.to_bytes(32, "little") + data[32 * index + 32 :]


LAYOUTS = [(1, 0, 1), (1, 1, 1), (3, 0, 1), (3, 1, 1), (3, 0, 3), (4, 2, 3), (2, 0, 0)]


@each_group
@pytest.mark.parametrize("shape", LAYOUTS, ids=str)
def test_every_allowed_choice_is_accepted(group: Group, shape: tuple[int, int, int]) -> None:
    contest = Contest(group, ChoiceLayout(*shape))
    allowed = [row for row in product((0, 1), repeat=shape[0]) if shape[1] <= sum(row) <= shape[2]]
    proofs = contest.prove(allowed)
    assert len(proofs.commitments) == 32 * contest.layout.commitments * len(allowed)
    assert len(proofs.scalars) == 32 * contest.layout.scalars * len(allowed)
    assert contest.holds(proofs)


@each_group
def test_lengths_are_those_of_section_6_2(group: Group) -> None:
    for options, minimum, maximum in LAYOUTS:
        layout = ChoiceLayout(options, minimum, maximum)
        sums = maximum - minimum + 1
        assert layout.commitments == 2 * (2 * options + sums)
        assert layout.scalars == 3 * options + 2 * sums - 1
        assert layout.ciphertext_bytes == 64 * options
    assert Contest(group, ChoiceLayout(3, 0, 1)).prove([]) == ChoiceProofs(b"", b"", b"")


@pytest.mark.parametrize("shape", [(0, 0, 0), (2, 2, 1), (2, 0, 3), (2, -1, 1)])
def test_impossible_layouts_are_refused(shape: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="minimum"):
        ChoiceLayout(*shape)


@each_group
@pytest.mark.parametrize(
    ("attack", "row"),
    [
        ("B6 an encryption of 2", (2, 0, 0)),
        ("B6 an encryption of -1 and a sum within bounds", (1, 1, -1)),
        ("B6 a million", (1_000_000, 0, 0)),
        ("B6 a million taken back", (1_000_000, -999_999, 0)),
        ("B7 an overvote", (1, 1, 0)),
        ("B7 an undervote", (0, 0, 0)),
    ],
)
def test_a_choice_that_is_not_allowed_has_no_proof(group: Group, attack: str, row: tuple[int, ...]) -> None:
    contest = Contest(group, ChoiceLayout(3, 1, 1))
    assert contest.holds(contest.prove([(0, 1, 0)]))
    assert not contest.holds(contest.prove([row])), attack


@each_group
def test_D9_every_single_equation_counts(group: Group) -> None:
    """Each response and each branch challenge that is sent, and each commitment, is needed by some equation."""
    contest = Contest(group, ChoiceLayout(2, 0, 2))
    proofs = contest.prove([(0, 1)])
    for index in range(contest.layout.scalars):
        assert not contest.holds(replace(proofs, scalars=add_to_scalar(proofs.scalars, index, 1))), index

    class Fixed(Contest):
        """The challenge does not notice that a commitment was changed, so an equation has to."""

        def challenges(self, rows: int) -> Callable[[bytes, bytes], ScalarVector]:
            return lambda _ciphertexts, _commitments: group.scalars([77] * rows)

    fixed = Fixed(group, contest.layout)
    proofs = fixed.prove([(0, 1)])
    assert fixed.holds(proofs)
    for index in range(contest.layout.commitments):
        data = proofs.commitments
        element = group.elements_decode(data[32 * index : 32 * index + 32], allow_identity=False)
        changed = data[: 32 * index] + (element + group.generator()).encode() + data[32 * index + 32 :]
        assert not fixed.holds(replace(proofs, commitments=changed)), index


def square_root(value: int) -> int | None:
    """A square root modulo the order, which is 5 modulo 8."""
    root = pow(value, (ORDER + 3) // 8, ORDER)
    for candidate in (root, root * pow(2, (ORDER - 1) // 4, ORDER) % ORDER):
        if candidate * candidate % ORDER == value % ORDER:
            return candidate
    return None


def forge_against_weak_challenge(contest: Contest) -> tuple[ChoiceProofs, int]:
    """A ballot for one option that encrypts some large number, where the challenge does not hash the ciphertexts.

    Commitments A_v = a_v*G, B_v = b_v*G + a_v*K are fixed first; then e; then the branch challenge e_0 and the
    ciphertext (p*G, m*G + p*K) are solved for: m = -b_0/e_0 and m - 1 = -b_1/e_1 is a quadratic equation in e_0. The
    statement for the sum is the same one once more.
    """
    group, key = contest.group, contest.key
    base, p = group.generator(), 3
    a = (5, 7)

    def multiple(on_generator: int, on_key: int) -> bytes:
        return (base.mul(group.scalars([on_generator])) + key.element.mul(group.scalars([on_key]))).encode()

    for attempt in range(1, 100):
        b = (1000 + attempt, 2000 + attempt)
        commitments = b"".join(multiple(a[v], 0) + multiple(b[v], a[v]) for v in (0, 1)) * 2
        (e,) = contest.challenges(1)(b"", commitments).to_ints()
        linear = b[0] + b[1] - e
        root = square_root((linear * linear + 4 * b[0] * e) % ORDER)
        if root is not None:
            break
    else:
        raise AssertionError("half of all numbers are squares")
    first = (root - linear) * pow(2, -1, ORDER) % ORDER
    message = -b[0] * pow(first, -1, ORDER) % ORDER
    responses = [a[0] + first * p, a[1] + (e - first) * p]
    scalars = group.scalars([first, *responses] * 2).encode()
    return ChoiceProofs(multiple(p, 0) + multiple(message, p), commitments, scalars), message


@each_group
def test_B3_a_statement_chosen_after_the_challenge(group: Group) -> None:
    """The weak Fiat-Shamir transform can be forged; hashing the statement ends it."""

    class Weak(Contest):
        def challenges(self, rows: int) -> Callable[[bytes, bytes], ScalarVector]:
            strong = super().challenges(rows)
            return lambda _ciphertexts, commitments: strong(bytes(64 * rows), commitments)

    layout = ChoiceLayout(1, 0, 1)
    forged, message = forge_against_weak_challenge(Weak(group, layout))
    pads = decode_ciphertexts(group, forged.ciphertexts)
    decrypted = pads.data - pads.pads.mul(group.scalars([SECRET]))
    assert decrypted == group.generator().mul(group.scalars([message]))
    assert message > 2**64
    assert Weak(group, layout).holds(forged)
    assert not Contest(group, layout).holds(forged)


@each_group
def test_B8_swapped_options_with_their_proofs(group: Group) -> None:
    contest = Contest(group, ChoiceLayout(3, 1, 1))
    proofs = contest.prove([(0, 1, 0)])

    def swap(data: bytes, size: int) -> bytes:
        return data[size : 2 * size] + data[:size] + data[2 * size :]

    swapped = ChoiceProofs(swap(proofs.ciphertexts, 64), swap(proofs.commitments, 128), swap(proofs.scalars, 96))
    assert not contest.holds(swapped)


@each_group
def test_B7_the_sum_proof_of_another_ballot(group: Group) -> None:
    contest = Contest(group, ChoiceLayout(2, 1, 1))
    mine, other = contest.prove([(1, 1)]), contest.prove([(0, 1)])
    borrowed = ChoiceProofs(
        mine.ciphertexts, mine.commitments[:-64] + other.commitments[-64:], mine.scalars[:-32] + other.scalars[-32:]
    )
    assert not contest.holds(borrowed)


@each_group
def test_B11_cancelling_errors_are_found_by_halving(group: Group) -> None:
    contest = Contest(group, ChoiceLayout(2, 0, 1))
    ballots = [contest.prove([(0, 1)]) for _ in range(6)]
    ballots[1] = replace(ballots[1], scalars=add_to_scalar(ballots[1].scalars, 1, 5))
    ballots[4] = replace(ballots[4], scalars=add_to_scalar(ballots[4].scalars, 1, -5))
    assert find_failures(ballots, lambda part: contest.holds(join(part))) == [1, 4]
    # With one weight for all equations the two errors cancel: independent weights are what catches them.
    assert contest.holds(join(ballots), weights=lambda count: (b"\1" + bytes(15)) * (count // 16))


@each_group
def test_proofs_do_not_show_the_choice_in_their_form(group: Group) -> None:
    """All commitments and scalars are there for every choice, none repeats, and none is zero or the identity."""
    contest = Contest(group, ChoiceLayout(3, 0, 1))
    proofs = contest.prove([(0, 0, 0), (1, 0, 0), (0, 0, 1)])
    for data in (proofs.ciphertexts, proofs.commitments, proofs.scalars):
        items = [data[at : at + 32] for at in range(0, len(data), 32)]
        assert len(set(items)) == len(items)
        assert bytes(32) not in items


@pytest.mark.skipif(not native_available(), reason="the native arithmetic is not built here")
@given(st.data())
@settings(max_examples=15, deadline=None)
def test_both_arithmetics_make_and_judge_the_same_proofs(data: st.DataObject) -> None:
    options = data.draw(st.integers(1, 3))
    minimum = data.draw(st.integers(0, options))
    layout = ChoiceLayout(options, minimum, data.draw(st.integers(minimum, options)))
    # Also rows that are not allowed: both must make the same bytes of them and refuse them alike.
    row = data.draw(st.lists(st.integers(0, 1), min_size=options, max_size=options))
    seed = data.draw(st.text(max_size=4))
    first, second = (Contest(load_group(name), layout) for name in ("native", "portable"))
    proofs = first.prove([row], deterministic_entropy(seed))
    assert proofs == second.prove([row], deterministic_entropy(seed))
    index = data.draw(st.integers(0, layout.scalars - 1))
    changed = replace(proofs, scalars=add_to_scalar(proofs.scalars, index, data.draw(st.integers(0, 1))))
    for candidate in (proofs, changed):
        assert first.holds(candidate) == second.holds(candidate)
    assert first.holds(proofs) == (layout.minimum <= sum(row) <= layout.maximum)
