"""The last signed head in a file outside the database: an old database that was restored is noticed before it signs."""

from __future__ import annotations

from pathlib import Path

from biometric_idp.errors import FormatError
from biometric_idp.files import write_atomic
from crypto.log.checkpoint import Checkpoint, verify_log_signature
from crypto.log.errors import LogError
from crypto.log.note import VerifierKey, decode_note


class HeadFile:
    """Remembers one signed checkpoint. Written before the checkpoint is shown to anybody."""

    def __init__(self, path: Path, key: VerifierKey) -> None:
        self._path = path
        self._key = key

    def read(self) -> Checkpoint | None:
        """What was signed last; None where there is no file.

        Raises:
            FormatError: the file is damaged, or of another log. It is never taken for an empty one.
        """
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            return verify_log_signature(decode_note(data), self._key)
        except LogError as error:
            raise FormatError(f"{self._path}: {error}") from None

    def write(self, note: bytes) -> None:
        write_atomic(self._path, note, shared=True)
