"""Small provers, written from docs/spec, that make valid statements and statements with one planted defect.

They work on single integers and encodings, with nothing batched: the least code that can be right.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from crypto.group import BLS_ORDER, ORDER, Group, PairingGroup
from verifier.equations.interface import (
    BallotBatch,
    ContestColumns,
    ContestOpening,
    ContestShape,
    Election,
    StyleShape,
)
from verifier.hashing import frame, scalar


class Randomness:
    """Deterministic bytes: a counter through SHAKE256."""

    def __init__(self, seed: str) -> None:
        self._seed = seed.encode()
        self._count = 0

    def __call__(self, length: int) -> bytes:
        self._count += 1
        return hashlib.shake_256(self._seed + self._count.to_bytes(8, "big")).digest(length)

    def scalar(self) -> int:
        return int.from_bytes(self(64), "little") % ORDER

    def scalars(self, count: int) -> list[int]:
        return [self.scalar() for _ in range(count)]


def encode_scalars(values: Sequence[int]) -> bytes:
    return b"".join((value % ORDER).to_bytes(32, "little") for value in values)


def linear(group: Group, *terms: tuple[int, bytes]) -> bytes:
    """The encoded sum of multiples of encoded elements."""
    scalars = group.scalars([scalar for scalar, _ in terms])
    return group.msm_decode(scalars, b"".join(encoding for _, encoding in terms), allow_identity=True).encode()


def generator(group: Group) -> bytes:
    return group.generator().encode()


def times_generator(group: Group, value: int) -> bytes:
    return linear(group, (value, generator(group)))


def components(ciphertexts: bytes) -> list[tuple[bytes, bytes]]:
    return [(ciphertexts[at : at + 32], ciphertexts[at + 32 : at + 64]) for at in range(0, len(ciphertexts), 64)]


@dataclass(frozen=True)
class Setting:
    """Keys of a small election with one style."""

    group: Group
    pairing: PairingGroup
    randomness: Randomness
    election: Election
    style: StyleShape
    secret: int  # of the election key
    issuance_secret: int


def make_setting(
    group: Group, pairing: PairingGroup, contests: Sequence[ContestShape], seed: str = "setting"
) -> Setting:
    randomness = Randomness(seed)
    secret, issuance_secret = randomness.scalar(), int.from_bytes(randomness(64), "big") % BLS_ORDER
    election = Election(randomness(32), randomness(32), times_generator(group, secret))
    issuance_key = pairing.g2_generator().mul([issuance_secret]).encode()
    style = StyleShape("capital", tuple(contests), issuance_key)
    return Setting(group, pairing, randomness, election, style, secret, issuance_secret)


#: Changes a commitment before the challenge is hashed: (statement, value, "A" or "B") -> multiple of G that is added.
Shifts = Mapping[tuple[int | str, int, str], int]


@dataclass(frozen=True)
class Encrypted:
    """One contest on one ballot."""

    ciphertexts: bytes
    commitments: bytes
    scalars: bytes
    opening: ContestOpening


def encrypt(group: Group, key: bytes, message: bytes, randomizer: int) -> bytes:
    return times_generator(group, randomizer) + linear(group, (1, message), (randomizer, key))


def challenge_of(
    setting: Setting, shape: ContestShape, pseudonym: bytes, ciphertexts: bytes, commitments: bytes
) -> int:
    return scalar(
        "evoting/v1/ballot-proof",
        setting.election.fingerprint,
        setting.style.id,
        shape.position,
        shape.id,
        pseudonym,
        setting.election.public_key,
        ciphertexts,
        commitments,
    )


def prove_selections(
    setting: Setting,
    shape: ContestShape,
    pseudonym: bytes,
    selections: Sequence[int],
    *,
    shifts: Shifts | None = None,
    claims: Mapping[int | str, int] | None = None,
) -> Encrypted:
    """A homomorphic contest (6.2, 6.4).

    ``claims`` names, for a statement (option number or "sum"), the branch that the prover pretends is the true one.
    """
    group, key, rng = setting.group, setting.election.public_key, setting.randomness
    base = generator(group)
    randomizers = rng.scalars(shape.options)
    ciphertexts = b"".join(
        encrypt(group, key, times_generator(group, value), r) for value, r in zip(selections, randomizers, strict=True)
    )
    statements: list[tuple[int | str, range, int, int]] = [
        (i, range(2), value, r) for i, (value, r) in enumerate(zip(selections, randomizers, strict=True))
    ]
    statements.append(("sum", range(shape.minimum, shape.maximum + 1), sum(selections), sum(randomizers) % ORDER))
    commitments, states = b"", []
    for name, values, true, randomizer in statements:
        claimed = (claims or {}).get(name, true)
        branches = {}
        for value in values:
            nonce, e = rng.scalar(), (0 if value == claimed else rng.scalar())
            # Simulated: A = z*G - e*pad, B = z*K - e*(data - v*G), with pad = r*G and data = u*G + r*K.
            shift = shifts or {}
            a = (nonce - e * randomizer + shift.get((name, value, "A"), 0), base)
            b = ((nonce - e * randomizer), key), (-e * (true - value) + shift.get((name, value, "B"), 0), base)
            commitments += linear(group, a) + linear(group, *b)
            branches[value] = (e, nonce)
        states.append((claimed, randomizer, branches))
    e = challenge_of(setting, shape, pseudonym, ciphertexts, commitments)
    scalars: list[int] = []
    for claimed, randomizer, branches in states:
        rest = (e - sum(branch for branch, _ in branches.values())) % ORDER
        challenges = [rest if value == claimed else branch for value, (branch, _) in branches.items()]
        responses = [z + rest * randomizer if value == claimed else z for value, (_, z) in branches.items()]
        scalars += challenges[:-1] + responses
    opening = ContestOpening(tuple(selections), encode_scalars(randomizers))
    return Encrypted(ciphertexts, commitments, encode_scalars(scalars), opening)


def prove_codes(
    setting: Setting, shape: ContestShape, pseudonym: bytes, codes: Sequence[int], *, shifts: Shifts | None = None
) -> Encrypted:
    """A mixed contest (6.3)."""
    group, rng = setting.group, setting.randomness
    randomizers, nonces = rng.scalars(shape.width), rng.scalars(shape.width)
    elements = [shape.code_book[32 * code : 32 * code + 32] for code in codes]
    ciphertexts = b"".join(
        encrypt(group, setting.election.public_key, element, r)
        for element, r in zip(elements, randomizers, strict=True)
    )
    shifted = [nonce + (shifts or {}).get((j, 0, "A"), 0) for j, nonce in enumerate(nonces)]
    commitments = b"".join(times_generator(group, nonce) for nonce in shifted)
    e = challenge_of(setting, shape, pseudonym, ciphertexts, commitments)
    responses = [nonce + e * r for nonce, r in zip(nonces, randomizers, strict=True)]
    opening = ContestOpening(tuple(codes), encode_scalars(randomizers))
    return Encrypted(ciphertexts, commitments, encode_scalars(responses), opening)


def sign_schnorr(group: Group, rng: Randomness, domain: str, secret: int, message: bytes) -> bytes:
    nonce = rng.scalar()
    public, point = times_generator(group, secret), times_generator(group, nonce)
    return point + encode_scalars([nonce + scalar(domain, point, public, message) * secret])


def issue_credential(setting: Setting, pseudonym: bytes, style: str | None = None) -> bytes:
    message = frame(setting.election.fingerprint) + frame(style or setting.style.id) + frame(pseudonym)
    return setting.pairing.hash_to_g1([message], b"evoting/v1/credential").mul([setting.issuance_secret]).encode()


@dataclass(frozen=True)
class Ballot:
    """One row of a batch."""

    secret: int
    pseudonym: bytes
    credential: bytes
    signature: bytes
    message: bytes
    contests: tuple[Encrypted, ...]


Choose = Callable[[ContestShape, bytes], Encrypted]


def make_ballot(setting: Setting, choose: Choose, *, kind: str = "ballot") -> Ballot:
    """A ballot whose contests ``choose(shape, pseudonym)`` makes."""
    secret = setting.randomness.scalar()
    pseudonym = times_generator(setting.group, secret)
    contests = tuple(choose(shape, pseudonym) for shape in setting.style.contests)
    ballot = Ballot(secret, pseudonym, issue_credential(setting, pseudonym), b"", b"", contests)
    return signed(setting, ballot, kind=kind)


def signed(setting: Setting, ballot: Ballot, *, kind: str = "ballot") -> Ballot:
    """The same ballot, signed again over what it now holds."""
    content = b"".join(c.ciphertexts + c.commitments + c.scalars for c in ballot.contests)
    message = ballot.pseudonym + ballot.credential + content
    signature = sign_schnorr(setting.group, setting.randomness, f"evoting/v1/{kind}-signature", ballot.secret, message)
    return replace(ballot, message=message, signature=signature)


def with_contest(setting: Setting, ballot: Ballot, number: int, **changes: Any) -> Ballot:
    """A ballot with other bytes in one contest, signed again."""
    contests = list(ballot.contests)
    contests[number] = replace(contests[number], **changes)
    return signed(setting, replace(ballot, contests=tuple(contests)))


def to_batch(setting: Setting, ballots: Sequence[Ballot], kind: str = "ballot") -> BallotBatch:
    assert kind in ("ballot", "challenge")
    columns = tuple(
        ContestColumns(
            b"".join(ballot.contests[i].ciphertexts for ballot in ballots),
            b"".join(ballot.contests[i].commitments for ballot in ballots),
            b"".join(ballot.contests[i].scalars for ballot in ballots),
        )
        for i in range(len(setting.style.contests))
    )
    return BallotBatch(
        "ballot" if kind == "ballot" else "challenge",
        setting.style,
        b"".join(ballot.pseudonym for ballot in ballots),
        b"".join(ballot.credential for ballot in ballots),
        b"".join(ballot.signature for ballot in ballots),
        [ballot.message for ballot in ballots],
        columns,
    )
