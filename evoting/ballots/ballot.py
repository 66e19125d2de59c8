"""The ballot as bytes (docs/spec/06-ballots.md sections 6.1 and 6.4)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from crypto import cbor
from crypto.errors import DecodeError
from crypto.group.interface import Group, ScalarVector
from crypto.hashing import frames, sha, u64
from evoting.ballots.shape import StyleShape

BALLOT_SIGNATURE = "evoting/v1/ballot-signature"
CHALLENGE_SIGNATURE = "evoting/v1/challenge-signature"
#: A log entry of C2SP tlog-tiles carries its length in two bytes.
MAX_ENTRY_BYTES = 65_535
SIGNATURE_BYTES = 64


@dataclass(frozen=True)
class ContestPart:
    """One contest's encoded ciphertexts and proof."""

    ciphertexts: bytes
    commitments: bytes
    scalars: bytes


@dataclass(frozen=True)
class Ballot:
    """A decoded ballot whose lengths are those of its style; its points and scalars are still encoded."""

    election: bytes
    style: str
    pseudonym: bytes
    credential: bytes
    sequence: int
    contests: tuple[ContestPart, ...]

    def encode(self) -> bytes:
        """The entry's body."""
        return cbor.encode(
            {
                "election": self.election,
                "style": self.style,
                "pseudonym": self.pseudonym,
                "credential": self.credential,
                "sequence": self.sequence,
                "contests": [
                    {"ciphertexts": part.ciphertexts, "commitments": part.commitments, "scalars": part.scalars}
                    for part in self.contests
                ],
            }
        )


@dataclass(frozen=True)
class VoterEntry:
    """A ballot or challenge entry in its outer form: what is inside its byte strings is not decoded."""

    challenge: bool
    body: bytes
    signature: bytes
    opening: bytes


_FIELDS = {"election", "style", "pseudonym", "credential", "sequence", "contests"}
_PARTS = {"ciphertexts", "commitments", "scalars"}


def decode_ballot(body: bytes, election: bytes, styles: dict[str, StyleShape]) -> Ballot:
    """Decode a ballot and compare every length with its style.

    Raises:
        DecodeError: the ballot is malformed; the message names the field.
    """
    value = cbor.decode(body, limit=MAX_ENTRY_BYTES)
    if not isinstance(value, dict) or value.keys() != _FIELDS:
        raise DecodeError("ballot: not a map of the six fields")
    if value["election"] != election:
        raise DecodeError("ballot: made for another election")
    shape = styles.get(value["style"]) if isinstance(value["style"], str) else None
    if shape is None:
        raise DecodeError(f"ballot: unknown style {value['style']!r}")
    for name, length in (("pseudonym", 32), ("credential", 48)):
        if not isinstance(value[name], bytes) or len(value[name]) != length:
            raise DecodeError(f"ballot: {name} is not {length} bytes")
    if type(value["sequence"]) is not int or value["sequence"] < 0:
        raise DecodeError("ballot: sequence is not an unsigned integer")
    contests = value["contests"]
    if not isinstance(contests, list) or len(contests) != len(shape.contests):
        raise DecodeError("ballot: wrong number of contests")
    parts = []
    for contest, expected in zip(contests, shape.contests, strict=True):
        if not isinstance(contest, dict) or contest.keys() != _PARTS:
            raise DecodeError(f"ballot: contest {expected.id} is not a map of the three parts")
        layout = expected.layout
        lengths = (
            ("ciphertexts", layout.ciphertext_bytes),
            ("commitments", 32 * layout.commitments),
            ("scalars", 32 * layout.scalars),
        )
        for name, length in lengths:
            if not isinstance(contest[name], bytes) or len(contest[name]) != length:
                raise DecodeError(f"ballot: {name} of contest {expected.id} is not {length} bytes")
        parts.append(ContestPart(contest["ciphertexts"], contest["commitments"], contest["scalars"]))
    return Ballot(election, shape.id, value["pseudonym"], value["credential"], value["sequence"], tuple(parts))


def decode_voter_entry(entry: bytes) -> VoterEntry:
    """Decode the outer form of a ballot or challenge entry (docs/spec/02-record.md section 2.2).

    Raises:
        DecodeError: it is no such entry, and must not be on a board.
    """
    value = cbor.decode(entry, limit=MAX_ENTRY_BYTES)
    if not isinstance(value, dict):
        raise DecodeError("not a ballot or challenge entry: a map is expected")
    challenge = value.get("type") == "challenge"
    expected = {"type", "body", "signature", "opening"} if challenge else {"type", "body", "signature"}
    if value.keys() != expected or (not challenge and value["type"] != "ballot"):
        raise DecodeError("not a ballot or challenge entry: other fields than those of its type")
    parts = [value["body"], value["signature"], value.get("opening", b"")]
    if not all(isinstance(part, bytes) for part in parts) or len(parts[1]) != SIGNATURE_BYTES:
        raise DecodeError("not a ballot or challenge entry: body, signature of 64 bytes and opening are byte strings")
    return VoterEntry(challenge, *parts)


def contest_challenges(
    group: Group,
    election: bytes,
    style: StyleShape,
    position: int,
    key: bytes,
    pseudonyms: Sequence[bytes],
    ciphertexts: Sequence[bytes],
    commitments: Sequence[bytes],
) -> ScalarVector:
    """The challenge e of one contest on each of n ballots: one hash a ballot."""
    prefix = frames(
        "evoting/v1/ballot-proof",
        (election, style.id.encode(), u64(position), style.contests[position].id.encode()),
    )
    state = hashlib.sha512(prefix)
    frame_32 = u64(32)
    digests = []
    for pseudonym, encrypted, committed in zip(pseudonyms, ciphertexts, commitments, strict=True):
        hasher = state.copy()
        hasher.update(
            b"".join(
                (
                    frame_32, pseudonym, frame_32, key,
                    len(encrypted).to_bytes(8, "big"), encrypted,
                    len(committed).to_bytes(8, "big"), committed,
                )
            )
        )  # fmt: skip
        digests.append(hasher.digest())
    return group.scalars_wide(b"".join(digests))


def tracking_hash(body: bytes) -> bytes:
    """The 32 bytes that a second device compares."""
    return sha("evoting/v1/tracking", body)


def tracking_code(body: bytes) -> str:
    """160 bits of the tracking hash for people: eight groups of four base32 letters."""
    text = base64.b32encode(tracking_hash(body)[:20]).decode().lower()
    return "-".join(text[index : index + 4] for index in range(0, len(text), 4))


def encode_ballot_entry(body: bytes, signature: bytes) -> bytes:
    """The log entry of a cast ballot."""
    return cbor.encode({"type": "ballot", "body": body, "signature": signature})


def encode_challenge_entry(body: bytes, signature: bytes, opening: bytes) -> bytes:
    """The log entry of a published challenge."""
    return cbor.encode({"type": "challenge", "body": body, "signature": signature, "opening": opening})


def encode_challenged_ballot(manifest: bytes, key: bytes, entry: bytes) -> bytes:
    """The file that a voter's second device opens (docs/spec/06-ballots.md section 6.6).

    Args:
        manifest: the manifest's bytes.
        key: the election key, 32 bytes.
        entry: a challenge entry.
    """
    return cbor.encode({"format": "evoting-challenged-ballot/v1", "manifest": manifest, "key": key, "entry": entry})
