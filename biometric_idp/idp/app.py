"""The identity provider as an application: its parts put together, from configuration to routes."""

from __future__ import annotations

import hmac
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Response
from sqlalchemy import Engine, MetaData
from starlette.concurrency import run_in_threadpool

from biometric_idp.biometrics.liveness_rules import FAILURES
from biometric_idp.documents.certificates import CountryRoots
from biometric_idp.enrolment.log import enrolment_origin
from biometric_idp.idp.accounts.endpoints import router as accounts
from biometric_idp.idp.config import AUTO, ChipConfig, IdpConfig
from biometric_idp.idp.context import Clock, Idp, now
from biometric_idp.idp.enrolment.endpoints import router as enrolment
from biometric_idp.idp.faces.component import open_faces
from biometric_idp.idp.faces.endpoints import router as faces
from biometric_idp.idp.log.endpoints import router as log
from biometric_idp.idp.officers.endpoints import router as officers
from biometric_idp.idp.oidc.endpoints import oidc_router
from biometric_idp.idp.oidc.mount import open_provider
from biometric_idp.idp.passkeys.policy import read_policy
from biometric_idp.idp.sign_in.endpoints import router as sign_in
from biometric_idp.idp.tables import METADATA
from biometric_idp.idp.terminal.endpoints import router as terminal
from biometric_idp.idp.tickets.endpoints import router as tickets
from biometric_idp.idp.voting.endpoints import router as voting
from biometric_idp.idp.voting.registrar_client import RegistrarClient
from biometric_idp.logs.models import metadata as log_metadata
from biometric_idp.logs.online import OnlineLog
from biometric_idp.logs.witnesses import Witness
from biometric_idp.population.open import open_register
from biometric_idp.role_key import read_role_key
from biometric_idp.shared.audit.service import audit_work
from biometric_idp.shared.background import Repeated, explain
from biometric_idp.shared.commits import Committer, Probe, no_probe
from biometric_idp.shared.hosts import host_values
from biometric_idp.shared.registers import AskedRegister
from biometric_idp.shared.secret import read_secret
from crypto.log.note import decode_vkey
from services.app import ServiceOptions, create_app
from services.database import open_engine, reading
from services.logs import get_log
from services.migrations import upgrade
from services.pages import Page, add_pages, page_headers, page_of
from services.problems import Catalogue, read_catalogue

SERVICE = "idp"
#: Models of the whole database; a test compares them with the revisions.
SCHEMAS: Sequence[MetaData] = (METADATA, log_metadata)
MIGRATIONS = Path(__file__).parent / "migrations"
_POOL = 20
#: Bytes of one request with frames of the camera.
_FRAMES = 4_194_304


def catalogue() -> Catalogue:
    """Every error that this service can answer with."""
    package = Path(__file__).parents[1]
    own = [
        package / part / "problems.toml"
        for part in ("idp", "idp/oidc", "shared", "documents", "biometrics", "population")
    ]
    entries = dict(read_catalogue(*own).entries)
    # A failed liveness verdict says what was seen; over HTTP it says also of what.
    entries.update({f"liveness-{code}": entries[code] for code in FAILURES})
    return Catalogue(entries)


def open_idp(config: IdpConfig, base: Path, port: int, *, clock: Clock = now, probe: Probe = no_probe) -> Idp:
    """Open database, keys, register, logs and the ways to registrars.

    Args:
        base: directory that paths in the configuration are relative to.
        port: where the service listens; part of its origin where that is ``auto``.

    Raises:
        ServiceError, IdpError: what is missing or cannot be used.
    """
    engine = open_database(config, base)
    key = read_role_key(base / config.key)
    secret = read_secret(base / config.secret)
    witnesses = [Witness(decode_vkey(item.vkey), item.url) for item in config.log.witnesses]
    logs = {
        election.id: OnlineLog(
            engine,
            enrolment_origin(election.origin),
            key,
            witnesses,
            config.log.quorum,
            head_file=base / f"enrolment-log-head-{election.id}",
            probe=probe,
        )
        for election in config.elections
    }
    registrars = {
        election.id: RegistrarClient(
            election.registrar.url,
            key,
            clock,
            host=election.registrar.host,
            ca_file=None if election.registrar.ca_file is None else str(base / election.registrar.ca_file),
        )
        for election in config.elections
    }
    origin = f"http://{config.host_names[0]}:{port}" if config.origin == AUTO else config.origin
    committer, register = Committer(engine, probe), AskedRegister(open_register(base / config.register_.file))
    return Idp(
        config,
        origin,
        committer,
        key,
        secret,
        register,
        open_faces(config, base, engine, hmac.digest(secret, b"liveness", "sha256")),
        _country_roots(config.chip, base),
        read_policy(config.passkeys, base),
        read_policy(config.voting_passkeys, base),
        registrars,
        logs,
        clock,
        oidc=open_provider(config.oidc, origin, base, committer, register, clock) if config.oidc else None,
    )


def open_database(config: IdpConfig, base: Path) -> Engine:
    """The service's database, at the present revision.

    Raises:
        ServiceError: it cannot be used.
    """
    url = config.database if "://" in config.database else str(base / config.database)
    engine = open_engine(url, pool=_POOL)
    upgrade(engine, MIGRATIONS, SERVICE)
    return engine


def _country_roots(config: ChipConfig, base: Path) -> CountryRoots | None:
    if not config.roots:
        return None
    roots = {state: [(base / path).read_bytes() for path in paths] for state, paths in config.roots.items()}
    return CountryRoots(roots, [(base / path).read_bytes() for path in config.crls], require_crl=config.require_crl)


def make_app(idp: Idp, port: int, pages: Mapping[str, Page] | None = None) -> FastAPI:
    """Routes, limits and background work; with its own pages where there are some."""
    committer = idp.committer
    voting_origins = sorted({election.voting_origin for election in idp.config.elections})
    background = [
        *audit_work(committer, idp.audit),
        Repeated("enrolment-log", idp.config.log.interval, lambda: publish_logs(idp)),
    ]

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        for work in background:
            work.start()
        yield
        for work in background:
            await run_in_threadpool(work.stop)
        for log_ in idp.logs.values():
            log_.close()
        for registrar in idp.registrars.values():
            registrar.close()
        if idp.faces is not None:
            idp.faces.pool.close()
        committer.engine.dispose()

    def ready() -> None:
        with reading(committer.engine) as db:
            idp.audit.head(db)

    app = create_app(
        "Identity provider",
        catalogue(),
        ServiceOptions(
            hosts=host_values(idp.config.host_names, port),
            own_origins=[idp.origin],
            origins={
                "/v1/voting/": voting_origins,
                "/v1/officers/places": voting_origins,
                "/v1/officers/tickets": voting_origins,
                **(idp.config.oidc.cors() if idp.config.oidc else {}),
            },
            # Beside the order of the audit log, a line or a counter would give a ticket its time (attack C11).
            quiet=frozenset(
                {"/v1/voting/tickets", "/v1/officers/places", "/v1/officers/tickets", "/v1/voting/inquiries"}
            ),
            body_limits={
                "/v1/enrolments/liveness/": _FRAMES,
                "/v1/sign-in/liveness/": _FRAMES,
                "/v1/enrolments/passive-authentication": 524_288,
            },
        ),
        ready=ready,
        lifespan=lifespan,
    )
    app.state.idp = idp
    for router in (enrolment, faces, officers, sign_in, accounts, voting, tickets, terminal, log):
        app.include_router(router)
    if idp.oidc is not None:
        app.include_router(oidc_router(idp.oidc, _sign_in_page(pages)))
    if pages is not None:
        settings = json.dumps({"model": idp.config.model}).encode()
        add_pages(app, {**pages, "/settings.json": page_of(settings, ".json")}, camera=True)
    return app


def _sign_in_page(pages: Mapping[str, Page] | None) -> Callable[[], Response] | None:
    """The identity provider's own page, as the authorization endpoint shows it."""
    if pages is None or "/" not in pages:
        return None
    page, headers = pages["/"], page_headers(camera=True)
    return lambda: Response(page.data, media_type=page.media_type, headers=headers)


def publish_logs(idp: Idp) -> None:
    """Sign and publish what is new in every enrolment log."""
    for id_, log_ in idp.logs.items():
        try:
            log_.publish(idp.clock())
        except Exception as error:  # noqa: BLE001  (one log that cannot be published must not stop the others)
            get_log().error("log-not-published", election=id_, **explain(error))
