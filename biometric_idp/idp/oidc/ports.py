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
    """

    subject: str
    acr: str
    amr: Sequence[str]
    auth_time: int


@dataclass(frozen=True, slots=True)
class Person:
    """What may be told about a person, by scope: ``profile`` the name, ``pin`` the PIN. A roll position never."""

    name: str
    pin: str


class Sessions(Protocol):
    def session_of(self, db: Connection, token: str, now: int) -> SignedIn | None:
        """The session of a bearer token; None if unknown, expired, ended, or made for another purpose."""


class People(Protocol):
    def person_of(self, db: Connection, subject: str) -> Person | None:
        """The person of an account; None if the account is no longer active."""
