"""Types of fields in requests: binary values, identifiers and numbers that are valid once they are inside.

No field takes free text: control and direction characters have nowhere to come in (attack A6).
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)


class Body(BaseModel):
    """Base of request bodies: unknown names are refused, and so is a value of another type."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def encode_base64url(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode_base64url(text: object) -> bytes:
    """Strict inverse of ``encode_base64url``: one text for each byte string.

    Raises:
        ValueError: anything else.
    """
    if type(text) is not str or not _BASE64URL.fullmatch(text):
        raise ValueError("is no base64url without padding")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise ValueError("is no base64url without padding") from None
    if encode_base64url(data) != text:
        raise ValueError("is no base64url without padding")
    return data


Base64Url = Annotated[
    bytes,
    BeforeValidator(decode_base64url, json_schema_input_type=str),
    PlainSerializer(encode_base64url, return_type=str),
]
CredentialId = Annotated[Base64Url, Field(min_length=1, max_length=1023)]
CoseKey = Annotated[Base64Url, Field(min_length=32, max_length=128)]
#: The form only: whether such a person exists is never a matter of the form.
PinText = Annotated[str, Field(pattern=r"^[0-9]{14}$")]
Id = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")]
Origin = Annotated[str, Field(pattern=r"^[a-z0-9][A-Za-z0-9._~/-]{0,254}$")]
Hex32 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Hex64 = Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]
Token = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]
Language = Annotated[str, Field(pattern=r"^(ky|ru|en)$")]
