"""The provider as a process of its own, with a plain table of sessions and persons in place of the sign-in."""

from __future__ import annotations

import sys
import time
from hashlib import sha256
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from sqlalchemy import BigInteger, Column, Connection, Engine, MetaData, String, Table, select

import biometric_idp.idp.oidc.endpoints
from biometric_idp.idp.oidc.config import OidcConfig
from biometric_idp.idp.oidc.endpoints import oidc_router
from biometric_idp.idp.oidc.ports import SignedIn
from biometric_idp.idp.oidc.service import Provider
from biometric_idp.idp.oidc.tables import ASSERTION, CODE, TOKEN
from biometric_idp.shared.commits import Committer
from services.app import ServiceOptions, create_app
from services.config import Config, read_config
from services.database import open_engine
from services.problems import read_catalogue
from services.run import serve

TABLES = MetaData()
SESSION = Table(
    "test_session",
    TABLES,
    Column("token", String(64), primary_key=True),
    Column("subject", String(64), nullable=False),
    Column("acr", String(64), nullable=False),
    Column("amr", String(64), nullable=False),
    Column("auth_time", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
)
PERSON = Table(
    "test_person",
    TABLES,
    Column("subject", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("pin", String(14), nullable=False),
)


class AppConfig(Config):
    database: str
    oidc: OidcConfig


class TableSessions:
    def session_of(self, db: Connection, token: str, now: int) -> SignedIn | None:
        wanted = (SESSION.c.token == sha256(token.encode()).hexdigest()) & (SESSION.c.expires > now)
        row = db.execute(select(SESSION).where(wanted)).one_or_none()
        return None if row is None else SignedIn(row.subject, row.acr, row.amr.split(), row.auth_time)


class TablePeople:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def pin_of(self, db: Connection, subject: str) -> str | None:
        return db.scalar(select(PERSON.c.pin).where(PERSON.c.subject == subject))

    def name_of(self, pin: str) -> str | None:
        with self._engine.connect() as db:
            return db.scalars(select(PERSON.c.name).where(PERSON.c.pin == pin)).first()


def make(path: Path, port: int) -> FastAPI:
    config = read_config(path, AppConfig)
    engine = open_engine(config.database, pool=20)
    CODE.metadata.create_all(engine, [CODE, TOKEN, ASSERTION])
    TABLES.create_all(engine)
    origin = f"http://127.0.0.1:{port}"
    options = ServiceOptions(hosts=[f"127.0.0.1:{port}"], own_origins=[origin], origins=config.oidc.cors())
    catalogue = read_catalogue(Path(biometric_idp.idp.oidc.endpoints.__file__).with_name("problems.toml"))
    app = create_app("provider", catalogue, options)
    provider = Provider(
        config.oidc,
        origin,
        path.parent,
        Committer(engine),
        TableSessions(),
        TablePeople(engine),
        lambda: int(time.time()),
    )
    page = path.with_name("page.html")
    app.include_router(oidc_router(provider, (lambda: HTMLResponse(page.read_bytes())) if page.exists() else None))
    return app


if __name__ == "__main__":
    serve("provider", lambda port: make(Path(sys.argv[1]), port), "127.0.0.1", 0)
