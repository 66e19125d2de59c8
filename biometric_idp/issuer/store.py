"""The issuer's durable state for one election, in SQLite or PostgreSQL.

Ownership: one database, one issuer, one election; any number of processes. What a crash means: an answer leaves only
after ``record`` has committed durably, and it is a function of the committed row, so whatever instant the power fails,
either nothing was issued or a retry of the same request gets the same answer.

The ledger is a transparency log, and ``sequence`` is the index in it. Whoever records takes the log's lock first and
holds it until the commit, for the reasons in ``logs.entries``; what it then reads about positions and counters cannot
change before it is done. The constraints of the tables do not rely on that: a writer that went around the lock would
make a transaction fail, never issue twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy import BindParameter, Connection, Engine, bindparam, func, insert, inspect, make_url, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from biometric_idp.enrolment.log import EnrolmentRules, EnrolmentSource, read_enrolment_log
from biometric_idp.errors import StateError
from biometric_idp.issuer.audit import EMPTY_HEAD, HEAD, AuditRow, append_rows, read_rows
from biometric_idp.issuer.checks import Authorised, counter_id
from biometric_idp.issuer.ledger import ledger_origin
from biometric_idp.issuer.models import MIGRATIONS, SERVICE, counters, enrolments, ledger, meta
from biometric_idp.logs.entries import EntryLog
from biometric_idp.registrar.roll import Roll
from biometric_idp.shared.inserts import upsert_of
from biometric_idp.webauthn import PublicPasskey
from crypto import cbor
from services.database import open_engine, reading, transaction
from services.errors import DatabaseError
from services.migrations import upgrade

FORMAT = "evoting-issuer-store/v2"
#: Values in one IN list; both databases take several times as many parameters.
_IN = 4096
_PAGE = 1024
Value = TypeVar("Value")

# Statements of the way to an answer are made once: making them anew costs as much as running them.
_SOME: BindParameter[Any] = bindparam("some", expanding=True)
_ISSUED = select(ledger.c.position, ledger.c.sequence, ledger.c.hash, ledger.c.digest, ledger.c.again).where(
    ledger.c.election == bindparam("fingerprint"), ledger.c.position.in_(_SOME)
)
_ENROLLED = select(enrolments.c.position, enrolments.c.credential, enrolments.c.algorithm, enrolments.c.key).where(
    enrolments.c.position.in_(_SOME)
)
_COUNTED = select(counters.c.passkey, counters.c.value).where(counters.c.passkey.in_(_SOME))
_ENTER = insert(ledger)
#: One database holds one election.
_AGAIN = update(ledger).where(ledger.c.position == bindparam("of_position")).values(again=bindparam("again"))

#: Called with a point's name right before and after the durable steps; tests kill the process there.
Probe = Callable[[str], None]


def _no_probe(_: str) -> None:
    return


@dataclass(frozen=True, slots=True)
class Issued:
    """What the ledger holds for a position, and at which index.

    Attributes:
        digest: SHA-256 of the request in the entry.
        again: SHA-256 of the last other request with this hash that was answered.
    """

    sequence: int
    hash: bytes
    digest: bytes
    again: bytes | None = None

    def is_of(self, digest: bytes) -> bool:
        """Whether these very bytes were answered."""
        return digest in (self.digest, self.again)


@dataclass(frozen=True, slots=True)
class Known:
    """What the store holds about the positions and passkeys of a batch."""

    issued: dict[int, Issued]
    passkeys: dict[int, PublicPasskey]
    counters: dict[bytes, int]


class NoStore(StateError):
    """No election was opened in this database."""


class IssuerStore:
    """Ledger, counters and the issuer's copy of the enrolment log. Safe to use from several threads."""

    def __init__(self, database: Path | str, fingerprint: bytes, issuer: int, *, probe: Probe = _no_probe) -> None:
        """Open an existing store.

        Args:
            database: a file of SQLite, or an address as ``services.database.open_engine`` takes.

        Raises:
            StateError: there is none, or it belongs to another election or issuer.
        """
        where = database_name(database)
        self.engine = _open_existing(database)
        self._fingerprint = fingerprint
        self._probe = probe
        expected = {"format": FORMAT.encode(), "fingerprint": fingerprint, "issuer": str(issuer).encode()}
        try:
            with reading(self.engine) as connection:
                found = {name: bytes(value) for name, value in connection.execute(select(meta.c.name, meta.c.value))}
            for name, value in expected.items():
                if found.get(name) != value:
                    raise StateError(f"{where}: this store has another {name}")
            upgrade(self.engine, MIGRATIONS, SERVICE)
            self.log = EntryLog(self.engine, found["origin"].decode())
        except (DBAPIError, DatabaseError) as error:
            self.engine.dispose()
            raise StateError(f"{where}: not an issuer's store: {_first_line(error)}") from None
        except BaseException:
            self.engine.dispose()
            raise

    def close(self) -> None:
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def require_writable(self) -> None:
        """Refuse a database that cannot be written, before anybody asks for an answer.

        Raises:
            StateError: it cannot.
        """
        try:
            with self.engine.connect() as connection:
                self.log.lock(connection)
                connection.execute(update(meta).where(meta.c.name == "format").values(value=FORMAT.encode()))
                connection.rollback()
        except DBAPIError as error:
            raise StateError(f"the issuer's database cannot be written: {_first_line(error)}") from None

    def known(self, positions: Sequence[int], officers: Iterable[PublicPasskey]) -> Known:
        """Everything that a batch is judged by, in one consistent view.

        Args:
            officers: passkeys whose counters are wanted besides those of the positions.
        """
        with reading(self.engine) as connection:
            passkeys = self._passkeys(connection, positions)
            ids = {counter_id(passkey) for passkey in (*passkeys.values(), *officers)}
            return Known(self._issued(connection, positions), passkeys, self._counters(connection, ids))

    def passkeys(self, positions: Sequence[int]) -> dict[int, PublicPasskey]:
        """Enrolments that count, of these positions."""
        return self.known(positions, ()).passkeys

    def counter(self, passkey: PublicPasskey) -> int:
        """Highest signature counter seen from a passkey; 0 where it never counted."""
        return self.known((), [passkey]).counters.get(counter_id(passkey), 0)

    def record(self, batch: Sequence[tuple[Authorised, bytes, bytes]]) -> tuple[list[str | None], int]:
        """Make ledger entries durable in one transaction; the constraint decides who was first.

        Args:
            batch: what was authorised, the request's bytes, and their SHA-256.

        Returns:
            For each None where the position is now, or was already, on the ledger with this request hash; else the code
            of the refusal, which is recorded. And the size of the ledger, 0 for an empty batch.
        """
        if not batch:
            return [], 0

        def work(connection: Connection) -> tuple[list[str | None], int]:
            recorded = self._record(connection, batch)
            self._probe("before-commit")
            return recorded

        recorded = transaction(self.engine, work)
        self._probe("after-commit")
        return recorded

    def _record(
        self, connection: Connection, batch: Sequence[tuple[Authorised, bytes, bytes]]
    ) -> tuple[list[str | None], int]:
        sequence = self.log.lock(connection)
        held = self._issued(connection, [item.request.position for item, _, _ in batch])
        seen = self._counters(connection, {passkey for item, _, _ in batch for passkey, _ in item.counters})
        risen: dict[bytes, int] = {}
        rows: list[dict[str, object]] = []
        entries: list[bytes] = []
        refused: list[AuditRow] = []
        outcomes: list[str | None] = []
        again: dict[int, bytes] = {}
        for item, data, digest in batch:
            position = item.request.position
            present = held.get(position)
            code = None
            for passkey, value in item.counters:
                if value > seen.get(passkey, 0):
                    seen[passkey] = risen[passkey] = value
                elif present is None or not present.is_of(digest):
                    # The very request on the ledger was put there since the caller looked: that one may repeat.
                    code = "counter"
                    break
            if code is None and present is not None and present.hash != item.hash:
                code = "already-issued"
            if code is not None:
                refused.append(AuditRow(position, item.hash, code, item.date))
            elif present is None:
                held[position] = Issued(sequence + len(rows), item.hash, digest)
                rows.append(self._row(held[position].sequence, item, digest))
                entries.append(encode_ledger_entry(item, data))
            elif not present.is_of(digest):
                again[position] = digest
                held[position] = replace(present, again=digest)
            outcomes.append(code)
        if rows:
            connection.execute(_ENTER, rows)
            self.log.append(connection, entries, sequence)
        if again:
            values = [{"of_position": position, "again": digest} for position, digest in again.items()]
            connection.execute(_AGAIN, values)
        if risen:
            rising = upsert_of(counters, connection.dialect.name)
            connection.execute(
                rising.on_conflict_do_update(index_elements=["passkey"], set_={"value": rising.excluded.value}),
                [{"passkey": passkey, "value": value} for passkey, value in risen.items()],
            )
        append_rows(connection, refused)
        return outcomes, sequence + len(rows)

    def _row(self, sequence: int, item: Authorised, digest: bytes) -> dict[str, object]:
        return {
            "sequence": sequence,
            "election": self._fingerprint,
            "position": item.request.position,
            "hash": item.hash,
            "style": item.request.style,
            "terminal": item.voter_class == "terminal",
            "digest": digest,
        }

    def _issued(self, connection: Connection, positions: Sequence[int]) -> dict[int, Issued]:
        found: dict[int, Issued] = {}
        for some in _chunks(positions):
            rows = connection.execute(_ISSUED, {"fingerprint": self._fingerprint, "some": some})
            found |= {position: Issued(*rest) for position, *rest in rows}
        return found

    def _passkeys(self, connection: Connection, positions: Sequence[int]) -> dict[int, PublicPasskey]:
        found: dict[int, PublicPasskey] = {}
        for some in _chunks(positions):
            rows = connection.execute(_ENROLLED, {"some": some})
            found |= {position: PublicPasskey(*rest) for position, *rest in rows}
        return found

    def _counters(self, connection: Connection, passkeys: Iterable[bytes]) -> dict[bytes, int]:
        found: dict[bytes, int] = {}
        for some in _chunks(passkeys):
            found |= dict(connection.execute(_COUNTED, {"some": some}).all())
        return found

    def refusals(self) -> list[tuple[int, bytes, str, int]]:
        """Recorded refusals of authorised requests: position, request hash, code, date.

        Raises:
            StateError: the audit table is not whole.
        """
        with reading(self.engine) as connection:
            return [(row.position, row.hash, row.code, row.date) for row in read_rows(connection)]

    @contextmanager
    def snapshot(self) -> Iterator[LedgerSnapshot]:
        """A consistent view of the ledger while other processes go on."""
        with reading(self.engine) as connection:
            yield LedgerSnapshot(self.log, connection, self.log.size(connection))


class LedgerSnapshot:
    """The ledger at one moment, or at an earlier size of it."""

    def __init__(self, log: EntryLog, connection: Connection, size: int) -> None:
        self._log = log
        self._connection = connection
        self.size = size

    def until(self, size: int) -> LedgerSnapshot:
        """The ledger at an earlier size."""
        return LedgerSnapshot(self._log, self._connection, min(size, self.size))

    def entries(self) -> Iterator[bytes]:
        """Entries in ledger order."""
        for start in range(0, self.size, _PAGE):
            yield from self._log.page(self._connection, start, min(start + _PAGE, self.size))

    def hashes(self, start: int = 0, stop: int = 2**62) -> dict[int, bytes]:
        """Request hash by roll position, for the positions of a range."""
        table = ledger.c
        query = select(table.position, table.hash).where(
            table.position >= start, table.position < stop, table.sequence < self.size
        )
        return dict(self._connection.execute(query).all())

    def counts(self, since: int = 0) -> dict[str, tuple[int, int]]:
        """Per style: all credentials, and those of terminal voters; of entries from ``since`` on."""
        table = ledger.c
        query = (
            select(table.style, table.terminal, func.count())
            .where(table.sequence >= since, table.sequence < self.size)
            .group_by(table.style, table.terminal)
        )
        found: dict[str, tuple[int, int]] = {}
        for style, terminal, count in self._connection.execute(query):
            total, terminals = found.get(style, (0, 0))
            found[style] = (total + count, terminals + count * bool(terminal))
        return found


def encode_ledger_entry(item: Authorised, data: bytes) -> bytes:
    """An entry of the ledger's log (docs/spec/05-credentials.md section 5.7)."""
    return cbor.encode({"class": item.voter_class, "date": item.date, "hash": item.hash, "request": data})


def create_store(
    database: Path | str, fingerprint: bytes, issuer: int, roll: Roll, source: EnrolmentSource, entries: Iterable[bytes]
) -> list[str]:
    """Make a store and take in the enrolment log, all or nothing.

    Returns:
        One line for each enrolment that has no effect.

    Raises:
        StateError: a store is already there.
        FormatError: the enrolment log is not the one of the checkpoint.
    """
    where = database_name(database)
    if store_exists(database):
        raise StateError(f"{where}: a store is already here")
    is_new = "://" not in str(database) and not Path(database).exists()
    engine = open_engine(str(database))
    is_made = False
    try:
        upgrade(engine, MIGRATIONS, SERVICE)
        with engine.begin() as connection:
            values = {
                "format": FORMAT.encode(),
                "fingerprint": fingerprint,
                "issuer": str(issuer).encode(),
                "origin": ledger_origin(source.origin, issuer).encode(),
                HEAD: EMPTY_HEAD,
            }
            connection.execute(insert(meta), [{"name": name, "value": value} for name, value in values.items()])
            objections = _take_in(connection, roll, source, entries)
        is_made = True
        return objections
    except IntegrityError:
        raise StateError(f"{where}: a store is already here") from None
    finally:
        engine.dispose()
        if is_new and not is_made:
            Path(database).unlink()


def _take_in(connection: Connection, roll: Roll, source: EnrolmentSource, entries: Iterable[bytes]) -> list[str]:
    objections: list[str] = []
    rules = EnrolmentRules(roll.style_of, source.time)
    seen = bytearray(len(roll))
    upsert = upsert_of(enrolments, connection.dialect.name)
    names = ("credential", "algorithm", "key")
    upsert = upsert.on_conflict_do_update(
        index_elements=["position"], set_={name: upsert.excluded[name] for name in names}
    )
    waiting: dict[int, dict[str, object]] = {}
    for enrolled in read_enrolment_log(source, entries):
        for item in enrolled:
            is_first = not (item.position < len(seen) and seen[item.position])
            objection = rules.objection(item, is_first=is_first)
            if objection is not None:
                objections.append(objection)
                continue
            seen[item.position] = 1
            passkey = item.passkey
            values = (passkey.credential, passkey.algorithm, passkey.key)
            waiting[item.position] = {"position": item.position, **dict(zip(names, values, strict=True))}
        if len(waiting) >= _IN:
            connection.execute(upsert, list(waiting.values()))
            waiting.clear()
    if waiting:
        connection.execute(upsert, list(waiting.values()))
    return objections


def store_exists(database: Path | str) -> bool:
    """Whether an election was opened in this database."""
    try:
        _open_existing(database).dispose()
    except NoStore:
        return False
    return True


def database_name(database: Path | str) -> str:
    """How messages call a database: without its password."""
    text = str(database)
    return make_url(text).render_as_string(hide_password=True) if "://" in text else text


def _open_existing(database: Path | str) -> Engine:
    """An engine for a database that holds a store.

    Raises:
        NoStore: it holds none.
        StateError: it cannot be used.
    """
    where = database_name(database)
    missing = NoStore(f"{where}: no store here; open the election first")
    if "://" not in str(database) and not (Path(database).is_file() and Path(database).stat().st_size):
        raise missing
    try:
        engine = open_engine(str(database))
    except DatabaseError as error:
        raise StateError(f"{where}: not an issuer's store: {error}") from None
    try:
        with reading(engine) as connection:
            is_there = inspect(connection).has_table("meta") and connection.scalar(
                select(meta.c.value).where(meta.c.name == "format")
            )
    except DBAPIError as error:
        engine.dispose()
        raise StateError(f"{where}: not an issuer's store: {_first_line(error)}") from None
    if not is_there:
        engine.dispose()
        raise missing
    return engine


def _chunks(values: Iterable[Value]) -> Iterator[list[Value]]:
    iterator = iter(values)
    while chunk := list(islice(iterator, _IN)):
        yield chunk


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", error)).strip().split("\n")[0]
