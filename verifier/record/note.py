"""Signed notes, checkpoints and cosignatures (C2SP signed-note, tlog-checkpoint, tlog-cosignature).

docs/spec/02-log.md says which of their freedoms the record uses.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from verifier.record import ed25519
from verifier.record.errors import FormatError
from verifier.record.merkle import EMPTY_ROOT

#: Signature types of C2SP signed-note and tlog-cosignature.
ED25519_NOTE = 0x01
ED25519_COSIGNATURE = 0x04
#: A note this size holds hundreds of cosignatures; anything larger is hostile.
MAX_NOTE_BYTES = 65_536
MAX_SIGNATURES = 256
#: Sizes above are refused, so that every index stays an exact integer everywhere.
MAX_SIZE = 2**48

#: Form of an origin line; at most 255 characters.
_ORIGIN = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*(/[A-Za-z0-9][A-Za-z0-9._~-]*)*")
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True)
class VerifierKey:
    """A C2SP vkey: name, signature type and Ed25519 key."""

    name: str
    algorithm: int
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes that lead each signature of this key."""
        head = self.name.encode() + b"\n" + bytes([self.algorithm])
        return hashlib.sha256(head + self.public_key).digest()[:4]


@dataclass(frozen=True)
class NoteSignature:
    """One signature line."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True)
class Note:
    """Text (with its final newline) and signature lines."""

    text: bytes
    signatures: tuple[NoteSignature, ...]


@dataclass(frozen=True)
class Checkpoint:
    """What a log states: origin, size and root."""

    origin: str
    size: int
    root: bytes
    note: Note


@dataclass(frozen=True)
class Cosignature:
    """A valid cosignature: whose, and of what time."""

    key: VerifierKey
    timestamp: int


def is_origin(name: str) -> bool:
    """Whether a text has the form of a log's origin."""
    return len(name) <= 255 and _ORIGIN.fullmatch(name) is not None


def is_key_name(name: str) -> bool:
    """A key name is not empty and has neither spaces nor plus signs nor control characters."""
    return bool(name) and "+" not in name and not any(char.isspace() or ord(char) < 32 for char in name)


def _base64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise FormatError("invalid base64") from None
    if base64.b64encode(data).decode() != text:
        raise FormatError("base64 is not in its one form")
    return data


def parse_vkey(text: str) -> VerifierKey:
    """``<name>+<8 hex digits>+<base64(type || key)>``.

    Raises:
        FormatError: another form, a type that is not Ed25519, or a key id that is not the key's.
    """
    parts = text.split("+", 2)
    if len(parts) != 3 or not is_key_name(parts[0]):
        raise FormatError(f"{text[:120]!r} is not a verifier key")
    data = _base64(parts[2])
    if len(data) != 33 or data[0] not in (ED25519_NOTE, ED25519_COSIGNATURE):
        raise FormatError(f"the key of {parts[0]!r} is not an Ed25519 key")
    key = VerifierKey(parts[0], data[0], data[1:])
    if key.key_id.hex() != parts[1]:
        raise FormatError(f"the key id of {parts[0]!r} is not that of its key")
    if not ed25519.is_acceptable_point(key.public_key):
        raise FormatError(f"the key of {parts[0]!r} is of small order or not canonical")
    return key


def parse_note(data: bytes) -> Note:
    """Split a note into text and signatures.

    Raises:
        FormatError: not a signed note.
    """
    if len(data) > MAX_NOTE_BYTES:
        raise FormatError(f"a note of {len(data)} bytes is too long")
    try:
        content = data.decode("utf-8")
    except UnicodeDecodeError:
        raise FormatError("a note must be UTF-8") from None
    if any(ord(char) < 32 and char != "\n" for char in content):
        raise FormatError("a note must not hold control characters")
    split = content.rfind("\n\n")
    if split < 0 or not content.endswith("\n"):
        raise FormatError("a note must end with signature lines after an empty line")
    text, tail = content[: split + 1], content[split + 2 : -1]
    lines = tail.split("\n") if tail else []
    if not lines or len(lines) > MAX_SIGNATURES:
        raise FormatError("a note must have signatures, but not too many")
    signatures = tuple(_signature_line(line) for line in lines)
    if len({(line.name, line.key_id) for line in signatures}) < len(signatures):
        raise FormatError("a note must not have two lines of one key")
    return Note(text.encode(), signatures)


def _signature_line(line: str) -> NoteSignature:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "\u2014" or not is_key_name(parts[1]):
        raise FormatError(f"{line[:80]!r} is not a signature line")
    data = _base64(parts[2])
    if len(data) < 5:
        raise FormatError("a signature is too short")
    return NoteSignature(parts[1], data[:4], data[4:])


def parse_checkpoint(data: bytes) -> Checkpoint:
    """Read a signed checkpoint: origin, size and root, each on a line; other lines are not used by this format.

    Raises:
        FormatError: not a checkpoint.
    """
    note = parse_note(data)
    lines = note.text.decode().split("\n")[:-1]
    if len(lines) != 3:
        raise FormatError("a checkpoint must have exactly the lines origin, size and root")
    if not is_origin(lines[0]):
        raise FormatError(f"{lines[0][:80]!r} is not an origin")
    if not _DECIMAL.fullmatch(lines[1]) or int(lines[1]) > MAX_SIZE:
        raise FormatError(f"{lines[1][:40]!r} is not a tree size")
    root = _base64(lines[2])
    if len(root) != 32:
        raise FormatError("the root hash must be 32 bytes")
    if lines[1] == "0" and root != EMPTY_ROOT:
        raise FormatError("a checkpoint of size 0 must have the root of the empty tree")
    return Checkpoint(lines[0], int(lines[1]), root, note)


def lines_of(note: Note, key: VerifierKey) -> list[bytes]:
    """The signatures that name this key."""
    return [line.signature for line in note.signatures if line.name == key.name and line.key_id == key.key_id]


def verify_note(note: Note, key: VerifierKey) -> bool:
    """Whether the note carries a signature line of this key, and it holds."""
    found = lines_of(note, key)
    return bool(found) and key.algorithm == ED25519_NOTE and ed25519.verify(key.public_key, note.text, found[0])


def read_cosignature(note: Note, key: VerifierKey) -> Cosignature | None:
    """The valid cosignature of this log witness, or None."""
    found = lines_of(note, key)
    if not found or key.algorithm != ED25519_COSIGNATURE:
        return None
    timestamp = int.from_bytes(found[0][:8], "big")
    if timestamp >= 2**63:
        return None
    message = b"cosignature/v1\ntime %d\n" % timestamp + note.text
    return Cosignature(key, timestamp) if ed25519.verify(key.public_key, message, found[0][8:]) else None
