"""Ballots of one style as vectors: decoded once, every equation added to a batch from there.

Vectors are row by row: n ballots with c items each are n * c entries, so some consecutive ballots are a slice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from crypto.batch import Accumulator
from crypto.elgamal import Ciphertexts, EncryptionKey, decode_ciphertexts
from crypto.group.interface import ElementVector, Group, Indices, ScalarVector
from crypto.proofs.disjunctive import ChoiceLayout, accumulate_choices
from crypto.proofs.plaintext_knowledge import accumulate_knowledge
from crypto.schnorr_signature import accumulate_signatures, signature_challenges
from evoting.ballots.ballot import Ballot, contest_challenges
from evoting.ballots.shape import StyleShape

Weights = Callable[[int], ScalarVector]
Vector = TypeVar("Vector", ElementVector, ScalarVector)


def _gather(vector: Vector, rows: Sequence[int], width: int) -> Vector:
    """Some rows of a vector with ``width`` entries in each."""
    indices: Indices = np.add.outer(np.asarray(rows) * width, np.arange(width)).reshape(-1).astype(np.uint32)
    return vector.gather(indices)


@dataclass(frozen=True)
class ContestColumns:
    """One contest of n ballots."""

    ciphertexts: Ciphertexts
    commitments: ElementVector
    scalars: ScalarVector
    challenges: ScalarVector


@dataclass(frozen=True)
class BallotColumns:
    """n ballots of one style whose points and scalars are canonical and not the identity."""

    shape: StyleShape
    pseudonyms: ElementVector
    contests: tuple[ContestColumns, ...]
    zero_challenge: NDArray[np.bool_]

    @classmethod
    def decode(cls, key: EncryptionKey, election: bytes, shape: StyleShape, ballots: Sequence[Ballot]) -> BallotColumns:
        """Decode every element and scalar.

        Raises:
            DecodeError: one of them is not canonical, or is the identity.

        Cost: one decoding for each element; one SHA-512 for each ballot and contest.
        """
        group = key.group
        encoded_key = key.element.encode()
        encoded_pseudonyms = [ballot.pseudonym for ballot in ballots]
        pseudonyms = group.elements_decode(b"".join(encoded_pseudonyms), allow_identity=False)
        zero = np.zeros(len(ballots), dtype=np.bool_)
        contests = []
        for position in range(len(shape.contests)):
            parts = [ballot.contests[position] for ballot in ballots]
            ciphertexts = [part.ciphertexts for part in parts]
            commitments = [part.commitments for part in parts]
            challenges = contest_challenges(
                group, election, shape, position, encoded_key, encoded_pseudonyms, ciphertexts, commitments
            )
            zero |= ~np.frombuffer(challenges.encode(), dtype=np.uint8).reshape(-1, 32).any(axis=1)
            contests.append(
                ContestColumns(
                    decode_ciphertexts(group, b"".join(ciphertexts)),
                    group.elements_decode(b"".join(commitments), allow_identity=False),
                    group.scalars_decode(b"".join([part.scalars for part in parts])),
                    challenges,
                )
            )
        return cls(shape, pseudonyms, tuple(contests), zero)

    def __len__(self) -> int:
        return len(self.pseudonyms)

    def select(self, rows: Sequence[int]) -> BallotColumns:
        """Some of the ballots."""
        if len(rows) == len(self):
            return self
        contests = []
        for contest, columns in zip(self.shape.contests, self.contests, strict=True):
            width, layout = contest.layout.ciphertext_bytes // 64, contest.layout
            contests.append(
                ContestColumns(
                    Ciphertexts(
                        _gather(columns.ciphertexts.pads, rows, width), _gather(columns.ciphertexts.data, rows, width)
                    ),
                    _gather(columns.commitments, rows, layout.commitments),
                    _gather(columns.scalars, rows, layout.scalars),
                    _gather(columns.challenges, rows, 1),
                )
            )
        zero = self.zero_challenge[np.asarray(rows, dtype=np.intp)]
        return BallotColumns(self.shape, _gather(self.pseudonyms, rows, 1), tuple(contests), zero)

    def add_proofs(self, accumulator: Accumulator, group: Group, start: int, stop: int, weights: Weights) -> None:
        """Add the equations of every proof of ballots start..stop-1 to a batch."""
        for contest, columns in zip(self.shape.contests, self.contests, strict=True):
            layout = contest.layout
            width = layout.ciphertext_bytes // 64
            ciphertexts = slice(start * width, stop * width)
            pairs = Ciphertexts(columns.ciphertexts.pads[ciphertexts], columns.ciphertexts.data[ciphertexts])
            commitments = columns.commitments[start * layout.commitments : stop * layout.commitments]
            scalars = columns.scalars[start * layout.scalars : stop * layout.scalars]
            challenges = columns.challenges[start:stop]
            if isinstance(layout, ChoiceLayout):
                accumulate_choices(accumulator, group, layout, pairs, commitments, scalars, challenges, weights)
            else:
                accumulate_knowledge(accumulator, group, layout, pairs.pads, commitments, scalars, challenges, weights)


@dataclass(frozen=True)
class SignatureColumns:
    """The pseudonyms' signatures of n ballots."""

    nonces: ElementVector
    responses: ScalarVector
    challenges: ScalarVector

    @classmethod
    def decode(
        cls,
        group: Group,
        domain: str,
        pseudonyms: Sequence[bytes],
        signatures: Sequence[bytes],
        messages: Sequence[bytes],
    ) -> SignatureColumns:
        """Decode n signatures R || s.

        Raises:
            DecodeError: an R is not canonical or is the identity, or an s is not below the order.
        """
        points = [signature[:32] for signature in signatures]
        return cls(
            group.elements_decode(b"".join(points), allow_identity=False),
            group.scalars_decode(b"".join([signature[32:] for signature in signatures])),
            signature_challenges(group, domain, points, pseudonyms, messages),
        )

    def add(self, accumulator: Accumulator, pseudonyms: ElementVector, start: int, stop: int, weights: Weights) -> None:
        """Add the equations of signatures start..stop-1 to a batch."""
        accumulate_signatures(
            accumulator,
            self.nonces[start:stop],
            pseudonyms[start:stop],
            self.responses[start:stop],
            self.challenges[start:stop],
            weights,
        )
