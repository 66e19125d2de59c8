"""Bodies of requests."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from biometric_idp.shared.fields import Body


class NoBody(Body):
    """An empty object."""


class SignIn(Body):
    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")]
    credential: Annotated[dict[str, Any], Field(max_length=16)]
