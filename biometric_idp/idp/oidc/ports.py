"""What the provider needs from the rest of the identity provider."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session of the sign-in page.

    Attributes:
        subject: the account, as the identity provider names it; it never leaves.
        acr: one of ``levels.ACR_VALUES``.
        amr: RFC 8176 values.
        auth_time: when the person was last checked, seconds since 1970.
        must: a step that policy demands before the session is worth anything.
    """

    subject: str
    acr: str
    amr: Sequence[str]
    auth_time: int
    must: str | None = None


class Sessions(Protocol):
    def session_of(self, db: Connection, token: str, now: int) -> SignedIn | None:
        """The session of a bearer token; None if unknown, expired, ended, or made for another purpose."""


class People(Protocol):
    """What may be told about a person, by scope: ``profile`` the name, ``pin`` the PIN. A roll position never."""

    def pin_of(self, db: Connection, subject: str) -> str | None:
        """The PIN of an account; None if the account is no longer active."""

    def name_of(self, pin: str) -> str | None:
        """The name in the population register; None if it knows no such living person. Asked outside transactions.

        Raises:
            RegisterError: no usable answer.
        """
