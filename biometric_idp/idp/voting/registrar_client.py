"""The identity provider's client of the registrar: signed requests, clear outcomes."""

from __future__ import annotations

import json
import secrets
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx
from nacl.signing import SigningKey

from biometric_idp.shared.fields import decode_base64url, encode_base64url
from biometric_idp.shared.request_signature import sign_request
from services.problems import Problem

_MOST_BYTES = 65_536
#: What the registrar may answer, and what the citizen is told: the same.
_PASSED_ON = frozenset({"not-on-roll", "no-contact", "credential-in-use", "change-in-person", "too-many-requests"})


@dataclass(frozen=True, slots=True)
class Started:
    id: str
    position: int
    style: str
    hint: str


@dataclass(frozen=True, slots=True)
class Status:
    """``body`` and ``signature`` are there where ``state`` is ``confirmed``."""

    state: str
    body: bytes
    signature: bytes


class RegistrarRefusal(Exception):
    """The registrar refused; ``detail`` is what it said for programs."""

    def __init__(self, code: str, detail: Mapping[str, object], retry_after: int | None) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.retry_after = retry_after

    def problem(self) -> Problem:
        """What the citizen is told."""
        if self.code in _PASSED_ON:
            return Problem(self.code, retry_after=self.retry_after)
        return Problem("registrar-refused")


class RegistrarClient:
    """Talks to one registrar. Safe from several threads."""

    def __init__(
        self,
        url: str,
        key: SigningKey,
        clock: Callable[[], int],
        *,
        host: str | None = None,
        ca_file: str | None = None,
        timeout: float = 10.0,
    ) -> None:
        headers = {} if host is None else {"host": host}
        verify: ssl.SSLContext | bool = True if ca_file is None else ssl.create_default_context(cafile=ca_file)
        self._key = key
        self._clock = clock
        self._http = httpx.Client(
            base_url=url,
            timeout=timeout,
            headers=headers,
            verify=verify,
            follow_redirects=False,
            trust_env=False,
            limits=httpx.Limits(max_connections=50, max_keepalive_connections=50),
        )

    def close(self) -> None:
        self._http.close()

    def position(self, election: str, pin: str) -> tuple[int, str]:
        """Position and style of a person."""
        answer = self._ask("POST", "/v1/positions", {"election": election, "pin": pin})
        return _whole(answer, "position"), _text(answer, "style")

    def start(self, election: str, pin: str, credential: bytes, key: bytes, algorithm: int, language: str) -> Started:
        """Hand over a passkey; the same again changes nothing there."""
        answer = self._ask(
            "POST",
            "/v1/enrolments",
            {
                "election": election,
                "pin": pin,
                "credential": encode_base64url(credential),
                "key": encode_base64url(key),
                "algorithm": algorithm,
                "language": language,
            },
        )
        id_ = _text(answer, "id")
        return Started(id_, _whole(answer, "position"), _text(answer, "style"), _text(answer, "channel_hint"))

    def status(self, id_: str) -> Status:
        answer = self._ask("GET", f"/v1/enrolments/{id_}", None)
        state = _text(answer, "state")
        if state != "confirmed":
            return Status(state, b"", b"")
        try:
            return Status(state, decode_base64url(answer.get("body")), decode_base64url(answer.get("signature")))
        except ValueError:
            raise Problem("registrar-unavailable") from None

    def _ask(self, method: str, path: str, members: Mapping[str, object] | None) -> Mapping[str, object]:
        nonce = encode_base64url(secrets.token_bytes(16))
        body = b"" if members is None else json.dumps({**members, "nonce": nonce}).encode()
        headers = sign_request(self._key, method, path, body, self._clock())
        if body:
            headers["content-type"] = "application/json"
        try:
            response = self._http.request(method, path, content=body, headers=headers)
            answer = json.loads(response.content) if len(response.content) <= _MOST_BYTES else None
        except (httpx.HTTPError, ValueError):
            raise Problem("registrar-unavailable", retry_after=5) from None
        if type(answer) is not dict:
            raise Problem("registrar-unavailable", retry_after=5)
        if response.status_code in (200, 202):
            return answer
        code, detail = answer.get("code"), answer.get("detail", {})
        if response.status_code >= 500 or type(code) is not str or type(detail) is not dict:
            raise Problem("registrar-unavailable", retry_after=5)
        after = response.headers.get("retry-after", "")
        raise RegistrarRefusal(code, detail, int(after) if after.isdigit() else None)


def _text(answer: Mapping[str, object], name: str) -> str:
    value = answer.get(name)
    if type(value) is not str or not value.isprintable() or len(value) > 200:
        raise Problem("registrar-unavailable")
    return value


def _whole(answer: Mapping[str, object], name: str) -> int:
    value = answer.get(name)
    if type(value) is not int or not 0 <= value < 2**48:
        raise Problem("registrar-unavailable")
    return value
