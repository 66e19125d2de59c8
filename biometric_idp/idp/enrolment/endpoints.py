"""``/v1/enrolments``."""

from __future__ import annotations

from fastapi import APIRouter

from biometric_idp.idp.context import Service, TokenHash
from biometric_idp.idp.enrolment import service
from biometric_idp.idp.enrolment.identity import find_person
from biometric_idp.idp.enrolment.schemas import CredentialBody, StartEnrolment
from biometric_idp.shared.answers import OPTIONS, SECONDS, TEXT, TOKEN, answer, many

router = APIRouter(prefix="/v1/enrolments")


@router.post("", status_code=201, responses=answer(status=201, session=TOKEN, steps=many(TEXT), expires=SECONDS))
def start(body: StartEnrolment, idp: Service) -> service.Answer:
    """Begin: PIN and the machine-readable zone of a document."""
    person = find_person(idp.register, body.pin)
    return idp.committer.commit("enrolment-start", lambda db: service.start(db, idp, body, person))


@router.post("/passkey/options", responses=answer(publicKey=OPTIONS))
def passkey_options(idp: Service, token: TokenHash) -> service.Answer:
    """Options for ``navigator.credentials.create`` on the identity provider's host."""
    return idp.committer.read(lambda db: service.passkey_options(db, idp, token))


@router.post("/passkey", responses=answer(account=TEXT))
def register_passkey(body: CredentialBody, idp: Service, token: TokenHash) -> service.Answer:
    """The new passkey; the account is active when this returns."""
    return idp.committer.commit(
        "enrolment-passkey", lambda db: service.register_passkey(db, idp, token, body.credential)
    )
