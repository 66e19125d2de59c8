"""Service client of X-Road (X-Road Message Protocol for REST 1.0): identifiers, headers, checks of every answer."""

from __future__ import annotations

import hmac
import random
import re
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from biometric_idp.population.register import RegisterError, RegisterUnavailable
from biometric_idp.population.text import escape
from biometric_idp.population.xroad.evidence import EvidenceStore, Exchange
from biometric_idp.population.xroad.identifiers import XRoadId
from biometric_idp.population.xroad.request_hash import request_hash
from biometric_idp.population.xroad.signature import AnswerVerifier
from biometric_idp.population.xroad.transport import Answer, Exchanger, NotSent

_SAFE = frozenset({"GET", "HEAD"})
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_BACKOFF_SECONDS = 0.2


@dataclass(frozen=True)
class Limits:
    """Patience: seconds for an attempt, attempts, seconds for all of them together."""

    attempt_seconds: float = 10.0
    attempts: int = 3
    total_seconds: float = 25.0


class XRoadClient:
    """Calls one service. Threads may share it."""

    def __init__(
        self,
        exchanger: Exchanger,
        host_header: str,
        client: XRoadId,
        service: XRoadId,
        evidence: EvidenceStore,
        *,
        limits: Limits,
        user_id: str | None = None,
        issue: str | None = None,
        verifier: AnswerVerifier | None = None,
        signature_header: str = "X-Signature",
        check_hash: bool = True,
    ) -> None:
        self._exchanger = exchanger
        self._host = host_header
        self._client = client
        self._service = service
        self.evidence = evidence
        self._limits = limits
        self._user_id = user_id
        self._issue = issue
        self._verifier = verifier
        self._signature_header = signature_header
        self._check_hash = check_hash

    def call(
        self, method: str, path: str, body: bytes | None = None, accept: str = "application/json"
    ) -> Answer | None:
        """Call the service; every answer is kept as evidence before anything of it is used.

        A safe request is sent again, under the same ``X-Road-Id``, where the way there or the server failed; another
        one only where nothing of it can have arrived.

        Args:
            path: below the service, percent-encoded, beginning with ``/``; a query may follow.

        Returns:
            The answer with status 200, or None for a 404 that the service itself gave.

        Raises:
            RegisterUnavailable: ``register-unavailable``, ``register-timeout``, ``register-tls``,
                ``register-server-fault``.
            RegisterError: ``register-client-fault``, ``register-answer``, ``register-hash``, ``register-signature``,
                ``register-too-large``, ``register-evidence``.
        """
        message_id = str(uuid.uuid4())
        end = time.monotonic() + self._limits.total_seconds
        attempt = 1
        while True:
            seconds = max(min(self._limits.attempt_seconds, end - time.monotonic()), 0.1)
            try:
                return self._attempt(message_id, attempt, method, path, body, accept, seconds)
            except RegisterUnavailable as error:
                pause = random.uniform(0.5, 1) * _BACKOFF_SECONDS * 2**attempt
                again = isinstance(error, NotSent) or (method in _SAFE and error.code != "register-tls")
                if not again or attempt >= self._limits.attempts or time.monotonic() + pause >= end:
                    raise
            time.sleep(pause)
            attempt += 1

    def _attempt(
        self, message_id: str, attempt: int, method: str, path: str, body: bytes | None, accept: str, seconds: float
    ) -> Answer | None:
        target = f"/r1/{self._service.encoded()}{path}"
        headers = [
            ("Host", self._host),
            ("Connection", "close"),
            ("Accept", accept),
            ("X-Road-Client", self._client.encoded()),
            ("X-Road-Id", message_id),
        ]
        if self._user_id is not None:
            headers.append(("X-Road-UserId", self._user_id))
        if self._issue is not None:
            headers.append(("X-Road-Issue", self._issue))
        if body is not None:
            headers += [("Content-Type", "application/json; charset=utf-8"), ("Content-Length", str(len(body)))]
        answer = self._exchanger.exchange(method, target, headers, body, seconds)
        now = datetime.now(UTC)
        self.evidence.keep(
            Exchange(
                message_id, attempt, int(now.timestamp()), method, target, headers, body, answer.status,
                answer.headers, answer.body,
            )
        )  # fmt: skip
        self._require_no_fault(answer)
        self._require_ours(answer, message_id)
        if self._check_hash:
            request_id = answer.header("X-Road-Request-Id") or ""
            if not _REQUEST_ID.fullmatch(request_id):
                raise RegisterError("register-answer", "the answer has no X-Road-Request-Id")
            expected = request_hash(method, target, headers, body, request_id)
            if not hmac.compare_digest((answer.header("X-Road-Request-Hash") or "").encode(), expected.encode()):
                raise RegisterError("register-hash", "the answer belongs to another request than the one sent")
        elif not answer.header("X-Road-Request-Hash"):
            raise RegisterError("register-answer", "the answer has no X-Road-Request-Hash")
        if self._verifier is not None:
            self._verifier.verify(answer.header(self._signature_header), answer.body, now)
        return _content(answer)

    def _require_no_fault(self, answer: Answer) -> None:
        fault = answer.header("X-Road-Error")
        if fault is None:
            return
        if fault.lower().startswith("client"):
            raise RegisterError("register-client-fault", f"X-Road refuses the request: {escape(fault)}")
        raise RegisterUnavailable(f"X-Road failed: {escape(fault)}", "register-server-fault")

    def _require_ours(self, answer: Answer, message_id: str) -> None:
        # Names are compared as they are encoded; a security server passes them on unchanged.
        for name, expected in (
            ("X-Road-Id", message_id),
            ("X-Road-Client", self._client.encoded()),
            ("X-Road-Service", self._service.encoded()),
        ):
            if answer.header(name) != expected:
                raise RegisterError("register-answer", f"the answer's {name} is missing or another one")


def _content(answer: Answer) -> Answer | None:
    if answer.status == 200:
        return answer
    if answer.status == 404:
        return None
    if answer.status >= 500:
        raise RegisterUnavailable(f"the register fails with status {answer.status}", "register-server-fault")
    if 400 <= answer.status < 500:
        raise RegisterError("register-client-fault", f"the register refuses the request with status {answer.status}")
    # Redirects are not followed: they would lead the PIN elsewhere.
    raise RegisterError("register-answer", f"the register answers with status {answer.status}")
