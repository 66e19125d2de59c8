"""SMS by a gateway that takes JSON over HTTPS; the names of its fields are configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from biometric_idp.registrar.channels.interface import DeliveryError, Message


@dataclass(frozen=True, slots=True)
class SmsSettings:
    """A gateway.

    Attributes:
        fields: names of the members for ``to``, ``text``, ``id`` and ``sender``.
        constants: members that are always sent.
    """

    url: str
    sender: str
    token: str | None = field(default=None, repr=False)
    fields: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    ca_file: str | None = None
    timeout: float = 10.0


class SmsChannel:
    def __init__(self, settings: SmsSettings) -> None:
        self._settings = settings
        headers = {} if settings.token is None else {"authorization": f"Bearer {settings.token}"}
        self._client = httpx.Client(
            timeout=settings.timeout,
            headers=headers,
            verify=settings.ca_file or True,
            follow_redirects=False,
            trust_env=False,
        )

    def deliver(self, message: Message) -> None:
        settings = self._settings
        values = {"to": message.address, "text": message.text, "id": message.id, "sender": settings.sender}
        members = dict(settings.constants)
        members.update({settings.fields.get(name, name): value for name, value in values.items()})
        try:
            response = self._client.post(settings.url, json=members, headers={"idempotency-key": message.id})
        except httpx.HTTPError as error:
            raise DeliveryError(f"the SMS gateway cannot be reached: {type(error).__name__}") from None
        if response.status_code not in (200, 201, 202, 204):
            raise DeliveryError(f"the SMS gateway answered {response.status_code}")

    def close(self) -> None:
        self._client.close()
