"""``/v1/voting/tickets`` and ``/v1/voting/inquiries``, for pages of the voting host."""

from __future__ import annotations

from fastapi import APIRouter

from biometric_idp.idp.context import Service, TokenHash
from biometric_idp.idp.idempotency.service import Answer, IdempotencyKey
from biometric_idp.idp.tickets import service
from biometric_idp.idp.voting.schemas import AskInquiry, AskTicket
from biometric_idp.shared.answers import BASE64URL, COUNT, TEXT, answer

router = APIRouter(prefix="/v1/voting")


@router.post("/tickets", responses=answer(hash=BASE64URL, ticket=BASE64URL))
def ticket(body: AskTicket, idp: Service, token: TokenHash, key: IdempotencyKey) -> Answer:
    """The identity provider's word for one request for a credential."""
    return idp.committer.commit("ticket", lambda db: service.ticket(db, idp, token, body, key))


@router.post("/inquiries", responses=answer(inquiry=BASE64URL, position=COUNT, style=TEXT))
def inquiry(body: AskInquiry, idp: Service, token: TokenHash) -> Answer:
    """The right to ask an issuer, or the registrar, about one's own roll position."""
    election, account, place = service.find_place(idp, token, body.election)
    return idp.committer.commit("inquiry", lambda db: service.inquiry(db, idp, election, account, place, body))
