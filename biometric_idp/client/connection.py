"""HTTP to one service: bounded answers, retries that cannot do anything twice, errors with the service's own words."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import httpx

from biometric_idp.errors import IdpError

MAX_ANSWER_BYTES = 1_048_576
_TRANSIENT = frozenset({502, 503, 504})


class Unreachable(IdpError):
    """The service gave no answer after all retries; whether it did what was asked is not known."""


class ServiceRefused(IdpError):
    """The service answered with an error of its catalogue.

    Attributes:
        code, status: of the error.
        message, next: sentence and next step by language.
        detail: facts for programs.
    """

    def __init__(self, service: str, status: int, body: Mapping[str, Any]) -> None:
        self.code = str(body.get("code", f"status-{status}"))
        self.status = status
        self.message: Mapping[str, str] = body.get("message") or {}
        self.next: Mapping[str, str] = body.get("next") or {}
        self.detail: Mapping[str, Any] = body.get("detail") or {}
        super().__init__(f"{service}: {self.code}: {self.message.get('en', 'no further word')}")


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, media type and bytes of an answer."""

    status: int
    kind: str
    data: bytes


class Connection:
    """One service, any number of threads.

    Args:
        base: origin of the service, such as ``https://issuer-1.example``.
        host: Host header where it differs from the one in ``base``.
        seconds: for a connection, for a single read, and for a whole answer.
        tries: attempts of a request that may safely be repeated; every request of these protocols may.
        pause: waits between attempts; an argument so that tests need not wait.
    """

    def __init__(
        self,
        base: str,
        *,
        host: str | None = None,
        seconds: float = 20.0,
        tries: int = 4,
        pause: Callable[[float], None] = time.sleep,
        verify: str | bool = True,
    ) -> None:
        self.base = base
        headers = {"accept": "*/*", "accept-encoding": "identity"} | ({} if host is None else {"host": host})
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
        self._client = httpx.Client(
            base_url=base, headers=headers, timeout=seconds, limits=limits, trust_env=False, verify=verify
        )
        self._seconds = seconds
        self._tries = tries
        self._pause = pause

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(
        self, method: str, path: str, data: bytes = b"", kind: str = "", headers: Mapping[str, str] | None = None
    ) -> Reply:
        """One request, repeated while the service does not answer or says that it is busy.

        Raises:
            Unreachable: no answer, or one that is too long.
        """
        sent = {**(headers or {}), **({"content-type": kind} if kind else {})}
        last = "no answer"
        for attempt in range(self._tries):
            if attempt:
                self._pause(0.1 * 4 ** (attempt - 1))
            try:
                reply = self._once(method, path, data, sent)
            except httpx.HTTPError as error:
                last = type(error).__name__
                continue
            if reply.status not in _TRANSIENT:
                return reply
            last = f"status {reply.status}"
        raise Unreachable(f"{self.base} does not answer ({last})")

    def _once(self, method: str, path: str, data: bytes, headers: Mapping[str, str]) -> Reply:
        # The client's own limit is for a single read, and a slow service could make any number of them.
        deadline = time.monotonic() + self._seconds
        with self._client.stream(method, path, content=data, headers=dict(headers)) as answer:
            received = bytearray()
            for chunk in answer.iter_bytes():
                received += chunk
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout(f"no whole answer within {self._seconds} seconds")
                if len(received) > MAX_ANSWER_BYTES:
                    raise Unreachable(f"{self.base} answers with more than {MAX_ANSWER_BYTES} bytes")
            kind = answer.headers.get("content-type", "").partition(";")[0].strip()
            return Reply(answer.status_code, kind, bytes(received))

    def json(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        idempotency: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """A request with JSON in and out.

        Raises:
            ServiceRefused: the service's error.
            Unreachable: no answer, or one that is no JSON object.
        """
        sent = dict(headers or {})
        if token is not None:
            sent["authorization"] = f"Bearer {token}"
        if idempotency is not None:
            sent["idempotency-key"] = idempotency
        data = b"" if body is None else _dumps(body)
        reply = self.send(method, path, data, "application/json" if data else "", sent)
        value = _loads(reply.data)
        if reply.status >= 400:
            raise ServiceRefused(self.base, reply.status, value or {})
        if value is None:
            raise Unreachable(f"{self.base}{path} answers with something that is no JSON object")
        return value


def _dumps(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _loads(data: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(data) if data else {}
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
