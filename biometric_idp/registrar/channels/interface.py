"""What a channel is, and the message that it carries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one citizen.

    Attributes:
        id: the same whenever the message is sent again, so that a gateway or reader can drop the double.
        address: telephone number or e-mail address out of the registrar's own copy of the register.
    """

    id: str
    address: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    language: str


class DeliveryError(Exception):
    """The message was not taken. The text holds no address and nothing of the message."""


class Channel(Protocol):
    """Hands messages over. Called from one thread at a time."""

    def deliver(self, message: Message) -> None:
        """Return when the message is taken.

        Raises:
            DeliveryError: it was not; trying again later makes sense.
        """
        ...

    def close(self) -> None: ...
