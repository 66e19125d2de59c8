"""Judging ballots and challenges by themselves, many at once (docs/spec/06-ballots.md sections 6.5 and 6.6).

The ballot box uses it at intake and the office at selection. What depends on other entries (duplicates, sequence
numbers, the number of challenges) is in ``evoting.office.selection``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from crypto import cbor
from crypto.batch import Accumulator, find_failures
from crypto.blind_bls import StyleCredentials, encode_message, find_invalid_credentials
from crypto.elgamal import EncryptionKey, decode_ciphertexts
from crypto.errors import DecodeError
from crypto.group.interface import ElementVector, G2Vector, PairingGroup, ScalarVector
from crypto.hashing import frame
from crypto.proofs.disjunctive import ChoiceLayout, accumulate_choices
from crypto.proofs.plaintext_knowledge import accumulate_knowledge
from crypto.schnorr_signature import (
    SIGNATURE_BYTES,
    accumulate_signatures,
    signature_challenges,
)
from evoting.ballots.ballot import (
    BALLOT_SIGNATURE,
    CHALLENGE_SIGNATURE,
    MAX_ENTRY_BYTES,
    Ballot,
    contest_challenges,
    decode_ballot,
)
from evoting.ballots.build import NO_CODE
from evoting.ballots.shape import StyleShape

T = TypeVar("T")


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


def judge_entries(context: BallotContext, entries: Sequence[bytes]) -> list[Judged]:
    """Decode and verify entries of type ballot and challenge; each gets the first reason that applies, or None.

    Reasons set here: malformed, credential, signature, proof; ``opens`` tells of a challenge whether its opening holds,
    which the order of reasons puts after duplicates. Variable time; everything is public.
    """
    judged = [_decode_entry(context, entry) for entry in entries]
    _judge_elements(context, judged)
    _judge_credentials(context, judged)
    _judge_batch(context, judged, "signature", _signatures_hold)
    for shape in context.styles.values():
        rows = [row for row in judged if row.style == shape.id]

        def holds(part: Sequence[Judged], shape: StyleShape = shape) -> bool:
            return _proofs_hold(context, shape, part)

        _judge_batch(context, rows, "proof", lambda _, part: holds(part))
    for row in judged:
        if row.challenge and row.reason is None:
            row.opens = _opening_holds(context, row)
    return judged


def _decode_entry(context: BallotContext, entry: bytes) -> Judged:
    value = cbor.decode(entry, limit=MAX_ENTRY_BYTES)
    assert isinstance(value, dict)
    row = Judged(value["type"] == "challenge", value["body"], value["signature"], value.get("opening", b""))
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


def _valid(rows: Sequence[Judged]) -> list[Judged]:
    return [row for row in rows if row.reason is None]


def _judge_batch(
    context: BallotContext,
    rows: Sequence[Judged],
    reason: str,
    holds: Callable[[BallotContext, Sequence[Judged]], bool],
) -> None:
    valid = _valid(rows)
    for index in find_failures(valid, lambda part: holds(context, part)):
        valid[index].reason = reason


def _ballot(row: Judged) -> Ballot:
    assert row.ballot is not None
    return row.ballot


def _judge_elements(context: BallotContext, judged: Sequence[Judged]) -> None:
    """Canonical points and scalars, and the pseudonym; the identity is refused everywhere."""
    group = context.key.group

    def decodes(_: BallotContext, part: Sequence[Judged]) -> bool:
        try:
            group.elements_decode(b"".join([_elements(row) for row in part]), allow_identity=False)
            group.scalars_decode(b"".join([_scalars(row) for row in part]))
        except DecodeError:
            return False
        return True

    _judge_batch(context, judged, "malformed", decodes)


def _elements(row: Judged) -> bytes:
    ballot = _ballot(row)
    return ballot.pseudonym + b"".join([part.ciphertexts + part.commitments for part in ballot.contests])


def _scalars(row: Judged) -> bytes:
    return b"".join([part.scalars for part in _ballot(row).contests])


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


def _signed_message(row: Judged) -> tuple[str, bytes]:
    if row.challenge:
        return CHALLENGE_SIGNATURE, frame(row.body) + frame(row.opening)
    return BALLOT_SIGNATURE, row.body


def _signatures_hold(context: BallotContext, rows: Sequence[Judged]) -> bool:
    group = context.key.group
    if any(len(row.signature) != SIGNATURE_BYTES for row in rows):
        return False
    ordered = sorted(rows, key=lambda row: row.challenge)
    messages = [_signed_message(row) for row in ordered]
    points = [row.signature[:32] for row in ordered]
    publics = [_ballot(row).pseudonym for row in ordered]
    try:
        commitments = group.elements_decode(b"".join(points), allow_identity=False)
        responses = group.scalars_decode(b"".join([row.signature[32:] for row in ordered]))
    except DecodeError:
        return False
    accumulator = Accumulator(group, context.key.element)
    casts = sum(not row.challenge for row in ordered)
    challenges = group.concat_scalars(
        [
            signature_challenges(group, domain, points[part], publics[part], [message for _, message in messages[part]])
            for domain, part in (
                (BALLOT_SIGNATURE, slice(None, casts)),
                (CHALLENGE_SIGNATURE, slice(casts, None)),
            )
        ]
    )
    accumulate_signatures(
        accumulator,
        commitments,
        group.elements_decode(b"".join(publics), allow_identity=False),
        responses,
        challenges,
        _weights(context),
    )
    return accumulator.holds()


def _weights(context: BallotContext) -> Callable[[int], ScalarVector]:
    return lambda count: context.key.group.scalars_short(os.urandom(16 * count))


def _proofs_hold(context: BallotContext, shape: StyleShape, rows: Sequence[Judged]) -> bool:
    group = context.key.group
    accumulator = Accumulator(group, context.key.element)
    key = context.key.element.encode()
    pseudonyms = [_ballot(row).pseudonym for row in rows]
    for position, contest in enumerate(shape.contests):
        parts = [_ballot(row).contests[position] for row in rows]
        ciphertexts = [part.ciphertexts for part in parts]
        commitments = [part.commitments for part in parts]
        challenge = contest_challenges(
            group, context.election, shape, position, key, pseudonyms, ciphertexts, commitments
        )
        if bytes(32) in {challenge[i : i + 1].encode() for i in range(len(rows))}:
            return False
        pairs = decode_ciphertexts(group, b"".join(ciphertexts))
        elements = group.elements_decode(b"".join(commitments), allow_identity=False)
        scalars = group.scalars_decode(b"".join([part.scalars for part in parts]))
        if isinstance(contest.layout, ChoiceLayout):
            accumulate_choices(
                accumulator, group, contest.layout, pairs, elements, scalars, challenge, _weights(context)
            )
        else:
            accumulate_knowledge(
                accumulator, group, contest.layout, pairs.pads, elements, scalars, challenge, _weights(context)
            )
    return accumulator.holds()


def _opening_holds(context: BallotContext, row: Judged) -> bool:
    """Encrypt again with the published randomizers and compare."""
    group = context.key.group
    ballot = _ballot(row)
    shape = context.styles[ballot.style]
    try:
        value = cbor.decode(row.opening, limit=MAX_ENTRY_BYTES)
        if not isinstance(value, dict) or value.keys() != {"contests"} or len(value["contests"]) != len(shape.contests):
            return False
        for contest, part, opened in zip(shape.contests, ballot.contests, value["contests"], strict=True):
            if not isinstance(opened, dict) or opened.keys() != {"selections", "randomizers"}:
                return False
            count = len(part.ciphertexts) // 64
            chosen = opened["selections"]
            if not isinstance(chosen, list) or len(chosen) != count or any(type(item) is not int for item in chosen):
                return False
            if not isinstance(opened["randomizers"], bytes) or len(opened["randomizers"]) != 32 * count:
                return False
            randomizers = group.scalars_decode(opened["randomizers"])
            pairs = decode_ciphertexts(group, part.ciphertexts)
            if context.key.generator_table.mul_vartime(randomizers) != pairs.pads:
                return False
            messages = pairs.data - context.key.key_table.mul_vartime(randomizers)
            if isinstance(contest.layout, ChoiceLayout):
                if any(not 0 <= item <= 1 for item in chosen):
                    return False
                if messages != context.key.generator_table.mul_vartime(group.scalars(chosen)):
                    return False
            else:
                book = context.code_books[contest.id]
                for place, item in enumerate(chosen):
                    if item == NO_CODE:
                        continue
                    if not 0 <= item < len(book):
                        return False
                    if messages[place : place + 1] != book.gather(np.array([item], dtype=np.uint32)):
                        return False
    except (DecodeError, TypeError):
        return False
    return True
