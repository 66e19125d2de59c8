"""Timestamped cosignatures of log witnesses: C2SP tlog-cosignature, the Ed25519 type; docs/spec/02-log.md section 7."""

from __future__ import annotations

from crypto.log.errors import InvalidNoteSignature
from crypto.log.note import (
    COSIGNATURE_KEY,
    SIGNATURE_BYTES,
    NoteSignature,
    NoteSigningKey,
    VerifierKey,
    verify_ed25519,
)

#: Largest timestamp (seconds since the epoch) that the format allows.
MAX_TIMESTAMP = 2**63 - 1
_TIMESTAMP_BYTES = 8


def cosign(text: str, key: NoteSigningKey, timestamp: int) -> NoteSignature:
    """Cosign the text of a checkpoint; checking it first is the log witness's duty.

    Args:
        text: the three lines of the checkpoint, last newline included.
        key: of type 0x04.
        timestamp: seconds since the epoch.
    """
    if key.key_type != COSIGNATURE_KEY:
        raise ValueError(f"key {key.name!r} is no cosignature key")
    if not 0 <= timestamp <= MAX_TIMESTAMP:
        raise ValueError(f"timestamp {timestamp} is out of range")
    signature = key.sign_message(_message(text, timestamp))
    return NoteSignature(key.name, key.verifier.key_id, timestamp.to_bytes(_TIMESTAMP_BYTES, "big") + signature)


def verify_cosignature(text: str, line: NoteSignature, key: VerifierKey) -> int:
    """Check a cosignature line that claims to be by ``key`` and return its timestamp.

    Raises:
        InvalidNoteSignature: it is not by that key, malformed, or does not verify.
    """
    if key.key_type != COSIGNATURE_KEY or not line.is_by(key):
        raise InvalidNoteSignature(f"signature line of {line.name!r} is no cosignature of {key.name!r}", line.name)
    timestamp = int.from_bytes(line.signature[:_TIMESTAMP_BYTES], "big")
    if len(line.signature) != _TIMESTAMP_BYTES + SIGNATURE_BYTES or timestamp > MAX_TIMESTAMP:
        raise InvalidNoteSignature(f"the cosignature of {line.name!r} is malformed", line.name)
    verify_ed25519(key, line.signature[_TIMESTAMP_BYTES:], _message(text, timestamp))
    return timestamp


def _message(text: str, timestamp: int) -> bytes:
    return f"cosignature/v1\ntime {timestamp}\n{text}".encode()
