"""All queries of the provider."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Connection, delete, insert, select, update

from biometric_idp.idp.oidc.tables import ASSERTION, CODE, PURGED, TOKEN
from biometric_idp.shared.inserts import insert_once


@dataclass(frozen=True)
class Code:
    """An authorization code, with what it is bound to. The names of the methods are Authlib's."""

    hash: bytes
    client: str
    redirect_uri: str
    scope: str
    subject: str
    nonce: str
    challenge: str
    acr: str
    amr: str
    auth_time: int
    expires: int
    used: int | None = None

    @property
    def code_challenge(self) -> str:
        return self.challenge

    @property
    def code_challenge_method(self) -> str:
        return "S256"

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str:
        return self.nonce

    def get_auth_time(self) -> int:
        return self.auth_time

    def get_acr(self) -> str:
        return self.acr

    def get_amr(self) -> list[str]:
        return self.amr.split()


@dataclass(frozen=True)
class AccessToken:
    """An access token as it is stored. The names of the methods are Authlib's."""

    client: str
    scope: str
    subject: str
    expires: int
    revoked: int | None
    now: int

    def get_scope(self) -> str:
        return self.scope

    def is_expired(self) -> bool:
        return self.expires <= self.now

    def is_revoked(self) -> bool:
        return self.revoked is not None


def digest(secret: str) -> bytes:
    """What the database holds of a code, a token, or an assertion's id."""
    return sha256(secret.encode()).digest()


class OidcRepository:
    def __init__(self, db: Connection, now: int) -> None:
        self._db = db
        self._now = now

    def add_code(self, code: Code, keep_seconds: int) -> None:
        values = {name: getattr(code, name) for name in CODE.c.keys() if name != "forget"}  # noqa: SIM118
        self._db.execute(insert(CODE).values(**values, forget=code.expires + keep_seconds))

    def code(self, secret: str) -> Code | None:
        """The row stays locked until the transaction ends: of two that present one code, the second sees it used."""
        query = select(CODE).where(CODE.c.hash == digest(secret)).with_for_update()
        row = self._db.execute(query).mappings().one_or_none()
        return None if row is None else Code(**{name: value for name, value in row.items() if name != "forget"})

    def use_code(self, code: Code, forget: int) -> bool:
        """False if it was used before."""
        unused = (CODE.c.hash == code.hash) & CODE.c.used.is_(None)
        return self._db.execute(update(CODE).where(unused).values(used=self._now, forget=forget)).rowcount == 1

    def add_token(self, secret: str, code: Code, expires: int) -> None:
        self._db.execute(
            insert(TOKEN).values(
                hash=digest(secret),
                code=code.hash,
                client=code.client,
                scope=code.scope,
                subject=code.subject,
                expires=expires,
            )
        )

    def token(self, secret: str) -> AccessToken | None:
        columns = (TOKEN.c.client, TOKEN.c.scope, TOKEN.c.subject, TOKEN.c.expires, TOKEN.c.revoked)
        row = self._db.execute(select(*columns).where(TOKEN.c.hash == digest(secret))).mappings().one_or_none()
        return None if row is None else AccessToken(**row, now=self._now)

    def revoke_tokens_of_code(self, code: Code) -> int:
        """How many were valid until now."""
        valid = (TOKEN.c.code == code.hash) & TOKEN.c.revoked.is_(None)
        return self._db.execute(update(TOKEN).where(valid).values(revoked=self._now)).rowcount

    def revoke_subject(self, subject: str) -> int:
        """End what an account's sign-ins have given to clients: unused codes and access tokens."""
        self._db.execute(update(CODE).where((CODE.c.subject == subject) & CODE.c.used.is_(None)).values(expires=0))
        valid = (TOKEN.c.subject == subject) & TOKEN.c.revoked.is_(None)
        return self._db.execute(update(TOKEN).where(valid).values(revoked=self._now)).rowcount

    def use_assertion(self, client: str, jti: str, expires: int) -> bool:
        """False if this client used this id before."""
        return insert_once(self._db, ASSERTION, {"hash": digest(f"{client} {jti}"), "expires": expires})


def revoke_subject(db: Connection, subject: str, now: int) -> int:
    """For whoever blocks an account or revokes its passkeys; returns how many access tokens were valid until now."""
    return OidcRepository(db, now).revoke_subject(subject)


def purge(db: Connection, now: int) -> dict[str, int]:
    """Delete what nobody can use any more; counts by kind."""
    return {kind: db.execute(delete(table).where(until < now)).rowcount for kind, table, _, until in PURGED}
