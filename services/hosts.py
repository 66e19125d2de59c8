"""Under which names a service answers, and which pages may call it (attack A7). Pure ASGI.

There are no cookies anywhere: a session is a bearer token that only the page which obtained it can send, so a forged
cross-site request carries no authority. Origins are checked all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.problems import Catalogue, Problem

_SAFE = ("GET", "HEAD", "OPTIONS")
_ALLOWED_HEADERS = "authorization, content-type, idempotency-key"


class HostGuard:
    """Refuses other hosts and foreign origins; answers preflight requests of origins that are allowed.

    Args:
        hosts: exact values of the Host header.
        origins: path prefix -> exact origins whose pages may call it, besides the service's own pages.
        own: origins of the service itself.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        catalogue: Catalogue,
        hosts: Sequence[str],
        own: Sequence[str],
        origins: Mapping[str, Sequence[str]],
        headers: Mapping[str, str],
    ) -> None:
        self._app = app
        self._catalogue = catalogue
        self._hosts = frozenset(hosts)
        self._own = frozenset(own)
        self._origins = origins
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        named = [value for name, value in scope["headers"] if name == b"host"]
        if len(named) != 1 or named[0].decode("latin-1").lower() not in self._hosts:
            await self._refuse("wrong-host", None, scope, receive, send)
            return
        origins = [value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"]
        origin = origins[0] if origins else None
        allowed = self._may_call(scope["path"])
        if scope["method"] == "OPTIONS" and origin is not None:
            await self._preflight(origin in allowed, origin, scope, receive, send)
            return
        is_foreign = origin is not None and origin not in allowed and origin not in self._own
        if len(origins) > 1 or (is_foreign and scope["method"] not in _SAFE):
            await self._refuse("foreign-origin", None, scope, receive, send)
            return
        readable = origin if origin is not None and origin in allowed else None
        await self._app(scope, receive, self._with_headers(send, readable))

    def _may_call(self, path: str) -> frozenset[str]:
        return frozenset(
            origin for prefix, origins in self._origins.items() if path.startswith(prefix) for origin in origins
        )

    async def _preflight(self, is_allowed: bool, origin: str, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_allowed:
            await self._refuse("foreign-origin", None, scope, receive, send)
            return
        response = Response(status_code=204)
        response.headers["access-control-allow-methods"] = "GET, POST"
        response.headers["access-control-allow-headers"] = _ALLOWED_HEADERS
        response.headers["access-control-max-age"] = "600"
        await response(scope, receive, self._with_headers(send, origin))

    async def _refuse(self, code: str, origin: str | None, scope: Scope, receive: Receive, send: Send) -> None:
        response = self._catalogue.response(Problem(code))
        response.headers["connection"] = "close"
        await response(scope, receive, self._with_headers(send, origin))

    def _with_headers(self, send: Send, origin: str | None) -> Send:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.add_vary_header("origin")
                if origin is not None:
                    headers["access-control-allow-origin"] = origin
                    headers["access-control-expose-headers"] = "retry-after"
            await send(message)

        return with_headers
