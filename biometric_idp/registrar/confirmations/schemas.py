"""Bodies of requests."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from biometric_idp.shared.fields import Base64Url, Body, CoseKey, CredentialId, Hex32, Language, Origin, PinText

EnrolmentId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


#: Makes two requests within one second differ, so that a retry is not taken for a replay.
Nonce = Annotated[Base64Url, Field(min_length=16, max_length=16)]


class StartEnrolment(Body):
    nonce: Nonce
    election: Origin
    pin: PinText
    credential: CredentialId
    key: CoseKey
    algorithm: Literal[-7, -8]
    language: Language


class FindPosition(Body):
    nonce: Nonce
    election: Origin
    pin: PinText


class Confirm(Body):
    enrolment: EnrolmentId
    code: Annotated[str, Field(pattern=r"^[0-9]{8}$")]
    key_digest: Hex32


class SendAgain(Body):
    enrolment: EnrolmentId
