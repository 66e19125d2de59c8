"""What the register answered, kept: one file for each answer, and a journal that chains them.

    <root>/journal.jsonl                       a line per stored or purged answer, with the hash of the line before
    <root>/<first two digits>/<id>.<n>.json    request, answer, time; n counts the attempts under one id

Files are written once, read-only, and durable before the answer is used. The journal shows that a file was changed or
lost; that its own end was cut off is seen only by who kept a later head. Bodies hold personal data: ``purge`` deletes
files that have outlived their purpose, and the journal keeps what was there.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from biometric_idp.files import sync_directory, unique_names
from biometric_idp.population.register import RegisterError

FORMAT = "evoting-xroad-evidence/v1"
_NAME = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.[0-9]{1,3}", re.ASCII)
_MAX_LINE = 4_096
_START = "0" * 64

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Exchange:
    """One request and its answer."""

    message_id: str
    attempt: int
    time: int
    method: str
    target: str = field(repr=False)
    request_headers: Headers = field(repr=False)
    request_body: bytes | None = field(repr=False)
    status: int
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def name(self) -> str:
        return f"{self.message_id}.{self.attempt}"


class EvidenceStore:
    """Append-only store; several threads and processes may use one directory."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._journal = root / "journal.jsonl"
        root.mkdir(parents=True, exist_ok=True)
        os.chmod(root, 0o700)

    def keep(self, exchange: Exchange) -> None:
        """Store an exchange; durable when this returns.

        Raises:
            RegisterError: ``register-evidence``: it could not be stored, or one of this name is there already.
        """
        data = _encode(exchange)
        try:
            self._write_once(self._path(exchange.name), data)
            self._append({"kept": exchange.name, "time": exchange.time, "sha256": sha256(data).hexdigest()})
        except OSError as error:
            raise RegisterError("register-evidence", f"the answer could not be kept: {error.strerror}") from None

    def read(self, name: str) -> Exchange:
        """A stored exchange by ``<id>.<attempt>``.

        Raises:
            RegisterError: ``register-evidence``.
        """
        if not _NAME.fullmatch(name):
            raise RegisterError("register-evidence", "that is no name of an exchange")
        try:
            return _decode(self._path(name).read_bytes())
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            raise RegisterError("register-evidence", f"{name} is not there or not readable") from None

    def head(self) -> str:
        """Hash of the journal's last line: what to publish or hand over, so that its end cannot be cut off."""
        *_, last = [_START, *(sha256(line).hexdigest() for line in self._lines())]
        return last

    def check(self) -> list[str]:
        """Everything that does not fit: broken chain, changed, lost, or unlisted files. Empty where all is well."""
        faults: list[str] = []
        previous, listed = _START, {}
        for number, line in enumerate(self._lines(), 1):
            try:
                value = json.loads(line, object_pairs_hook=unique_names)
                if value["previous"] != previous:
                    faults.append(f"journal line {number} does not follow the line before")
                if "kept" in value:
                    listed[value["kept"]] = value["sha256"]
                else:
                    del listed[value["purged"]]
            except (ValueError, KeyError, TypeError, RecursionError):
                faults.append(f"journal line {number} is malformed")
            previous = sha256(line).hexdigest()
        stored = {path.name.removesuffix(".json"): path for path in self._root.glob("??/*.json")}
        for name, digest in listed.items():
            path = stored.pop(name, None)
            if path is None:
                faults.append(f"{name} is lost")
            elif sha256(path.read_bytes()).hexdigest() != digest:
                faults.append(f"{name} was changed")
        # Left by a crash between file and journal; the answer was not used.
        faults.extend(f"{name} is not in the journal" for name in sorted(stored))
        return faults

    def purge(self, before: int, most: int) -> list[str]:
        """Delete exchanges older than a time in seconds since 1970; the journal keeps their hashes.

        Returns:
            Names of what was deleted, for the audit log; ``most`` of them at once.
        """
        purged: list[str] = []
        kept: dict[str, int] = {}
        for line in self._lines():
            value = json.loads(line)
            if "kept" in value:
                kept[value["kept"]] = value["time"]
            else:
                kept.pop(value["purged"], None)
        for name, moment in kept.items():
            if len(purged) == most:
                break
            if moment < before:
                path = self._path(name)
                path.unlink(missing_ok=True)
                sync_directory(path.parent)
                self._append({"purged": name})
                purged.append(name)
        return purged

    def _path(self, name: str) -> Path:
        return self._root / name[:2] / f"{name}.json"

    @staticmethod
    def _write_once(path: Path, data: bytes) -> None:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}.{os.urandom(4).hex()}.tmp")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o400)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            # Unlike a rename, a link never replaces what is there.
            os.link(draft, path)
        finally:
            draft.unlink(missing_ok=True)
        sync_directory(path.parent)
        sync_directory(path.parent.parent)

    def _append(self, value: dict[str, object]) -> None:
        with self._locked() as descriptor:
            size = os.lseek(descriptor, 0, os.SEEK_END)
            tail = os.pread(descriptor, _MAX_LINE, max(size - _MAX_LINE, 0))
            whole = tail[: tail.rfind(b"\n") + 1]
            if len(whole) != len(tail):
                # A crash tore the last line; what it was to say had not been acknowledged.
                os.ftruncate(descriptor, size - len(tail) + len(whole))
            last = whole[:-1].rpartition(b"\n")[2] if whole else b""
            previous = sha256(last + b"\n").hexdigest() if last else _START
            line = json.dumps({**value, "previous": previous}, separators=(",", ":")).encode() + b"\n"
            os.lseek(descriptor, 0, os.SEEK_END)
            written = os.write(descriptor, line)
            if written != len(line):
                raise OSError(28, "the journal could not be written")
            os.fsync(descriptor)
        sync_directory(self._root)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        descriptor = os.open(self._journal, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)

    def _lines(self) -> Iterator[bytes]:
        if self._journal.exists():
            with self._journal.open("rb") as file:
                yield from (line for line in file if line.endswith(b"\n"))


def _encode(exchange: Exchange) -> bytes:
    value = {
        "format": FORMAT,
        "id": exchange.message_id,
        "attempt": exchange.attempt,
        "time": exchange.time,
        "request": {
            "method": exchange.method,
            "target": exchange.target,
            "headers": [list(item) for item in exchange.request_headers],
            "body": None if exchange.request_body is None else base64.b64encode(exchange.request_body).decode(),
        },
        "answer": {
            "status": exchange.status,
            "headers": [list(item) for item in exchange.headers],
            "body": base64.b64encode(exchange.body).decode(),
        },
    }
    return json.dumps(value, indent=1).encode() + b"\n"


def _decode(data: bytes) -> Exchange:
    value = json.loads(data, object_pairs_hook=unique_names)
    if value["format"] != FORMAT:
        raise ValueError("another format")
    request, answer = value["request"], value["answer"]
    body = request["body"]
    return Exchange(
        value["id"],
        value["attempt"],
        value["time"],
        request["method"],
        request["target"],
        tuple((name, text) for name, text in request["headers"]),
        None if body is None else base64.b64decode(body, validate=True),
        answer["status"],
        tuple((name, text) for name, text in answer["headers"]),
        base64.b64decode(answer["body"], validate=True),
    )
