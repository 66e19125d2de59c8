"""The equations of a ballot's contests; docs/spec/06-ballots.md sections 6.2 to 6.4.

A vector of branches is value-major: all statements for the first value, then all for the second, and so on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from verifier.hashing import frame, frames, u64

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crypto.group import Group, Indices, ScalarVector
    from verifier.equations.combination import Combination
    from verifier.equations.interface import BallotBatch, ContestColumns, ContestShape, Election

PROOF_DOMAIN = "evoting/v1/ballot-proof"
KEY = "K"

Equation = tuple[str, "Callable[[Combination], None]"]


@dataclass(frozen=True)
class Part:
    """Blocks of encoded elements, and named equations over them."""

    blocks: Mapping[Hashable, bytes]
    equations: Sequence[Equation]

    def declare(self, combination: Combination) -> None:
        """Make the blocks known, whether or not an equation uses them."""
        for name, encodings in self.blocks.items():
            combination.declare(name, encodings)


def contest_parts(batch: BallotBatch, election: Election, group: Group) -> list[Part]:
    """One part for each contest of the style.

    Raises:
        DecodeError: a scalar is not below the group's order.
    """
    prepare = {"homomorphic": _homomorphic_part, "mixed": _mixed_part}
    return [
        prepare[shape.kind](shape, columns, contest_challenges(batch, shape, columns, election, group), election, group)
        for shape, columns in zip(batch.style.contests, batch.contests, strict=True)
    ]


def contest_challenges(
    batch: BallotBatch, shape: ContestShape, columns: ContestColumns, election: Election, group: Group
) -> ScalarVector:
    """The challenge e of section 6.4 for one contest of every row."""
    context = (PROOF_DOMAIN, election.fingerprint, batch.style.id, shape.position, shape.id)
    before = frames(context) + u64(32)
    ciphertext_bytes, commitment_bytes = 64 * shape.ciphertexts, 32 * shape.commitments
    between, last = frame(election.public_key) + u64(ciphertext_bytes), u64(commitment_bytes)
    ciphertexts, commitments, pseudonyms = columns.ciphertexts, columns.commitments, batch.pseudonyms
    sha512, join = hashlib.sha512, b"".join
    digests = [
        sha512(
            join(
                (
                    before,
                    pseudonyms[32 * row : 32 * row + 32],
                    between,
                    ciphertexts[ciphertext_bytes * row : ciphertext_bytes * (row + 1)],
                    last,
                    commitments[commitment_bytes * row : commitment_bytes * (row + 1)],
                )
            )
        ).digest()
        for row in range(len(batch))
    ]
    return group.scalars_wide(join(digests))


def _items(data: bytes, rows: int, *shape: int) -> NDArray[np.uint8]:
    """Encodings of 32 bytes as an array of rows of the given shape."""
    return np.frombuffer(data, dtype=np.uint8).reshape(rows, *shape, 32)


def _value_major(items: NDArray[np.uint8]) -> bytes:
    """Axis 1 is the value (axis 0 the statement): the bytes with the value first."""
    return items.swapaxes(0, 1).tobytes()


@dataclass(frozen=True)
class OneOf:
    """Statements "(pad, data) encrypts one of the values", as many as there are pads, all with the same values.

    ``group_of`` maps each ciphertext to its statement where a statement is about a sum of ciphertexts (None: itself).
    """

    contest: int
    name: str
    values: range
    challenges: ScalarVector  # e_v, value-major
    responses: ScalarVector  # z_v, value-major
    group_of: Indices | None

    def block(self, name: str) -> tuple[int, str, str]:
        """Key of a block of commitments of these statements."""
        return self.contest, self.name, name

    def spread(self, weighted: ScalarVector) -> ScalarVector:
        """Sum over the values, and for a sum of ciphertexts the coefficient of each of them."""
        sums = _sum_values(weighted, len(self.values))
        return sums if self.group_of is None else sums.gather(self.group_of)


def _sum_values(branches: ScalarVector, values: int) -> ScalarVector:
    """Sums over the values, one for each statement."""
    count = len(branches) // values
    total = branches[:count]
    for first in range(count, len(branches), count):
        total = total + branches[first : first + count]
    return total


def _one_of(
    contest: int,
    name: str,
    values: range,
    totals: ScalarVector,
    scalars: NDArray[np.uint8],
    group_of: Indices | None,
    group: Group,
) -> OneOf:
    """Decode the scalars (statement, 2s - 1) of statements whose branch challenges sum to ``totals``."""
    sent, count = len(values) - 1, len(totals)
    decoded = group.scalars_decode(_value_major(scalars))
    branch, responses = decoded[: sent * count], decoded[sent * count :]
    last = totals - _sum_values(branch, sent) if sent else totals
    return OneOf(contest, name, values, group.concat_scalars([branch, last]), responses, group_of)


def _homomorphic_part(
    shape: ContestShape, columns: ContestColumns, challenges: ScalarVector, election: Election, group: Group
) -> Part:
    rows, options, contest = len(challenges), shape.options, shape.position
    sums = range(shape.minimum, shape.maximum + 1)
    ciphertexts = _items(columns.ciphertexts, rows * options, 2)
    commitments = _items(columns.commitments, rows, shape.commitments)
    scalars = _items(columns.scalars, rows, shape.scalars)
    row_of = np.repeat(np.arange(rows, dtype=np.uint32), options)
    single = commitments[:, : 4 * options].reshape(rows * options, 2, 2, 32)
    summed = commitments[:, 4 * options :].reshape(rows, len(sums), 2, 32)
    choice = _one_of(
        contest,
        "choice",
        range(2),
        challenges.gather(row_of),
        scalars[:, : 3 * options].reshape(rows * options, 3, 32),
        None,
        group,
    )
    total = _one_of(contest, "sum", sums, challenges, scalars[:, 3 * options :], row_of, group)
    blocks: dict[Hashable, bytes] = {
        KEY: election.public_key,
        (contest, "pad"): ciphertexts[:, 0].tobytes(),
        (contest, "data"): ciphertexts[:, 1].tobytes(),
    }
    for statement, items in ((choice, single), (total, summed)):
        blocks[statement.block("A")] = _value_major(items[:, :, 0])
        blocks[statement.block("B")] = _value_major(items[:, :, 1])
    return Part(
        blocks,
        (
            ("ballot.challenge", lambda combination: nonzero_challenge(combination, challenges)),
            ("ballot.choice.pad", lambda combination: choice_pad(combination, choice)),
            ("ballot.choice.data", lambda combination: choice_data(combination, choice)),
            ("ballot.sum.pad", lambda combination: sum_pad(combination, total)),
            ("ballot.sum.data", lambda combination: sum_data(combination, total)),
        ),
    )


def _mixed_part(
    shape: ContestShape, columns: ContestColumns, challenges: ScalarVector, election: Election, group: Group
) -> Part:
    rows, contest = len(challenges), shape.position
    ciphertexts = _items(columns.ciphertexts, rows * shape.width, 2)
    responses = group.scalars_decode(columns.scalars)
    repeated = challenges.gather(np.repeat(np.arange(rows, dtype=np.uint32), shape.width))
    blocks: dict[Hashable, bytes] = {
        (contest, "pad"): ciphertexts[:, 0].tobytes(),
        (contest, "data"): ciphertexts[:, 1].tobytes(),
        (contest, "A"): columns.commitments,
    }
    return Part(
        blocks,
        (
            ("ballot.challenge", lambda combination: nonzero_challenge(combination, challenges)),
            (
                "ballot.plaintext-knowledge",
                lambda combination: plaintext_knowledge(combination, contest, repeated, responses),
            ),
        ),
    )


def nonzero_challenge(combination: Combination, challenges: ScalarVector) -> None:
    """No challenge is zero (6.4)."""
    words = np.frombuffer(challenges.encode(), dtype=np.uint64).reshape(-1, 4)
    if not words.any(axis=1).all():
        combination.fail()


def choice_pad(combination: Combination, statement: OneOf) -> None:
    """``z_v*G = A_v + e_v*pad`` for every option and v in {0, 1}."""
    _branch_pad(combination, statement)


def choice_data(combination: Combination, statement: OneOf) -> None:
    """``z_v*K = B_v + e_v*(data - v*G)`` for every option and v in {0, 1}."""
    _branch_data(combination, statement)


def sum_pad(combination: Combination, statement: OneOf) -> None:
    """``z_v*G = A_v + e_v*pad_S`` for every allowed number of selections v."""
    _branch_pad(combination, statement)


def sum_data(combination: Combination, statement: OneOf) -> None:
    """``z_v*K = B_v + e_v*(data_S - v*G)`` for every allowed number of selections v."""
    _branch_data(combination, statement)


def _branch_pad(combination: Combination, statement: OneOf) -> None:
    weights = combination.weights(len(statement.responses))
    combination.add(statement.block("A"), weights)
    combination.add((statement.contest, "pad"), statement.spread(weights * statement.challenges))
    combination.add_generator(-weights.inner(statement.responses))


def _branch_data(combination: Combination, statement: OneOf) -> None:
    group = combination.group
    weights = combination.weights(len(statement.responses))
    weighted = weights * statement.challenges
    combination.add(statement.block("B"), weights)
    combination.add((statement.contest, "data"), statement.spread(weighted))
    combination.add(KEY, group.scalars([-weights.inner(statement.responses)]))
    count = len(weighted) // len(statement.values)
    sums = (weighted[count * i : count * (i + 1)].sum() for i in range(len(statement.values)))
    combination.add_generator(-sum(value * total for value, total in zip(statement.values, sums, strict=True)))


def plaintext_knowledge(
    combination: Combination, contest: int, challenges: ScalarVector, responses: ScalarVector
) -> None:
    """``z_j*G = A_j + e*pad_j`` for every ciphertext of a mixed contest (6.3)."""
    weights = combination.weights(len(responses))
    combination.add((contest, "A"), weights)
    combination.add((contest, "pad"), weights * challenges)
    combination.add_generator(-weights.inner(responses))
