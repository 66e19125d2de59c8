"""Requests by route, status and time, for Prometheus and the log. Routes are templates, without any id of a person.

Of a quiet route neither says anything but server errors. A counter that is read every few seconds is a log with times:
its n-th step beside the n-th entry of a ledger would date that entry, and steps of 64 would date every 64th.
"""

from __future__ import annotations

import time

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.logs import get_log

_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """The counters of one service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("requests", "Requests answered", ("route", "status"), registry=self.registry)
        self.seconds = Histogram(
            "request_seconds", "Time to answer", ("route",), buckets=_BUCKETS, registry=self.registry
        )

    def render(self) -> bytes:
        return bytes(generate_latest(self.registry))


_PROBES = frozenset({"/healthz", "/readyz"})


class Measured:
    """ASGI middleware that counts and logs each request: method, route template, status, milliseconds.

    Args:
        quiet: routes of which a line or a counter would tell when something happened that is stored by date only.
            Server errors are counted and logged all the same.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, quiet: frozenset[str] = frozenset()) -> None:
        self._app = app
        self._metrics = metrics
        self._quiet = quiet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, seen)
        finally:
            route = getattr(scope.get("route"), "path", None) or "-"
            elapsed = time.perf_counter() - started
            if route not in self._quiet or status >= 500:
                self._tell(scope["method"][:10], route, status, elapsed)

    def _tell(self, method: str, route: str, status: int, elapsed: float) -> None:
        self._metrics.requests.labels(route, str(status)).inc()
        self._metrics.seconds.labels(route).observe(elapsed)
        if route not in _PROBES:
            get_log().info("request", method=method, route=route, status=status, ms=round(elapsed * 1000, 1))


def bind_request(**facts: str) -> None:
    """Add safe facts to the log lines of the present request."""
    structlog.contextvars.bind_contextvars(**facts)
