"""Bodies of requests."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from biometric_idp.shared.fields import Base64Url, Body, CredentialId, Hex32, Id, Origin, Token

Grant = Literal["voting-passkey", "ticket"]
EnrolmentId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class MakeHandoff(Body):
    election: Origin
    purpose: Grant


class OpenVotingSession(Body):
    code: Token


class PasskeyOptions(Body):
    election: Origin


class RegisterPasskey(Body):
    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")]
    credential: Annotated[dict[str, Any], Field(max_length=16)]
    language: Annotated[str, Field(pattern=r"^(ky|ru|en)$")] = "ky"


class Complete(Body):
    enrolment: EnrolmentId


class AskTicket(Body):
    election: Hex32
    style: Id
    position: Annotated[int, Field(ge=0, lt=2**48)]
    credential: CredentialId
    blinded: Annotated[Base64Url, Field(min_length=48, max_length=48)]


class AskInquiry(Body):
    election: Hex32
    issuer: Annotated[int, Field(ge=0, le=1000)]
