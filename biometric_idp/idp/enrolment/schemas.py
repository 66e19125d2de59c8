"""Bodies of requests."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from biometric_idp.shared.fields import Base64Url, Body, Id, Language, PinText

MrzLine = Annotated[str, Field(pattern=r"^[A-Z0-9<]{30,44}$")]


class Document(Body):
    mrz: Annotated[list[MrzLine], Field(min_length=2, max_length=3)]


class StartEnrolment(Body):
    pin: PinText
    document: Document
    language: Language = "ky"


class CredentialBody(Body):
    """What ``navigator.credentials`` returned, as JSON; judged by the WebAuthn library."""

    credential: Annotated[dict[str, Any], Field(max_length=16)]


ChipFile = Annotated[Base64Url, Field(min_length=1, max_length=131_072)]


class Chip(Body):
    """Files as a terminal read them: EF.SOD, DG1, DG2."""

    sod: ChipFile
    dg1: ChipFile
    dg2: ChipFile


class MakeAppointment(Body):
    consulate: Id
