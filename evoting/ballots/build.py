"""Making ballots: encryption, proofs and signature for many voters of one style at once.

A browser does the same for one voter; the load tester and the demonstration do it for many. Randomness is an argument.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crypto import cbor
from crypto.elgamal import EncryptionKey
from crypto.group.interface import ElementVector, ScalarVector
from crypto.hashing import frame
from crypto.proofs.disjunctive import ChoiceLayout, ChoiceProofs, prove_choices
from crypto.proofs.plaintext_knowledge import KnowledgeProofs, prove_knowledge
from crypto.schnorr_signature import sign_many
from evoting.ballots.ballot import (
    BALLOT_SIGNATURE,
    CHALLENGE_SIGNATURE,
    Ballot,
    ContestPart,
    contest_challenges,
    encode_ballot_entry,
    encode_challenge_entry,
)
from evoting.ballots.shape import StyleShape

#: A code index that stands for "in no code book".
NO_CODE = 2**32 - 1

Entropy = Callable[[int], bytes]
Selections = NDArray[np.uint8] | NDArray[np.uint32]


@dataclass(frozen=True)
class Wallets:
    """Credentials of n voters of one style."""

    secrets: ScalarVector
    pseudonyms: list[bytes]
    credentials: list[bytes]

    def __len__(self) -> int:
        return len(self.pseudonyms)


@dataclass(frozen=True)
class BuiltBallots:
    """n encrypted ballots before their voters decide to cast or to challenge, with what an opening needs."""

    bodies: list[bytes]
    selections: list[Selections]
    randomizers: list[ScalarVector]


def build_ballots(
    key: EncryptionKey,
    election: bytes,
    style: StyleShape,
    wallets: Wallets,
    sequences: Sequence[int],
    selections: Sequence[Selections],
    code_books: dict[str, ElementVector],
    entropy: Entropy,
) -> BuiltBallots:
    """Encrypt and prove n ballots of one style.

    Args:
        selections: for each contest of the style n rows: values of the options (homomorphic), or code indices (mixed;
            ``NO_CODE`` encrypts a random element, which is in no code book).
        code_books: elements by contest id, for mixed contests.
        entropy: source of uniform bytes.
    """
    group = key.group
    encoded_key = key.element.encode()
    count = len(wallets)
    proofs: list[ChoiceProofs | KnowledgeProofs] = []
    all_randomizers: list[ScalarVector] = []
    for position, (contest, chosen) in enumerate(zip(style.contests, selections, strict=True)):
        layout = contest.layout

        def challenges(ciphertexts: bytes, commitments: bytes, position: int = position) -> ScalarVector:
            return contest_challenges(
                group, election, style, position, encoded_key, wallets.pseudonyms,
                _rows(ciphertexts, count), _rows(commitments, count),
            )  # fmt: skip

        if isinstance(layout, ChoiceLayout):
            randomizers = group.scalars_wide(entropy(64 * count * layout.options))
            proofs.append(prove_choices(key, layout, chosen.astype(np.uint8), randomizers, challenges, entropy))
        else:
            randomizers = group.scalars_wide(entropy(64 * count * layout.width))
            messages = _code_elements(key, code_books[contest.id], chosen.reshape(-1), entropy)
            proofs.append(prove_knowledge(key, layout, messages, randomizers, challenges, entropy))
        all_randomizers.append(randomizers)
    columns = [
        (_rows(proof.ciphertexts, count), _rows(proof.commitments, count), _rows(proof.scalars, count))
        for proof in proofs
    ]
    bodies = [
        Ballot(
            election,
            style.id,
            wallets.pseudonyms[row],
            wallets.credentials[row],
            sequences[row],
            tuple(ContestPart(first[row], second[row], third[row]) for first, second, third in columns),
        ).encode()
        for row in range(count)
    ]
    return BuiltBallots(bodies, list(selections), all_randomizers)


def cast_ballots(key: EncryptionKey, wallets: Wallets, built: BuiltBallots, entropy: Entropy) -> list[bytes]:
    """Sign n ballots for casting: the log entries."""
    return sign_ballots(key, wallets, built.bodies, entropy)


def sign_ballots(key: EncryptionKey, wallets: Wallets, bodies: Sequence[bytes], entropy: Entropy) -> list[bytes]:
    """Entries of n cast ballots from their bodies."""
    signatures = sign_many(
        key.group, key.generator_table, BALLOT_SIGNATURE, wallets.secrets, wallets.pseudonyms, bodies, entropy
    )
    return [encode_ballot_entry(body, signature) for body, signature in zip(bodies, signatures, strict=True)]


def challenge_ballots(key: EncryptionKey, wallets: Wallets, built: BuiltBallots, entropy: Entropy) -> list[bytes]:
    """Open n ballots instead of casting them: the log entries of published challenges."""
    openings = [encode_opening(built, row, len(wallets)) for row in range(len(wallets))]
    return sign_challenges(key, wallets, built.bodies, openings, entropy)


def sign_challenges(
    key: EncryptionKey, wallets: Wallets, bodies: Sequence[bytes], openings: Sequence[bytes], entropy: Entropy
) -> list[bytes]:
    """Entries of n challenges from bodies and openings."""
    messages = [frame(body) + frame(opening) for body, opening in zip(bodies, openings, strict=True)]
    signatures = sign_many(
        key.group, key.generator_table, CHALLENGE_SIGNATURE, wallets.secrets, wallets.pseudonyms, messages, entropy
    )
    return [
        encode_challenge_entry(body, signature, opening)
        for body, signature, opening in zip(bodies, signatures, openings, strict=True)
    ]


def encode_opening(built: BuiltBallots, row: int, count: int) -> bytes:
    """The opening of one ballot (docs/spec/06-ballots.md section 6.6)."""
    contests = []
    for chosen, randomizers in zip(built.selections, built.randomizers, strict=True):
        width = len(randomizers) // count
        contests.append(
            {
                "selections": [int(value) for value in chosen.reshape(count, -1)[row]],
                "randomizers": randomizers[row * width : (row + 1) * width].encode(),
            }
        )
    return cbor.encode({"contests": contests})


def _rows(data: bytes, count: int) -> list[bytes]:
    if count == 0:
        return []
    size = len(data) // count
    return [data[index * size : (index + 1) * size] for index in range(count)]


def _code_elements(key: EncryptionKey, book: ElementVector, indices: Selections, entropy: Entropy) -> ElementVector:
    """The elements of the chosen codes.

    The gather's memory access depends on the choice. A voter's own device does it once in private; the browser client
    scans the whole book instead.
    """
    group = key.group
    invalid = np.flatnonzero(indices == NO_CODE)
    if len(invalid) == 0:
        return book.gather(indices.astype(np.uint32))
    extended = group.concat_elements([book, group.elements_from_uniform(entropy(64 * len(invalid)))])
    places = indices.astype(np.uint32)
    places[invalid] = len(book) + np.arange(len(invalid), dtype=np.uint32)
    return extended.gather(places)
