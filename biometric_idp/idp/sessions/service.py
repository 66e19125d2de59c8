"""Opening, finding and ending sessions. Others who build on them (OpenID Connect) need nothing but this module."""

from __future__ import annotations

import secrets
from hashlib import sha256

from sqlalchemy import Connection

from biometric_idp.idp.sessions.repository import Session, SessionRepository
from biometric_idp.shared.fields import encode_base64url
from services.problems import Problem

ENROLMENT, ACCOUNT, VOTING = "enrolment", "account", "voting"
ACR = {
    "": "urn:evoting:acr:none",
    "document": "urn:evoting:acr:document",
    "passkey": "urn:evoting:acr:passkey",
    "passkey+face": "urn:evoting:acr:passkey+face",
}
#: RFC 8176: possession of a key, user verified by the authenticator, face.
AMR = {"": [], "document": [], "passkey": ["pop", "user"], "passkey+face": ["pop", "user", "face"]}


def open_session(
    db: Connection,
    purpose: str,
    now: int,
    seconds: int,
    *,
    account: str | None = None,
    enrolment: str | None = None,
    election: str | None = None,
    grant: str | None = None,
    level: str = "",
    must: str | None = None,
    began: int | None = None,
) -> str:
    """A new session; gives its token, which exists nowhere else afterwards."""
    token = encode_base64url(secrets.token_bytes(32))
    session = Session(
        sha256(token.encode()).digest(),
        purpose,
        account,
        enrolment,
        election,
        grant,
        level,
        must,
        now if began is None else began,
        now + seconds,
    )
    SessionRepository(db).add(session)
    return token


def require_session(db: Connection, id_: bytes, now: int, *purposes: str, lock: bool = False) -> Session:
    """The session behind a token.

    Raises:
        Problem: ``session-needed``: there is none, it is over, or it is for something else.
    """
    session = SessionRepository(db).get(id_, lock=lock)
    if session is None or session.expires <= now or session.purpose not in purposes:
        raise Problem("session-needed")
    return session


def require_account(db: Connection, id_: bytes, now: int) -> tuple[Session, str]:
    """A finished sign-in, and its account.

    Raises:
        Problem: ``session-needed``, or ``more-checks-needed`` where a fresh face check is demanded and missing.
    """
    session = require_session(db, id_, now, ACCOUNT)
    if session.must is not None:
        raise Problem("more-checks-needed")
    assert session.account is not None
    return session, session.account


def end_session(db: Connection, id_: bytes) -> None:
    SessionRepository(db).delete(id_)
