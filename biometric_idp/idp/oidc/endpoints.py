"""The routes. Errors that a person can meet are problems; those that a client's program meets are OAuth's."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from biometric_idp.files import unique_names
from biometric_idp.idp.oidc.parameters import Parameters, parse_parameters
from biometric_idp.idp.oidc.protocol.request import Answer
from biometric_idp.idp.oidc.service import Provider, invalid_request
from services.problems import Problem

_FORM = "application/x-www-form-urlencoded"
_BEARER = re.compile(r"Bearer ([A-Za-z0-9_-]{1,128})", re.ASCII | re.IGNORECASE)
#: A page's answer: a response with the security policy of the identity provider's pages.
Page = Callable[[], Response]

_AUTHORIZATION = (
    "client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "code_challenge", "code_challenge_method",
    "acr_values", "prompt", "max_age", "ui_locales", "response_mode",
)  # fmt: skip
_NEEDED = _AUTHORIZATION[:8]
_TOKEN = (
    "grant_type", "code", "redirect_uri", "code_verifier", "client_id", "client_assertion_type", "client_assertion",
)  # fmt: skip


def _form(names: tuple[str, ...], needed: tuple[str, ...], *also: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}, "required": list(needed)}
    content = {kind: {"schema": schema} for kind in (_FORM, *also)}
    return {"requestBody": {"required": True, "content": content}}


def _query(names: tuple[str, ...], needed: tuple[str, ...]) -> dict[str, Any]:
    return {
        "parameters": [
            {"name": name, "in": "query", "required": name in needed, "schema": {"type": "string"}} for name in names
        ]
    }


_OAUTH_ERROR: dict[str, Any] = {
    "description": "An error of OAuth 2",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {"error": {"type": "string"}, "error_description": {"type": "string"}},
                "required": ["error"],
            }
        }
    },
}


def oidc_router(provider: Provider, page: Page | None = None) -> APIRouter:
    """All routes.

    Args:
        page: makes the sign-in page; without one, the request is described in JSON, as the page gets it too.
    """
    router = APIRouter(tags=["OpenID Connect"])

    @router.get("/.well-known/openid-configuration", summary="Discovery document")
    async def configuration() -> dict[str, Any]:
        return provider.metadata()

    @router.get("/oidc/jwks", summary="Public keys of ID tokens")
    def jwks() -> dict[str, Any]:
        return provider.jwks()

    @router.get(
        "/oidc/authorize",
        summary="Sign-in page of a client's request, or (accept: application/json) its description",
        openapi_extra=_query(_AUTHORIZATION, _NEEDED),
        responses={302: {"description": "Back to the client, with an error of OAuth 2"}},
        response_model=None,
    )
    async def show(request: Request) -> Response:
        checked = await run_in_threadpool(provider.show, parse_parameters(request.scope["query_string"]))
        if isinstance(checked, Answer):
            assert checked.location is not None
            return RedirectResponse(checked.location, 302)
        if page is None or request.headers.get("accept", "").startswith("application/json"):
            return JSONResponse(checked.describe(), headers={"vary": "accept"})
        answer = page()
        answer.headers["vary"] = "accept"
        return answer

    @router.post(
        "/oidc/authorize",
        summary="The signed-in person's code: the page sends the query that it was opened with, and its session",
        openapi_extra=_form(_AUTHORIZATION, _NEEDED, "application/json"),
    )
    async def authorize(request: Request) -> dict[str, str]:
        parameters = await _page_form(request)
        return {"redirect": await run_in_threadpool(provider.authorize, parameters, _session(request))}

    @router.post(
        "/oidc/authorize/cancel",
        summary="The person does not want to sign in",
        openapi_extra=_form(_AUTHORIZATION, _NEEDED, "application/json"),
    )
    async def cancel(request: Request) -> dict[str, str]:
        return {"redirect": await run_in_threadpool(provider.cancel, await _page_form(request))}

    @router.post(
        "/oidc/token",
        summary="Tokens for a code",
        openapi_extra=_form(_TOKEN, _TOKEN[:4]),
        responses={400: _OAUTH_ERROR, 401: _OAUTH_ERROR},
        response_model=None,
    )
    async def token(request: Request) -> Response:
        parameters = await _read_form(request)
        given = request.headers.getlist("authorization")
        if parameters is None or len(given) > 1:
            return _json(invalid_request("The body must be a form, with one Authorization header at most."))
        return _json(await run_in_threadpool(provider.token, parameters, given[0] if given else None))

    @router.get(
        "/oidc/userinfo",
        summary="Claims of an access token",
        responses={401: _OAUTH_ERROR, 403: _OAUTH_ERROR},
        response_model=None,
    )
    @router.post(
        "/oidc/userinfo",
        summary="Claims of an access token",
        responses={401: _OAUTH_ERROR, 403: _OAUTH_ERROR},
        response_model=None,
    )
    async def userinfo(request: Request) -> Response:
        given = request.headers.getlist("authorization")
        if len(given) > 1:
            return _json(invalid_request("There is more than one Authorization header."))
        return _json(await run_in_threadpool(provider.userinfo, given[0] if given else None))

    return router


async def _read_form(request: Request) -> Parameters | None:
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != _FORM:
        return None
    return parse_parameters(await request.body())


async def _page_form(request: Request) -> Parameters:
    """Parameters as a form, or as a JSON object of texts."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() == "application/json":
        try:
            members = json.loads(await request.body(), object_pairs_hook=unique_names)
        except (ValueError, RecursionError):
            raise Problem("malformed-request", fields="body") from None
        if type(members) is not dict or not all(type(value) is str for value in members.values()):
            raise Problem("malformed-request", fields="body")
        # Lone surrogates cannot be encoded; the parser refuses what stands in for them.
        return parse_parameters(urlencode(members, errors="surrogatepass").encode())
    parameters = await _read_form(request)
    if parameters is None:
        raise Problem("malformed-request", fields="content-type")
    return parameters


def _session(request: Request) -> str:
    given = request.headers.getlist("authorization")
    match = _BEARER.fullmatch(given[0]) if len(given) == 1 else None
    if match is None:
        raise Problem("oidc-sign-in")
    return match[1]


def _json(answer: Answer) -> JSONResponse:
    headers = {name: value for name, value in answer.headers.items() if name == "www-authenticate"}
    return JSONResponse(answer.body, answer.status, headers)
