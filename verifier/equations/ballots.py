"""Ballots: encodings, credential, signature and proofs; docs/spec/06-ballots.md sections 6.1 to 6.5.

All equations of all rows of a batch are one linear combination (``combination.py``) beside one pairing product. Only
if it does not vanish, dividing finds the bad rows, and each of them is then judged alone, equation by equation, in the
order of section 6.5. Every equation is a function of its own that adds its terms and returns nothing.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from crypto.errors import DecodeError
from verifier.equations.combination import Combination, bad_rows
from verifier.equations.credentials import credential_messages, credential_pairing, credential_points
from verifier.equations.interface import BallotBatch, ContestColumns
from verifier.equations.statements import Part, contest_parts
from verifier.failure import RowFailure
from verifier.hashing import frame

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from crypto.group import Group, PairingGroup, ScalarVector
    from verifier.equations.interface import Election, Randomness

SIGNATURE_DOMAINS = {"ballot": "evoting/v1/ballot-signature", "challenge": "evoting/v1/challenge-signature"}


def verify_ballots(
    batch: BallotBatch, election: Election, group: Group, pairing: PairingGroup, randomness: Randomness
) -> list[RowFailure]:
    """The first reason of ``malformed``, ``credential``, ``signature``, ``proof`` for every row that has one.

    Cost for each row: two terms and two decodings for the signature; six for each option of a homomorphic contest and
    two for each value of its sum; three for each ciphertext of a mixed contest; and one credential
    (``credential_pairing``). Variable time; everything is public.
    """

    def equations_hold(first: int, end: int) -> bool:
        return _equations_hold(select_rows(batch, first, end), election, group, randomness)

    def credentials_hold(first: int, end: int) -> bool:
        messages = credential_messages(election.fingerprint, batch.style.id, batch.pseudonyms[32 * first : 32 * end])
        credentials = batch.credentials[48 * first : 48 * end]
        return credential_pairing(credentials, messages, batch.style.issuance_key, pairing, randomness)

    suspects = {*bad_rows(len(batch), equations_hold), *bad_rows(len(batch), credentials_hold)}
    return [
        diagnose_row(select_rows(batch, row, row + 1), row, election, group, pairing, randomness)
        for row in sorted(suspects)
    ]


def select_rows(batch: BallotBatch, first: int, end: int) -> BallotBatch:
    """Rows first..end-1 of a batch."""
    if (first, end) == (0, len(batch)):
        return batch
    return BallotBatch(
        batch.kind,
        batch.style,
        batch.pseudonyms[32 * first : 32 * end],
        batch.credentials[48 * first : 48 * end],
        batch.signatures[64 * first : 64 * end],
        batch.messages[first:end],
        tuple(
            ContestColumns(
                columns.ciphertexts[64 * shape.ciphertexts * first : 64 * shape.ciphertexts * end],
                columns.commitments[32 * shape.commitments * first : 32 * shape.commitments * end],
                columns.scalars[32 * shape.scalars * first : 32 * shape.scalars * end],
            )
            for shape, columns in zip(batch.style.contests, batch.contests, strict=True)
        ),
    )


def _equations_hold(batch: BallotBatch, election: Election, group: Group, randomness: Randomness) -> bool:
    """Everything but the credential, fused."""
    try:
        parts = [signature_part(batch, group), *contest_parts(batch, election, group)]
    except DecodeError:
        return False
    combination = Combination(group, randomness)
    for part in parts:
        part.declare(combination)
        for _, equation in part.equations:
            equation(combination)
    return combination.vanishes()


def signature_part(batch: BallotBatch, group: Group) -> Part:
    """The pseudonyms' Schnorr signatures (section 1.4).

    Raises:
        DecodeError: a response is not below the group's order.
    """
    halves = np.frombuffer(batch.signatures, dtype=np.uint8).reshape(-1, 2, 32)
    nonces = halves[:, 0].tobytes()
    responses = group.scalars_decode(halves[:, 1].tobytes())
    before, between = frame(SIGNATURE_DOMAINS[batch.kind]) + (32).to_bytes(8, "big"), (32).to_bytes(8, "big")
    digests = [
        hashlib.sha512(
            b"".join((before, nonces[at : at + 32], between, batch.pseudonyms[at : at + 32], frame(message)))
        ).digest()
        for at, message in zip(range(0, 32 * len(batch), 32), batch.messages, strict=True)
    ]
    challenges = group.scalars_wide(b"".join(digests))
    return Part(
        {"R": nonces, "P": batch.pseudonyms},
        (("ballot.signature", lambda combination: signature_equation(combination, challenges, responses)),),
    )


def signature_equation(combination: Combination, challenges: ScalarVector, responses: ScalarVector) -> None:
    """``s*G = R + e*P`` for every row."""
    weights = combination.weights(len(responses))
    combination.add("R", weights)
    combination.add("P", weights * challenges)
    combination.add_generator(-weights.inner(responses))


def diagnose_row(
    batch: BallotBatch, row: int, election: Election, group: Group, pairing: PairingGroup, randomness: Randomness
) -> RowFailure:
    """The first reason that applies to a batch of one row, which is known to have one."""
    for encoding, check in (("ballot.scalars", scalar_encodings), ("ballot.elements", element_encodings)):
        defect = check(batch, group)
        if defect is not None:
            return RowFailure(row, "malformed", encoding, defect)
    if not credential_points(batch.credentials, pairing):
        sentence = "the credential is not a canonical point of the subgroup, or is the identity"
        return RowFailure(row, "credential", "credential.point", sentence)
    messages = credential_messages(election.fingerprint, batch.style.id, batch.pseudonyms)
    if not credential_pairing(batch.credentials, messages, batch.style.issuance_key, pairing, randomness):
        sentence = "the credential is not valid for this election, style and pseudonym under the style's key"
        return RowFailure(row, "credential", "credential.pairing", sentence)
    if _failing_equation(lambda: [signature_part(batch, group)], group, randomness):
        return RowFailure(row, "signature", "ballot.signature", "the pseudonym's signature does not hold")
    name = _failing_equation(lambda: contest_parts(batch, election, group), group, randomness)
    # None stays only for a bug; the row is reported all the same.
    return RowFailure(row, "proof", name or "ballot.batch", f"the equation {name or 'ballot.batch'} does not hold")


def _failing_equation(prepare: Callable[[], Sequence[Part]], group: Group, randomness: Randomness) -> str | None:
    """Name of the first equation that does not hold by itself."""
    try:
        parts = prepare()
    except DecodeError:
        return "ballot.scalars"
    for part in parts:
        for name, equation in part.equations:
            combination = Combination(group, randomness)
            part.declare(combination)
            equation(combination)
            if not combination.vanishes():
                return name
    return None


def scalar_encodings(batch: BallotBatch, group: Group) -> str | None:
    """Every scalar of the contests is below the group's order (6.5, ``malformed``); a sentence where one is not."""
    for shape, columns in zip(batch.style.contests, batch.contests, strict=True):
        try:
            group.scalars_decode(columns.scalars)
        except DecodeError as error:
            return f"contest {shape.id}: {error}"
    return None


def element_encodings(batch: BallotBatch, group: Group) -> str | None:
    """Every element of the body is canonical and not the identity (6.5, ``malformed``); a sentence where one is not."""
    columns = [("pseudonym", batch.pseudonyms)]
    for shape, contest in zip(batch.style.contests, batch.contests, strict=True):
        columns.append((f"contest {shape.id}, ciphertexts", contest.ciphertexts))
        columns.append((f"contest {shape.id}, commitments", contest.commitments))
    for place, encodings in columns:
        try:
            group.elements_decode(encodings, allow_identity=False)
        except DecodeError as error:
            return f"{place}: {error}"
    return None


def ciphertext_sums(ciphertexts: bytes, options: int, group: Group) -> bytes:
    """Component-wise sums over the rows (section 7.3): ``options`` ciphertexts of 64 bytes.

    Raises:
        DecodeError: the rows, which were verified before, hold something that is no element.
    """
    columns = 2 * options
    rows = len(ciphertexts) // (32 * columns)
    if rows == 0:
        return group.identity(columns).encode()
    items = np.frombuffer(ciphertexts, dtype=np.uint8).reshape(rows, columns, 32)
    elements = group.elements_decode(items.swapaxes(0, 1).tobytes(), allow_identity=False)
    return elements.sum_groups(rows).encode()


def add_sums(sums: Sequence[bytes], group: Group) -> bytes:
    """Component-wise sum of equally long lists of encoded elements, of which any may be the identity."""
    total = group.elements_decode(sums[0], allow_identity=True)
    for part in sums[1:]:
        total = total + group.elements_decode(part, allow_identity=True)
    return total.encode()
