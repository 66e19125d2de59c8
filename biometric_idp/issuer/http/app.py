"""Puts an issuer's service together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from biometric_idp.issuer.http.background import Periodic
from biometric_idp.issuer.http.config import IssuerConfig
from biometric_idp.issuer.http.desk import Desk
from biometric_idp.issuer.http.endpoints import router
from biometric_idp.request import MAX_REQUEST_BYTES
from services.app import ServiceOptions, create_app
from services.batching import MicroBatcher
from services.problems import Catalogue, read_catalogue


def issuer_catalogue() -> Catalogue:
    """Every error that an issuer answers with, codes of refusals included."""
    return read_catalogue(Path(__file__).parent / "problems.toml")


def create_issuer_app(desk: Desk, config: IssuerConfig, port: int) -> FastAPI:
    """The application of one issuer, which owns the desk from now on.

    Args:
        port: the bound one, which Host headers may name.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        batcher = MicroBatcher(desk.answer, most=config.batch, waiting=config.waiting)
        work = [
            Periodic("checkpoint-not-published", desk.publish, config.checkpoint_seconds),
            Periodic("tree-not-signed", desk.grow_tree, config.tree_seconds),
        ]
        app.state.batcher = batcher
        batcher.start()
        for item in work:
            item.start()
        try:
            yield
        finally:
            await batcher.stop()
            for item in work:
                await item.stop()
            desk.close()

    hosts = [value for name in config.host_names for value in _host_values(name, port)]
    app = create_app(
        f"Issuer {desk.keys.index}",
        issuer_catalogue(),
        ServiceOptions(
            hosts,
            origins={"/v1/": [desk.policy.party.origin]},
            body_limit=4096,
            body_limits={"/v1/issuances": MAX_REQUEST_BYTES},
            # The n-th line, or step of a counter, beside the n-th ledger entry would give a position the time of its
            # request (attack C11). How many were issued is in ``/v1/ledger/counts``, as of the published checkpoint.
            quiet=frozenset({"/v1/issuances", "/v1/positions"}),
        ),
        ready=desk.ready,
        lifespan=lifespan,
    )
    app.state.desk = desk
    app.include_router(router)
    return app


def _host_values(name: str, port: int) -> list[str]:
    return [name] if ":" in name else [name, f"{name}:{port}"]
