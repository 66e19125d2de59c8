"""The registrar as an application: its parts put together, from configuration to routes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from sqlalchemy import MetaData
from starlette.concurrency import run_in_threadpool

from biometric_idp.population.open import open_register
from biometric_idp.registrar.channels import models as _outbox_models  # noqa: F401  (its table)
from biometric_idp.registrar.channels.service import Outbox
from biometric_idp.registrar.config import RegistrarConfig
from biometric_idp.registrar.confirmations.endpoints import router as confirmations
from biometric_idp.registrar.context import Clock, Registrar, now, open_channels
from biometric_idp.registrar.officers.endpoints import router as officers
from biometric_idp.registrar.rolls.endpoints import router as rolls
from biometric_idp.registrar.tables import AUDIT, METADATA
from biometric_idp.role_key import read_role_key
from biometric_idp.shared.audit.service import Audit, audit_work
from biometric_idp.shared.commits import Committer, Probe, no_probe
from biometric_idp.shared.hosts import host_values
from biometric_idp.shared.registers import AskedRegister
from biometric_idp.shared.secret import read_secret
from services.app import ServiceOptions, create_app
from services.database import open_engine, reading
from services.migrations import upgrade
from services.problems import Catalogue, read_catalogue

SERVICE = "registrar"
#: Models and revisions of the whole database; a test compares them.
SCHEMAS: Sequence[MetaData] = (METADATA,)
MIGRATIONS = Path(__file__).parent / "migrations"
_POOL = 20


def catalogue() -> Catalogue:
    """Every error that this service can answer with."""
    package = Path(__file__).parents[1]
    return read_catalogue(*[package / part / "problems.toml" for part in ("registrar", "shared", "population")])


def open_registrar(config: RegistrarConfig, base: Path, *, clock: Clock = now, probe: Probe = no_probe) -> Registrar:
    """Open database, keys, register and channels.

    Args:
        base: directory that paths in the configuration are relative to.

    Raises:
        ServiceError, IdpError: what is missing or cannot be used.
    """
    url = config.database if "://" in config.database else str(base / config.database)
    engine = open_engine(url, pool=_POOL)
    upgrade(engine, MIGRATIONS, SERVICE)
    committer = Committer(engine, probe)
    return Registrar(
        config,
        committer,
        read_role_key(base / config.key),
        read_secret(base / config.secret),
        AskedRegister(open_register(base / config.register_.file)),
        Outbox(committer, open_channels(config.channels, base), clock),
        clock,
    )


def make_app(registrar: Registrar, port: int) -> FastAPI:
    """Routes, limits and background work."""
    committer = registrar.committer
    voting = sorted({election.voting_origin for election in registrar.config.elections})
    office = [] if registrar.config.office is None else [registrar.config.office.origin]
    audit = Audit(AUDIT)
    background = audit_work(committer, audit)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        registrar.outbox.start()
        for work in background:
            work.start()
        yield
        await run_in_threadpool(registrar.outbox.stop)
        for work in background:
            await run_in_threadpool(work.stop)
        committer.engine.dispose()

    def ready() -> None:
        with reading(committer.engine) as db:
            audit.head(db)

    app = create_app(
        "Registrar",
        catalogue(),
        ServiceOptions(
            hosts=host_values(registrar.config.host_names, port),
            own_origins=office,
            origins={
                "/v1/confirmations": voting,
                "/v1/resends": voting,
                "/v1/elections/": voting,
                "/v1/in-person": office,
            },
            # Asked for tickets at terminals and for looks at one's own position: what is kept of those is a date (C11).
            quiet=frozenset({"/v1/positions", "/v1/elections/{election}/roll/proof"}),
        ),
        ready=ready,
        lifespan=lifespan,
    )
    app.state.registrar = registrar
    for router in (confirmations, officers, rolls):
        app.include_router(router)
    return app
