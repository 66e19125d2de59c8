"""Signed notes with Ed25519 keys: C2SP signed-note; docs/spec/02-log.md section 5."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from nacl.exceptions import BadSignatureError
from nacl.exceptions import CryptoError as NaclError
from nacl.signing import SigningKey, VerifyKey

from crypto.log.errors import InvalidNoteSignature, LogFormatError

#: Signature type identifiers of signed-note: the two kinds of key that this system uses.
NOTE_KEY = 0x01
COSIGNATURE_KEY = 0x04
KEY_TYPES = (NOTE_KEY, COSIGNATURE_KEY)

#: signed-note asks for at least 16; the largest policies stay well below.
MAX_SIGNATURES = 256
MAX_NOTE_BYTES = 65_536

PUBLIC_KEY_BYTES = 32
SEED_BYTES = 32
SIGNATURE_BYTES = 64

_SIGNATURE_PREFIX = "\u2014 "
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")
#: The code points of Unicode's White_Space property, listed so that no Unicode version decides what a note is.
_SPACES = frozenset(
    "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)


def is_key_name(name: str) -> bool:
    """Whether a text can be the name of a key: not empty, no Unicode space, no plus, no control character."""
    return bool(name) and "+" not in name and not _CONTROL.search(name) and _SPACES.isdisjoint(name)


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A trusted public key with its name and signature type."""

    name: str
    key_type: int
    public_key: bytes

    def __post_init__(self) -> None:
        if not is_key_name(self.name):
            raise LogFormatError(f"no key name: {self.name!r}")
        if self.key_type not in KEY_TYPES:
            raise LogFormatError(f"key {self.name!r} has the unknown signature type 0x{self.key_type:02x}")
        if len(self.public_key) != PUBLIC_KEY_BYTES:
            raise LogFormatError(f"key {self.name!r} has {len(self.public_key)} bytes, not {PUBLIC_KEY_BYTES}")

    @property
    def key_id(self) -> bytes:
        """First four bytes of SHA-256(name || 0x0A || type || public key)."""
        return sha256(self.name.encode() + b"\n" + bytes([self.key_type]) + self.public_key).digest()[:4]

    def encode(self) -> str:
        """The vkey: name, plus, key id in hex, plus, base64 of type and public key."""
        material = base64.b64encode(bytes([self.key_type]) + self.public_key).decode()
        return f"{self.name}+{self.key_id.hex()}+{material}"


def decode_vkey(text: str) -> VerifierKey:
    """Strict inverse of ``VerifierKey.encode``.

    Raises:
        LogFormatError: wrong shape, wrong key id, unknown type, or a key that is not 32 bytes.
    """
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise LogFormatError(f"no vkey (name+id+key): {text!r}")
    name, key_id, encoded = parts
    material = decode_base64(encoded, "key material of a vkey")
    if not material:
        raise LogFormatError(f"vkey {name!r} has no key material")
    key = VerifierKey(name, material[0], material[1:])
    if key_id != key.key_id.hex():
        raise LogFormatError(f"vkey {name!r} has key id {key_id!r}, but its key has {key.key_id.hex()}")
    return key


@dataclass(frozen=True, slots=True)
class NoteSigningKey:
    """A secret Ed25519 seed with the name and type under which it signs. Its ``repr`` does not show the seed."""

    name: str
    key_type: int
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.seed) != SEED_BYTES:
            raise LogFormatError(f"seed of key {self.name!r} has {len(self.seed)} bytes, not {SEED_BYTES}")
        VerifierKey(self.name, self.key_type, bytes(PUBLIC_KEY_BYTES))

    @property
    def verifier(self) -> VerifierKey:
        return VerifierKey(self.name, self.key_type, bytes(SigningKey(self.seed).verify_key))

    def sign_message(self, message: bytes) -> bytes:
        """Ed25519 signature (RFC 8032), deterministic and constant-time in the seed."""
        return SigningKey(self.seed).sign(message).signature


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: who, and the bytes after the key id."""

    name: str
    key_id: bytes
    signature: bytes

    def __post_init__(self) -> None:
        if not is_key_name(self.name) or len(self.key_id) != 4 or not self.signature:
            raise LogFormatError(f"no signature line can hold the signature of {self.name!r}")

    def encode(self) -> str:
        """The line, newline included."""
        return f"{_SIGNATURE_PREFIX}{self.name} {base64.b64encode(self.key_id + self.signature).decode()}\n"

    def is_by(self, key: VerifierKey) -> bool:
        """Whether the line claims to be by this key; says nothing about validity."""
        return self.name == key.name and self.key_id == key.key_id


@dataclass(frozen=True, slots=True)
class Note:
    """A text that ends in a newline, and its signatures in the order of their lines."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def encode(self) -> bytes:
        return (self.text + "\n" + "".join(line.encode() for line in self.signatures)).encode()

    def signature_by(self, key: VerifierKey) -> NoteSignature | None:
        return next((line for line in self.signatures if line.is_by(key)), None)


def decode_note(data: bytes) -> Note:
    """Parse a signed note; no signature is checked.

    Stricter than the C2SP text in two points: base64 must be canonical, and no key (name and id) may sign twice.

    Raises:
        LogFormatError: says what is malformed.
    """
    if len(data) > MAX_NOTE_BYTES:
        raise LogFormatError(f"note has {len(data)} bytes, more than {MAX_NOTE_BYTES}")
    try:
        note = data.decode()
    except UnicodeDecodeError as error:
        raise LogFormatError("note is not valid UTF-8") from error
    if _CONTROL.search(note):
        raise LogFormatError("note contains a control character")
    text, separator, lines = note.rpartition("\n\n")
    if not separator:
        raise LogFormatError("note has no empty line before its signatures")
    return Note(text + "\n", decode_signature_lines(lines))


def decode_signature_lines(lines: str) -> tuple[NoteSignature, ...]:
    """One or more signature lines, each ended by a newline: the end of a note, or the answer of a log witness."""
    if not lines.endswith("\n"):
        raise LogFormatError("note does not end with a signature line and a newline")
    signatures = tuple(_decode_signature_line(line) for line in lines[:-1].split("\n"))
    if len(signatures) > MAX_SIGNATURES:
        raise LogFormatError(f"note has {len(signatures)} signatures, more than {MAX_SIGNATURES}")
    if len({(line.name, line.key_id) for line in signatures}) < len(signatures):
        raise LogFormatError("note has two signatures by one key")
    return signatures


def sign_note(text: str, keys: Sequence[NoteSigningKey]) -> Note:
    """Sign a text with plain note keys (type 0x01).

    Raises:
        ValueError: the text cannot be that of a note, or a key has another type.
    """
    if not text.endswith("\n") or _CONTROL.search(text):
        raise ValueError("a note's text ends in a newline and holds no control character")
    lines: list[NoteSignature] = []
    for key in keys:
        if key.key_type != NOTE_KEY:
            raise ValueError(f"key {key.name!r} is no plain note key")
        lines.append(NoteSignature(key.name, key.verifier.key_id, key.sign_message(text.encode())))
    return Note(text, tuple(lines))


def verify_note_signature(text: str, line: NoteSignature, key: VerifierKey) -> None:
    """Check one plain (type 0x01) signature line that claims to be by ``key``.

    Raises:
        InvalidNoteSignature: it is not by that key, or does not verify.
    """
    if key.key_type != NOTE_KEY or not line.is_by(key):
        raise InvalidNoteSignature(f"signature line of {line.name!r} is not by the note key {key.name!r}", line.name)
    verify_ed25519(key, line.signature, text.encode())


def verify_ed25519(key: VerifierKey, signature: bytes, message: bytes) -> None:
    """Check an Ed25519 signature as libsodium does.

    S must be below the group order, the public key canonical and not of small order, R not of small order, and the
    equation holds without cofactor.

    Raises:
        InvalidNoteSignature: the signature does not verify.
    """
    try:
        if len(signature) != SIGNATURE_BYTES:
            raise BadSignatureError
        VerifyKey(key.public_key).verify(message, signature)
    except NaclError as error:
        raise InvalidNoteSignature(f"the signature of {key.name!r} does not verify", key.name) from error


def decode_base64(text: str, what: str) -> bytes:
    """Standard base64 with padding (RFC 4648 section 4), canonical: what encodes to exactly this text."""
    try:
        data = base64.b64decode(text.encode(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise LogFormatError(f"{what} is not base64") from error
    if base64.b64encode(data).decode() != text:
        raise LogFormatError(f"{what} is not canonical base64")
    return data


def decode_decimal(text: str, what: str, maximum: int) -> int:
    """ASCII decimal without leading zeroes, sign or space, at most ``maximum``."""
    if re.fullmatch("0|[1-9][0-9]{0,18}", text, re.ASCII) is None or int(text) > maximum:
        raise LogFormatError(f"{what} is not a decimal number up to {maximum}: {text[:24]!r}")
    return int(text)


def _decode_signature_line(line: str) -> NoteSignature:
    if not line.startswith(_SIGNATURE_PREFIX):
        raise LogFormatError(f"no signature line: {line[:40]!r}")
    name, _, encoded = line[len(_SIGNATURE_PREFIX) :].partition(" ")
    blob = decode_base64(encoded, "signature")
    if not is_key_name(name) or len(blob) < 5:
        raise LogFormatError(f"no signature line: {line[:40]!r}")
    return NoteSignature(name, blob[:4], blob[4:])
