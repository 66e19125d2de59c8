"""Carrying a sign-in over to the voting host, without cookies: a code in the address's fragment, good once."""

from __future__ import annotations

import secrets
from hashlib import sha256

from sqlalchemy import Connection

from biometric_idp.idp.context import Idp
from biometric_idp.idp.sessions.repository import Session
from biometric_idp.idp.sessions.service import VOTING, open_session, require_account, require_session
from biometric_idp.idp.voting.repository import Handoff, HandoffRepository, PlaceRepository
from biometric_idp.idp.voting.schemas import MakeHandoff
from biometric_idp.shared.fields import encode_base64url
from services.problems import Problem

_CODE_SECONDS = 120
_SESSION_SECONDS = 1800
#: What a session on the voting host was handed over for; the names are those of ``MakeHandoff.purpose``.
VOTING_PASSKEY, TICKET = "voting-passkey", "ticket"
Answer = dict[str, object]


def make_handoff(db: Connection, idp: Idp, session_id: bytes, request: MakeHandoff) -> Answer:
    now = idp.clock()
    election = idp.election(request.election)
    session, account = require_account(db, session_id, now)
    code = encode_base64url(secrets.token_bytes(32))
    HandoffRepository(db).add(
        Handoff(
            sha256(code.encode()).digest(),
            account,
            election.id,
            request.purpose,
            session.level,
            session.began,
            now + _CODE_SECONDS,
        )
    )
    return {"code": code, "voting_origin": election.voting_origin, "expires": now + _CODE_SECONDS}


def open_voting_session(db: Connection, idp: Idp, code: str) -> Answer | Problem:
    """A session on the voting host, for one election and one purpose. The code is spent even where it is too late."""
    now = idp.clock()
    handoff = HandoffRepository(db).take(sha256(code.encode()).digest())
    if handoff is None or handoff.expires <= now:
        return Problem("handoff-invalid")
    election = idp.election_by_id(handoff.election)
    token = open_session(
        db,
        VOTING,
        now,
        _SESSION_SECONDS,
        account=handoff.account,
        election=election.id,
        grant=handoff.grant,
        level=handoff.level,
        began=handoff.began,
    )
    place = PlaceRepository(db).get(election.id, handoff.account)
    answer: Answer = {
        "session": token,
        "election": election.origin,
        "purpose": handoff.grant,
        "expires": now + _SESSION_SECONDS,
    }
    if place is not None:
        answer |= {"position": place[0], "style": place[1]}
    return answer


def require_voting(db: Connection, idp: Idp, session_id: bytes, grant: str | None = None) -> tuple[Session, str]:
    """The voting session, and its account.

    Args:
        grant: what the session must have been handed over for; either purpose where it is not given.

    Raises:
        Problem: ``session-needed``, or ``session-purpose``, where it was handed over for something else.
    """
    session = require_session(db, session_id, idp.clock(), VOTING)
    assert session.account is not None
    if grant is not None and session.grant != grant:
        raise Problem("session-purpose")
    return session, session.account
