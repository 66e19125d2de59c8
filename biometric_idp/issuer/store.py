"""The issuer's durable state for one election, in SQLite.

Ownership: one directory, one issuer, one election; any number of processes. What a crash means: an answer leaves only
after ``record`` has committed with full synchronisation, and it is a function of the committed row, so whatever instant
the power fails, either nothing was issued or a retry of the same request gets the same answer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from biometric_idp.enrolment.log import EnrolmentRules, EnrolmentSource, read_enrolment_log
from biometric_idp.errors import FormatError, StateError
from biometric_idp.files import sync_directory
from biometric_idp.issuer.checks import Authorised
from biometric_idp.registrar.roll import Roll
from biometric_idp.webauthn import PublicPasskey
from crypto import cbor

FORMAT = "evoting-issuer-store/v1"
_BUSY_SECONDS = 600.0
_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE enrolment (
    position INTEGER PRIMARY KEY, credential BLOB NOT NULL, algorithm INTEGER NOT NULL, key BLOB NOT NULL
);
CREATE TABLE counter (credential BLOB PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE ledger (
    sequence INTEGER PRIMARY KEY,
    election BLOB NOT NULL, position INTEGER NOT NULL,
    hash BLOB NOT NULL, style TEXT NOT NULL, terminal INTEGER NOT NULL, digest BLOB NOT NULL, entry BLOB NOT NULL,
    CONSTRAINT one_credential_per_voter_and_election UNIQUE (election, position)
);
CREATE TABLE refusal (
    sequence INTEGER PRIMARY KEY,
    position INTEGER NOT NULL, hash BLOB NOT NULL, code TEXT NOT NULL, date INTEGER NOT NULL
);
"""

#: Called with a point's name right before and after the durable steps; tests kill the process there.
Probe = Callable[[str], None]


def _no_probe(_: str) -> None:
    return


@dataclass(frozen=True, slots=True)
class Issued:
    """What the ledger holds for a position."""

    hash: bytes
    digest: bytes


class IssuerStore:
    """Ledger, counters and the issuer's copy of the enrolment log."""

    def __init__(self, path: Path, fingerprint: bytes, issuer: int, *, probe: Probe = _no_probe) -> None:
        """Open an existing store.

        Raises:
            StateError: there is none, or it belongs to another election or issuer.
        """
        if not path.is_file():
            raise StateError(f"{path}: no store here; open the election first")
        self._connection = _connect(path)
        self._fingerprint = fingerprint
        self._probe = probe
        expected = {"format": FORMAT.encode(), "fingerprint": fingerprint, "issuer": str(issuer).encode()}
        try:
            _require_durability(self._connection)
            meta = dict(self._connection.execute("SELECT name, value FROM meta"))
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise StateError(f"{path}: not an issuer's store: {error}") from None
        for name, value in expected.items():
            if meta.get(name) != value:
                self._connection.close()
                raise StateError(f"{path}: this store has another {name}")

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def issued(self, positions: Sequence[int]) -> dict[int, Issued]:
        """Ledger rows of these positions."""
        query = "SELECT hash, digest FROM ledger WHERE election = ? AND position = ?"
        found: dict[int, Issued] = {}
        for position in positions:
            row = self._connection.execute(query, (self._fingerprint, position)).fetchone()
            if row is not None:
                found[position] = Issued(*row)
        return found

    def passkeys(self, positions: Sequence[int]) -> dict[int, PublicPasskey]:
        """Enrolments that count, of these positions."""
        query = "SELECT credential, algorithm, key FROM enrolment WHERE position = ?"
        found: dict[int, PublicPasskey] = {}
        for position in positions:
            row = self._connection.execute(query, (position,)).fetchone()
            if row is not None:
                found[position] = PublicPasskey(*row)
        return found

    def counters(self, credentials: Iterable[bytes]) -> dict[bytes, int]:
        """Highest signature counters seen; credentials that never counted are left out."""
        found: dict[bytes, int] = {}
        for credential in credentials:
            row = self._connection.execute("SELECT value FROM counter WHERE credential = ?", (credential,)).fetchone()
            if row is not None:
                found[credential] = row[0]
        return found

    def record(self, batch: Sequence[tuple[Authorised, bytes, bytes]]) -> list[str | None]:
        """Make ledger entries durable in one transaction; the constraint decides who was first.

        Args:
            batch: what was authorised, the request's bytes, and their SHA-256.

        Returns:
            For each None where the position is now, or was already, on the ledger with this request hash; else the code
            of the refusal, which is recorded.
        """
        outcomes: list[str | None] = []
        with self._transaction() as connection:
            for item, data, digest in batch:
                outcomes.append(self._record_one(connection, item, data, digest))
        return outcomes

    def _record_one(self, connection: sqlite3.Connection, item: Authorised, data: bytes, digest: bytes) -> str | None:
        position = item.request.position
        for credential, value in item.counters:
            risen = connection.execute(
                "INSERT INTO counter VALUES (?, ?) ON CONFLICT (credential) "
                "DO UPDATE SET value = excluded.value WHERE excluded.value > value",
                (credential, value),
            )
            if risen.rowcount == 0 and not self._is_recorded(connection, position, digest):
                return self._refuse(connection, position, item.hash, "counter", item.date)
        terminal = item.voter_class == "terminal"
        entry = cbor.encode({"class": item.voter_class, "date": item.date, "hash": item.hash, "request": data})
        inserted = connection.execute(
            "INSERT INTO ledger (election, position, hash, style, terminal, digest, entry) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (election, position) DO NOTHING",
            (self._fingerprint, position, item.hash, item.request.style, terminal, digest, entry),
        )
        if inserted.rowcount == 1:
            return None
        row = connection.execute(
            "SELECT hash FROM ledger WHERE election = ? AND position = ?", (self._fingerprint, position)
        ).fetchone()
        if row[0] == item.hash:
            return None
        return self._refuse(connection, position, item.hash, "already-issued", item.date)

    def _is_recorded(self, connection: sqlite3.Connection, position: int, digest: bytes) -> bool:
        """Whether this very request is on the ledger, put there since this transaction's caller looked."""
        query = "SELECT 1 FROM ledger WHERE election = ? AND position = ? AND digest = ?"
        return connection.execute(query, (self._fingerprint, position, digest)).fetchone() is not None

    def _refuse(self, connection: sqlite3.Connection, position: int, hash_: bytes, code: str, date: int) -> str:
        connection.execute(
            "INSERT INTO refusal (position, hash, code, date) VALUES (?, ?, ?, ?)", (position, hash_, code, date)
        )
        return code

    def refusals(self) -> list[tuple[int, bytes, str, int]]:
        """Recorded refusals of authorised requests: position, request hash, code, date."""
        return list(self._connection.execute("SELECT position, hash, code, date FROM refusal ORDER BY sequence"))

    @contextmanager
    def snapshot(self) -> Iterator[LedgerSnapshot]:
        """A consistent view of the ledger while other processes go on."""
        connection = self._connection
        connection.execute("BEGIN")
        try:
            size = connection.execute("SELECT COUNT(*) FROM ledger").fetchone()[0]
            yield LedgerSnapshot(connection, size)
        finally:
            connection.execute("ROLLBACK")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            self._probe("before-commit")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._probe("after-commit")


class LedgerSnapshot:
    """The ledger at one moment."""

    def __init__(self, connection: sqlite3.Connection, size: int) -> None:
        self._connection = connection
        self.size = size

    def entries(self) -> Iterator[bytes]:
        """Entries in ledger order."""
        for (entry,) in self._connection.execute("SELECT entry FROM ledger ORDER BY sequence"):
            yield entry

    def hashes(self) -> dict[int, bytes]:
        """Request hash by roll position."""
        return dict(self._connection.execute("SELECT position, hash FROM ledger"))

    def counts(self) -> dict[str, tuple[int, int]]:
        """Per style: all credentials, and those of terminal voters."""
        query = "SELECT style, COUNT(*), SUM(terminal) FROM ledger GROUP BY style"
        return {style: (count, terminal) for style, count, terminal in self._connection.execute(query)}


def create_store(
    path: Path, fingerprint: bytes, issuer: int, roll: Roll, source: EnrolmentSource, entries: Iterable[bytes]
) -> list[str]:
    """Make a store and take in the enrolment log, all or nothing.

    Returns:
        One line for each enrolment that has no effect.

    Raises:
        StateError: a store is already there.
        FormatError: the enrolment log is not the one of the checkpoint.
    """
    if path.exists():
        raise StateError(f"{path}: a store is already here")
    draft = path.with_name(f".{path.name}.new")
    for leftover in (draft, *_side_files(draft)):
        leftover.unlink(missing_ok=True)
    draft.touch(0o600)
    connection = _connect(draft)
    objections: list[str] = []
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        _require_durability(connection)
        connection.executescript(_SCHEMA)
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "INSERT INTO meta VALUES (?, ?)",
            [("format", FORMAT.encode()), ("fingerprint", fingerprint), ("issuer", str(issuer).encode())],
        )
        rules = EnrolmentRules(roll.style_of, source.time)
        seen = bytearray(len(roll))
        for enrolments in read_enrolment_log(source, entries):
            for item in enrolments:
                is_first = not (item.position < len(seen) and seen[item.position])
                objection = rules.objection(item, is_first=is_first)
                if objection is not None:
                    objections.append(objection)
                    continue
                seen[item.position] = 1
                passkey = item.passkey
                connection.execute(
                    "INSERT OR REPLACE INTO enrolment VALUES (?, ?, ?, ?)",
                    (item.position, passkey.credential, passkey.algorithm, passkey.key),
                )
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except (FormatError, sqlite3.Error):
        connection.close()
        for leftover in (draft, *_side_files(draft)):
            leftover.unlink(missing_ok=True)
        raise
    connection.close()
    draft.rename(path)
    sync_directory(path.parent)
    return objections


def _side_files(path: Path) -> list[Path]:
    return [path.with_name(path.name + suffix) for suffix in ("-wal", "-shm", "-journal")]


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)


def _require_durability(connection: sqlite3.Connection) -> None:
    """A commit returns only when it is on disk; SQLite keeps this setting for a connection, not for a file."""
    connection.execute("PRAGMA synchronous = FULL")
