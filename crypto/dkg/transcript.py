"""The public record of all attempts of a ceremony (docs/spec/04-ceremonies.md section 4.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from crypto import cbor
from crypto.dkg.errors import InvalidCeremony, NotAMessage
from crypto.dkg.messages import Envelope, Message, as_map, field, open_message
from crypto.dkg.parameters import CeremonyParameters
from crypto.dkg.verdict import Culprit
from crypto.errors import DecodeError
from crypto.hashing import sha

FORMAT = "evoting-ceremony/v1"
MAX_TRANSCRIPT_BYTES = 64 * 2**20

#: The messages of one round in their order.
Round = tuple[Envelope, ...]


@dataclass(frozen=True)
class Attempt:
    """One attempt: rounds until somebody was named, or all four."""

    number: int
    participants: tuple[int, ...]
    rounds: tuple[Round, ...]
    culprits: tuple[Culprit, ...] = ()

    def to_value(self) -> dict[str, object]:
        """The map that CBOR encodes."""
        return {
            "number": self.number,
            "participants": list(self.participants),
            "rounds": [[envelope.to_value() for envelope in messages] for messages in self.rounds],
            "culprits": [{"participant": culprit.participant, "reason": culprit.reason} for culprit in self.culprits],
        }

    @classmethod
    def from_value(cls, value: object) -> Attempt:
        """The attempt of a decoded CBOR value.

        Raises:
            DecodeError: another schema.
        """
        fields = as_map(value, "an attempt", {"number", "participants", "rounds", "culprits"})
        rounds = field(fields, "rounds", list)
        if not 1 <= len(rounds) <= 4:
            raise DecodeError("an attempt has one to four rounds")
        return cls(
            field(fields, "number", int),
            tuple(_decode_index(item) for item in field(fields, "participants", list)),
            tuple(_decode_round(item) for item in rounds),
            tuple(_decode_culprit(item) for item in field(fields, "culprits", list)),
        )

    def remaining(self) -> tuple[int, ...]:
        """Who takes part in the next attempt."""
        named = {culprit.participant for culprit in self.culprits}
        return tuple(index for index in self.participants if index not in named)


def _decode_index(value: object) -> int:
    if type(value) is not int or value < 0:
        raise DecodeError("an index is not an unsigned integer")
    return value


def _decode_round(value: object) -> Round:
    if type(value) is not list:
        raise DecodeError("a round is not a list")
    return tuple(Envelope.from_value(item) for item in value)


def _decode_culprit(value: object) -> Culprit:
    fields = as_map(value, "a culprit", {"participant", "reason"})
    return Culprit(field(fields, "participant", int), field(fields, "reason", str))


def encode_attempt(attempt: Attempt) -> bytes:
    """One attempt for itself, as it is kept beside the message files once it has failed."""
    return cbor.encode(attempt.to_value())


def decode_attempt(data: bytes) -> Attempt:
    """The inverse of ``encode_attempt``.

    Raises:
        DecodeError: another schema or encoding.
    """
    return Attempt.from_value(cbor.decode(data, limit=MAX_TRANSCRIPT_BYTES))


def encode_transcript(parameters: CeremonyParameters, attempts: Sequence[Attempt]) -> bytes:
    """The transcript blob."""
    return cbor.encode(
        {
            "format": FORMAT,
            "kind": parameters.kind,
            "manifest": parameters.manifest_hash,
            "attempts": [attempt.to_value() for attempt in attempts],
        }
    )


def decode_transcript(parameters: CeremonyParameters, data: bytes) -> tuple[Attempt, ...]:
    """The attempts in a transcript blob.

    Raises:
        InvalidCeremony: rule ``format``.
    """
    try:
        fields = as_map(
            cbor.decode(data, limit=MAX_TRANSCRIPT_BYTES), "a transcript", {"format", "kind", "manifest", "attempts"}
        )
        attempts = tuple(Attempt.from_value(item) for item in field(fields, "attempts", list))
    except DecodeError as error:
        raise InvalidCeremony("format", str(error)) from None
    if not attempts:
        raise InvalidCeremony("format", "a transcript without an attempt")
    for name, expected in (("format", FORMAT), ("kind", parameters.kind), ("manifest", parameters.manifest_hash)):
        if fields[name] != expected:
            raise InvalidCeremony("format", f"{name!r} is that of something else")
    return attempts


def transcript_hash(parameters: CeremonyParameters, history: Sequence[Attempt], current: Attempt) -> bytes:
    """What participants confirm in round 4 of ``current``: everything before that round."""
    before = replace(current, rounds=current.rounds[:3], culprits=())
    return sha("evoting/v1/ceremony-transcript", encode_transcript(parameters, (*history, before)))


def sort_round(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Messages in the order of the transcript: copies dropped, at most two of one sender kept.

    Two with different bodies prove equivocation, so more would add nothing; the two smallest are kept.
    """
    ordered: list[Message] = []
    for message in sorted(messages, key=lambda item: (item.sender, item.envelope.body)):
        same = [kept for kept in ordered if kept.sender == message.sender]
        if len(same) < 2 and all(kept.envelope.body != message.envelope.body for kept in same):
            ordered.append(message)
    return tuple(ordered)


def open_round(
    parameters: CeremonyParameters, attempt: int, participants: Sequence[int], number: int, messages: Round
) -> tuple[Message, ...]:
    """Attribute the envelopes of a round in a transcript.

    Raises:
        InvalidCeremony: rule ``envelope`` or ``signature``.
    """
    opened = []
    for envelope in messages:
        try:
            message = open_message(parameters, envelope, attempt=attempt, round_number=number)
        except NotAMessage as error:
            raise InvalidCeremony(error.rule, f"attempt {attempt}, round {number}: {error}") from None
        if message.sender not in participants:
            raise InvalidCeremony("envelope", f"participant {message.sender} takes no part in attempt {attempt}")
        opened.append(message)
    if tuple(opened) != sort_round(opened):
        raise InvalidCeremony("envelope", f"attempt {attempt}, round {number}: messages are out of order or repeated")
    return tuple(opened)
