"""Section ``[oidc]`` of the identity provider's configuration: which clients there are, and what each may ask."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from biometric_idp.idp.oidc.levels import ACR_VALUES, PASSKEY
from biometric_idp.shared.addresses import is_https, is_private
from services.config import Config

Scope = Literal["openid", "profile", "pin"]
SCOPES: tuple[str, ...] = get_args(Scope)
Authentication = Literal["none", "private_key_jwt", "client_secret_basic"]
AUTHENTICATIONS: tuple[str, ...] = get_args(Authentication)
_ORIGIN = re.compile(r"https?://(?:[a-z0-9]+(?:[.-][a-z0-9]+)*|\[::1\])(?::[1-9][0-9]{0,4})?", re.ASCII)
#: After the origin; without query and fragment there is one way only to add parameters to it.
_PATH = re.compile(r"/[A-Za-z0-9._~/-]*", re.ASCII)


class ClientConfig(Config):
    """A client.

    Attributes:
        id: its ``client_id``.
        names: what people know it as, by language.
        redirect_uris: compared character by character; https, or http on this machine; no query, no fragment.
        authentication: at the token endpoint. ``none`` is for a page without a server; PKCE is demanded from all.
        secret_sha256: of a secret made by ``evoting-idp oidc-key secret``; of 256 random bits a plain hash is enough.
        jwks: file with the client's public ES256 keys.
        scopes: what it may ask for.
        subject: ``pairwise``: clients of different sectors cannot compare subjects. ``public``: the same for all such.
        sector: clients of one organisation that may share subjects; the host of the redirect addresses otherwise.
        minimum_acr: asked for even if the client does not.
        origins: of its pages, if they call token endpoint and userinfo from the browser (CORS).
    """

    id: str = Field(pattern=r"^[a-z0-9-]{1,64}$")
    names: dict[str, Annotated[str, Field(min_length=1, max_length=100)]]
    redirect_uris: list[str] = Field(min_length=1, max_length=10)
    authentication: Authentication
    secret_sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    jwks: Path | None = None
    scopes: tuple[Scope, ...] = ("openid",)
    subject: Literal["pairwise", "public"] = "pairwise"
    sector: str | None = Field(default=None, pattern=r"^[a-z0-9.-]{1,253}$")
    minimum_acr: str = PASSKEY
    origins: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> ClientConfig:
        if self.names.keys() != {"ky", "ru", "en"}:
            raise ValueError(f"client {self.id}: the name is needed in ky, ru and en")
        if (self.authentication == "client_secret_basic") != (self.secret_sha256 is not None):
            raise ValueError(f"client {self.id}: secret_sha256 and client_secret_basic belong together")
        if (self.authentication == "private_key_jwt") != (self.jwks is not None):
            raise ValueError(f"client {self.id}: jwks and private_key_jwt belong together")
        if "openid" not in self.scopes:
            raise ValueError(f"client {self.id}: the scope openid is always needed")
        if self.minimum_acr not in ACR_VALUES:
            raise ValueError(f"client {self.id}: minimum_acr is none of {', '.join(ACR_VALUES)}")
        for uri in self.redirect_uris:
            origin = _ORIGIN.match(uri)
            if origin is None or not _PATH.fullmatch(uri[origin.end() :]):
                raise ValueError(f"client {self.id}: a redirect address is http(s)://host[:port]/path, lower-case host")
        if not all(_ORIGIN.fullmatch(origin) for origin in self.origins):
            raise ValueError(f"client {self.id}: an origin is http(s)://host[:port]")
        if not all(is_private(address) for address in [*self.redirect_uris, *self.origins]):
            raise ValueError(f"client {self.id}: addresses must begin with https:// unless they are on this machine")
        if self.sector is None and len({urlsplit(uri).netloc for uri in self.redirect_uris}) != 1:
            raise ValueError(f"client {self.id}: redirect addresses on several hosts need a sector")
        return self

    @property
    def sector_name(self) -> str:
        """What subjects are bound to."""
        return self.sector or urlsplit(self.redirect_uris[0]).netloc


class OidcConfig(Config):
    """The provider; its issuer identifier is the identity provider's origin.

    Attributes:
        keys: directory with signing keys and the secret of pairwise subjects (``evoting-idp oidc-key new``).
        code_seconds, token_seconds: how long an authorization code, and ID and access tokens are valid.
        fresh_seconds: how recent a sign-in must be that answers ``prompt=login``.
    """

    keys: Path
    code_seconds: int = Field(default=60, ge=10, le=600)
    token_seconds: int = Field(default=600, ge=60, le=3600)
    fresh_seconds: int = Field(default=120, ge=30, le=600)
    clients: tuple[ClientConfig, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> OidcConfig:
        if len({client.id for client in self.clients}) != len(self.clients):
            raise ValueError("two OpenID Connect clients have the same id")
        return self

    def check_real(self) -> None:
        """What only a MODEL deployment may do.

        Raises:
            ValueError: says what.
        """
        addresses = [uri for client in self.clients for uri in (*client.redirect_uris, *client.origins)]
        if not all(is_https(address) for address in addresses):
            raise ValueError("redirect addresses and origins of OpenID Connect clients must begin with https://")

    def cors(self) -> dict[str, list[str]]:
        """Origins by path, for ``ServiceOptions.origins``: pages of clients that have no server of their own."""
        origins = sorted({origin for client in self.clients for origin in client.origins})
        paths = ("/oidc/token", "/oidc/userinfo", "/oidc/jwks", "/.well-known/openid-configuration")
        return dict.fromkeys(paths, origins) if origins else {}
