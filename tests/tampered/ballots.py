"""Ballots: a malicious voter or device makes them, and a corrupt office counts them all the same."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import numpy as np

from crypto import cbor
from crypto.group import ORDER
from evoting.ballots.build import build_ballots
from evoting.ballots.shape import style_shapes
from evoting.office.selection import Selection
from evoting.record.election import is_challenge_entry
from tests.support.loose import decode
from tests.tampered.case import Case, case
from tests.tampered.forged_ballots import (
    Parts,
    add_to_scalar,
    contests_of,
    edited,
    honest_body,
    sign,
    unchanged,
    with_weak_challenge,
)


class ForgedBallot(Case):
    """Voter 5 of the east casts a forged ballot, which the office counts although it judged it invalid."""

    def forge(self) -> list[bytes]:
        raise NotImplementedError

    #: Voters of the east whose ballots are forged.
    forgers: tuple[int, ...] = (5,)

    def epochs(self) -> list[list[bytes]]:
        first = [*self.cast("east", [0], 0), *self.challenge("west", [0])]
        honest = [row for row in range(self.ballots_per_style) if row not in self.forgers]
        rest = [*self.cast("east", honest), *self.cast("west", range(self.ballots_per_style))]
        return [first, rest, self.forge()]

    def forced(self, selection: Selection) -> dict[int, int]:
        """All entries of the last epoch are counted."""
        count = self.record.entries("epoch")[-1].body["entries"]
        total = len(selection.dispositions)
        return dict.fromkeys(range(total - count, total), 0)

    def dispose(self, selection: Selection) -> Selection:
        """What does not even decode is counted in the east, where its voter belongs."""
        return super().dispose(replace(selection, styles=[style or "east" for style in selection.styles]))


@case("B1 a copy of another voter's ciphertexts and proofs", "ballots.proof", "ballots.duplicate")
class CopiedBallot(ForgedBallot):
    def forge(self) -> list[bytes]:
        other = contests_of(honest_body(self, "east", 1))

        def copy(parts: Parts) -> None:
            parts[:] = other

        # The original is cast as well, by voter 4, whose ballot carries these contests.
        original = edited(self, "east", 4, copy, sequence=2)
        return [original, edited(self, "east", 5, copy)]


@case("B2 a re-randomised copy", "ballots.proof")
class RerandomisedBallot(ForgedBallot):
    def forge(self) -> list[bytes]:
        original = contests_of(honest_body(self, "east", 1))[0]
        group = self.group
        from crypto.elgamal import decode_ciphertexts

        pairs = decode_ciphertexts(group, original["ciphertexts"])
        fresh = group.scalars_wide(os.urandom(64 * len(pairs)))
        pads = pairs.pads + self.key.generator_table.mul(fresh)
        data = pairs.data + self.key.key_table.mul(fresh)

        def substitute(parts: Parts) -> None:
            parts[0] = {**original, "ciphertexts": group.interleave_elements([pads, data]).encode()}

        return [edited(self, "east", 5, substitute)]


@case("B2 a permuted copy of one's own options without their proofs", "ballots.proof")
class PermutedCiphertexts(ForgedBallot):
    def forge(self) -> list[bytes]:
        def permute(parts: Parts) -> None:
            data = parts[0]["ciphertexts"]
            parts[0]["ciphertexts"] = data[64:128] + data[:64] + data[128:]

        return [edited(self, "east", 5, permute)]


@case("B3 a statement chosen after its challenge (weak Fiat-Shamir)", "ballots.proof")
class StatementAfterChallenge(ForgedBallot):
    def forge(self) -> list[bytes]:
        """With a hash of the commitments alone, pad = (z*G - A) / e fits any A, e, z: a vote for nobody knows what."""
        return [with_weak_challenge(self, "east", 5, 0, {"ciphertexts": None})]


@case("B3 a challenge that does not hash the commitments", "ballots.proof")
class CommitmentsAfterChallenge(ForgedBallot):
    def forge(self) -> list[bytes]:
        return [with_weak_challenge(self, "east", 5, 1, {"commitments": None})]


def _weak(name: str, field: str, position: int) -> None:
    """B4: one case for every field of the challenge, changed."""

    class Weak(ForgedBallot):
        def forge(self) -> list[bytes]:
            other = {
                "fingerprint": bytes(32),
                "style": b"west",
                "position": (7).to_bytes(8, "big"),
                "contest": b"other",
                "pseudonym": self.wallets["east"].pseudonyms[1],
                "key": self.group.generator().encode(),
            }[field]
            return [with_weak_challenge(self, "east", 5, position, {field: other})]

    Weak.__name__ = name
    case(f"B4 the proof's challenge hashes another {field}", "ballots.proof")(Weak)


for _field in ("fingerprint", "style", "position", "contest", "pseudonym", "key"):
    _weak(f"OtherChallenge{_field.capitalize()}", _field, 0)
_weak("OtherChallengePseudonymMixed", "pseudonym", 1)


@case("B5 a challenge over the plain concatenation of its parts", "ballots.proof")
class AmbiguousConcatenation(ForgedBallot):
    def forge(self) -> list[bytes]:
        return [with_weak_challenge(self, "east", 5, 0, {}, joined=True)]


def _value(name: str, row: list[int], words: str, attack: str) -> None:
    class Value(ForgedBallot):
        def forge(self) -> list[bytes]:
            return [with_weak_challenge(self, "east", 5, 0, {}, selections=np.array([row], dtype=np.int64))]

    Value.__name__ = name
    case(f"{attack} {words}", "ballots.proof")(Value)


_value("EncryptsTwo", [2, 0, 0], "an encryption of 2", "B6")
_value("EncryptsMinusOne", [1, -1, 1], "an encryption of -1, the sum within bounds", "B6")
_value("Overvote", [1, 1, 0], "two marks where one is allowed", "B7")


@case("B6 an encryption of a million, and another that takes it back", "ballots.proof")
class EncryptsMillion(ForgedBallot):
    forgers = (4, 5)

    def forge(self) -> list[bytes]:
        return [
            with_weak_challenge(self, "east", row, 0, {}, selections=np.array([[value, 0, 0]], dtype=np.int64))
            for row, value in ((4, 1_000_000), (5, -1_000_000))
        ]


@case("B7 a sum proof of another ballot", "ballots.proof")
class ForeignSumProof(ForgedBallot):
    def forge(self) -> list[bytes]:
        other = contests_of(honest_body(self, "east", 5))[0]

        def substitute(parts: Parts) -> None:
            parts[0]["commitments"] = parts[0]["commitments"][:-128] + other["commitments"][-128:]
            parts[0]["scalars"] = parts[0]["scalars"][:-96] + other["scalars"][-96:]

        return [edited(self, "east", 5, substitute)]


@case("B8 two options swapped together with their proofs", "ballots.proof")
class SwappedOptions(ForgedBallot):
    def forge(self) -> list[bytes]:
        def swap(parts: Parts) -> None:
            for name, size in (("ciphertexts", 64), ("commitments", 128), ("scalars", 96)):
                data = parts[0][name]
                parts[0][name] = data[size : 2 * size] + data[:size] + data[2 * size :]

        return [edited(self, "east", 5, swap)]


@case("B9 a pad that is the identity: randomizer zero", "ballots.encoding")
class IdentityPad(ForgedBallot):
    def forge(self) -> list[bytes]:
        def zero(parts: Parts) -> None:
            parts[1]["ciphertexts"] = bytes(32) + parts[1]["ciphertexts"][32:]

        return [edited(self, "east", 5, zero)]

    def aggregate(self) -> None:
        super().aggregate()
        # An honest mixer would refuse the identity; here a mixer and the office share the interest.
        for path in (self.root / "lists").glob("list.*.list"):
            data = path.read_bytes()
            fixed = b"".join(
                data[at : at + 64] if data[at : at + 32] != bytes(32) else data[:64] for at in range(0, len(data), 64)
            )
            path.write_bytes(fixed)


@case("B10 a scalar plus the order of the group", "ballots.encoding")
class UnreducedScalar(ForgedBallot):
    def forge(self) -> list[bytes]:
        def unreduce(parts: Parts) -> None:
            data = parts[2]["scalars"]
            value = int.from_bytes(data[:32], "little") + ORDER
            parts[2]["scalars"] = value.to_bytes(32, "little") + data[32:]

        return [edited(self, "east", 5, unreduce)]


@case("B10 a commitment that is no canonical encoding (negative field element)", "ballots.encoding")
class NonCanonicalPoint(ForgedBallot):
    def forge(self) -> list[bytes]:
        def bend(parts: Parts) -> None:
            data = parts[0]["commitments"]
            value = 2**255 - 19 - int.from_bytes(data[:32], "little")
            parts[0]["commitments"] = value.to_bytes(32, "little") + data[32:]

        return [edited(self, "east", 5, bend)]


@case("B11 errors of two ballots that cancel in an unweighted batch", "ballots.proof")
class CancellingErrors(ForgedBallot):
    forgers = (4, 5)

    def forge(self) -> list[bytes]:
        def shift(amount: int) -> list[bytes]:
            def add(parts: Parts) -> None:
                parts[1]["scalars"] = add_to_scalar(parts[1]["scalars"], 0, amount)

            return [edited(self, "east", 4 if amount > 0 else 5, add)]

        return shift(1) + shift(-1)


@case("B12 a body with a key twice", "ballots.encoding")
class DuplicateKey(ForgedBallot):
    def forge(self) -> list[bytes]:
        body = honest_body(self, "east", 5)
        assert body[0] == 0xA6
        return [sign(self, "east", 5, bytes([0xA7]) + b"\x65style\x64east" + body[1:])]


@case("B12 a body with bytes after its end", "ballots.encoding")
class TrailingBytes(ForgedBallot):
    def forge(self) -> list[bytes]:
        return [sign(self, "east", 5, honest_body(self, "east", 5) + b"\0")]


@case("B12 a body with its keys in another order", "ballots.encoding")
class KeyOrder(ForgedBallot):
    def forge(self) -> list[bytes]:
        import cbor2

        value = decode(honest_body(self, "east", 5))
        return [sign(self, "east", 5, cbor2.dumps(dict(reversed(value.items()))))]


@case("C5 a credential of another ballot style", "ballots.credential")
class ForeignStyle(ForgedBallot):
    def forge(self) -> list[bytes]:
        wallet = self.wallets["east"]
        foreign = self.credentials("west", [wallet.pseudonyms[5]])[0]
        return [edited(self, "east", 5, unchanged, credential=foreign)]


@case("C6 a credential issued to another pseudonym", "ballots.credential")
class SwappedCredential(ForgedBallot):
    def forge(self) -> list[bytes]:
        return [edited(self, "east", 5, unchanged, credential=self.wallets["east"].credentials[6])]


@case("C15 a credential that is the identity", "ballots.credential")
class IdentityCredential(ForgedBallot):
    def forge(self) -> list[bytes]:
        return [edited(self, "east", 5, unchanged, credential=bytes([0xC0]) + bytes(47))]


@case("B4 the signature is by another pseudonym", "ballots.signature")
class ForeignSignature(ForgedBallot):
    def forge(self) -> list[bytes]:
        body = honest_body(self, "east", 5)
        entry = decode(sign(self, "east", 4, body))
        return [cbor.encode(entry)]


@case("B4 the body is changed after signing: another sequence number", "ballots.signature")
class ChangedAfterSigning(ForgedBallot):
    def forge(self) -> list[bytes]:
        entry = decode(edited(self, "east", 5, unchanged))
        body = decode(entry["body"])
        body["sequence"] = 9
        return [cbor.encode({**entry, "body": cbor.encode(body)})]


@case("B14 one device encrypts two voters' ballots with the same randomness", "ballots.duplicate")
class SharedRandomness(ForgedBallot):
    forgers = (4, 5)

    def forge(self) -> list[bytes]:
        seed = os.urandom(32)
        import hashlib

        def replay() -> object:
            calls = iter(range(1000))
            return lambda count: hashlib.shake_256(seed + bytes([next(calls)])).digest(count)

        entries = []
        for row in (4, 5):
            wallets = self.build("east", [row], 1)[0]
            choices = [column[[0]] for column in self.choices("east", 8)]
            built = build_ballots(
                self.key, self.fingerprint, style_shapes(self.manifest)["east"], wallets, [1], choices,
                self.books(), replay(),
            )  # fmt: skip
            entries.append(sign(self, "east", row, built.bodies[0]))
        return entries

    def books(self) -> dict[str, Any]:
        from evoting.ballots.code_books import code_books

        return code_books(self.group, self.manifest_hash, self.manifest)


@case("B15 an old ballot counts instead of the one with the highest sequence number", "ballots.sequence")
class OldBallotCounted(Case):
    def forced(self, selection: Selection) -> dict[int, int]:
        voter = self.wallets["east"].pseudonyms[0]
        own = [
            ordinal
            for ordinal, entry in enumerate(self.record.voter_entries())
            if not is_challenge_entry(entry) and voter in entry
        ]
        return {own[0]: 0, own[1]: 1}


@case("B15 a replayed ballot counts", "ballots.sequence")
class ReplayedBallot(ForgedBallot):
    def forge(self) -> list[bytes]:
        return [edited(self, "east", 4, unchanged, sequence=1)]

    def forced(self, selection: Selection) -> dict[int, int]:
        voter = self.wallets["east"].pseudonyms[4]
        own = [ordinal for ordinal, entry in enumerate(self.record.voter_entries()) if voter in entry]
        return {own[0]: 1, own[1]: 0}


@case("a ballot with a valid proof is called rejected", "accounting.dispositions")
class SuppressedBallot(Case):
    def forced(self, selection: Selection) -> dict[int, int]:
        last = len(selection.dispositions) - 1
        return {last: 19}


@case("a ballot is rejected for another reason than its own", "accounting.dispositions")
class WrongReason(ForgedBallot):
    def forge(self) -> list[bytes]:
        return [edited(self, "east", 5, unchanged, credential=self.wallets["east"].credentials[6])]

    def forced(self, selection: Selection) -> dict[int, int]:
        return {len(selection.dispositions) - 1: 19}


@case("a published challenge does not open to its ciphertexts", "challenges.opening")
class WrongOpening(Case):
    def challenge(self, style: str, rows: list[int]) -> list[bytes]:
        from crypto.hashing import frame
        from crypto.schnorr_signature import sign_many
        from evoting.ballots.ballot import CHALLENGE_SIGNATURE, encode_challenge_entry
        from evoting.ballots.build import encode_opening

        part, built = self.build(style, rows, 0)
        opening = decode(encode_opening(built, 0, 1))
        opening["contests"][0]["selections"] = [0, 0, 1]
        data = cbor.encode(opening)
        signature = sign_many(
            self.group, self.key.generator_table, CHALLENGE_SIGNATURE, part.secrets, part.pseudonyms,
            [frame(built.bodies[0]) + frame(data)], os.urandom,
        )[0]  # fmt: skip
        return [encode_challenge_entry(built.bodies[0], signature, data)]

    def forced(self, selection: Selection) -> dict[int, int]:
        return {ordinal: 2 for ordinal, entry in enumerate(self.record.voter_entries()) if is_challenge_entry(entry)}


@case("a challenged ballot is cast and counted as well", "ballots.duplicate", "challenges.uncounted")
class ChallengedAndCounted(ForgedBallot):
    forgers = ()

    def epochs(self) -> list[list[bytes]]:
        from evoting.ballots.build import cast_ballots, challenge_ballots

        wallets, built = self.build("east", [5], 1)
        first = [*self.cast("east", [0], 0), *challenge_ballots(self.key, wallets, built, os.urandom)]
        rest = [*self.cast("east", range(5)), *self.cast("west", range(self.ballots_per_style))]
        return [first, rest, cast_ballots(self.key, wallets, built, os.urandom)]


@case(
    "a ballot is counted that was opened by a challenge beyond the limit", "ballots.duplicate", "challenges.uncounted"
)
class OpenedTooOften(ForgedBallot):
    """The challenge is rejected for ``excess``, and its opening is as public as any other."""

    forgers = ()

    def epochs(self) -> list[list[bytes]]:
        from evoting.ballots.build import cast_ballots, challenge_ballots

        wallets, built = self.build("east", [5], 1)
        first = [*self.cast("east", [0], 0), *(entry for _ in range(3) for entry in self.challenge("east", [5]))]
        rest = [*self.cast("east", range(5)), *self.cast("west", range(self.ballots_per_style))]
        opened = challenge_ballots(self.key, wallets, built, os.urandom)
        return [first, [*rest, *opened], cast_ballots(self.key, wallets, built, os.urandom)]

    def forced(self, selection: Selection) -> dict[int, int]:
        return {len(selection.dispositions) - 1: 0}


@case("B15 malware takes the highest sequence number, so that the voter can never vote again", "ballots.sequence")
class LockedOut(ForgedBallot):
    def forge(self) -> list[bytes]:
        return [*self.cast("east", [5]), *self.cast("east", [5], 2**53 - 1)]

    def forced(self, selection: Selection) -> dict[int, int]:
        voter = self.wallets["east"].pseudonyms[5]
        own = {
            member_sequence(entry): ordinal
            for ordinal, entry in enumerate(self.record.voter_entries())
            if voter in entry and not is_challenge_entry(entry)
        }
        return {own[1]: 1, own[2**53 - 1]: 0}


def member_sequence(entry: bytes) -> int:
    """The sequence number that a ballot claims."""
    return int(decode(decode(entry)["body"])["sequence"])


@case("a pseudonym has one challenge more than the manifest allows", "challenges.uncounted")
class TooManyChallenges(Case):
    def epochs(self) -> list[list[bytes]]:
        first, rest = super().epochs()
        return [[*first, *(entry for _ in range(4) for entry in self.challenge("east", [5]))], rest]

    def forced(self, selection: Selection) -> dict[int, int]:
        return {ordinal: 2 for ordinal, byte in enumerate(selection.dispositions) if byte == 23}
