"""``/v1/positions``, ``/v1/enrolments``, ``/v1/confirmations`` and ``/v1/resends``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Security
from fastapi.security import APIKeyHeader
from sqlalchemy import Connection

from biometric_idp.registrar.confirmations import service
from biometric_idp.registrar.confirmations.repository import EnrolmentRepository
from biometric_idp.registrar.confirmations.schemas import (
    Confirm,
    EnrolmentId,
    FindPosition,
    SendAgain,
    StartEnrolment,
)
from biometric_idp.registrar.context import Registrar, registrar_of
from biometric_idp.shared.answers import BASE64URL, COUNT, TEXT, answer, one_of
from biometric_idp.shared.fields import encode_base64url
from biometric_idp.shared.request_signature import SIGNATURE_HEADER
from services.problems import Problem

router = APIRouter(prefix="/v1")
Service = Annotated[Registrar, Depends(registrar_of)]


async def raw_body(request: Request) -> bytes:
    return await request.body()


Raw = Annotated[bytes, Depends(raw_body)]
#: Only for the OpenAPI document; ``require_signed`` judges both headers.
_SIGNED = [
    Security(
        APIKeyHeader(
            name=SIGNATURE_HEADER,
            scheme_name="Signature",
            description="Signature of the identity provider over the request, with its time in evoting-time.",
            auto_error=False,
        )
    )
]
_STARTED = answer(status=202, id=TEXT, position=COUNT, style=TEXT, channel_hint=TEXT)
_STATUS = answer(
    ("body", "signature"),
    state=one_of("pending", "confirmed", "expired"),
    body=BASE64URL,
    signature=BASE64URL,
)


@router.post("/positions", dependencies=_SIGNED, responses=answer(position=COUNT, style=TEXT))
def find_position(body: FindPosition, request: Request, raw: Raw, registrar: Service) -> service.Answer:
    """Of the identity provider: where a person stands on the roll."""
    election = registrar.election(body.election)
    signed = service.require_signed(registrar, election, "POST", request.url.path, raw, request.headers)
    return registrar.committer.commit("position", lambda db: service.find_position(db, election, body, signed))


@router.post("/enrolments", status_code=202, dependencies=_SIGNED, responses=_STARTED)
def start(body: StartEnrolment, request: Request, raw: Raw, registrar: Service) -> service.Answer:
    """Of the identity provider: a voting passkey that waits for its citizen's confirmation."""
    election = registrar.election(body.election)
    signed = service.require_signed(registrar, election, "POST", request.url.path, raw, request.headers)
    try:
        return registrar.committer.commit("start", lambda db: service.start(db, registrar, election, body, signed))
    finally:
        registrar.outbox.wake()


@router.get("/enrolments/{enrolment}", dependencies=_SIGNED, responses=_STATUS)
def status(enrolment: EnrolmentId, request: Request, registrar: Service) -> service.Answer:
    """Of the identity provider: whether the citizen has confirmed, and the signed body."""

    def look(db: Connection) -> service.Answer:
        item = EnrolmentRepository(db).get(enrolment)
        if item is None:
            raise Problem("enrolment-unknown")
        election = registrar.election_by_id(item.election)
        service.require_signed(registrar, election, "GET", request.url.path, b"", request.headers)
        return service.status(registrar, item)

    answer = registrar.committer.read(look)
    return {name: encode_base64url(value) if isinstance(value, bytes) else value for name, value in answer.items()}


@router.post("/confirmations", responses=answer(state=TEXT))
def confirm(body: Confirm, registrar: Service) -> service.Answer:
    """Of the citizen's device: the code, and the digest of the key that the device made."""
    try:
        return registrar.committer.commit("confirm", lambda db: service.confirm(db, registrar, body))
    finally:
        registrar.outbox.wake()


@router.post("/resends", responses=answer(state=TEXT, channel_hint=TEXT))
def send_again(body: SendAgain, registrar: Service) -> service.Answer:
    """Of the citizen's device: another code."""
    try:
        return registrar.committer.commit("resend", lambda db: service.send_again(db, registrar, body.enrolment))
    finally:
        registrar.outbox.wake()
