"""Import of voter lists: signature, order, every line; then all of it in one transaction, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from biometric_idp.errors import StateError
from biometric_idp.population.lists import repository
from biometric_idp.population.lists.check import CheckedList, Reject, accepted, check_list
from biometric_idp.population.lists.errors import ListRefused
from biometric_idp.population.lists.format import Header, ListFile, ListKind
from biometric_idp.population.lists.models import MIGRATIONS, SERVICE
from biometric_idp.population.lists.repository import StoredList
from biometric_idp.population.lists.rules import ListRules
from biometric_idp.population.lists.signature import MAX_SIGNATURE_BYTES, ListTrust, verify_list_signature
from services.database import reading, transaction
from services.migrations import upgrade

#: PINs that a report names for each kind of change; the count is always complete.
MAX_PINS = 1_000


class Outcome(StrEnum):
    ACCEPTED = "accepted"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


@dataclass(frozen=True)
class ImportReport:
    """What an import came to.

    Attributes:
        outcome: ``accepted``; ``unchanged`` (this very file was accepted before); ``rejected`` (lines have to be put
            right first, nothing was stored).
        rejects: in order of lines; ``reject_counts`` has all of them by code, also beyond those listed.
        changes: of a final list against the preliminary one: count and first PINs by kind.
    """

    outcome: Outcome
    header: Header
    sha256: str
    signer: str
    voters: int
    merged: int
    rejected: int
    rejects: tuple[Reject, ...] = field(repr=False)
    reject_counts: Mapping[str, int]
    changes: Mapping[str, tuple[int, list[str]]] = field(repr=False, default_factory=dict)


def prepare_database(engine: Engine) -> None:
    """Bring the tables of this package up to date. Safe to call at every start."""
    upgrade(engine, MIGRATIONS, SERVICE)


def import_list(
    engine: Engine,
    path: Path,
    signature_path: Path,
    rules: ListRules,
    trust: ListTrust,
    now: datetime,
    *,
    leave_out_rejected: bool = False,
) -> ImportReport:
    """Import a signed list.

    Args:
        leave_out_rejected: store the list without the lines that do not hold, and keep their numbers and codes. The
            default stores nothing as long as a single line does not hold.

    Raises:
        ListRefused: the file as a whole does not hold, or does not follow what was imported before.
        OSError: a file cannot be read.
    """
    signature = _read_signature(signature_path)
    file = ListFile(path)
    try:
        signer = verify_list_signature(path, file.sha256, signature, trust, now)
        if file.header.election != rules.election:
            raise ListRefused("list-election", f"the list is of election {file.header.election}, not {rules.election}")
        with reading(engine) as connection:
            known = _place(connection, file.header, file.sha256)
            if known.same is not None:
                return _unchanged(connection, file.header, known.same, known.follows)
        checked = check_list(file, rules)
        if checked.rejected and not leave_out_rejected:
            return _report(Outcome.REJECTED, file, signer, checked, {})

        def store(connection: Connection) -> ImportReport:
            repository.take_turn(connection, rules.election)
            place = _place(connection, file.header, file.sha256)
            if place.same is not None:
                return _unchanged(connection, file.header, place.same, place.follows)
            list_id = repository.add_list(connection, _row(file, signer, signature, checked, place.follows, now))
            repository.add_entries(connection, list_id, accepted(file, checked))
            repository.add_rejects(connection, list_id, checked.rejects)
            changes = {}
            if place.follows is not None:
                changes = repository.difference(connection, place.follows.id, list_id, MAX_PINS)
            return _report(Outcome.ACCEPTED, file, signer, checked, changes)

        try:
            return transaction(engine, store)
        except IntegrityError:
            # Two first imports of an election met; the other one is there now, so this one finds its place or refusal.
            return transaction(engine, store)
    finally:
        file.close()


def final_list(engine: Engine, election: str) -> StoredList:
    """The final list of an election.

    Raises:
        StateError: there is none yet.
    """
    with reading(engine) as connection:
        for item in repository.stored_lists(connection, election):
            if item.kind is ListKind.FINAL:
                return item
    raise StateError(f"election {election} has no final list yet")


def purge_entries(engine: Engine, election: str, *, final: bool = False) -> dict[int, int]:
    """Delete entries and rejects of the preliminary lists once the final list is there; of the final list only on
    demand, when the election's last deadline has passed. What was imported when, signed by whom, stays.

    Returns:
        Deleted entries by list number, for the audit log.

    Raises:
        StateError: there is no final list yet.
    """
    final_list(engine, election)

    def purge(connection: Connection) -> dict[int, int]:
        repository.take_turn(connection, election)
        return {
            item.number: repository.drop_entries(connection, item.id)
            for item in repository.stored_lists(connection, election)
            if final or item.kind is ListKind.PRELIMINARY
        }

    return transaction(engine, purge)


@dataclass(frozen=True)
class _Place:
    """Where a list goes: the same one, already accepted, or the list that it follows."""

    same: StoredList | None
    follows: StoredList | None


def _place(connection: Connection, header: Header, digest: str) -> _Place:
    known = repository.stored_lists(connection, header.election)
    by_number = {item.number: item for item in known}
    by_id = {item.id: item for item in known}
    same = by_number.get(header.number)
    if same is not None:
        if same.sha256 != digest:
            raise ListRefused("list-number", f"list {header.number} was accepted already, with other content")
        return _Place(same, by_id.get(same.follows or 0))
    if any(item.kind is ListKind.FINAL for item in known):
        raise ListRefused("list-closed", "the election has its final list; no other can follow")
    if any(item.message_id == header.message_id for item in known):
        raise ListRefused("list-number", "another list came under this message id")
    if known and header.number <= known[-1].number:
        raise ListRefused(
            "list-order", f"list {known[-1].number} was accepted already; later lists have higher numbers"
        )
    if header.follows is None:
        return _Place(None, None)
    if not known or header.follows != (known[-1].number, known[-1].sha256):
        raise ListRefused(
            "list-follows", "a final list follows the last accepted preliminary list, by its number and hash"
        )
    return _Place(None, known[-1])


def _row(
    file: ListFile, signer: str, signature: bytes, checked: CheckedList, follows: StoredList | None, now: datetime
) -> dict[str, object]:
    header = file.header
    return {
        "election": header.election,
        "number": header.number,
        "kind": header.kind.value,
        "message_id": header.message_id,
        "issued": header.issued,
        "imported": int(now.timestamp()),
        "sha256": file.sha256,
        "signer": signer,
        "signature": signature,
        "entries": checked.entries,
        "voters": checked.voters,
        "merged": checked.merged,
        "rejected": len(checked.rejected),
        "follows": None if follows is None else follows.id,
        "final_of": header.election if header.kind is ListKind.FINAL else None,
    }


def _report(
    outcome: Outcome, file: ListFile, signer: str, checked: CheckedList, changes: Mapping[str, tuple[int, list[str]]]
) -> ImportReport:
    return ImportReport(
        outcome,
        file.header,
        file.sha256,
        signer,
        checked.voters,
        checked.merged,
        len(checked.rejected),
        tuple(checked.rejects),
        dict(sorted(checked.counts.items())),
        changes,
    )


def _unchanged(connection: Connection, header: Header, same: StoredList, follows: StoredList | None) -> ImportReport:
    rejects = tuple(repository.rejects_of(connection, same.id))
    counts: dict[str, int] = {}
    for item in rejects:
        counts[item.code] = counts.get(item.code, 0) + 1
    changes = {} if follows is None else repository.difference(connection, follows.id, same.id, MAX_PINS)
    return ImportReport(
        Outcome.UNCHANGED, header, same.sha256, same.signer, same.voters, same.merged, same.rejected, rejects,
        dict(sorted(counts.items())), changes,
    )  # fmt: skip


def _read_signature(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(MAX_SIGNATURE_BYTES + 1)
    if not data or len(data) > MAX_SIGNATURE_BYTES:
        raise ListRefused("list-signature", "the signature file is empty or too long")
    return data
