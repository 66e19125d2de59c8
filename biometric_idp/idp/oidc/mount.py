"""The provider inside of the identity provider: its sessions, accounts and register."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Connection

from biometric_idp.idp.accounts.repository import ACTIVE, AccountRepository
from biometric_idp.idp.oidc.config import OidcConfig
from biometric_idp.idp.oidc.ports import SignedIn
from biometric_idp.idp.oidc.service import Provider
from biometric_idp.idp.sessions.repository import SessionRepository
from biometric_idp.idp.sessions.service import ACCOUNT, ACR, AMR
from biometric_idp.population.register import Register
from biometric_idp.shared.commits import Committer


class IdpSessions:
    """Sessions of sign-in; one of an enrolment or of the voting host is none."""

    def session_of(self, db: Connection, token: str, now: int) -> SignedIn | None:
        session = SessionRepository(db).get(sha256(token.encode()).digest())
        if session is None or session.expires <= now or session.purpose != ACCOUNT or session.account is None:
            return None
        account = AccountRepository(db).get(session.account)
        if account is None or account.state != ACTIVE:
            return None
        return SignedIn(session.account, ACR[session.level], AMR[session.level], session.began, session.must)


class RegisteredPeople:
    """Accounts here, names from the population register."""

    def __init__(self, register: Register) -> None:
        self._register = register

    def pin_of(self, db: Connection, subject: str) -> str | None:
        account = AccountRepository(db).get(subject)
        return None if account is None or account.state != ACTIVE else account.pin

    def name_of(self, pin: str) -> str | None:
        person = self._register.person(pin)
        return None if person is None or person.deceased else f"{person.surname} {person.given_names}"


def open_provider(
    config: OidcConfig, issuer: str, base: Path, committer: Committer, register: Register, clock: Callable[[], int]
) -> Provider:
    """The provider of a running identity provider.

    Raises:
        FormatError, StateError: key files cannot be used; there is none before ``evoting-idp oidc-key new``.
    """
    return Provider(config, issuer, base, committer, IdpSessions(), RegisteredPeople(register), clock)
