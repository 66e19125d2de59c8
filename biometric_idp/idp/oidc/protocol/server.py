"""Authlib's authorization server for one transaction: what is stored and signed, and which rules are stricter.

The order of checks, the errors and their encoding are the library's (RFC 6749, 6750, 7636, 9207, OpenID Connect Core).
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from authlib.oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import InvalidClientError, InvalidGrantError, InvalidRequestError, ResourceProtector
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9207 import IssuerParameter
from authlib.oidc.core import OpenIDCode
from joserfc.jwk import ECKey

from biometric_idp.idp.oidc.config import AUTHENTICATIONS, SCOPES, OidcConfig
from biometric_idp.idp.oidc.keys import ALGORITHM, KeyRing, SigningKeys
from biometric_idp.idp.oidc.ports import SignedIn
from biometric_idp.idp.oidc.protocol.assertion import ClientAssertion
from biometric_idp.idp.oidc.protocol.client import Client
from biometric_idp.idp.oidc.protocol.request import Answer, Request
from biometric_idp.idp.oidc.repository import AccessToken, Code, OidcRepository, digest
from services.logs import get_log

# At level DEBUG the library writes tokens into its log.
logging.getLogger("authlib").setLevel(logging.ERROR)

_CHALLENGE_CHARACTERS = 43
_CODE_BYTES = 32


@dataclass(frozen=True)
class Account:
    """The resource owner, once a code is exchanged."""

    subject: str
    pseudonym: str


class Server(AuthorizationServer):
    """One for each transaction; nothing is shared between requests.

    Args:
        clients: by id.
        repository: of this transaction.
    """

    def __init__(
        self,
        issuer: str,
        config: OidcConfig,
        clients: Mapping[str, Client],
        ring: KeyRing,
        repository: OidcRepository,
        now: int,
    ) -> None:
        super().__init__(scopes_supported=list(SCOPES))
        self.issuer = issuer
        self.config = config
        self.ring = ring
        self.repository = repository
        self.now = now
        self._clients = clients
        self.register_client_auth_method("private_key_jwt", ClientAssertion(issuer, now, repository.use_assertion))
        self.register_token_generator("default", self._bearer)
        self.register_grant(CodeGrant, [Challenge(required=True), IdToken(issuer, config, ring.keys(), now)])
        self.register_extension(_issuer_parameter(issuer))

    def query_client(self, client_id: str) -> Client | None:
        return self._clients.get(client_id)

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        return

    def create_oauth2_request(self, request: Request) -> Request:
        return request

    def handle_response(self, status: int, body: object, headers: object) -> Answer:
        members = body if isinstance(body, dict) else {}
        pairs = headers if isinstance(headers, list) else []
        return Answer(status, members, {str(name).lower(): str(value) for name, value in pairs})

    def save_token(self, token: dict[str, object], request: Request) -> None:
        code = request.authorization_code
        assert isinstance(code, Code)
        expires = self.now + self.config.token_seconds
        if not self.repository.use_code(code, max(expires, code.expires)):
            raise InvalidGrantError("The code was used before.")
        self.repository.add_token(str(token["access_token"]), code, expires)

    def _bearer(self, *, scope: str, **_: object) -> dict[str, object]:
        # Opaque, and no refresh token: signing in again is one touch.
        return {
            "token_type": "Bearer",
            "access_token": secrets.token_urlsafe(_CODE_BYTES),
            "expires_in": self.config.token_seconds,
            "scope": scope,
        }


class CodeGrant(AuthorizationCodeGrant):
    """Codes in the database, bound to client, redirect address, challenge and sign-in; each works once."""

    TOKEN_ENDPOINT_AUTH_METHODS = list(AUTHENTICATIONS)  # noqa: RUF012  (the library's attribute)
    server: Server

    def generate_authorization_code(self) -> str:
        return secrets.token_urlsafe(_CODE_BYTES)

    def save_authorization_code(self, code: str, request: Request) -> None:
        signed_in = request.user
        assert isinstance(signed_in, SignedIn)
        expires = self.server.now + self.server.config.code_seconds
        stored = Code(
            hash=digest(code),
            client=request.client.get_client_id(),
            redirect_uri=request.values["redirect_uri"],
            scope=request.scope,
            subject=signed_in.subject,
            nonce=request.values["nonce"],
            challenge=request.values["code_challenge"],
            acr=signed_in.acr,
            amr=" ".join(signed_in.amr),
            auth_time=signed_in.auth_time,
            expires=expires,
        )
        self.server.repository.add_code(stored, self.server.config.token_seconds)

    def authenticate_token_endpoint_client(self) -> Client:
        if "client_secret" in self.request.form:
            raise InvalidRequestError("A secret does not travel in the body.")
        ways = ["client_assertion" in self.request.form, "Authorization" in self.request.headers]
        if all(ways):
            raise InvalidRequestError("Two ways of client authentication at once.")
        try:
            client: Client = super().authenticate_token_endpoint_client()
        except (ValueError, TypeError):
            # An Authorization header that is no base64 or no UTF-8.
            raise InvalidClientError(status_code=401, description="Client authentication is malformed.") from None
        if any(ways) and client.config.authentication == "none":
            raise InvalidClientError(status_code=401, description="This client has no credentials.")
        if self.request.form.get("client_id", client.config.id) != client.config.id:
            raise InvalidClientError(status_code=401, description="Another client authenticated.")
        return client

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        stored = self.server.repository.code(code)
        if stored is None:
            return None
        if stored.used is not None:
            # Whoever presents it, two have seen it (RFC 6749 4.1.2).
            revoked = self.server.repository.revoke_tokens_of_code(stored)
            get_log().warning("oidc-code-used-again", client=client.config.id, revoked=revoked)
            return None
        if stored.client != client.config.id or stored.expires <= self.server.now:
            return None
        return stored

    def delete_authorization_code(self, authorization_code: Code) -> None:
        # Marked as used together with saving the token; the row stays so that a second use is noticed.
        return

    def authenticate_user(self, authorization_code: Code) -> Account:
        client = self.request.client
        assert isinstance(client, Client)
        return Account(authorization_code.subject, client.subject(self.server.ring, authorization_code.subject))


class Challenge(CodeChallenge):
    """S256, demanded from every client."""

    DEFAULT_CODE_CHALLENGE_METHOD = "S256"
    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]  # noqa: RUF012  (the library's attribute)

    def validate_code_challenge(self, grant: CodeGrant, redirect_uri: str) -> None:
        request = grant.request
        assert isinstance(request, Request)
        values = request.values
        if values.get("code_challenge_method") != "S256":
            raise InvalidRequestError("code_challenge_method must be S256.")
        if len(values.get("code_challenge", "")) != _CHALLENGE_CHARACTERS:
            raise InvalidRequestError("code_challenge must be a SHA-256 in base64url.")
        super().validate_code_challenge(grant, redirect_uri)


class IdToken(OpenIDCode):
    """ID tokens by ES256, with nothing about the person but the subject: claims are for userinfo."""

    def __init__(self, issuer: str, config: OidcConfig, keys: SigningKeys, now: int) -> None:
        super().__init__(require_nonce=True)
        self._issuer = issuer
        self._seconds = config.token_seconds
        self._keys = keys
        self._now = now

    def exists_nonce(self, nonce: str, request: Request) -> bool:
        # The client compares it with its own; refusing it here would only punish a page that repeats a lost request.
        return False

    def get_client_algorithm(self, client: Client) -> str:
        return ALGORITHM

    def get_encode_header(self, client: Client) -> dict[str, str]:
        return {"alg": ALGORITHM, "kid": self._keys.kid}

    def resolve_client_private_key(self, client: Client) -> ECKey:
        return self._keys.current

    def get_client_claims(self, client: Client) -> dict[str, object]:
        return {
            "iss": self._issuer,
            "aud": client.get_client_id(),
            "iat": self._now,
            "exp": self._now + self._seconds,
        }

    def generate_user_info(self, user: Account, scope: str) -> dict[str, str]:
        return {"sub": user.pseudonym}


def _issuer_parameter(issuer: str) -> type[IssuerParameter]:
    class Named(IssuerParameter):
        def __init__(self, server: Server) -> None:
            self(server)

        def get_issuer(self) -> str:
            return issuer

    return Named


class _Validator(BearerTokenValidator):
    def __init__(self, repository: OidcRepository) -> None:
        super().__init__()
        self._repository = repository

    def authenticate_token(self, token_string: str) -> AccessToken | None:
        return self._repository.token(token_string)


def access_token_of(authorization: str | None, repository: OidcRepository) -> AccessToken:
    """The valid access token of a request to userinfo.

    Raises:
        OAuth2Error: RFC 6750 section 3.1.
    """
    protector = ResourceProtector()
    protector.register_token_validator(_Validator(repository))
    token = protector.validate_request(["openid"], Request("GET", {}, authorization))
    assert isinstance(token, AccessToken)
    return token
