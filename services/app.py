"""Application factory: every service is made here, so every one has the same limits, headers, errors and probes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from services.hosts import HostGuard
from services.limits import BodyLimit
from services.metrics import Measured, Metrics
from services.openapi import describe
from services.problems import Catalogue, Unexpected, install_problems

#: Headers of every answer. Services answer with data; a service with pages sets a policy of its own for them.
HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-site",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "strict-transport-security": "max-age=63072000",
}


@dataclass(frozen=True)
class ServiceOptions:
    """What differs between services.

    Attributes:
        hosts: exact Host headers that are answered, with port where it is not the default one.
        own_origins: origins of the service's own pages.
        origins: path prefix -> origins of other hosts whose pages may call it.
        body_limit, body_limits, body_seconds: see ``BodyLimit``.
        headers: replace or add to ``HEADERS``.
        quiet: routes without a log line or a metric for each request; see ``Measured``.
    """

    hosts: Sequence[str]
    own_origins: Sequence[str] = ()
    origins: Mapping[str, Sequence[str]] = field(default_factory=dict)
    body_limit: int = 65_536
    body_limits: Mapping[str, int] = field(default_factory=dict)
    body_seconds: float = 20.0
    headers: Mapping[str, str] = field(default_factory=dict)
    quiet: frozenset[str] = frozenset()


Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def _nothing(_: FastAPI) -> AsyncIterator[None]:
    yield


def create_app(
    title: str,
    catalogue: Catalogue,
    options: ServiceOptions,
    *,
    ready: Callable[[], None] = lambda: None,
    lifespan: Lifespan = _nothing,
) -> FastAPI:
    """An application with limits, hosts, errors, metrics and probes; routers are added by the caller.

    Args:
        ready: raises if the service cannot work now (database gone); run in a thread.
    """
    app = FastAPI(title=title, lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url="/openapi.json")
    metrics = Metrics()
    app.state.metrics = metrics
    install_problems(app, catalogue)
    describe(app, catalogue)

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> Response:
        return Response(status_code=204)

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        try:
            await run_in_threadpool(ready)
        except Exception as error:  # noqa: BLE001  (whatever it is, the answer is "not ready")
            return JSONResponse({"ready": False, "kind": type(error).__name__}, 503)
        return Response(status_code=204)

    @app.get("/metrics", include_in_schema=False)
    async def show_metrics() -> Response:
        return Response(metrics.render(), media_type="text/plain; version=0.0.4")

    # The last one added is the first to see a request.
    app.add_middleware(Unexpected, catalogue=catalogue)
    app.add_middleware(
        BodyLimit,
        catalogue=catalogue,
        limit=options.body_limit,
        limits=options.body_limits,
        seconds=options.body_seconds,
    )
    app.add_middleware(
        HostGuard,
        catalogue=catalogue,
        hosts=options.hosts,
        own=options.own_origins,
        origins=options.origins,
        headers={**HEADERS, **options.headers},
    )
    app.add_middleware(Measured, metrics=metrics, quiet=options.quiet)
    return app
