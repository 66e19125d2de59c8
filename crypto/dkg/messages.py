"""The signed messages of a ceremony and their encodings (docs/spec/04-ceremonies.md section 4.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import nacl.exceptions
import nacl.signing

from crypto import cbor
from crypto.dkg.errors import NotAMessage
from crypto.dkg.parameters import CeremonyParameters
from crypto.errors import DecodeError
from crypto.hashing import frame

COMMIT = "commit"
REVEAL = "reveal"
SHARES = "shares"
CONFIRM = "confirm"
COMPLAINT = "complaint"

#: The message types of rounds 1 to 4.
ROUND_TYPES = ((COMMIT,), (REVEAL,), (SHARES,), (CONFIRM, COMPLAINT))

#: Bound on one encoded envelope: 255 participants and hundreds of ballot styles stay below it.
MAX_ENVELOPE_BYTES = 4 * 2**20

#: Makes an Ed25519 signature over a message, wherever the key lives.
Signer = Callable[[bytes], bytes]

_Field = TypeVar("_Field", int, str, bytes, list[object], dict[str, object])


@dataclass(frozen=True)
class Envelope:
    """One signed message as it travels."""

    type: str
    body: bytes
    role: str
    signature: bytes

    def to_value(self) -> dict[str, object]:
        """The map that CBOR encodes."""
        return {"type": self.type, "body": self.body, "role": self.role, "signature": self.signature}

    @classmethod
    def from_value(cls, value: object) -> Envelope:
        """The envelope of a decoded CBOR value.

        Raises:
            DecodeError: another schema.
        """
        fields = as_map(value, "an envelope", {"type", "body", "role", "signature"})
        signature = field(fields, "signature", bytes)
        if len(signature) != 64:
            raise DecodeError("a signature has 64 bytes")
        return cls(field(fields, "type", str), field(fields, "body", bytes), field(fields, "role", str), signature)

    def encode(self) -> bytes:
        return cbor.encode(self.to_value())

    @classmethod
    def decode(cls, data: bytes) -> Envelope:
        """The envelope in a message file.

        Raises:
            DecodeError: not an envelope in its only encoding.
        """
        return cls.from_value(cbor.decode(data, limit=MAX_ENVELOPE_BYTES))


@dataclass(frozen=True)
class Header:
    """What every body says about itself."""

    kind: str
    attempt: int
    sender: int


@dataclass(frozen=True)
class Message:
    """An envelope that has been found to be a participant's message of a certain round."""

    sender: int
    envelope: Envelope


def signing_input(parameters: CeremonyParameters, message_type: str, body: bytes) -> bytes:
    """What a role signs."""
    parts = (b"evoting/v1/ceremony", parameters.manifest_hash, message_type.encode(), body)
    return b"".join([frame(part) for part in parts])


def seal(
    parameters: CeremonyParameters, index: int, message_type: str, body: Mapping[str, object], sign: Signer
) -> Envelope:
    """Encode and sign a body as participant ``index``."""
    encoded = cbor.encode(dict(body))
    signature = sign(signing_input(parameters, message_type, encoded))
    return Envelope(message_type, encoded, parameters.roles[index - 1].id, signature)


def open_message(parameters: CeremonyParameters, envelope: Envelope, *, attempt: int, round_number: int) -> Message:
    """Attribute an envelope to a participant.

    Whether this participant takes part in the attempt is for the caller to decide.

    Raises:
        NotAMessage: it is nobody's message of this round of this attempt.
    """
    if envelope.type not in ROUND_TYPES[round_number - 1]:
        raise NotAMessage("envelope", f"a message of type {envelope.type!r} does not belong to round {round_number}")
    if len(envelope.body) > MAX_ENVELOPE_BYTES or len(envelope.encode()) > MAX_ENVELOPE_BYTES:
        raise NotAMessage("envelope", f"a message of more than {MAX_ENVELOPE_BYTES} bytes")
    index = parameters.index_of(envelope.role)
    if index is None:
        raise NotAMessage("envelope", f"{envelope.role!r} takes no part in this ceremony")
    try:
        key = nacl.signing.VerifyKey(parameters.roles[index - 1].key)
        key.verify(signing_input(parameters, envelope.type, envelope.body), envelope.signature)
    except (nacl.exceptions.CryptoError, ValueError, TypeError):
        raise NotAMessage("signature", f"the signature of {envelope.role} does not hold") from None
    header = decode_header(envelope.body)
    if header != Header(parameters.kind, attempt, index):
        raise NotAMessage(
            "envelope",
            f"{envelope.role} signed a message of the {header.kind} ceremony, attempt {header.attempt}, "
            f"as participant {header.sender}: not of attempt {attempt} as participant {index}",
        )
    return Message(index, envelope)


def decode_header(body: bytes) -> Header:
    """Ceremony kind, attempt and sender of any body.

    Raises:
        NotAMessage: not a map in deterministic CBOR that has them.
    """
    try:
        value = cbor.decode(body, limit=MAX_ENVELOPE_BYTES)
        if not isinstance(value, dict):
            raise DecodeError("a body is a map")
        return Header(field(value, "kind", str), field(value, "attempt", int), field(value, "sender", int))
    except DecodeError as error:
        raise NotAMessage("envelope", f"the body is not a message: {error}") from None


def as_map(value: object, what: str, keys: set[str]) -> dict[str, object]:
    """A closed map.

    Raises:
        DecodeError: not a map, or other keys.
    """
    if not isinstance(value, dict) or value.keys() != keys:
        raise DecodeError(f"{what} is not a map of {', '.join(sorted(keys))}")
    return value


def field(fields: Mapping[str, object], name: str, kind: type[_Field]) -> _Field:
    """A member of exactly this type; an integer is not negative.

    Raises:
        DecodeError: missing, or of another type.
    """
    value = fields.get(name)
    if type(value) is not kind:
        raise DecodeError(f"{name!r} is missing or has another type")
    if type(value) is int and value < 0:
        raise DecodeError(f"{name!r} is negative")
    return value
