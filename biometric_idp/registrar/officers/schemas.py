"""Bodies of requests."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from biometric_idp.request import Assertion
from biometric_idp.shared.fields import Base64Url, Body, CoseKey, CredentialId, Language, Origin, PinText


class AssertionBody(Body):
    """A WebAuthn assertion, as ``navigator.credentials.get`` returns it, without what is not signed."""

    credential: CredentialId
    client_data: Annotated[Base64Url, Field(min_length=1, max_length=2048)]
    authenticator_data: Annotated[Base64Url, Field(min_length=37, max_length=1024)]
    signature: Annotated[Base64Url, Field(min_length=8, max_length=72)]

    def assertion(self) -> Assertion:
        return Assertion(self.credential, self.client_data, self.authenticator_data, self.signature)


class InPerson(Body):
    election: Origin
    pin: PinText
    credential: CredentialId
    key: CoseKey
    algorithm: Literal[-7, -8]
    language: Language = "ky"
    date: Annotated[int, Field(ge=0, le=2_932_897)]
    assertions: Annotated[list[AssertionBody], Field(min_length=2, max_length=2)]
