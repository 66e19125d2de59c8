"""``/v1/officers/places`` and ``/v1/officers/tickets``, for the terminal's page on the voting host."""

from __future__ import annotations

from fastapi import APIRouter

from biometric_idp.idp.config import ElectionConfig
from biometric_idp.idp.context import Idp, Service
from biometric_idp.idp.enrolment.service import identify
from biometric_idp.idp.idempotency.service import Answer, IdempotencyKey
from biometric_idp.idp.terminal import service
from biometric_idp.idp.terminal.schemas import AskPlace, AskTerminalTicket
from biometric_idp.idp.voting.registrar_client import RegistrarRefusal
from biometric_idp.shared.answers import BASE64URL, COUNT, TEXT, answer

router = APIRouter(prefix="/v1/officers")


@router.post("/places", responses=answer(position=COUNT, style=TEXT))
def place(body: AskPlace, idp: Service) -> Answer:
    """Where on the roll the person stands whom an officer has before them: the terminal needs it for the request."""
    election = idp.committer.commit("terminal-officer", lambda db: service.officer_for_place(db, idp, body))
    position, style = _place(idp, election, body)
    return {"position": position, "style": style}


@router.post("/tickets", responses=answer(hash=BASE64URL, ticket=BASE64URL))
def ticket(body: AskTerminalTicket, idp: Service, key: IdempotencyKey) -> Answer:
    """The identity provider's word for a request that two officers make with a voter who has no voting passkey."""
    election, fingerprint = idp.committer.read(lambda db: service.opened_with_officers(db, idp, body))
    known = _place(idp, election, body)
    return idp.committer.commit(
        "terminal-ticket", lambda db: service.ticket(db, idp, election, fingerprint, body, known, key)
    )


def _place(idp: Idp, election: ElectionConfig, body: AskPlace | AskTerminalTicket) -> tuple[int, str]:
    """Position and style of the person, by PIN and document.

    Register and registrar are asked only once officers' assertions hold: nobody else learns anything here, or uses up a
    person's attempts.
    """
    person = idp.register.person(body.pin)
    idp.committer.commit("terminal-identity", lambda db: identify(db, idp, body.pin, body.document.mrz, person))
    try:
        return idp.registrars[election.id].position(election.origin, body.pin)
    except RegistrarRefusal as refusal:
        raise refusal.problem() from None
