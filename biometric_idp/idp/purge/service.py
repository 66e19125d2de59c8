"""What is deleted when, in small transactions, each of which proves itself in the audit log.

The proof names kind, count and the SHA-256 over the sorted ids of the deleted rows, one a line: who knows that a row
existed can ask for the ids of a back-up and see that it is among them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from hashlib import sha256

from sqlalchemy import Column, Connection, Table, delete

from biometric_idp.idp.accounts.models import NOTICE
from biometric_idp.idp.accounts.repository import AccountRepository
from biometric_idp.idp.challenges.models import USED_CHALLENGE
from biometric_idp.idp.context import DAY, Idp
from biometric_idp.idp.enrolment.models import ENROLMENT, FAILURE
from biometric_idp.idp.faces.models import LIVENESS
from biometric_idp.idp.idempotency.models import IDEMPOTENCY
from biometric_idp.idp.officers.models import APPOINTMENT
from biometric_idp.idp.oidc.tables import PURGED
from biometric_idp.idp.purge.repository import PurgeRepository
from biometric_idp.idp.sessions.models import SESSION
from biometric_idp.idp.tables import BIOMETRICS, RATE
from biometric_idp.idp.voting.models import HANDOFF, VOTING_PASSKEY
from biometric_idp.idp.voting.repository import LOGGED

_BATCH = 2000


def purge(idp: Idp) -> dict[str, int]:
    """Delete what is due; gives the number of rows by kind."""
    now, keep = idp.clock(), idp.config.retention
    plain: list[tuple[str, Table, Column[object], Column[object], int]] = [
        ("sessions", SESSION, SESSION.c.id, SESSION.c.expires, now),
        ("challenges", USED_CHALLENGE, USED_CHALLENGE.c.id, USED_CHALLENGE.c.expires, now),
        ("handoffs", HANDOFF, HANDOFF.c.id, HANDOFF.c.expires, now),
        ("idempotency-keys", IDEMPOTENCY, IDEMPOTENCY.c.id, IDEMPOTENCY.c.expires, now),
        ("failures", FAILURE, FAILURE.c.subject, FAILURE.c.last, now - idp.config.enrolment.forget),
        ("enrolments", ENROLMENT, ENROLMENT.c.id, ENROLMENT.c.expires, now - keep.attempts * DAY),
        ("appointments", APPOINTMENT, APPOINTMENT.c.id, APPOINTMENT.c.created, now - keep.appointments * DAY),
        ("liveness-sessions", LIVENESS, LIVENESS.c.owner, LIVENESS.c.expires, now),
        ("liveness-marks", BIOMETRICS.marks, BIOMETRICS.marks.c.session, BIOMETRICS.marks.c.expires, now),
        ("notices", NOTICE, NOTICE.c.id, NOTICE.c.date, now // DAY - keep.notices),
    ]
    plain += [(kind, table, id_, until, now) for kind, table, id_, until in PURGED]
    counts: dict[str, int] = {}
    for kind, table, id_, time, before in plain:
        counts[kind] = _repeat(idp, kind, _rows(table, id_, time, before))
    counts["pending-voting-passkeys"] = _repeat(idp, "pending-voting-passkeys", _pending(now - keep.pending * DAY))
    counts["accounts"] = _repeat(idp, "accounts", _accounts(idp, now))
    counts["register-answers"] = _register_answers(idp, now - keep.register_answers * DAY)
    counts["rates"] = idp.committer.commit(
        "purge-rates", lambda db: db.execute(delete(RATE).where(RATE.c.ends < now)).rowcount
    )
    while idp.committer.commit("seal", idp.audit.seal):
        pass
    return counts


Deletion = Callable[[Connection], list[object]]


def _rows(table: Table, id_: Column[object], time: Column[object], before: int) -> Deletion:
    def work(db: Connection) -> list[object]:
        repository = PurgeRepository(db)
        ids = repository.ids_before(id_, time, before, _BATCH)
        if ids:
            repository.delete(table, id_, ids)
        return ids

    return work


def _pending(before: int) -> Deletion:
    """Voting passkeys that never came into the log."""

    def work(db: Connection) -> list[object]:
        table = VOTING_PASSKEY.c
        ids: list[object] = list(
            db.scalars(
                VOTING_PASSKEY.select()
                .with_only_columns(table.id)
                .where(table.state != LOGGED, table.created < before)
                .limit(_BATCH)
            )
        )
        if ids:
            PurgeRepository(db).delete(VOTING_PASSKEY, table.id, ids)
        return ids

    return work


def _accounts(idp: Idp, now: int) -> Deletion:
    """Closed accounts after some days; all accounts when the last election is long over."""
    keep = idp.config.retention
    closes = [election.closes for election in idp.config.elections]
    last = None if not closes or None in closes else max(item for item in closes if item is not None)
    is_over = last is not None and now >= last + keep.accounts_after_election * DAY

    def work(db: Connection) -> list[object]:
        accounts, repository = AccountRepository(db), PurgeRepository(db)
        ids = accounts.closed_before(now - keep.closed_accounts * DAY, _BATCH)
        if is_over and last is not None:
            ids = accounts.created_before(last + 1, _BATCH)
        for id_ in ids:
            account = accounts.get(id_)
            if account is not None:
                repository.delete_template(idp.voter(account.pin))
            accounts.delete(id_)
            repository.delete_account_data(id_)
        return list(ids)

    return work


def _register_answers(idp: Idp, before: int) -> int:
    """Files of evidence, not rows: a crash before the commit leaves their names in the evidence's own journal only."""
    total = 0
    while names := idp.register.purge(before, _BATCH):
        idp.committer.commit("purge-register-answers", partial(_prove, idp, "register-answers", names))
        total += len(names)
    return total


def _repeat(idp: Idp, kind: str, work: Deletion) -> int:
    def proving(db: Connection) -> int:
        ids = work(db)
        if ids:
            _prove(idp, kind, ids, db)
        return len(ids)

    total = 0
    while deleted := idp.committer.commit(f"purge-{kind}", proving):
        total += deleted
    return total


def _prove(idp: Idp, kind: str, deleted: Sequence[object], db: Connection) -> None:
    ids = sorted(item.hex() if isinstance(item, bytes) else str(item) for item in deleted)
    digest = sha256("\n".join(ids).encode()).hexdigest()
    idp.audit.record_operation(db, "purged", idp.clock(), kind=kind, count=len(ids), ids=digest)
