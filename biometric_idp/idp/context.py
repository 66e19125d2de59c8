"""What every request of the identity provider works with: configuration, database, keys, register, clock."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer
from nacl.signing import SigningKey

from biometric_idp.documents.certificates import CountryRoots
from biometric_idp.idp.config import ElectionConfig, IdpConfig
from biometric_idp.idp.faces.component import Faces
from biometric_idp.idp.oidc.service import Provider
from biometric_idp.idp.passkeys.verify import AuthenticatorPolicy
from biometric_idp.idp.tables import AUDIT
from biometric_idp.idp.voting.registrar_client import RegistrarClient
from biometric_idp.logs.online import OnlineLog
from biometric_idp.population.register import Register
from biometric_idp.shared.audit.service import Audit
from biometric_idp.shared.commits import Committer
from biometric_idp.shared.elections import with_id, with_origin
from services.problems import Problem

Clock = Callable[[], int]
DAY = 86_400


def now() -> int:
    return int(time.time())


@dataclass(frozen=True)
class Idp:
    """The service's parts.

    Attributes:
        origin: of its own pages, exact; known only when the port is.
        policy, voting_policy: authenticators that are let in for sign-in passkeys and for voting passkeys.
        registrars: by election id.
        logs: enrolment log by election id.
        oidc: the OpenID Connect provider, where one is configured.
    """

    config: IdpConfig
    origin: str
    committer: Committer
    key: SigningKey = field(repr=False)
    secret: bytes = field(repr=False)
    register: Register
    faces: Faces | None
    country_roots: CountryRoots | None
    policy: AuthenticatorPolicy
    voting_policy: AuthenticatorPolicy
    registrars: Mapping[str, RegistrarClient]
    logs: Mapping[str, OnlineLog]
    clock: Clock
    precise_clock: Callable[[], float] = time.time
    oidc: Provider | None = None
    audit: Audit = field(default_factory=lambda: Audit(AUDIT))

    def election(self, origin: str) -> ElectionConfig:
        """The election with this log origin.

        Raises:
            Problem: ``unknown-election``.
        """
        return with_origin(self.config.elections, origin)

    def election_by_id(self, id_: str) -> ElectionConfig:
        return with_id(self.config.elections, id_)

    def digest(self, label: str, *parts: bytes) -> bytes:
        """A digest that only this deployment can compute."""
        framed = b"".join(len(part).to_bytes(4, "big") + part for part in (label.encode(), *parts))
        return hmac.digest(self.secret, framed, "sha256")

    def voter(self, pin: str) -> str:
        """How biometrics call a person: worth nothing in another deployment."""
        return self.digest("voter", pin.encode()).hex()

    def subject(self, account: str) -> str:
        """How the audit log calls an account: the same for one account, and worth nothing without the secret."""
        return self.digest("audit-subject", account.encode()).hex()[:16]


async def idp_of(request: Request) -> Idp:
    idp = request.app.state.idp
    assert isinstance(idp, Idp)
    return idp


#: Only for the OpenAPI document; ``token_hash`` judges the header.
BEARER = HTTPBearer(auto_error=False, description="The token of a session.")


async def token_hash(request: Request, _: Annotated[object, Security(BEARER)]) -> bytes:
    """SHA-256 of the bearer token.

    Raises:
        Problem: ``session-needed``.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not 20 <= len(token) <= 100:
        raise Problem("session-needed")
    return sha256(token.encode()).digest()


Service = Annotated[Idp, Depends(idp_of)]
TokenHash = Annotated[bytes, Depends(token_hash)]
