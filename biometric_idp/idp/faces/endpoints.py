"""``.../liveness`` and ``.../face`` below ``/v1/enrolments`` and ``/v1/sign-in``; chips; revocation of templates."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from biometric_idp.idp.accounts.service import account_pin
from biometric_idp.idp.context import Service, TokenHash
from biometric_idp.idp.enrolment import biometric
from biometric_idp.idp.enrolment.schemas import Chip
from biometric_idp.idp.faces.service import Answer, revoke_template, split_frames
from biometric_idp.idp.sign_in import fresh_face
from biometric_idp.shared.answers import BYTES, COUNT, FLAG, TEXT, answer, body, many, maybe, members, one_of

router = APIRouter(prefix="/v1")
Sequence = Annotated[int, Query(ge=0, le=1_000_000)]


async def frames_of(request: Request) -> list[bytes]:
    """The frames in a body: one JPEG, or several with their lengths."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return split_frames(kind, await request.body())


Frames = Annotated[list[bytes], Depends(frames_of)]
_CAMERA = body("image/jpeg", BYTES)
_ACTIONS = many(members(action=TEXT, seconds={"type": "number"}))
_BEGUN = answer(
    id=TEXT, frames_per_second=COUNT, state=TEXT, next_action=maybe(TEXT), actions=_ACTIONS, step=COUNT, steps=COUNT
)
_TOLD = answer(
    ("step", "steps"),
    state=one_of("continue", "passed"),
    next_action=maybe(TEXT),
    actions=_ACTIONS,
    step=COUNT,
    steps=COUNT,
)


@router.post("/enrolments/passive-authentication", responses=answer(steps=many(TEXT)))
def authenticate_chip(body: Chip, idp: Service, token: TokenHash) -> Answer:
    """Of a terminal with a reader: the chip's files."""
    return biometric.authenticate_chip(idp, token, body)


@router.post("/enrolments/liveness", responses=_BEGUN)
def begin_liveness(idp: Service, token: TokenHash) -> Answer:
    """Begin; the answer has the first action only, each later one comes when the one before was seen."""
    return idp.committer.commit("liveness-begin", lambda db: biometric.begin_liveness(db, idp, token))


@router.post("/enrolments/liveness/frames", responses=_TOLD, openapi_extra=_CAMERA)
def enrolment_frames(sequence: Sequence, frames: Frames, idp: Service, token: TokenHash) -> Answer:
    """Frames of the camera, numbered from ``sequence``."""
    return biometric.take_frames(idp, token, sequence, frames)


@router.post("/enrolments/face", responses=answer(matched=FLAG))
def match_face(idp: Service, token: TokenHash) -> Answer:
    """Compare with the register's portrait."""
    return biometric.match_face(idp, token)


@router.post("/sign-in/liveness", responses=_BEGUN)
def begin_fresh_liveness(idp: Service, token: TokenHash) -> Answer:
    """Begin a fresh check after sign-in."""
    return idp.committer.commit("liveness-begin", lambda db: fresh_face.begin(db, idp, token))


@router.post("/sign-in/liveness/frames", responses=_TOLD, openapi_extra=_CAMERA)
def sign_in_frames(sequence: Sequence, frames: Frames, idp: Service, token: TokenHash) -> Answer:
    """Frames of the camera, numbered from ``sequence``."""
    return fresh_face.take_frames(idp, token, sequence, frames)


@router.post("/sign-in/face", responses=answer(matched=FLAG, acr=TEXT, amr=many(TEXT)))
def match_fresh_face(idp: Service, token: TokenHash) -> Answer:
    """Compare with the template in the vault; the session's level rises."""
    return fresh_face.match(idp, token)


@router.post("/account/templates/revoke", responses=answer(state=TEXT))
def revoke(idp: Service, token: TokenHash) -> Answer:
    """Destroy one's own face template; enrolling again makes a new one."""
    account, pin = idp.committer.read(lambda db: account_pin(db, idp, token))
    revoke_template(idp, idp.voter(pin))
    idp.committer.commit(
        "template-revoke",
        lambda db: idp.audit.record(db, "template-revoked", idp.clock(), account=idp.subject(account)),
    )
    return {"state": "revoked"}
