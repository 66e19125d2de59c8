"""The enrolment log as a file for issuers (docs/spec/05-credentials.md section 5.10): what one checkpoint covers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nacl.signing import SigningKey

from biometric_idp.errors import FormatError, StateError
from biometric_idp.files import frame_item, write_atomic
from biometric_idp.issuer.office import ENROLMENT_LINE
from biometric_idp.logs.entries import EntryLog
from biometric_idp.signatures import note_verifier
from crypto.log.checkpoint import Checkpoint, verify_log_signature
from crypto.log.errors import LogError
from crypto.log.merkle import hash_leaf
from crypto.log.note import decode_note
from crypto.log.tiles import TileFrontier
from services.database import reading


def read_own_checkpoint(path: Path, key: SigningKey, origin: str) -> Checkpoint:
    """A checkpoint that this identity provider signed for this log.

    Raises:
        FormatError: the file is none.
    """
    try:
        return verify_log_signature(decode_note(path.read_bytes()), note_verifier(bytes(key.verify_key), origin))
    except LogError as error:
        raise FormatError(f"{path}: no checkpoint of {origin}: {error}") from None


def export_log(log: EntryLog, checkpoint: Checkpoint, path: Path) -> None:
    """Write the entries up to a checkpoint's size, whatever was entered since.

    Raises:
        StateError: the log is shorter, or its entries do not lead to the checkpoint's root; nothing was written.
    """
    with reading(log.engine) as connection:
        size = log.size(connection)
    if size < checkpoint.size:
        raise StateError(f"the log has {size} entries, the checkpoint {checkpoint.size}: this database is an old copy")

    def chunks() -> Iterator[bytes]:
        frontier = TileFrontier()
        yield ENROLMENT_LINE
        for entry in log.entries(0, checkpoint.size):
            frontier.extend(hash_leaf(entry))
            yield frame_item(entry)
        if frontier.root() != checkpoint.root:
            raise StateError(f"the first {checkpoint.size} entries of the log do not lead to the checkpoint's root")

    write_atomic(path, chunks())
