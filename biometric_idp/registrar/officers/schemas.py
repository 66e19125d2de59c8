"""Bodies of requests."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from biometric_idp.shared.fields import Body, CoseKey, CredentialId, Language, Origin, PinText
from biometric_idp.shared.officers import TwoAssertions


class InPerson(Body):
    election: Origin
    pin: PinText
    credential: CredentialId
    key: CoseKey
    algorithm: Literal[-7, -8]
    language: Language = "ky"
    date: Annotated[int, Field(ge=0, le=2_932_897)]
    assertions: TwoAssertions
