"""``/v1/sign-in`` and ``/v1/sign-out``."""

from __future__ import annotations

from fastapi import APIRouter, Response

from biometric_idp.idp.context import Service, TokenHash
from biometric_idp.idp.sessions.service import end_session
from biometric_idp.idp.sign_in import service
from biometric_idp.idp.sign_in.schemas import NoBody, SignIn
from biometric_idp.shared.answers import OPTIONS, SECONDS, TEXT, TOKEN, answer, many

router = APIRouter(prefix="/v1")


@router.post("/sign-in/options", responses=answer(publicKey=OPTIONS, id=TEXT))
async def options(_: NoBody, idp: Service) -> service.Answer:
    """Options for ``navigator.credentials.get`` on the identity provider's host."""
    return service.options(idp)


@router.post(
    "/sign-in",
    responses=answer(("must",), session=TOKEN, acr=TEXT, amr=many(TEXT), expires=SECONDS, must=many(TEXT)),
)
def sign_in(body: SignIn, idp: Service) -> service.Answer:
    """The assertion; gives a session."""
    return idp.committer.commit("sign-in", lambda db: service.sign_in(db, idp, body.id, body.credential))


@router.post("/sign-out", status_code=204)
def sign_out(idp: Service, token: TokenHash) -> Response:
    """End the session; ending it again is no error."""
    idp.committer.commit("sign-out", lambda db: end_session(db, token))
    return Response(status_code=204)
