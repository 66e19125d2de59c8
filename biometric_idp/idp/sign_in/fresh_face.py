"""A fresh face check after sign-in, against the template in the vault; the session's level rises.

Failures count against the account, with the delays of enrolment but apart from them: whoever fails at enrolment with
somebody's document keeps nobody from signing in, and whoever has somebody's device does not try faces without end.
"""

from __future__ import annotations

from sqlalchemy import Connection

from biometric_idp.idp.accounts.repository import AccountRepository
from biometric_idp.idp.context import Idp
from biometric_idp.idp.enrolment.repository import FailureRepository
from biometric_idp.idp.enrolment.throttle import count_failure
from biometric_idp.idp.faces import service as faces
from biometric_idp.idp.faces.repository import LivenessRepository, StoredLiveness
from biometric_idp.idp.sessions.repository import SessionRepository
from biometric_idp.idp.sessions.service import ACCOUNT, ACR, AMR, require_session
from services.problems import Problem

Answer = dict[str, object]


def begin(db: Connection, idp: Idp, session_id: bytes) -> Answer:
    session = require_session(db, session_id, idp.clock(), ACCOUNT, lock=True)
    assert session.account is not None
    _require_turn(FailureRepository(db).get(_subject(idp, session.account)), idp.clock())
    return faces.begin(db, idp, session_id, session.expires)


def _subject(idp: Idp, account: str) -> bytes:
    """Whom failures are counted against."""
    return idp.digest("fresh-face", account.encode())


def _require_turn(failures: tuple[int, int, int], now: int) -> None:
    """Refuse a comparison that comes too early after failures.

    Raises:
        Problem: ``too-many-faces``.
    """
    until = failures[1]
    if now < until:
        raise Problem("too-many-faces", retry_after=until - now)


def _look(db: Connection, idp: Idp, session_id: bytes) -> tuple[str, StoredLiveness | None]:
    session = require_session(db, session_id, idp.clock(), ACCOUNT)
    assert session.account is not None
    _require_turn(FailureRepository(db).get(_subject(idp, session.account)), idp.clock())
    account = AccountRepository(db).get(session.account)
    if account is None:
        raise Problem("session-needed")
    return idp.voter(account.pin), LivenessRepository(db).get(session_id)


def _nothing(_: Connection) -> None:
    return


def take_frames(idp: Idp, session_id: bytes, sequence: int, frames: list[bytes]) -> Answer:
    voter, stored = idp.committer.read(lambda db: _look(db, idp, session_id))
    return faces.take_frames(idp, stored, voter, sequence, frames, _nothing)


def match(idp: Idp, session_id: bytes) -> Answer:
    """Compare and raise the level. After a mismatch, liveness has to be shown again."""
    voter, stored = idp.committer.read(lambda db: _look(db, idp, session_id))
    matched = faces.matches_template(idp, faces.probe_of(idp, stored), voter)

    def decide(db: Connection) -> Answer | Problem:
        session = require_session(db, session_id, idp.clock(), ACCOUNT, lock=True)
        assert session.account is not None
        failures = _subject(idp, session.account)
        _require_turn(FailureRepository(db).take(failures), idp.clock())
        LivenessRepository(db).erase(session_id)
        subject = idp.subject(session.account)
        if not matched:
            count_failure(db, idp.config.enrolment, failures, idp.clock())
            idp.audit.record(db, "fresh-face-mismatch", idp.clock(), account=subject)
            return Problem("face-mismatch")
        FailureRepository(db).clear(failures)
        level = "passkey+face"
        SessionRepository(db).change(session_id, level=level, must=None, began=idp.clock())
        idp.audit.record(db, "fresh-face-matched", idp.clock(), account=subject)
        return {"matched": True, "acr": ACR[level], "amr": AMR[level]}

    return idp.committer.commit("fresh-face", decide)
