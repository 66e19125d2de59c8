"""A trustee's own directory: secrets that only their owner can read, written durably or not at all."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crypto import cbor
from crypto.dkg.files import MAX_SHARE_BYTES, MAX_STATE_BYTES, KeyShareFile, ParticipantState
from crypto.dkg.messages import as_map
from crypto.errors import DecodeError
from evoting.files import synchronise_directory
from evoting.trustees.errors import TrusteeError

_STATE = "ceremony-state.cbor"
_SHARE = "key-share.cbor"
_DESTROYED = "destroyed.json"
_DECRYPTIONS = "decryptions"
_DECRYPTION_FORMAT = "evoting-trustee-decryption/v1"
_MAX_DECRYPTION_BYTES = 1 << 17


class TrusteeStore:
    """The files of one trustee. Made with mode 0700; every file in it has mode 0600."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Make the directory if need be, and keep other processes out of it.

        Raises:
            TrusteeError: it cannot be used, others can read it, or another process uses it.
        """
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise TrusteeError(f"{self.root}: {error.strerror}") from None
        try:
            _require_private(self.root, os.fstat(descriptor).st_mode)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise TrusteeError(f"{self.root} is in use by another process") from None
            yield
        finally:
            os.close(descriptor)

    def load_state(self) -> ParticipantState | None:
        """The ceremony's state, or None before the first step.

        Raises:
            TrusteeError: it is damaged, or not private.
        """
        data = self._read(_STATE, MAX_STATE_BYTES)
        if data is None:
            return None
        try:
            return ParticipantState.decode(data)
        except DecodeError as error:
            raise TrusteeError(f"{self.root / _STATE}: {error}") from None

    def save_state(self, state: ParticipantState) -> None:
        self._write(_STATE, state.encode())

    def load_share(self) -> KeyShareFile | None:
        """The key share, or None if there is none.

        Raises:
            TrusteeError: it was destroyed, is damaged, or not private.
        """
        if (self.root / _DESTROYED).exists():
            raise TrusteeError(f"the key share in {self.root} has been destroyed; see {self.root / _DESTROYED}")
        data = self._read(_SHARE, MAX_SHARE_BYTES)
        if data is None:
            return None
        try:
            return KeyShareFile.decode(data)
        except DecodeError as error:
            raise TrusteeError(f"{self.root / _SHARE}: {error}") from None

    def require_share(self) -> KeyShareFile:
        """The key share.

        Raises:
            TrusteeError: there is none, or as ``load_share``.
        """
        share = self.load_share()
        if share is None:
            raise TrusteeError(f"there is no key share in {self.root}; the ceremony has not been finished here")
        return share

    def save_share(self, share: KeyShareFile) -> None:
        """Keep a key share; one that is there already is never replaced by another.

        Raises:
            TrusteeError: there is another one.
        """
        existing = self.load_share()
        if existing is not None and existing != share:
            raise TrusteeError(f"{self.root / _SHARE} holds another key share and is not overwritten")
        self._write(_SHARE, share.encode())

    def erase_secrets(self, protocol: bytes) -> None:
        """Overwrite and remove share and ceremony state, after the protocol has been kept in their place."""
        self._write(_DESTROYED, protocol)
        for name in (_SHARE, _STATE):
            path = self.root / name
            if path.exists():
                length = path.stat().st_size
                descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
                try:
                    os.write(descriptor, bytes(length))
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
                path.unlink()
        synchronise_directory(self.root)

    def load_destruction(self) -> bytes | None:
        """The protocol of the destruction, where there was one."""
        return self._read(_DESTROYED, _MAX_DECRYPTION_BYTES)

    def load_decryption(self, contest: str, group: str) -> tuple[bytes, bytes] | None:
        """List hash and entry of what was decrypted for a contest and group, or None.

        Raises:
            TrusteeError: the note of it is damaged.
        """
        name = self._decryption(contest, group)
        data = self._read(name, _MAX_DECRYPTION_BYTES)
        if data is None:
            return None
        try:
            fields = as_map(cbor.decode(data), "a decryption", {"format", "list", "entry"})
        except DecodeError as error:
            raise TrusteeError(f"{self.root / name}: {error}") from None
        digest, entry = fields["list"], fields["entry"]
        if fields["format"] != _DECRYPTION_FORMAT or not isinstance(digest, bytes) or not isinstance(entry, bytes):
            raise TrusteeError(f"{self.root / name}: not the note of a decryption")
        return digest, entry

    def save_decryption(self, contest: str, group: str, list_hash: bytes, entry: bytes) -> None:
        """Note durably what is about to be published, so that no other list of this name ever is."""
        (self.root / _DECRYPTIONS).mkdir(mode=0o700, exist_ok=True)
        data = cbor.encode({"format": _DECRYPTION_FORMAT, "list": list_hash, "entry": entry})
        self._write(self._decryption(contest, group), data)

    def _decryption(self, contest: str, group: str) -> str:
        return f"{_DECRYPTIONS}/{contest}.{group}.cbor"

    def _read(self, name: str, limit: int) -> bytes | None:
        path = self.root / name
        try:
            with path.open("rb") as file:
                _require_private(path, os.fstat(file.fileno()).st_mode)
                data = file.read(limit + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise TrusteeError(f"{path}: {error.strerror}") from None
        if len(data) > limit:
            raise TrusteeError(f"{path} is longer than {limit} bytes")
        return data

    def _write(self, name: str, data: bytes) -> None:
        write_durably(self.root / name, data, 0o600)


def write_durably(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Set a file's content; a crash leaves the old content or the new.

    Raises:
        TrusteeError: it cannot be written.
    """
    # Several trustees may write the same bytes to a shared file at once, so each has a draft of its own.
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        synchronise_directory(path.parent)
    except OSError as error:
        raise TrusteeError(f"{path} cannot be written: {error.strerror}") from None


def _require_private(path: Path, mode: int) -> None:
    if stat.S_IMODE(mode) & 0o077:
        wanted = "700" if stat.S_ISDIR(mode) else "600"
        raise TrusteeError(f"{path} can be read by others (mode {stat.S_IMODE(mode):04o}): chmod {wanted} it")
