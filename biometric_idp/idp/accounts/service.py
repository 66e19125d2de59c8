"""A person's own data, and what they can revoke."""

from __future__ import annotations

from sqlalchemy import Connection

from biometric_idp.idp.accounts.repository import AccountRepository
from biometric_idp.idp.context import DAY, Idp
from biometric_idp.idp.oidc.repository import revoke_subject
from biometric_idp.idp.passkeys.repository import ACTIVE, REVOKED, PasskeyRepository
from biometric_idp.idp.sessions.repository import SessionRepository
from biometric_idp.idp.sessions.service import ACR, AMR, require_account
from biometric_idp.idp.voting.repository import LOGGED, PlaceRepository, VotingPasskeyRepository
from biometric_idp.population.pin import mask_pin
from biometric_idp.shared.fields import encode_base64url
from services.problems import Problem

Answer = dict[str, object]


def show(db: Connection, idp: Idp, session_id: bytes) -> Answer:
    """Everything that is kept about the caller, but no key and no template."""
    session, id_ = require_account(db, session_id, idp.clock())
    accounts = AccountRepository(db)
    account = accounts.get(id_)
    if account is None:
        raise Problem("session-needed")
    places = {election: (position, style) for election, position, style in PlaceRepository(db).of_account(id_)}
    voting = VotingPasskeyRepository(db).of_account(id_)
    elections: list[Answer] = []
    for election in idp.config.elections:
        place = places.get(election.id)
        states = {item.state for item in voting if item.election == election.id}
        elections.append(
            {
                "election": election.origin,
                "id": election.id,
                "title": election.title,
                "model": election.model,
                "voting_origin": election.voting_origin,
                "position": None if place is None else place[0],
                "style": None if place is None else place[1],
                "voting_passkey": LOGGED if LOGGED in states else "pending" if states else "none",
            }
        )
    return {
        "pin": mask_pin(account.pin),
        "state": account.state,
        "proofing": account.proofing,
        "acr": ACR[session.level],
        "amr": AMR[session.level],
        "passkeys": [
            {
                "credential": encode_base64url(item.credential),
                "state": item.state,
                "backed_up": item.backed_up,
                "date": item.created // DAY,
            }
            for item in PasskeyRepository(db).of_account(id_)
        ],
        "notices": [{"kind": kind, "date": date} for kind, date in accounts.notices(id_)],
        "elections": elections,
    }


def revoke_passkey(db: Connection, idp: Idp, session_id: bytes, credential: bytes) -> Answer:
    """Revoke a sign-in passkey; other sessions of the account end. Revoking it again changes nothing.

    Raises:
        Problem: ``last-passkey``: nobody locks themselves out by accident.
    """
    now = idp.clock()
    session, id_ = require_account(db, session_id, now)
    AccountRepository(db).get(id_, lock=True)
    repository = PasskeyRepository(db)
    passkeys = repository.of_account(id_)
    mine = next((item for item in passkeys if item.credential == credential), None)
    if mine is None:
        raise Problem("passkey-unknown")
    if mine.state == ACTIVE:
        if sum(item.state == ACTIVE for item in passkeys) == 1:
            raise Problem("last-passkey")
        repository.revoke(credential)
        SessionRepository(db).delete_of_account(id_, keep=session.id)
        revoke_subject(db, id_, now)
        AccountRepository(db).note(id_, "passkey-revoked", now // DAY)
        idp.audit.record(db, "passkey-revoked", now, account=idp.subject(id_))
    return {"state": REVOKED}


def account_pin(db: Connection, idp: Idp, session_id: bytes) -> tuple[str, str]:
    """Account and PIN of the caller."""
    _, id_ = require_account(db, session_id, idp.clock())
    account = AccountRepository(db).get(id_)
    if account is None:
        raise Problem("session-needed")
    return id_, account.pin
