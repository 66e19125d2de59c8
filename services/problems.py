"""Errors that a person can meet: a code, a sentence in every language, and what to do next (RFC 9457).

Each service keeps its catalogue in a TOML file; a code that is not in it cannot be raised.

    [already-issued]
    status = 409
    ky = "..."
    ru = "..."
    en = "A credential was already issued in your name."
    next.ky = "..."
    next.ru = "..."
    next.en = "Use the device that you used then."
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.errors import ConfigError
from services.logs import describe_error, get_log

LANGUAGES = ("ky", "ru", "en")
_COMMON = Path(__file__).parent / "problems.toml"
_BY_STATUS = {404: "not-found", 405: "method-not-allowed"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One error of a catalogue: HTTP status, sentence and next step by language."""

    status: int
    message: Mapping[str, str]
    next: Mapping[str, str]


class Problem(Exception):
    """Answer a request with an error of the catalogue.

    Attributes:
        code: its name there.
        detail: facts for programs, of values that are safe to show; never what the client sent.
        retry_after: seconds after which trying again makes sense.
    """

    def __init__(self, code: str, *, retry_after: int | None = None, **detail: str | int | bool) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.retry_after = retry_after


@dataclass(frozen=True)
class Catalogue:
    """All errors that a service can answer with, by code."""

    entries: Mapping[str, Entry] = field(repr=False)

    def __getitem__(self, code: str) -> Entry:
        return self.entries[code]

    def response(self, problem: Problem) -> JSONResponse:
        """The answer for a problem, in all languages: which one to show is for the page to choose."""
        entry = self.entries[problem.code]
        body: dict[str, object] = {
            "type": f"urn:evoting:problem:{problem.code}",
            "code": problem.code,
            "status": entry.status,
            "title": entry.message["en"],
            "message": dict(entry.message),
            "next": dict(entry.next),
        }
        if problem.detail:
            body["detail"] = problem.detail
        headers = {} if problem.retry_after is None else {"retry-after": str(problem.retry_after)}
        return JSONResponse(body, entry.status, headers, media_type="application/problem+json")


def read_catalogue(*paths: Path) -> Catalogue:
    """The errors that all services share, and those of these files.

    Raises:
        ConfigError: an entry lacks a language or a status, or a code occurs twice.
    """
    entries: dict[str, Entry] = {}
    for path in (_COMMON, *paths):
        for code, members in tomllib.loads(path.read_text()).items():
            if code in entries:
                raise ConfigError(f"{path}: {code} is in the catalogue already")
            entries[code] = _entry(members, f"{path}: {code}")
    return Catalogue(entries)


def _entry(members: Mapping[str, object], where: str) -> Entry:
    status, following = members.get("status"), members.get("next")
    if type(status) is not int or not 400 <= status <= 599 or type(following) is not dict:
        raise ConfigError(f"{where} lacks an error status or a next step")
    if members.keys() != {"status", "next", *LANGUAGES}:
        raise ConfigError(f"{where} lacks a language, or has an unknown member")
    texts: dict[str, dict[str, str]] = {"message": {}, "next": {}}
    for name, source in (("message", members), ("next", following)):
        for language in LANGUAGES:
            text = source.get(language)
            if type(text) is not str or not text:
                raise ConfigError(f"{where} has no {name} in {language}")
            texts[name][language] = text
    return Entry(status, texts["message"], texts["next"])


def _plain(part: object) -> str:
    """The name of a field, if it is one that a program would have; what a client made up is not repeated."""
    text = str(part)[:40]
    return text if text.isascii() and text.replace("_", "").replace("-", "").isalnum() else "?"


def install_problems(app: FastAPI, catalogue: Catalogue) -> None:
    """Answer every error of the application with an entry of the catalogue."""

    async def on_problem(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Problem)
        return catalogue.response(error)

    async def on_invalid(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        # Where, and of which kind; never the value, which may be a secret or a script.
        places = [".".join(_plain(part) for part in item["loc"]) for item in error.errors()[:3]]
        return catalogue.response(Problem("malformed-request", fields=", ".join(places)))

    async def on_http(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        return catalogue.response(Problem(_BY_STATUS.get(error.status_code, "malformed-request")))

    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http)
    app.state.catalogue = catalogue


class Unexpected:
    """ASGI middleware: a mistake of the program is logged, and answered like any other error.

    The framework's own handler would answer outside of all other middleware, without their headers.
    """

    def __init__(self, app: ASGIApp, *, catalogue: Catalogue) -> None:
        self._app = app
        self._catalogue = catalogue

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def seen(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, seen)
        except Exception as error:
            get_log().error("unexpected-error", **describe_error(error))
            if started or scope["type"] != "http":
                raise
            await self._catalogue.response(Problem("internal-error"))(scope, receive, send)
