"""One authorization request: what is checked besides the library's checks, and what the sign-in page is told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AccessDeniedError, InvalidRequestError
from authlib.oauth2.rfc6749.grants import BaseGrant
from authlib.oidc.core.errors import (
    RegistrationNotSupportedError,
    RequestNotSupportedError,
    RequestURINotSupportedError,
)

from biometric_idp.idp.oidc.levels import missing_step, required_level
from biometric_idp.idp.oidc.parameters import Parameters
from biometric_idp.idp.oidc.ports import SignedIn
from biometric_idp.idp.oidc.protocol.client import Client
from biometric_idp.idp.oidc.protocol.request import Answer, Request
from biometric_idp.idp.oidc.protocol.server import Server
from services.problems import LANGUAGES, Problem

_MOST_OPAQUE = 512
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
_RESPONSE_TYPE = re.compile(r"[a-z_ ]{1,60}", re.ASCII)
_PROMPTS = {"none", "login", "select_account"}
#: Both mean: as if nobody had signed in before.
_FRESH_PROMPTS = {"login", "select_account"}
_LEEWAY = 5


class UnmetAuthenticationRequirements(OAuth2Error):
    """OpenID Connect Core Error Code unmet_authentication_requirements 1.0."""

    error = "unmet_authentication_requirements"


@dataclass(frozen=True)
class Checked:
    """A valid request.

    Attributes:
        acr: the level that is needed.
        most_age: seconds that the sign-in may be old; None if it does not matter.
        languages: of the page, in order of preference.
    """

    request: Request
    grant: BaseGrant
    client: Client
    acr: str
    most_age: int | None
    languages: tuple[str, ...]

    def describe(self) -> dict[str, object]:
        """What the page shows and needs before it signs in."""
        return {
            "client": self.client.config.id,
            "names": dict(self.client.config.names),
            "scopes": str(self.request.scope).split(),
            "acr": self.acr,
            "fresh": self.most_age is not None,
            "languages": list(self.languages),
        }

    def check_session(self, session: SignedIn, now: int) -> None:
        """Is the sign-in strong and recent enough?

        Raises:
            Problem: ``oidc-step-missing``, with the step in its detail: ``passkey``, ``face`` or ``sign-in``.
        """
        step = missing_step(session.acr, self.acr) or ("face" if session.must is not None else None)
        if step is None and self.most_age is not None and now - session.auth_time > self.most_age + _LEEWAY:
            step = "sign-in"
        if step is not None:
            raise Problem("oidc-step-missing", error="interaction_required", missing=step, acr=self.acr)


def check_request(server: Server, parameters: Parameters, session: SignedIn | None) -> Checked | Answer:
    """A valid request, or the redirect that tells the client why it is not.

    Raises:
        Problem: client or redirect address are not to be trusted, so the person is told, and nobody else.
    """
    client = _trusted_client(server, parameters)
    values = parameters.values
    redirect_uri = values["redirect_uri"]
    request = Request("GET", values)
    try:
        _check_flaws(parameters)
        fresh, languages = _check_values(values)
        grant = server.get_consent_grant(request, session)
        acr = required_level(values.get("acr_values", "").split(), client.config.minimum_acr)
        if acr is None:
            raise UnmetAuthenticationRequirements("None of acr_values is known.")
    except OAuth2Error as error:
        return redirect_error(server, error, redirect_uri, parameters)
    ages = [server.config.fresh_seconds] if fresh else []
    if "max_age" in values:
        # Zero means a new sign-in, like prompt=login; but nobody is as quick as that.
        ages.append(int(values["max_age"]) or server.config.fresh_seconds)
    return Checked(request, grant, client, acr, min(ages) if ages else None, languages)


def cancel(server: Server, checked: Checked, parameters: Parameters) -> Answer:
    """The redirect that tells the client that the person did not want to."""
    return redirect_error(server, AccessDeniedError(), checked.request.values["redirect_uri"], parameters)


def _trusted_client(server: Server, parameters: Parameters) -> Client:
    for name in ("client_id", "redirect_uri"):
        if parameters.is_broken or name in parameters.repeated or name in parameters.damaged:
            raise Problem("oidc-malformed-request", parameter=name)
    client = server.query_client(parameters.values.get("client_id", ""))
    if client is None:
        raise Problem("oidc-unknown-client")
    if not client.check_redirect_uri(parameters.values.get("redirect_uri", "")):
        raise Problem("oidc-unknown-redirect")
    return client


def _check_flaws(parameters: Parameters) -> None:
    for names, what in ((parameters.repeated, "is repeated"), (parameters.damaged, "is malformed")):
        if names:
            # Names are ASCII letters, so they may stand in a description.
            raise InvalidRequestError(f"{min(names)} {what}.")


def _check_values(values: Mapping[str, str]) -> tuple[bool, tuple[str, ...]]:
    for name, error in (
        ("request", RequestNotSupportedError),
        ("request_uri", RequestURINotSupportedError),
        ("registration", RegistrationNotSupportedError),
    ):
        if name in values:
            raise error()
    if values.get("response_mode", "query") != "query":
        raise InvalidRequestError("response_mode must be query.")
    if not _RESPONSE_TYPE.fullmatch(values.get("response_type", "")):
        raise InvalidRequestError("response_type must be code.")
    for name in ("state", "nonce"):
        if not 8 <= len(values.get(name, "")) <= _MOST_OPAQUE:
            raise InvalidRequestError(f"{name} must have 8 to {_MOST_OPAQUE} characters.")
    prompts = set(values.get("prompt", "").split())
    if not prompts <= _PROMPTS or ("none" in prompts and len(prompts) > 1):
        raise InvalidRequestError("prompt is none, or of login and select_account.")
    if "max_age" in values and not _NUMBER.fullmatch(values["max_age"]):
        raise InvalidRequestError("max_age is a number of seconds.")
    tags = [tag.split("-")[0].lower() for tag in values.get("ui_locales", "").split()]
    languages = [*dict.fromkeys(tag for tag in tags if tag in LANGUAGES)]
    languages += [language for language in LANGUAGES if language not in languages]
    return bool(prompts & _FRESH_PROMPTS), tuple(languages)


def redirect_error(server: Server, error: OAuth2Error, redirect_uri: str, parameters: Parameters) -> Answer:
    """RFC 6749 section 4.1.2.1. A state that came twice or damaged is none, so it does not go back."""
    error.redirect_uri = redirect_uri
    error.state = parameters.values.get("state")
    answer: Answer = server.handle_error_response(None, error)
    server.execute_hook("after_create_authorization_response", answer)
    return answer
