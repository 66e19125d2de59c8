"""``/v1/handoff`` on the identity provider's host, ``/v1/voting`` for pages of the voting host."""

from __future__ import annotations

from fastapi import APIRouter

from biometric_idp.idp.context import Service, TokenHash
from biometric_idp.idp.idempotency.service import IdempotencyKey
from biometric_idp.idp.voting import handoff, service
from biometric_idp.idp.voting.registrar_client import RegistrarRefusal, Status
from biometric_idp.idp.voting.repository import DESK, LOGGED
from biometric_idp.idp.voting.schemas import Complete, MakeHandoff, OpenVotingSession, PasskeyOptions, RegisterPasskey
from biometric_idp.shared.answers import COUNT, HEX32, OPTIONS, SECONDS, TEXT, TOKEN, answer, one_of
from services.problems import Problem

router = APIRouter(prefix="/v1")
Answer = dict[str, object]
_PLACE = ("position", "style")
_SESSION = answer(_PLACE, session=TOKEN, election=TEXT, purpose=TEXT, expires=SECONDS, position=COUNT, style=TEXT)
_PENDING = answer(status=202, enrolment=TEXT, key_digest=HEX32, registrar=TEXT, channel_hint=TEXT)
_STATE = answer(("index", *_PLACE), state=one_of("pending", "logged"), index=COUNT, position=COUNT, style=TEXT)


@router.post("/handoff", responses=answer(code=TOKEN, voting_origin=TEXT, expires=SECONDS))
def make_handoff(body: MakeHandoff, idp: Service, token: TokenHash) -> Answer:
    """A code that opens one session on the voting host."""
    return idp.committer.commit("handoff", lambda db: handoff.make_handoff(db, idp, token, body))


@router.post("/voting/session", responses=_SESSION)
def open_session(body: OpenVotingSession, idp: Service) -> Answer:
    """Of the voting page: trade the code for a session."""
    return idp.committer.commit("voting-session", lambda db: handoff.open_voting_session(db, idp, body.code))


@router.post("/voting/passkey/options", responses=answer(publicKey=OPTIONS, id=TEXT))
def options(body: PasskeyOptions, idp: Service, token: TokenHash) -> Answer:
    """Options for ``navigator.credentials.create`` on the voting host."""
    return idp.committer.read(lambda db: service.options(db, idp, token, body.election))


@router.post("/voting/passkey", status_code=202, responses=_PENDING)
def register(body: RegisterPasskey, idp: Service, token: TokenHash, key: IdempotencyKey) -> Answer:
    """The new voting passkey; the registrar sends its citizen a code."""
    pending, answer = idp.committer.commit("voting-passkey", lambda db: service.register(db, idp, token, body, key))
    if answer is not None:
        return answer
    if pending.state == DESK:
        raise Problem("change-in-person", enrolment=pending.registrar or "")
    election = idp.election_by_id(pending.election)
    pin = idp.committer.read(lambda db: service.account_pin(db, pending.account))
    try:
        started = idp.registrars[election.id].start(
            election.origin, pin, pending.credential, pending.key, pending.algorithm, pending.language
        )
    except RegistrarRefusal as refusal:
        noted = refusal
        return idp.committer.commit("voting-refused", lambda db: service.note_refusal(db, idp, pending, noted))
    idp.committer.probe("registrar-told")
    return idp.committer.commit("voting-told", lambda db: service.tell_registrar(db, idp, pending, key, started))


@router.post("/voting/passkey/complete", responses=_STATE)
def complete(body: Complete, idp: Service, token: TokenHash) -> Answer:
    """Into the enrolment log, once the registrar has the citizen's confirmation."""
    pending = idp.committer.read(lambda db: service.pending_of(db, idp, token, body.enrolment))
    status = Status("confirmed", b"", b"")
    if pending.state != LOGGED:
        try:
            status = idp.registrars[pending.election].status(body.enrolment)
        except RegistrarRefusal as refusal:
            raise refusal.problem() from None
        if status.state == "expired":
            raise Problem("enrolment-expired")
        if status.state != "confirmed":
            return idp.committer.read(lambda db: service.waiting(db, pending))
    return idp.committer.commit("voting-logged", lambda db: service.append(db, idp, pending.id, status))
