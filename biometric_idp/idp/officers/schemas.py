"""Bodies of requests."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from biometric_idp.shared.fields import Body, Language, PinText
from biometric_idp.shared.officers import TwoAssertions

AppointmentId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class OfficerOptions(Body):
    """``appointment`` is left out where officers let a person in who has none."""

    appointment: AppointmentId | None = None
    pin: PinText


class Confirm(Body):
    appointment: AppointmentId
    pin: PinText
    assertions: TwoAssertions


class LetIn(Body):
    pin: PinText
    language: Language = "ky"
    assertions: TwoAssertions
    challenge: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{70,80}$")]
