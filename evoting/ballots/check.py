"""Judging ballots and challenges by themselves, many at once (docs/spec/06-ballots.md sections 6.5 and 6.6).

The ballot box uses it at intake and the office at selection. What depends on other entries (duplicates, sequence
numbers, the number of challenges) is in ``evoting.office.selection``.

Entries of one style and kind are decoded once into vectors. All signatures and proofs of all of them are one
multi-scalar multiplication; only if it does not vanish, halving finds the bad ones, and each of these is looked at
alone to tell which of its equations fails.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from crypto import cbor
from crypto.batch import Accumulator, find_failures
from crypto.blind_bls import StyleCredentials, encode_message, find_invalid_credentials
from crypto.elgamal import EncryptionKey
from crypto.errors import DecodeError
from crypto.group.interface import ElementVector, G2Vector, PairingGroup, ScalarVector
from crypto.hashing import frame
from evoting.ballots.ballot import (
    BALLOT_SIGNATURE,
    CHALLENGE_SIGNATURE,
    MAX_ENTRY_BYTES,
    Ballot,
    decode_ballot,
    decode_voter_entry,
)
from evoting.ballots.columns import BallotColumns, SignatureColumns
from evoting.ballots.opening import opening_holds
from evoting.ballots.shape import StyleShape


@dataclass(frozen=True)
class BallotContext:
    """Everything public that a ballot is judged against."""

    election: bytes
    styles: dict[str, StyleShape]
    key: EncryptionKey
    pairing: PairingGroup
    issuance_keys: dict[str, G2Vector]
    code_books: dict[str, ElementVector]


@dataclass
class Judged:
    """One ballot or challenge entry; ``reason`` is None while nothing is wrong with it."""

    challenge: bool
    body: bytes
    signature: bytes
    opening: bytes
    style: str | None = None
    ballot: Ballot | None = None
    reason: str | None = None
    opens: bool = True


@dataclass(frozen=True)
class _Batch:
    """Well-formed entries of one style and kind."""

    rows: list[Judged]
    columns: BallotColumns


@dataclass(frozen=True)
class _SignedBatch:
    """Those of a batch whose credentials hold and whose signatures are well-formed."""

    rows: list[Judged]
    columns: BallotColumns
    signatures: SignatureColumns


def judge_entries(context: BallotContext, entries: Sequence[bytes]) -> list[Judged]:
    """Decode and verify entries of type ballot and challenge; each gets the first reason that applies, or None.

    Reasons set here: malformed, credential, signature, proof; ``opens`` tells of a challenge whether its opening holds,
    which the order of reasons puts after duplicates. Variable time; everything is public.

    Raises:
        DecodeError: an entry is no ballot or challenge even in its outer form.

    Cost for each ballot: its elements decoded once, one multi-scalar term for each of them, one credential.
    """
    judged = [_decode_entry(context, entry) for entry in entries]
    batches = [
        batch
        for shape in context.styles.values()
        for challenge in (False, True)
        if (batch := _decode_batch(context, shape, [row for row in judged if _fits(row, shape, challenge)]))
    ]
    _judge_credentials(context, judged)
    _judge_equations(context, [signed for batch in batches if (signed := _decode_signatures(context, batch))])
    for row in judged:
        if row.challenge and row.reason is None:
            ballot = _ballot(row)
            row.opens = opening_holds(
                context.key, context.styles[ballot.style], ballot, row.opening, context.code_books
            )
    return judged


def _decode_entry(context: BallotContext, entry: bytes) -> Judged:
    outer = decode_voter_entry(entry)
    row = Judged(outer.challenge, outer.body, outer.signature, outer.opening)
    try:
        row.ballot = decode_ballot(row.body, context.election, context.styles)
        row.style = row.ballot.style
    except DecodeError:
        row.reason = "malformed"
        row.style = _claimed_style(context, row.body)
    return row


def _claimed_style(context: BallotContext, body: bytes) -> str | None:
    try:
        value = cbor.decode(body, limit=MAX_ENTRY_BYTES)
    except DecodeError:
        return None
    style = value.get("style") if isinstance(value, dict) else None
    return style if isinstance(style, str) and style in context.styles else None


def _ballot(row: Judged) -> Ballot:
    assert row.ballot is not None
    return row.ballot


def _fits(row: Judged, shape: StyleShape, challenge: bool) -> bool:
    return row.reason is None and row.style == shape.id and row.challenge == challenge


def _mark(rows: Sequence[Judged], reason: str, decode: Callable[[Sequence[Judged]], object]) -> list[Judged]:
    """Give a reason to the rows that do not decode; returns the others."""

    def decodes(part: Sequence[Judged]) -> bool:
        try:
            decode(part)
        except DecodeError:
            return False
        return True

    for index in find_failures(rows, decodes):
        rows[index].reason = reason
    return [row for row in rows if row.reason is None]


def _decode_batch(context: BallotContext, shape: StyleShape, rows: list[Judged]) -> _Batch | None:
    """Canonical points and scalars, and the pseudonym; the identity is refused everywhere."""

    def decode(part: Sequence[Judged]) -> BallotColumns:
        return BallotColumns.decode(context.key, context.election, shape, [_ballot(row) for row in part])

    try:
        return _Batch(rows, decode(rows)) if rows else None
    except DecodeError:
        valid = _mark(rows, "malformed", decode)
        return _Batch(valid, decode(valid)) if valid else None


def _judge_credentials(context: BallotContext, judged: Sequence[Judged]) -> None:
    rows: list[Judged] = []
    batches: list[StyleCredentials] = []
    for style, key in context.issuance_keys.items():
        part = [row for row in judged if row.style == style and row.reason is None]
        messages = [encode_message(context.election, style, _ballot(row).pseudonym) for row in part]
        batches.append(StyleCredentials(key, messages, b"".join([_ballot(row).credential for row in part])))
        rows += part
    for index, _ in find_invalid_credentials(context.pairing, batches, os.urandom) if rows else []:
        rows[index].reason = "credential"


def _decode_signatures(context: BallotContext, batch: _Batch) -> _SignedBatch | None:
    """The signatures of what is left of a batch."""

    def decode(part: Sequence[Judged]) -> SignatureColumns:
        domain = CHALLENGE_SIGNATURE if batch.rows[0].challenge else BALLOT_SIGNATURE
        messages = [frame(row.body) + frame(row.opening) if row.challenge else row.body for row in part]
        publics = [_ballot(row).pseudonym for row in part]
        return SignatureColumns.decode(context.key.group, domain, publics, [row.signature for row in part], messages)

    rows = [row for row in batch.rows if row.reason is None]
    try:
        signatures = decode(rows)
    except DecodeError:
        rows = _mark(rows, "signature", decode)
        signatures = decode(rows)
    if not rows:
        return None
    kept = [place for place, row in enumerate(batch.rows) if row.reason is None]
    return _SignedBatch(rows, batch.columns.select(kept), signatures)


def _judge_equations(context: BallotContext, batches: Sequence[_SignedBatch]) -> None:
    """All signatures and proofs of all batches together."""
    group = context.key.group
    bounds = list(accumulate([len(batch.rows) for batch in batches], initial=0))

    def weights(count: int) -> ScalarVector:
        return group.scalars_short(os.urandom(16 * count))

    def holds(part: Sequence[int], proofs: bool = True) -> bool:
        accumulator = Accumulator(group, context.key.element)
        for first, batch in zip(bounds, batches, strict=False):
            start, stop = max(part[0] - first, 0), min(part[-1] + 1 - first, len(batch.rows))
            if start >= stop:
                continue
            batch.signatures.add(accumulator, batch.columns.pseudonyms, start, stop, weights)
            if proofs:
                if batch.columns.zero_challenge[start:stop].any():
                    return False
                batch.columns.add_proofs(accumulator, group, start, stop, weights)
        return accumulator.holds()

    rows = [row for batch in batches for row in batch.rows]
    for index in find_failures(range(len(rows)), holds):
        rows[index].reason = "proof" if holds([index], proofs=False) else "signature"
