"""The rules by which a log witness cosigns: C2SP tlog-witness; docs/spec/02-log.md section 7."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from crypto.log.checkpoint import (
    Checkpoint,
    decode_checkpoint_text,
    verify_log_signature,
)
from crypto.log.cosignature import MAX_TIMESTAMP
from crypto.log.errors import (
    InvalidLogProof,
    InvalidNoteSignature,
    LogFormatError,
    WitnessRefusal,
)
from crypto.log.merkle import (
    EMPTY_ROOT,
    HASH_BYTES,
    MAX_PROOF_HASHES,
    MAX_SIZE,
    verify_consistency,
)
from crypto.log.note import (
    Note,
    VerifierKey,
    decode_base64,
    decode_decimal,
    decode_note,
)

BAD_REQUEST = 400
FORBIDDEN = 403
UNKNOWN_LOG = 404
CONFLICT = 409
INCONSISTENT = 422

_HEAD_HEADER = "evoting-witness-head@v1"


@dataclass(frozen=True, slots=True)
class CosignRequest:
    """Body of ``add-checkpoint``: the size that the caller believes was cosigned last, a proof, a checkpoint."""

    old_size: int
    proof: tuple[bytes, ...]
    checkpoint: Note

    def encode(self) -> bytes:
        lines = [f"old {self.old_size}", *(base64.b64encode(value).decode() for value in self.proof)]
        return ("\n".join(lines) + "\n\n").encode() + self.checkpoint.encode()


def decode_request(data: bytes) -> CosignRequest:
    """Strict inverse of ``CosignRequest.encode``.

    Raises:
        WitnessRefusal: status 400, says what is malformed.
    """
    try:
        head, separator, note = data.partition(b"\n\n")
        if not separator:
            raise LogFormatError("request has no empty line before its checkpoint")
        lines = head.decode("ascii", "replace").split("\n")
        keyword, _, size = lines[0].partition(" ")
        if keyword != "old":
            raise LogFormatError("request does not begin with the old size")
        old_size = decode_decimal(size, "old size", MAX_SIZE)
        if len(lines) - 1 > MAX_PROOF_HASHES:
            raise LogFormatError(f"request has {len(lines) - 1} hashes, more than {MAX_PROOF_HASHES}")
        proof = tuple(decode_base64(line, "hash of the proof") for line in lines[1:])
        if any(len(value) != HASH_BYTES for value in proof):
            raise LogFormatError("a hash of the proof does not have 32 bytes")
        return CosignRequest(old_size, proof, decode_note(note))
    except LogFormatError as error:
        raise WitnessRefusal(BAD_REQUEST, str(error)) from error


@dataclass(frozen=True, slots=True)
class WitnessedHead:
    """What a log witness remembers of one log: the largest checkpoint it has cosigned, and when it did so last."""

    checkpoint: Checkpoint
    timestamp: int

    def encode(self) -> bytes:
        return f"{_HEAD_HEADER}\n{self.timestamp}\n{self.checkpoint.encode_text()}".encode()


def decode_witnessed_head(data: bytes) -> WitnessedHead:
    """Strict inverse of ``WitnessedHead.encode``.

    Raises:
        LogFormatError: truncated, foreign or damaged.
    """
    try:
        header, _, rest = data.decode("ascii").partition("\n")
    except UnicodeDecodeError as error:
        raise LogFormatError("witnessed head is not ASCII") from error
    timestamp, _, text = rest.partition("\n")
    if header != _HEAD_HEADER:
        raise LogFormatError(f"witnessed head does not begin with {_HEAD_HEADER}")
    return WitnessedHead(decode_checkpoint_text(text), decode_decimal(timestamp, "timestamp", MAX_TIMESTAMP))


def accept_checkpoint(
    request: CosignRequest, logs: Sequence[VerifierKey], previous: WitnessedHead | None, now: int
) -> WitnessedHead:
    """Decide about a request in the order of tlog-witness.

    The caller must make the result durable before it cosigns, and read ``previous`` and write the result under one
    lock: otherwise two concurrent requests could take the witness back to the smaller tree.

    Args:
        logs: keys of the logs that this witness follows.
        previous: what it remembers of this log; None if it never cosigned it.
        now: seconds since the epoch.

    Raises:
        WitnessRefusal: with the status for the answer.
        ValueError: ``now`` cannot be a timestamp.
    """
    if not 0 <= now <= MAX_TIMESTAMP:
        raise ValueError(f"{now} is no timestamp")
    try:
        checkpoint = decode_checkpoint_text(request.checkpoint.text)
    except LogFormatError as error:
        raise WitnessRefusal(BAD_REQUEST, str(error)) from error
    _require_log_signature(request.checkpoint, [key for key in logs if key.name == checkpoint.origin], checkpoint)
    if request.old_size > checkpoint.size:
        raise WitnessRefusal(BAD_REQUEST, f"old size {request.old_size} exceeds the checkpoint's {checkpoint.size}")
    seen, seen_root = (previous.checkpoint.size, previous.checkpoint.root) if previous else (0, EMPTY_ROOT)
    if request.old_size != seen:
        raise WitnessRefusal(CONFLICT, f"the last checkpoint cosigned here has size {seen}", seen)
    if checkpoint.size == seen and checkpoint.root != seen_root:
        raise WitnessRefusal(CONFLICT, f"another root of size {seen} was cosigned here", seen)
    if previous and now < previous.timestamp:
        raise WitnessRefusal(CONFLICT, f"the clock is behind the last cosignature ({now} < {previous.timestamp})", seen)
    try:
        verify_consistency(seen, seen_root, checkpoint.size, checkpoint.root, request.proof)
    except InvalidLogProof as error:
        raise WitnessRefusal(INCONSISTENT, str(error)) from error
    return WitnessedHead(checkpoint, now)


def _require_log_signature(note: Note, keys: list[VerifierKey], checkpoint: Checkpoint) -> None:
    if not keys:
        raise WitnessRefusal(UNKNOWN_LOG, f"this witness does not follow the log {checkpoint.origin!r}")
    verified = False
    for key in keys:
        if note.signature_by(key) is None:
            continue
        try:
            verify_log_signature(note, key)
        except InvalidNoteSignature as error:
            raise WitnessRefusal(FORBIDDEN, str(error)) from error
        verified = True
    if not verified:
        raise WitnessRefusal(FORBIDDEN, f"the checkpoint is not signed by the log {checkpoint.origin!r}")
