"""A log witness with its files; the rules are in ``crypto.log.witness``, docs/spec/02-log.md section 7.

Its directory holds ``key``, ``logs`` (one vkey a line), and for each log ``head-<SHA-256 of the origin>``. A head is
durable before the cosignature exists, so a crash never makes the witness forget what it cosigned. The directory must
not be restored from a backup: an old head would let the witness cosign a second history.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from crypto.log.checkpoint import decode_checkpoint_text
from crypto.log.cosignature import cosign
from crypto.log.errors import LogFormatError, WitnessRefusal
from crypto.log.note import (
    COSIGNATURE_KEY,
    NOTE_KEY,
    NoteSignature,
    VerifierKey,
    decode_vkey,
)
from crypto.log.witness import (
    BAD_REQUEST,
    CONFLICT,
    CosignRequest,
    WitnessedHead,
    accept_checkpoint,
    decode_witnessed_head,
)
from evoting.board.errors import BoardError, WitnessStateError
from evoting.board.keys import generate_key, load_key
from evoting.board.reader import RecordReader
from evoting.board.storage import Storage

_KEY = "key"
_LOGS = "logs"
_LOCK = "lock"


class LogWitness:
    """One witness. Any number of processes and threads may use one directory; they take turns."""

    def __init__(self, directory: Path, *, storage: Storage | None = None) -> None:
        """Open the witness in a directory.

        Raises:
            KeyFileError: its key file is unusable.
            WitnessStateError: its list of logs is.
        """
        self._directory = directory
        self._storage = storage or Storage()
        self._key = load_key(directory / _KEY, COSIGNATURE_KEY)
        self.logs = self._read_logs()

    def _read_logs(self) -> tuple[VerifierKey, ...]:
        path = self._directory / _LOGS
        try:
            return tuple(decode_vkey(line) for line in path.read_bytes().decode().split("\n")[:-1])
        except (LogFormatError, UnicodeDecodeError) as error:
            raise WitnessStateError(f"{path}: {error}") from error
        except OSError as error:
            raise WitnessStateError(f"{path} cannot be read: {error.strerror}") from error

    @classmethod
    def create(
        cls,
        directory: Path,
        name: str,
        logs: Sequence[VerifierKey],
        *,
        seed: bytes | None = None,
        storage: Storage | None = None,
    ) -> LogWitness:
        """Make a witness that follows these logs.

        Raises:
            KeyFileError: there is one in the directory already, or the name is unusable.
            ValueError: no log, or a key that no log has.
        """
        if not logs or any(key.key_type != NOTE_KEY for key in logs):
            raise ValueError("a witness follows at least one log, by its note key (type 0x01)")
        directory.mkdir(parents=True, exist_ok=True)
        storage = storage or Storage()
        text = "".join(f"{key.encode()}\n" for key in logs)
        if not (directory / _KEY).exists():
            storage.replace(directory / _LOGS, text.encode(), directory / (_LOGS + ".tmp"))
        generate_key(directory / _KEY, name, COSIGNATURE_KEY, seed=seed, storage=storage)
        return cls(directory, storage=storage)

    def add_log(self, key: VerifierKey) -> None:
        """Follow one more log from now on; other processes of this witness see it with their next request.

        Raises:
            ValueError: a key that no log has, or a second key for an origin.
        """
        if key.key_type != NOTE_KEY:
            raise ValueError("a witness follows a log by its note key (type 0x01)")
        with self._locked():
            self.logs = self._read_logs()
            if key in self.logs:
                return
            if any(known.name == key.name for known in self.logs):
                raise ValueError(f"the log {key.name!r} is followed already, under another key")
            text = "".join(f"{known.encode()}\n" for known in (*self.logs, key))
            self._storage.replace(self._directory / _LOGS, text.encode(), self._directory / (_LOGS + ".tmp"))
            self.logs = self._read_logs()

    @property
    def verifier(self) -> VerifierKey:
        return self._key.verifier

    def head(self, origin: str) -> WitnessedHead | None:
        """The last checkpoint of a log that was cosigned here.

        Raises:
            WitnessStateError: the file that remembers it is damaged.
        """
        path = self._head_path(origin)
        try:
            head = decode_witnessed_head(path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise WitnessStateError(f"{path} cannot be read: {error.strerror}") from error
        except LogFormatError as error:
            raise WitnessStateError(f"{path}: {error}") from error
        if head.checkpoint.origin != origin:
            raise WitnessStateError(f"{path} belongs to the log {head.checkpoint.origin!r}")
        return head

    def cosign(self, request: CosignRequest, now: int) -> NoteSignature:
        """Check a request, remember its checkpoint durably, and cosign it.

        Args:
            now: seconds since the epoch, the timestamp of the cosignature.

        Raises:
            WitnessRefusal: a rule forbids it.
            WitnessStateError: the witness cannot rely on its memory.
        """
        try:
            origin = decode_checkpoint_text(request.checkpoint.text).origin
        except LogFormatError as error:
            raise WitnessRefusal(BAD_REQUEST, str(error)) from error
        with self._locked():
            self.logs = self._read_logs()
            head = accept_checkpoint(request, self.logs, self.head(origin), now)
            path = self._head_path(origin)
            self._storage.replace(path, head.encode(), path.with_name(path.name + ".tmp"))
        return cosign(request.checkpoint.text, self._key, now)

    def cosign_record(self, record: Path, now: int) -> NoteSignature:
        """Cosign the checkpoint of a record directory, with a consistency proof made from its tiles.

        Raises:
            WitnessRefusal, WitnessStateError: as ``cosign``.
            RecordCorrupt: checkpoint or tiles cannot be read.
        """
        reader = RecordReader(record)
        note = reader.checkpoint()
        try:
            checkpoint = decode_checkpoint_text(note.text)
        except LogFormatError as error:
            raise WitnessRefusal(BAD_REQUEST, str(error)) from error
        head = self.head(checkpoint.origin)
        old_size = head.checkpoint.size if head else 0
        if old_size > checkpoint.size:
            raise WitnessRefusal(
                CONFLICT, f"the record has size {checkpoint.size}, but {old_size} was cosigned here", old_size
            )
        return self.cosign(CosignRequest(old_size, reader.consistency_proof(old_size, checkpoint.size), note), now)

    def _head_path(self, origin: str) -> Path:
        return self._directory / f"head-{sha256(origin.encode()).hexdigest()}"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        # Opened anew each time: the lock then also holds between threads of one process.
        try:
            descriptor = os.open(self._directory / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise BoardError(f"{self._directory / _LOCK} cannot be opened: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
