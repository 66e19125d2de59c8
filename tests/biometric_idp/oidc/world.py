"""One provider with three clients, and persons who are signed in."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import Engine, insert

from biometric_idp.idp.oidc.keys import new_key
from biometric_idp.idp.oidc.levels import PASSKEY
from services.database import open_engine
from tests.biometric_idp.oidc.provider_app import PERSON, SESSION
from tests.biometric_idp.oidc.relying_party import RelyingParty, public_jwk
from tests.support.running import Service, start_service

CABINET_PAGE = "https://cabinet.example"
PIN = "20101199000123"

_CONFIG = """
database = "{database}"

[oidc]
keys = "oidc-keys"
{more}

[[oidc.clients]]
id = "cabinet"
names = {{ ky = "Шайлоочунун кабинети", ru = "Кабинет избирателя", en = "Voter's Cabinet" }}
redirect_uris = ["https://cabinet.example/callback", "https://cabinet.example/second"]
authentication = "none"
scopes = ["openid", "profile", "pin"]
origins = ["https://cabinet.example"]

[[oidc.clients]]
id = "office"
names = {{ ky = "Шайлоо комиссиясы", ru = "Избирательная комиссия", en = "Election office" }}
redirect_uris = ["https://office.example/callback"]
authentication = "private_key_jwt"
jwks = "office.jwks.json"
scopes = ["openid", "profile"]
minimum_acr = "urn:evoting:acr:passkey+face"

[[oidc.clients]]
id = "help-desk"
names = {{ ky = "Колдоо кызматы", ru = "Служба поддержки", en = "Help desk" }}
redirect_uris = ["https://help.example/callback"]
authentication = "client_secret_basic"
secret_sha256 = "{secret}"
scopes = ["openid"]
subject = "public"

[[oidc.clients]]
id = "archive"
names = {{ ky = "Архив", ru = "Архив", en = "Archive" }}
redirect_uris = ["https://archive.example/callback"]
authentication = "none"
subject = "public"
"""


@dataclass
class World:
    process: Service
    http: httpx.Client
    engine: Engine
    directory: Path
    cabinet: RelyingParty
    office: RelyingParty
    help_desk: RelyingParty
    archive: RelyingParty

    def sign_in(self, subject: str = "account-1", acr: str = PASSKEY, amr: str = "pop user hwk", age: int = 0) -> str:
        """A session's token."""
        token = secrets.token_urlsafe(32)
        now = int(time.time())
        values = {"subject": subject, "acr": acr, "amr": amr, "auth_time": now - age, "expires": now + 900}
        with self.engine.begin() as db:
            db.execute(insert(SESSION).values(token=sha256(token.encode()).hexdigest(), **values))
        return token

    def add_person(self, subject: str, name: str = "Айгүл Үсөнова", pin: str = PIN) -> None:
        with self.engine.begin() as db:
            db.execute(insert(PERSON).values(subject=subject, name=name, pin=pin))


@contextmanager
def running_world(directory: Path, database: str | None = None, more: str = "") -> Iterator[World]:
    """Start the provider in a process."""
    address = database or f"sqlite:///{directory / 'provider.db'}"
    secret, key = secrets.token_urlsafe(32), ec.generate_private_key(ec.SECP256R1())
    hashed = sha256(secret.encode()).hexdigest()
    (directory / "provider.toml").write_text(_CONFIG.format(database=address, secret=hashed, more=more))
    (directory / "office.jwks.json").write_text(json.dumps({"keys": [public_jwk(key)]}))
    new_key(directory / "oidc-keys", int(time.time()) - 7200, least_age=600)
    command = start_service("tests.biometric_idp.oidc.provider_app", directory / "provider.toml")
    with command as process, httpx.Client(base_url=process.url, timeout=30) as http:
        engine = open_engine(address)
        world = World(
            process,
            http,
            engine,
            directory,
            RelyingParty(http, "cabinet", "https://cabinet.example/callback"),
            RelyingParty(http, "office", "https://office.example/callback", key=key, scope="openid profile"),
            RelyingParty(http, "help-desk", "https://help.example/callback", secret=secret, scope="openid"),
            RelyingParty(http, "archive", "https://archive.example/callback", scope="openid"),
        )
        world.add_person("account-1")
        try:
            yield world
        finally:
            engine.dispose()
