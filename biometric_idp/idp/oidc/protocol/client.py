"""A registered client, as Authlib wants to see it."""

from __future__ import annotations

import hmac
from hashlib import sha256

from authlib.oauth2.rfc6749 import ClientMixin
from joserfc.jwk import KeySet

from biometric_idp.idp.oidc.config import ClientConfig
from biometric_idp.idp.oidc.keys import KeyRing


class Client(ClientMixin):
    """Answers of a configuration entry."""

    id_token_signed_response_alg = "ES256"

    def __init__(self, config: ClientConfig, keys: KeySet | None) -> None:
        self.config = config
        self.keys = keys

    def get_client_id(self) -> str:
        return self.config.id

    def subject(self, ring: KeyRing, account: str) -> str:
        """``sub`` of an account for this client."""
        # Public subjects come from the secret too: what an account is called inside is nobody's matter.
        is_pairwise = self.config.subject == "pairwise"
        return ring.subject(f"sector:{self.config.sector_name}" if is_pairwise else "public", account)

    def get_default_redirect_uri(self) -> str | None:
        # The parameter is demanded, also where there is one address only (OpenID Connect Core 3.1.2.1).
        return None

    def get_allowed_scope(self, scope: str | None) -> str | None:
        asked = (scope or "").split()
        if "openid" not in asked or not set(asked) <= set(self.config.scopes):
            return None
        return " ".join(name for name in self.config.scopes if name in asked)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.config.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        expected = self.config.secret_sha256
        if expected is None:
            return False
        return hmac.compare_digest(sha256(client_secret.encode()).hexdigest(), expected)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return endpoint == "token" and method == self.config.authentication

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"
