"""Ballots that reach the board although something is wrong with them, as a terminal's unchecked batch might.

One for each reason of rejection. None is counted; the record keeps them as evidence, and the verifier checks that each
was rejected rightly.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from crypto import cbor
from crypto.hashing import frame
from crypto.schnorr_signature import sign_many
from evoting.ballots.ballot import (
    BALLOT_SIGNATURE,
    CHALLENGE_SIGNATURE,
    encode_ballot_entry,
    encode_challenge_entry,
)
from evoting.ballots.build import (
    BuiltBallots,
    Wallets,
    build_ballots,
    cast_ballots,
    challenge_ballots,
    encode_opening,
)

if TYPE_CHECKING:
    from evoting.demo.epochs import Polling


def rejected_entries(polling: Polling, wallets: dict[str, Wallets]) -> list[bytes]:
    """Entries with one defect each, by voters of the first style who also vote properly, in other epochs."""
    style = next(iter(polling.styles))
    # Voters whose own ballot comes in the last epoch, so that the order within this one does not matter.
    row = polling.slices(style, polling.epochs - 1).start
    return [
        _malformed(polling, wallets, style, row),
        _foreign_credential(polling, wallets, style, row),
        _bad_signature(polling, wallets, style, row),
        _bad_proof(polling, wallets, style, row),
        *_copied_ciphertexts(polling, wallets, style, row + 1),
        _bad_opening(polling, wallets, style, row),
        *_too_many_challenges(polling, wallets, style, row + 2),
    ]


def replayed_entry(polling: Polling, wallets: dict[str, Wallets]) -> bytes:
    """A ballot with a sequence number that its voter has used, for a later epoch than the voter's own."""
    style = next(iter(polling.styles))
    return cast_ballots(
        polling.encryption_key, _one(wallets[style], 0), _build(polling, wallets, style, 0), os.urandom
    )[0]


def _one(wallets: Wallets, row: int) -> Wallets:
    return Wallets(wallets.secrets[row : row + 1], [wallets.pseudonyms[row]], [wallets.credentials[row]])


def _build(polling: Polling, wallets: dict[str, Wallets], style: str, row: int) -> BuiltBallots:
    from evoting.demo.epochs import selections

    shape = polling.styles[style]
    choices = polling.expected.choices(style)
    chosen = {contest: values[row : row + 1] for contest, values in choices.items()}
    return build_ballots(
        polling.encryption_key, polling.election, shape, _one(wallets[style], row), [0],
        selections(shape, chosen), polling.books, os.urandom,
    )  # fmt: skip


def _sign(polling: Polling, wallets: dict[str, Wallets], style: str, row: int, body: bytes) -> bytes:
    wallet = _one(wallets[style], row)
    signature = sign_many(
        polling.group, polling.encryption_key.generator_table, BALLOT_SIGNATURE, wallet.secrets, wallet.pseudonyms,
        [body], os.urandom,
    )[0]  # fmt: skip
    return encode_ballot_entry(body, signature)


def _edit(body: bytes, **changes: object) -> bytes:
    value = cbor.decode(body)
    assert isinstance(value, dict)
    value.update(changes)
    return cbor.encode(value)


def _contests(body: bytes) -> list[dict[str, bytes]]:
    value = cbor.decode(body)
    assert isinstance(value, dict)
    return list(value["contests"])


def _malformed(polling: Polling, wallets: dict[str, Wallets], style: str, row: int) -> bytes:
    body = _build(polling, wallets, style, row).bodies[0]
    contests = _contests(body)
    contests[0]["ciphertexts"] = bytes(32) + contests[0]["ciphertexts"][32:]
    return _sign(polling, wallets, style, row, _edit(body, contests=contests))


def _foreign_credential(polling: Polling, wallets: dict[str, Wallets], style: str, row: int) -> bytes:
    body = _build(polling, wallets, style, row).bodies[0]
    return _sign(polling, wallets, style, row, _edit(body, credential=wallets[style].credentials[row + 1]))


def _bad_signature(polling: Polling, wallets: dict[str, Wallets], style: str, row: int) -> bytes:
    built = _build(polling, wallets, style, row)
    return encode_ballot_entry(
        built.bodies[0],
        sign_many(
            polling.group, polling.encryption_key.generator_table, CHALLENGE_SIGNATURE,
            wallets[style].secrets[row : row + 1], [wallets[style].pseudonyms[row]], built.bodies, os.urandom,
        )[0],
    )  # fmt: skip


def _bad_proof(polling: Polling, wallets: dict[str, Wallets], style: str, row: int) -> bytes:
    body = _build(polling, wallets, style, row).bodies[0]
    contests = _contests(body)
    other = _contests(_build(polling, wallets, style, row).bodies[0])
    contests[0]["scalars"] = other[0]["scalars"]
    return _sign(polling, wallets, style, row, _edit(body, contests=contests))


def _copied_ciphertexts(polling: Polling, wallets: dict[str, Wallets], style: str, row: int) -> list[bytes]:
    """The same contests twice by one voter with rising sequence numbers: the later in the log is the duplicate."""
    body = _build(polling, wallets, style, row).bodies[0]
    return [_sign(polling, wallets, style, row, _edit(body, sequence=number)) for number in (0, 0)]


def _bad_opening(polling: Polling, wallets: dict[str, Wallets], style: str, row: int) -> bytes:
    built = _build(polling, wallets, style, row)
    wrong = _build(polling, wallets, style, row)
    opening = encode_opening(wrong, 0, 1)
    wallet = _one(wallets[style], row)
    signature = sign_many(
        polling.group,
        polling.encryption_key.generator_table,
        CHALLENGE_SIGNATURE,
        wallet.secrets,
        wallet.pseudonyms,
        [frame(built.bodies[0]) + frame(opening)],
        os.urandom,
    )[0]
    return encode_challenge_entry(built.bodies[0], signature, opening)


def _too_many_challenges(polling: Polling, wallets: dict[str, Wallets], style: str, row: int) -> list[bytes]:
    wallet = _one(wallets[style], row)
    return [
        challenge_ballots(polling.encryption_key, wallet, _build(polling, wallets, style, row), os.urandom)[0]
        for _ in range(polling.expected.manifest.limits.challenges + 1)
    ]
