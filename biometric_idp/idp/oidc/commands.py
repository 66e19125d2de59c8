"""``evoting-idp oidc-key``: signing keys of the provider, and secrets of clients."""

from __future__ import annotations

import json
import secrets
from argparse import ArgumentParser
from hashlib import sha256
from pathlib import Path

from biometric_idp.idp.oidc.config import OidcConfig
from biometric_idp.idp.oidc.keys import new_key, read_keys


def new(config: OidcConfig, base: Path, now: int, *, drop_previous: bool) -> dict[str, object]:
    """Make a signing key; running services take it up by themselves."""
    directory = base / config.keys
    kid = new_key(directory, now, least_age=config.token_seconds, drop_previous=drop_previous)
    return {"kid": kid, "published": [key.thumbprint() for key in read_keys(directory).published]}


def client_secret() -> dict[str, object]:
    """A secret for a client, and its hash for the configuration."""
    secret = secrets.token_urlsafe(32)
    return {"secret": secret, "secret_sha256": sha256(secret.encode()).hexdigest()}


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments of the command, besides ``--config``."""
    parser.add_argument("action", choices=("new", "secret"), help="a signing key, or a secret for a client")
    parser.add_argument(
        "--drop-previous", action="store_true", help="the present key may be in other hands: publish it no more"
    )


def run(action: str, config: OidcConfig, base: Path, now: int, *, drop_previous: bool) -> str:
    """One line of JSON for stdout."""
    return json.dumps(client_secret() if action == "secret" else new(config, base, now, drop_previous=drop_previous))
