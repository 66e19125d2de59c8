"""How much a client may send, and how long it may take (attacks A1 and A3). Pure ASGI, before anything is parsed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.problems import Catalogue, Problem


class BodyLimit:
    """Refuses bodies that are too long, too slow, or compressed; no more than the limit is ever held.

    Args:
        limit: bytes of a body, unless a path has its own.
        limits: bytes by path prefix; the longest prefix counts.
        seconds: for a whole body to arrive.
    """

    def __init__(
        self, app: ASGIApp, *, catalogue: Catalogue, limit: int, limits: Mapping[str, int], seconds: float
    ) -> None:
        self._app = app
        self._catalogue = catalogue
        self._limit = limit
        self._limits = sorted(limits.items(), key=lambda item: -len(item[0]))
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = next((size for prefix, size in self._limits if scope["path"].startswith(prefix)), self._limit)
        headers = dict(scope["headers"])
        if headers.get(b"content-encoding", b"identity").lower() != b"identity":
            await self._refuse("unsupported-encoding", scope, receive, send)
            return
        declared = headers.get(b"content-length", b"0")
        if not declared.isdigit() or len(declared) > 12 or int(declared) > limit:
            await self._refuse("too-large", scope, receive, send)
            return
        try:
            body = await self._read(receive, limit)
        except Problem as problem:
            await self._refuse(problem.code, scope, receive, send)
            return
        if body is None:
            return  # the client went away
        await self._app(scope, _replay(body, receive), send)

    async def _read(self, receive: Receive, limit: int) -> bytes | None:
        chunks: list[bytes] = []
        size = 0
        deadline = time.monotonic() + self._seconds
        while True:
            try:
                message = await asyncio.wait_for(receive(), max(0.0, deadline - time.monotonic()))
            except TimeoutError:
                raise Problem("too-slow") from None
            if message["type"] != "http.request":
                return None
            size += len(message.get("body", b""))
            if size > limit:
                raise Problem("too-large")
            chunks.append(message.get("body", b""))
            if not message.get("more_body", False):
                return b"".join(chunks)

    async def _refuse(self, code: str, scope: Scope, receive: Receive, send: Send) -> None:
        response = self._catalogue.response(Problem(code))
        # What is left of the body is not read, so the connection cannot be used again.
        response.headers["connection"] = "close"
        await response(scope, receive, send)


def _replay(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
