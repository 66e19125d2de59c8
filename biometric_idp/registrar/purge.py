"""Deleting what has outlived its purpose, with the proof in the audit log: counts, and a digest of the deleted ids."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from hashlib import sha256

from sqlalchemy import Connection, delete

from biometric_idp.registrar.channels.repository import OutboxRepository
from biometric_idp.registrar.confirmations.repository import EnrolmentRepository
from biometric_idp.registrar.context import Registrar
from biometric_idp.registrar.rolls.lists import purge_lists
from biometric_idp.registrar.tables import RATE

_DAY = 86_400
_BATCH = 2000


def purge(registrar: Registrar) -> dict[str, int]:
    """Delete in small transactions; returns how many rows of each kind."""
    now = registrar.clock()
    retention = registrar.config.retention
    kinds: dict[str, Callable[[Connection], list[str]]] = {
        "messages": lambda db: OutboxRepository(db).purge(now - retention.messages * _DAY),
        "unconfirmed-enrolments": lambda db: EnrolmentRepository(db).purge(now - retention.unconfirmed * _DAY),
    }
    counts: dict[str, int] = {}
    for kind, work in kinds.items():
        counts[kind] = 0
        while deleted := registrar.committer.commit(f"purge-{kind}", _proving(registrar, kind, work, now)):
            counts[kind] += deleted
    counts["register-answers"] = 0
    while names := registrar.register.purge(now - retention.register_answers * _DAY, _BATCH):
        proof = _proving(registrar, "register-answers", partial(_given, names), now)
        counts["register-answers"] += registrar.committer.commit("purge-register-answers", proof)
    counts["nonces"] = registrar.committer.commit(
        "purge-nonces", lambda db: EnrolmentRepository(db).forget_signatures(now)
    )
    counts["rates"] = registrar.committer.commit(
        "purge-rates", lambda db: db.execute(delete(RATE).where(RATE.c.ends < now)).rowcount
    )
    counts["list-entries"] = purge_lists(registrar)
    registrar.committer.commit("seal", registrar.audit.seal)
    return counts


def _given(names: list[str], _: Connection) -> list[str]:
    """What is deleted already: files of evidence, which have a journal of their own."""
    return names


def _proving(
    registrar: Registrar, kind: str, work: Callable[[Connection], list[str]], now: int
) -> Callable[[Connection], int]:
    def run(db: Connection) -> int:
        ids = sorted(work(db))
        if ids:
            digest = sha256("\n".join(ids).encode()).hexdigest()
            registrar.audit.record_operation(db, "purged", now, kind=kind, count=len(ids), ids=digest)
        return len(ids)

    return run
