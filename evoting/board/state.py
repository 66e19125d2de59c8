"""What the sequencer must not forget: the durable state that is kept apart from the record.

The file ``head`` says up to where entries are committed (``append`` has returned) and holds the last checkpoint that
was signed. Entries of the last, incomplete bundle are in ``tail-<size>``. Replacing ``head`` is the one instruction
that commits an append, and the one after which a signature may leave the process.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from crypto.log.errors import LogFormatError
from crypto.log.merkle import HASH_BYTES, MAX_SIZE
from crypto.log.note import Note, decode_base64, decode_decimal, decode_note

HEAD = "head"
LOCK = "lock"
_HEADER = "evoting-board-state@v1"


def tail_name(size: int) -> str:
    """File with the entries of the incomplete last bundle of a log of that size."""
    return f"tail-{size}"


@dataclass(frozen=True, slots=True)
class SequencerState:
    """Content of ``head``.

    Attributes:
        origin: of the log.
        size: committed entries, signed or not.
        root: of the tree over them.
        signed: the last checkpoint signed, without cosignatures; None before the first.
    """

    origin: str
    size: int
    root: bytes
    signed: Note | None

    def encode(self) -> bytes:
        head = f"{_HEADER}\n{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"
        return head.encode() + (b"\n" + self.signed.encode() if self.signed else b"")


def decode_state(data: bytes) -> SequencerState:
    """Strict inverse of ``SequencerState.encode``.

    Raises:
        LogFormatError: the file is truncated, foreign or damaged.
    """
    head, separator, note = data.partition(b"\n\n")
    try:
        lines = (head.decode("ascii") + ("\n" if separator else "")).split("\n")
    except UnicodeDecodeError as error:
        raise LogFormatError("state is not ASCII") from error
    if len(lines) != 5 or lines[0] != _HEADER or lines[4]:
        raise LogFormatError(f"state is not four lines beginning with {_HEADER}")
    root = decode_base64(lines[3], "root of the state")
    if len(root) != HASH_BYTES:
        raise LogFormatError("root of the state does not have 32 bytes")
    size = decode_decimal(lines[2], "size of the state", MAX_SIZE)
    return SequencerState(lines[1], size, root, decode_note(note) if separator else None)
