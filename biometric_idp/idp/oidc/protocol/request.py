"""Requests and answers between Authlib and the endpoints; no web framework in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from authlib.oauth2.rfc6749 import OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload

# Authlib wants to see https in the address of a request. Whether there is TLS is the reverse proxy's matter here, and
# the address is used for nothing else.
_ADDRESS = "https://provider.invalid"


class Request(OAuth2Request):
    """A request whose parameters were parsed already; see ``parameters``."""

    def __init__(self, method: str, values: Mapping[str, str], authorization: str | None = None) -> None:
        super().__init__(method, _ADDRESS, headers={} if authorization is None else {"Authorization": authorization})
        self.values = dict(values)
        self.payload: BasicOAuth2Payload = BasicOAuth2Payload(self.values)  # type: ignore[assignment]

    @property
    def args(self) -> dict[str, str]:
        return {}

    @property
    def form(self) -> dict[str, str]:
        return self.values


@dataclass
class Answer:
    """Status, JSON body (empty for a redirect) and headers by lower-case name."""

    status: int
    body: dict[str, object] = field(repr=False)
    headers: dict[str, str] = field(repr=False)

    @property
    def location(self) -> str | None:
        return self.headers.get("location")

    @location.setter
    def location(self, value: str) -> None:
        self.headers["location"] = value
