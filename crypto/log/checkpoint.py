"""Checkpoints: C2SP tlog-checkpoint, restricted as in docs/spec/02-log.md section 6."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from crypto.log.errors import InvalidNoteSignature, LogFormatError
from crypto.log.merkle import EMPTY_ROOT, HASH_BYTES, MAX_SIZE
from crypto.log.note import (
    NOTE_KEY,
    Note,
    NoteSigningKey,
    VerifierKey,
    decode_base64,
    decode_decimal,
    sign_note,
    verify_note_signature,
)

MAX_ORIGIN_BYTES = 255
#: A URL without scheme, port and trailing slash, in visible ASCII: nothing in it needs escaping in a log or a page.
_ORIGIN = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*(?:/[A-Za-z0-9][A-Za-z0-9._~-]*)*", re.ASCII)


def is_origin(text: str) -> bool:
    """Whether a text has the form that origins and key names have in this system."""
    return len(text) <= MAX_ORIGIN_BYTES and _ORIGIN.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Head of a log: origin, tree size and root hash."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if not is_origin(self.origin):
            raise LogFormatError(f"no origin of this system's form: {self.origin[:80]!r}")
        if not 0 <= self.size <= MAX_SIZE or len(self.root) != HASH_BYTES:
            raise LogFormatError("a checkpoint has a size of at most 2^48 and a root of 32 bytes")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise LogFormatError("the checkpoint of an empty log has another root than the empty tree")

    def encode_text(self) -> str:
        """The note's text: three lines."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    def sign(self, key: NoteSigningKey) -> Note:
        """The checkpoint signed by the log, whose key bears the origin as its name."""
        if key.name != self.origin:
            raise ValueError(f"key {key.name!r} is not named like the log {self.origin!r}")
        return sign_note(self.encode_text(), [key])


def decode_checkpoint_text(text: str) -> Checkpoint:
    """Parse the text of a checkpoint: exactly three lines, no extension lines.

    Raises:
        LogFormatError: says which line is malformed.
    """
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:
        raise LogFormatError(f"checkpoint text has {len(lines) - 1} lines, not origin, size and root")
    origin, size, root = lines[:3]
    return Checkpoint(origin, decode_decimal(size, "tree size", MAX_SIZE), decode_base64(root, "root hash"))


def verify_log_signature(note: Note, key: VerifierKey) -> Checkpoint:
    """Check that a note is a checkpoint of the log with this key, whose name is the origin.

    Raises:
        LogFormatError: the text is no checkpoint, or is one of another origin.
        InvalidNoteSignature: the log did not sign, or its signature does not verify.
    """
    checkpoint = decode_checkpoint_text(note.text)
    if key.key_type != NOTE_KEY or checkpoint.origin != key.name:
        raise LogFormatError(f"checkpoint of {checkpoint.origin!r} is not one of the log {key.name!r}")
    line = note.signature_by(key)
    if line is None:
        raise InvalidNoteSignature(f"checkpoint bears no signature of the log {key.name!r}", key.name)
    verify_note_signature(note.text, line, key)
    return checkpoint
