"""Disjunctive proofs of what an exponential ElGamal ciphertext encrypts, in commitment form.

Cramer-Damgard-Schoenmakers (Crypto 1994) with Chaum-Pedersen branches; docs/spec/06-ballots.md sections 6.2 and 6.4.
A contest with k options proves every option to be 0 or 1 and their sum to lie in a range; all statements of one contest
on one ballot share one challenge. Everything is computed for n ballots at once: a column is a vector over the ballots.

Symbols of the specification: A_v, B_v commitments, e_v branch challenges, z_v responses, alpha_v the prover's nonces.
Because pad and data are known combinations of G and K, every commitment of the prover, real or simulated, has the form
A_v = alpha_v*G, B_v = alpha_v*K + e_v*(v-u)*G with u the true value: no branch depends on a secret in its operations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crypto.batch import Accumulator
from crypto.elgamal import Ciphertexts, EncryptionKey
from crypto.group.interface import ORDER, ElementVector, Group, ScalarVector


@dataclass(frozen=True)
class ChoiceLayout:
    """Shape of one homomorphic contest: how many options, and how many selections are allowed."""

    options: int
    minimum: int
    maximum: int

    def __post_init__(self) -> None:
        if not (self.options >= 1 and 0 <= self.minimum <= self.maximum <= self.options):
            raise ValueError("a contest needs 0 <= minimum <= maximum <= options")

    @property
    def value_sets(self) -> list[range]:
        """The values allowed for each statement: every option, then the sum."""
        return [range(2)] * self.options + [range(self.minimum, self.maximum + 1)]

    @property
    def ciphertext_bytes(self) -> int:
        return 64 * self.options

    @property
    def commitments(self) -> int:
        """Elements in the proof's commitments."""
        return sum(2 * len(values) for values in self.value_sets)

    @property
    def scalars(self) -> int:
        """Scalars in the proof: all branch challenges but one, and all responses, for each statement."""
        return sum(2 * len(values) - 1 for values in self.value_sets)


@dataclass(frozen=True)
class ChoiceProofs:
    """Encoded parts for n ballots, each the concatenation of n rows of equal length."""

    ciphertexts: bytes
    commitments: bytes
    scalars: bytes


Challenges = Callable[[bytes, bytes], ScalarVector]


def prove_choices(
    key: EncryptionKey,
    layout: ChoiceLayout,
    selections: NDArray[np.uint8],
    randomizers: ScalarVector,
    challenges: Challenges,
    entropy: Callable[[int], bytes],
) -> ChoiceProofs:
    """Encrypt and prove the selections of n ballots.

    Args:
        key: the election key.
        layout: the contest's shape.
        selections: n rows of k values.
        randomizers: n * k, row by row; fresh and uniform.
        challenges: given encoded ciphertexts and commitments of all rows, the n challenges.
        entropy: source of uniform bytes for the nonces and the simulated challenges.

    Time does not depend on selections or randomizers. Cost: 8k + 3*|sum set| fixed-base multiplications a ballot.
    """
    group = key.group
    rows = len(selections)
    values = [group.scalars(selections[:, column].tolist()) for column in range(layout.options)]
    secrets = [randomizers[column :: layout.options] for column in range(layout.options)]
    # One fixed-base call each for all options of all rows: column after column, until encoding.
    all_values = group.concat_scalars(values)
    all_secrets = group.concat_scalars(secrets)
    pads = key.generator_table.mul_encode(all_secrets)
    data = key.key_table.mul(all_secrets) + key.generator_table.mul(all_values)
    encoded_ciphertexts = _to_rows([(pads, data.encode())], rows)

    values.append(_sum_columns(values))
    secrets.append(_sum_columns(secrets))
    statements = [
        _Branches.commit(key, allowed, value, entropy) for allowed, value in zip(layout.value_sets, values, strict=True)
    ]
    encoded_commitments = _to_rows([statement.commitments for statement in statements], rows)
    challenge = challenges(encoded_ciphertexts, encoded_commitments)
    answers = [
        column
        for statement, secret in zip(statements, secrets, strict=True)
        for column in statement.respond(challenge, secret)
    ]
    return ChoiceProofs(encoded_ciphertexts, encoded_commitments, group.interleave_scalars(answers).encode())


def _to_rows(pairs: Sequence[tuple[bytes, bytes]], rows: int) -> bytes:
    """Encoded elements of n ballots in the order of a ballot.

    Args:
        pairs: lists of equally many columns of n elements each; on a ballot, an element of the first list stands
            before that of the second, and pair after pair.
    """
    if rows == 0:
        return b""
    parts = []
    for pair in pairs:
        columns = np.stack([np.frombuffer(data, dtype=np.uint8).reshape(-1, rows, 32) for data in pair], axis=1)
        parts.append(columns.transpose(2, 0, 1, 3).reshape(rows, -1))
    return np.concatenate(parts, axis=1).tobytes()


def _sum_columns(columns: Sequence[ScalarVector]) -> ScalarVector:
    total = columns[0]
    for column in columns[1:]:
        total = total + column
    return total


@dataclass(frozen=True)
class _Branches:
    """One statement of n ballots between its first and its last message."""

    nonces: list[ScalarVector]
    simulated: list[ScalarVector]
    chosen: list[ScalarVector]
    commitments: tuple[bytes, bytes]

    @classmethod
    def commit(
        cls, key: EncryptionKey, allowed: range, value: ScalarVector, entropy: Callable[[int], bytes]
    ) -> _Branches:
        group = key.group
        rows, branches = len(value), len(allowed)
        drawn = group.scalars_wide(entropy(64 * 2 * branches * rows))
        nonces = [drawn[index * rows : (index + 1) * rows] for index in range(branches)]
        picked = [drawn[(branches + index) * rows : (branches + index + 1) * rows] for index in range(branches)]
        chosen = [_indicator(group, value, allowed, branch) for branch in allowed]
        simulated = [pick - pick * mask for pick, mask in zip(picked, chosen, strict=True)]
        offsets = group.concat_scalars(
            [pick * (-(value - branch)) for pick, branch in zip(simulated, allowed, strict=True)]
        )
        together = group.concat_scalars(nonces)
        left = key.generator_table.mul_encode(together)
        right = key.key_table.mul(together) + key.generator_table.mul(offsets)
        return cls(nonces, simulated, chosen, (left, right.encode()))

    def respond(self, challenge: ScalarVector, secret: ScalarVector) -> list[ScalarVector]:
        missing = challenge - _sum_columns(self.simulated)
        shares = [part + mask * missing for part, mask in zip(self.simulated, self.chosen, strict=True)]
        responses = [nonce + share * secret for nonce, share in zip(self.nonces, shares, strict=True)]
        return shares[:-1] + responses


def _indicator(group: Group, value: ScalarVector, allowed: range, branch: int) -> ScalarVector:
    """1 where a value equals ``branch``, else 0, for values in ``allowed``: Lagrange's polynomial, no branching."""
    result = group.scalars([1] * len(value))
    for other in allowed:
        if other != branch:
            result = result * (value - other) * pow(branch - other, -1, ORDER)
    return result


def accumulate_choices(
    accumulator: Accumulator,
    group: Group,
    layout: ChoiceLayout,
    ciphertexts: Ciphertexts,
    commitments: ElementVector,
    scalars: ScalarVector,
    challenge: ScalarVector,
    weights: Callable[[int], ScalarVector],
) -> None:
    """Add all equations of n proofs to a batch.

    Args:
        accumulator: the batch.
        layout: the contest's shape.
        ciphertexts: n * k, row by row.
        commitments: n * layout.commitments, row by row.
        scalars: n * layout.scalars, row by row.
        challenge: the n challenges.
        weights: source of fresh independent 128-bit weights.

    Cost: 6 terms of a multi-scalar multiplication for each option, and 2 * |sum set| for the sum.
    """
    rows = len(challenge)
    pad_scalars: list[ScalarVector] = []
    data_scalars: list[ScalarVector] = []
    commitment_scalars: list[ScalarVector] = []
    sum_pad = sum_data = group.scalars([0] * rows)
    at = 0
    for index, allowed in enumerate(layout.value_sets):
        branches = len(allowed)
        shares = [scalars[at + branch :: layout.scalars] for branch in range(branches - 1)]
        responses = [scalars[at + branches - 1 + branch :: layout.scalars] for branch in range(branches)]
        at += 2 * branches - 1
        shares.append(challenge - _sum_columns(shares) if shares else challenge)
        on_pad = on_data = group.scalars([0] * rows)
        for value, share, response in zip(allowed, shares, responses, strict=True):
            left, right = weights(rows), weights(rows)
            commitment_scalars += [-left, -right]
            on_pad = on_pad - left * share
            weighted = right * share
            on_data = on_data - weighted
            accumulator.add_generator(left.inner(response) + value * weighted.sum())
            accumulator.add_key(right.inner(response))
        if index < layout.options:
            pad_scalars.append(on_pad)
            data_scalars.append(on_data)
        else:
            sum_pad, sum_data = on_pad, on_data
    accumulator.add(group.interleave_scalars([part + sum_pad for part in pad_scalars]), ciphertexts.pads)
    accumulator.add(group.interleave_scalars([part + sum_data for part in data_scalars]), ciphertexts.data)
    accumulator.add(group.interleave_scalars(commitment_scalars), commitments)
