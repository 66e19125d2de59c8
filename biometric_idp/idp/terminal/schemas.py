"""Bodies of requests."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from biometric_idp.idp.enrolment.schemas import Document
from biometric_idp.request import MAX_DATE, Assertion
from biometric_idp.shared.fields import Base64Url, Body, CredentialId, Hex32, Id, PinText


class _Browser(BaseModel):
    """What a browser writes: it may have more members than are looked at here."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class AssertionResponse(_Browser):
    client_data: Annotated[Base64Url, Field(min_length=1, max_length=2048, alias="clientDataJSON")]
    authenticator_data: Annotated[Base64Url, Field(min_length=37, max_length=1024, alias="authenticatorData")]
    signature: Annotated[Base64Url, Field(min_length=8, max_length=72)]


class AssertionJson(_Browser):
    """An ``AuthenticationResponseJSON`` of WebAuthn Level 3; the sizes are those that issuers take."""

    id: CredentialId
    response: AssertionResponse

    def assertion(self) -> Assertion:
        said = self.response
        return Assertion(self.id, said.client_data, said.authenticator_data, said.signature)


class AskPlace(Body):
    """``election`` is the fingerprint; ``date`` in days since 1970-01-01, as in the officer's challenge."""

    election: Hex32
    pin: PinText
    document: Document
    date: Annotated[int, Field(ge=0, le=MAX_DATE)]
    assertion: AssertionJson


class AskTerminalTicket(Body):
    """``election`` is the fingerprint."""

    election: Hex32
    pin: PinText
    document: Document
    style: Id
    position: Annotated[int, Field(ge=0, lt=2**48)]
    blinded: Annotated[Base64Url, Field(min_length=48, max_length=48)]
    assertions: Annotated[list[AssertionJson], Field(min_length=2, max_length=2)]
