"""Ballots that a malicious voter or device makes: one field after another other than it should be, properly signed."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

import numpy as np

from crypto import cbor
from crypto.group import ORDER
from crypto.group.interface import ScalarVector
from crypto.hashing import u64, wide
from crypto.proofs.disjunctive import ChoiceLayout, prove_choices
from crypto.proofs.plaintext_knowledge import KnowledgeLayout, prove_knowledge
from crypto.schnorr_signature import sign_many
from evoting.ballots.ballot import BALLOT_SIGNATURE, Ballot, ContestPart, encode_ballot_entry
from evoting.ballots.shape import style_shapes
from tests.support.loose import decode
from tests.support.small_election import SmallElection

Parts = list[dict[str, bytes]]
Edit = Callable[[Parts], None]


def sign(election: SmallElection, style: str, row: int, body: bytes) -> bytes:
    """The entry of a body signed by a voter's pseudonym."""
    wallet = election.wallets[style]
    signature = sign_many(
        election.group,
        election.key.generator_table,
        BALLOT_SIGNATURE,
        wallet.secrets[row : row + 1],
        [wallet.pseudonyms[row]],
        [body],
        os.urandom,
    )[0]
    return encode_ballot_entry(body, signature)


def honest_body(
    election: SmallElection, style: str, row: int, sequence: int = 1, choices: list[np.ndarray] | None = None
) -> bytes:
    """The body of a proper ballot."""
    return election.build(style, [row], sequence, choices)[1].bodies[0]


def edited(election: SmallElection, style: str, row: int, edit: Edit, *, sequence: int = 1, **fields: object) -> bytes:
    """A proper ballot with its contests edited or fields replaced, signed."""
    value = decode(honest_body(election, style, row, sequence))
    edit(value["contests"])
    value.update(fields)
    return sign(election, style, row, cbor.encode(value))


def unchanged(parts: Parts) -> None:
    """No edit of the contests."""


def contests_of(body: bytes) -> Parts:
    """The contests of a body."""
    value = decode(body)
    return list(value["contests"])


def challenge_parts(election: SmallElection, style: str, position: int, pseudonym: bytes) -> dict[str, bytes]:
    """What the challenge of a contest hashes before ciphertexts and commitments, by name and in order."""
    shape = style_shapes(election.manifest)[style]
    return {
        "fingerprint": election.fingerprint,
        "style": style.encode(),
        "position": u64(position),
        "contest": shape.contests[position].id.encode(),
        "pseudonym": pseudonym,
        "key": election.key.element.encode(),
    }


def with_weak_challenge(
    election: SmallElection,
    style: str,
    row: int,
    position: int,
    change: Mapping[str, bytes | None],
    *,
    joined: bool = False,
    selections: np.ndarray | None = None,
) -> bytes:
    """A ballot whose proof for one contest answers a challenge that hashes something else.

    Args:
        change: parts of the hash by name to replace, or None to leave out; also ``ciphertexts`` and ``commitments``.
        joined: hash the plain concatenation instead of frames.
        selections: rows for the contest instead of the usual ones.
    """
    from hashlib import sha512

    wallet, group = election.wallets[style], election.group
    shape = style_shapes(election.manifest)[style]
    layout = shape.contests[position].layout
    chosen = election.choices(style, len(wallet))[position][[row]] if selections is None else selections

    def challenges(ciphertexts: bytes, commitments: bytes) -> ScalarVector:
        parts: dict[str, bytes | None] = {
            **challenge_parts(election, style, position, wallet.pseudonyms[row]),
            "ciphertexts": ciphertexts,
            "commitments": commitments,
        }
        parts.update(change)
        kept = [part for part in parts.values() if part is not None]
        if joined:
            return group.scalars_wide(sha512(b"evoting/v1/ballot-proof" + b"".join(kept)).digest())
        return group.scalars_wide(wide("evoting/v1/ballot-proof", *kept))

    if isinstance(layout, ChoiceLayout):
        randomizers = group.scalars_wide(os.urandom(64 * layout.options))
        proof: object = prove_choices(election.key, layout, chosen, randomizers, challenges, os.urandom)
    else:
        assert isinstance(layout, KnowledgeLayout)
        randomizers = group.scalars_wide(os.urandom(64 * layout.width))
        book = group.elements_decode(election.code_book_bytes()[shape.contests[position].id], allow_identity=False)
        messages = book.gather(chosen.reshape(-1).astype(np.uint32))
        proof = prove_knowledge(election.key, layout, messages, randomizers, challenges, os.urandom)
    parts = contests_of(honest_body(election, style, row))
    parts[position] = {name: getattr(proof, name) for name in ("ciphertexts", "commitments", "scalars")}
    ballot = Ballot(
        election.fingerprint,
        style,
        wallet.pseudonyms[row],
        wallet.credentials[row],
        1,
        tuple(ContestPart(**part) for part in parts),
    )
    return sign(election, style, row, ballot.encode())


def add_to_scalar(data: bytes, index: int, amount: int) -> bytes:
    """Scalar ``index`` of a vector, plus an amount modulo the order."""
    value = (int.from_bytes(data[32 * index : 32 * index + 32], "little") + amount) % ORDER
    return data[: 32 * index] + value.to_bytes(32, "little") + data[32 * index + 32 :]
