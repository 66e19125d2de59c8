"""``/v1/officers``, of the office page on the identity provider's host, and ``/v1/enrolments/appointment``."""

from __future__ import annotations

from fastapi import APIRouter

from biometric_idp.idp.context import Service, TokenHash
from biometric_idp.idp.enrolment.schemas import MakeAppointment
from biometric_idp.idp.enrolment.service import Answer
from biometric_idp.idp.officers import service
from biometric_idp.idp.officers.schemas import Confirm, LetIn, OfficerOptions
from biometric_idp.shared.answers import OPTIONS, SECONDS, TEXT, TOKEN, answer, many

router = APIRouter(prefix="/v1")


@router.post("/enrolments/appointment", responses=answer(appointment=TEXT, consulate=TEXT, state=TEXT, expires=SECONDS))
def make_appointment(body: MakeAppointment, idp: Service, token: TokenHash) -> Answer:
    """Instead of liveness and face: an appointment at a consulate."""
    return idp.committer.commit("appointment", lambda db: service.make_appointment(db, idp, token, body))


@router.post("/officers/options", responses=answer(publicKey=OPTIONS))
async def options(body: OfficerOptions, idp: Service) -> Answer:
    """Options for both officers' ``navigator.credentials.get``, over one challenge."""
    return service.options(idp, body)


@router.post("/officers/confirmations", responses=answer(state=TEXT))
def confirm(body: Confirm, idp: Service) -> Answer:
    """Two officers confirm an appointment."""
    return idp.committer.commit("officers-confirm", lambda db: service.confirm(db, idp, body))


@router.post(
    "/officers/enrolments",
    status_code=201,
    responses=answer(status=201, session=TOKEN, steps=many(TEXT), expires=SECONDS),
)
def let_in(body: LetIn, idp: Service) -> Answer:
    """Two officers vouch for a person at their desk."""
    person = idp.register.person(body.pin)
    return idp.committer.commit("officers-let-in", lambda db: service.let_in(db, idp, body, person))
