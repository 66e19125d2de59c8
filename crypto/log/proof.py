"""Receipts: C2SP tlog-proof; docs/spec/02-log.md section 9."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from crypto.log.errors import LogFormatError
from crypto.log.merkle import (
    HASH_BYTES,
    MAX_PROOF_HASHES,
    MAX_SIZE,
    hash_leaf,
    verify_inclusion,
)
from crypto.log.note import Note, decode_base64, decode_decimal, decode_note
from crypto.log.policy import (
    MAX_FUTURE_SKEW,
    Policy,
    TrustedCheckpoint,
    verify_checkpoint,
)

_HEADER = "c2sp.org/tlog-proof@v1"
#: Extra data is a hint for its reader and never trusted; longer hints belong elsewhere.
MAX_EXTRA_BYTES = 65_535


@dataclass(frozen=True, slots=True)
class InclusionReceipt:
    """Index and audit path of an entry in the tree of a signed checkpoint. ``extra`` is not authenticated."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: Note
    extra: bytes = b""

    def encode(self) -> bytes:
        lines = [_HEADER]
        if self.extra:
            lines.append(f"extra {base64.b64encode(self.extra).decode()}")
        lines.append(f"index {self.index}")
        lines += [base64.b64encode(value).decode() for value in self.path]
        return ("\n".join(lines) + "\n\n").encode() + self.checkpoint.encode()


def decode_receipt(data: bytes) -> InclusionReceipt:
    """Strict inverse of ``InclusionReceipt.encode``; nothing is verified.

    Raises:
        LogFormatError: says which part is malformed.
    """
    head, separator, note = data.partition(b"\n\n")
    if not separator:
        raise LogFormatError("receipt has no empty line before its checkpoint")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise LogFormatError("receipt holds other than ASCII before its checkpoint") from error
    if lines.pop(0) != _HEADER:
        raise LogFormatError(f"receipt does not begin with {_HEADER}")
    extra = b""
    if lines and lines[0].startswith("extra "):
        extra = decode_base64(lines.pop(0)[len("extra ") :], "extra data")
        if not 0 < len(extra) <= MAX_EXTRA_BYTES:
            raise LogFormatError(f"extra data has {len(extra)} bytes, not 1 to {MAX_EXTRA_BYTES}")
    if not lines or not lines[0].startswith("index "):
        raise LogFormatError("receipt has no index line")
    index = decode_decimal(lines.pop(0)[len("index ") :], "index", MAX_SIZE - 1)
    if len(lines) > MAX_PROOF_HASHES:
        raise LogFormatError(f"receipt has {len(lines)} hashes, more than {MAX_PROOF_HASHES}")
    path = tuple(decode_base64(line, "hash") for line in lines)
    if any(len(value) != HASH_BYTES for value in path):
        raise LogFormatError("a hash of the receipt does not have 32 bytes")
    return InclusionReceipt(index, path, decode_note(note), extra)


def verify_receipt(
    receipt: InclusionReceipt,
    entry: bytes,
    policy: Policy,
    now: int,
    *,
    max_future_skew: int = MAX_FUTURE_SKEW,
) -> TrustedCheckpoint:
    """Check that the entry is in the log at the receipt's index, under a checkpoint that fulfils the policy.

    Raises:
        LogError: what ``verify_checkpoint`` and ``verify_inclusion`` raise.
    """
    trusted = verify_checkpoint(receipt.checkpoint, policy, now, max_future_skew=max_future_skew)
    head = trusted.checkpoint
    verify_inclusion(hash_leaf(entry), receipt.index, head.size, receipt.path, head.root)
    return trusted
