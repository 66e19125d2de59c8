"""Client authentication by a signed assertion (RFC 7523), narrower than the library's default."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidClientError
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from biometric_idp.idp.oidc.keys import ALGORITHM
from biometric_idp.idp.oidc.protocol.client import Client
from biometric_idp.idp.oidc.protocol.request import Request

_MOST_CHARACTERS = 4096
_MOST_JTI = 128
#: Ids are remembered until they expire. Libraries make assertions for a minute up to an hour.
MOST_SECONDS = 3600
_LEEWAY = 30


class ClientAssertion(JWTBearerClientAssertion):
    """``private_key_jwt`` with ES256 only, for this issuer alone, once.

    Args:
        use: remembers (client, jti, until); False if it was used before.
    """

    CLIENT_AUTH_METHOD = "private_key_jwt"

    def __init__(self, issuer: str, now: int, use: Callable[[str, str, int], bool]) -> None:
        super().__init__(leeway=_LEEWAY)
        self._issuer = issuer
        self._now = now
        self._use = use

    def __call__(self, query_client: Callable[[str], Client | None], request: Request) -> Client | None:
        if "client_assertion" not in request.form and "client_assertion_type" not in request.form:
            return None
        if len(request.form.get("client_assertion", "")) > _MOST_CHARACTERS:
            raise InvalidClientError(description="The client assertion is too long.")
        try:
            client: Client | None = super().__call__(query_client, request)
        except OAuth2Error:
            raise
        except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            # The library trusts an unverified token's shape here and there; whatever is wrong, it is no assertion.
            client = None
        if client is None:
            raise InvalidClientError(description="The client assertion is not valid.")
        return client

    def get_audiences(self) -> list[str]:
        # The issuer only: with more than one name for us, another server could ask for an assertion and use it here.
        return [self._issuer]

    def resolve_client_public_key(self, client: Client) -> KeySet:
        if client.keys is None:
            raise InvalidClientError(description="The client has no keys.")
        return client.keys

    def process_assertion_claims(self, assertion: str, resolve_key: KeySet) -> dict[str, Any]:
        try:
            token = jwt.decode(assertion, resolve_key, algorithms=[ALGORITHM])
            registry = jwt.JWTClaimsRegistry(
                now=self._now,
                leeway=self.leeway,
                iss={"essential": True},
                sub={"essential": True},
                aud={"essential": True, "value": self._issuer},
                exp={"essential": True},
                jti={"essential": True},
            )
            registry.validate(token.claims)
        except JoseError:
            raise InvalidClientError(description="The client assertion is not valid.") from None
        self.verify_claims(token.claims)
        return token.claims

    def verify_claims(self, claims: dict[str, Any]) -> None:
        if claims["iss"] != claims["sub"]:
            raise InvalidClientError(description="The client assertion is not valid.")
        if claims["aud"] not in (self._issuer, [self._issuer]):
            raise InvalidClientError(description="The client assertion is for others too.")
        expires = claims["exp"]
        if expires > self._now + MOST_SECONDS + self.leeway:
            raise InvalidClientError(description="The client assertion is valid for too long.")
        if len(claims["jti"]) > _MOST_JTI:
            raise InvalidClientError(description="The id of the client assertion is too long.")
        if not self._use(claims["sub"], claims["jti"], int(expires) + self.leeway + 1):
            raise InvalidClientError(description="The client assertion was used before.")
