"""Voters casting: every epoch's entries, made from wallets and the expected choices.

The main ballots of all styles are spread evenly over the epochs. Epoch 0 carries besides what a real election day
brings: first ballots that are voted again later, challenges, and entries that must be rejected, one for each reason.
An epoch is appended to the board as a whole, so an interrupted demonstration goes on after the last complete one; the
wallets are on disk, and the randomness is fresh.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from crypto.elgamal import EncryptionKey
from crypto.entry import ballot_order
from crypto.group.interface import ElementVector, Group
from crypto.proofs.disjunctive import ChoiceLayout
from evoting.ballots.build import (
    NO_CODE,
    Selections,
    Wallets,
    build_ballots,
    cast_ballots,
    challenge_ballots,
)
from evoting.ballots.shape import StyleShape
from evoting.demo.defects import rejected_entries, replayed_entry
from evoting.examples.kyrgyz2021 import INVALID_CHOICE, DemoElection

BATCH = 4096


@dataclass(frozen=True)
class Extras:
    """How many voters of one style do something besides voting once."""

    revotes: int
    challenges: int

    @classmethod
    def for_ballots(cls, count: int) -> Extras:
        """About one re-vote in fifty and one challenge in a hundred, and at least one of each."""
        return cls(min(count, max(1, count // 50)), min(count, max(1, count // 100)))


@dataclass(frozen=True)
class Polling:
    """Everything that voters' devices know."""

    group: Group
    election: bytes
    key: bytes
    styles: dict[str, StyleShape]
    code_books: dict[str, bytes]
    expected: DemoElection
    epochs: int

    @cached_property
    def encryption_key(self) -> EncryptionKey:
        return EncryptionKey.decode(self.group, self.key)

    @cached_property
    def books(self) -> dict[str, ElementVector]:
        return {
            contest: self.group.elements_decode(data, allow_identity=False) for contest, data in self.code_books.items()
        }

    def slices(self, style: str, epoch: int) -> range:
        """Which voters of a style cast their final ballot in an epoch."""
        count = self.expected.ballots[style]
        return range(count * epoch // self.epochs, count * (epoch + 1) // self.epochs)


def epoch_count(ballots: int) -> int:
    """Epochs of at most 20,000 ballots, and at least three."""
    return max(3, -(-ballots // 20_000))


def selections(shape: StyleShape, choices: dict[str, NDArray[np.int32]]) -> list[Selections]:
    """The choices of n voters as the rows that a ballot encrypts."""
    result: list[Selections] = []
    for contest in shape.contests:
        chosen = choices[contest.id]
        if isinstance(contest.layout, ChoiceLayout):
            rows = np.zeros((len(chosen), contest.layout.options), dtype=np.uint8)
            marked = np.flatnonzero(chosen >= 0)
            rows[marked, chosen[marked]] = 1
            result.append(rows)
        else:
            codes = np.where(chosen == INVALID_CHOICE, NO_CODE, chosen).astype(np.uint32)
            result.append(codes.reshape(-1, 1))
    return result


def epoch_entries(polling: Polling, wallets: dict[str, Wallets], epoch: int) -> list[bytes]:
    """All ballots and challenges of one epoch, in the order in which the board appends them."""
    entries: list[bytes] = []
    for style, shape in polling.styles.items():
        choices = polling.expected.choices(style)
        part = polling.slices(style, epoch)
        for start in range(part.start, part.stop, BATCH):
            stop = min(start + BATCH, part.stop)
            entries += _final_ballots(polling, shape, wallets[style], choices, range(start, stop))
        if epoch == 0:
            entries += _first_ballots(polling, shape, wallets[style], choices)
            entries += _challenges(polling, shape, wallets[style], choices)
    if epoch == 0:
        entries += rejected_entries(polling, wallets)
    if epoch == 1:
        entries.append(replayed_entry(polling, wallets))
    return sorted(entries, key=ballot_order)


def wallet_slice(wallets: Wallets, rows: Sequence[int]) -> Wallets:
    """Some of the wallets."""
    indices = np.asarray(rows, dtype=np.uint32)
    return Wallets(
        wallets.secrets.gather(indices),
        [wallets.pseudonyms[row] for row in rows],
        [wallets.credentials[row] for row in rows],
    )


def _final_ballots(
    polling: Polling, shape: StyleShape, wallets: Wallets, choices: dict[str, NDArray[np.int32]], rows: range
) -> Iterator[bytes]:
    part = wallet_slice(wallets, rows)
    chosen = {contest: values[rows.start : rows.stop] for contest, values in choices.items()}
    built = build_ballots(
        polling.encryption_key, polling.election, shape, part, [1] * len(part), selections(shape, chosen),
        polling.books, os.urandom,
    )  # fmt: skip
    yield from cast_ballots(polling.encryption_key, part, built, os.urandom)


def _first_ballots(
    polling: Polling, shape: StyleShape, wallets: Wallets, choices: dict[str, NDArray[np.int32]]
) -> Iterator[bytes]:
    """Ballots of the style's last voters, with other choices, that their final ballots supersede."""
    total = polling.expected.ballots[shape.id]
    last = polling.slices(shape.id, polling.epochs - 1)
    count = min(Extras.for_ballots(total).revotes, len(last))
    rows = range(total - count, total)
    part = wallet_slice(wallets, rows)
    chosen = {contest: np.roll(values, 1)[rows.start : rows.stop] for contest, values in choices.items()}
    built = build_ballots(
        polling.encryption_key, polling.election, shape, part, [0] * count, selections(shape, chosen),
        polling.books, os.urandom,
    )  # fmt: skip
    yield from cast_ballots(polling.encryption_key, part, built, os.urandom)


def _challenges(
    polling: Polling, shape: StyleShape, wallets: Wallets, choices: dict[str, NDArray[np.int32]]
) -> Iterator[bytes]:
    """Opened ballots of the style's first voters."""
    count = Extras.for_ballots(polling.expected.ballots[shape.id]).challenges
    rows = range(count)
    part = wallet_slice(wallets, rows)
    chosen = {contest: np.roll(values, 2)[:count] for contest, values in choices.items()}
    built = build_ballots(
        polling.encryption_key, polling.election, shape, part, [0] * count, selections(shape, chosen),
        polling.books, os.urandom,
    )  # fmt: skip
    yield from challenge_ballots(polling.encryption_key, part, built, os.urandom)
