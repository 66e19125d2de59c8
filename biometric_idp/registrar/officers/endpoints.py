"""``/v1/in-person``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from biometric_idp.registrar.confirmations.service import Answer
from biometric_idp.registrar.context import Registrar, registrar_of
from biometric_idp.registrar.officers import service
from biometric_idp.registrar.officers.schemas import InPerson
from biometric_idp.shared.answers import BASE64URL, COUNT, TEXT, answer
from biometric_idp.shared.fields import encode_base64url

router = APIRouter(prefix="/v1")


@router.post("/in-person", responses=answer(id=TEXT, position=COUNT, style=TEXT, body=BASE64URL, signature=BASE64URL))
def confirm_in_person(body: InPerson, registrar: Annotated[Registrar, Depends(registrar_of)]) -> Answer:
    """Of the registrar's office page: two officers confirm a citizen's new passkey."""
    try:
        answer = registrar.committer.commit("in-person", lambda db: service.confirm_in_person(db, registrar, body))
    finally:
        registrar.outbox.wake()
    return {name: encode_base64url(value) if isinstance(value, bytes) else value for name, value in answer.items()}
