"""What the endpoints do, each in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from authlib.oauth2 import OAuth2Error
from joserfc.jwk import KeySet
from sqlalchemy import Connection

from biometric_idp.idp.oidc.authorization import Checked, cancel, check_request
from biometric_idp.idp.oidc.config import ClientConfig, OidcConfig
from biometric_idp.idp.oidc.discovery import metadata
from biometric_idp.idp.oidc.keys import KeyRing, read_client_keys
from biometric_idp.idp.oidc.parameters import Parameters
from biometric_idp.idp.oidc.ports import People, Sessions
from biometric_idp.idp.oidc.protocol.client import Client
from biometric_idp.idp.oidc.protocol.request import Answer, Request
from biometric_idp.idp.oidc.protocol.server import Server, access_token_of
from biometric_idp.idp.oidc.repository import OidcRepository
from biometric_idp.population.register import RegisterError
from biometric_idp.shared.commits import Committer
from services.database import reading
from services.logs import get_log
from services.problems import Problem


class Provider:
    """The OpenID Connect provider.

    Args:
        issuer: its identifier; also the address of its endpoints.
        base: directory that paths of the configuration are relative to.

    Raises:
        FormatError, StateError: key files cannot be used.
    """

    def __init__(
        self,
        config: OidcConfig,
        issuer: str,
        base: Path,
        committer: Committer,
        sessions: Sessions,
        people: People,
        clock: Callable[[], int],
    ) -> None:
        self.config = config
        self.issuer = issuer
        self.ring = KeyRing(base / config.keys)
        self._clients = {item.id: Client(item, _client_keys(item, base)) for item in config.clients}
        self._committer = committer
        self._sessions = sessions
        self._people = people
        self._clock = clock

    def metadata(self) -> dict[str, object]:
        return metadata(self.issuer)

    def jwks(self) -> dict[str, object]:
        return self.ring.keys().jwks()

    def show(self, parameters: Parameters) -> Checked | Answer:
        """Check a request before anybody signs in; nothing is stored.

        Raises:
            Problem: the client cannot be told.
        """
        with reading(self._committer.engine) as db:
            return check_request(self._server(db), parameters, None)

    def authorize(self, parameters: Parameters, token: str) -> str:
        """Where the page goes, with a code or an error.

        Raises:
            Problem: the client cannot be told, nobody is signed in, or a step is missing.
        """

        def work(db: Connection) -> Answer:
            server = self._server(db)
            session = self._sessions.session_of(db, token, server.now)
            if session is None:
                raise Problem("oidc-sign-in")
            checked = check_request(server, parameters, session)
            if isinstance(checked, Answer):
                return checked
            checked.check_session(session, server.now)
            answer: Answer = server.create_authorization_response(checked.request, session, checked.grant)
            return answer

        return _location(self._committer.commit("oidc-authorize", work))

    def cancel(self, parameters: Parameters) -> str:
        """Where the page goes if the person does not want to sign in."""

        with reading(self._committer.engine) as db:
            server = self._server(db)
            checked = check_request(server, parameters, None)
            return _location(checked if isinstance(checked, Answer) else cancel(server, checked, parameters))

    def token(self, parameters: Parameters, authorization: str | None) -> Answer:
        """Exchange a code; errors are answers of RFC 6749 section 5.2."""
        if parameters.has_flaws():
            return invalid_request("A parameter is malformed or repeated.")

        def work(db: Connection) -> Answer:
            request = Request("POST", parameters.values, authorization)
            answer: Answer = self._server(db).create_token_response(request)
            return answer

        answer = self._committer.commit("oidc-token", work)
        if answer.status != 200:
            get_log().info("oidc-token-refused", error=str(answer.body.get("error")))
        return answer

    def userinfo(self, authorization: str | None) -> Answer:
        """Claims by scope; errors are answers of RFC 6750 section 3."""

        with reading(self._committer.engine) as db:
            server = self._server(db)
            try:
                token = access_token_of(authorization, server.repository)
            except OAuth2Error as error:
                answer: Answer = server.handle_error_response(None, error)
                return answer
            client = server.query_client(token.client)
            pin = self._people.pin_of(db, token.subject)
        if client is None or pin is None:
            return _gone()
        claims: dict[str, object] = {"sub": client.subject(self.ring, token.subject)}
        # The registration may have been narrowed since the token was made.
        granted = set(token.scope.split()) & set(client.config.scopes)
        if "profile" in granted:
            try:
                claims["name"] = self._people.name_of(pin)
            except RegisterError as error:
                get_log().warning("oidc-register-failed", code=error.code)
                return Answer(503, {"error": "temporarily_unavailable"}, {})
            if claims["name"] is None:
                return _gone()
        if "pin" in granted:
            claims["pin"] = pin
        return Answer(200, claims, {})

    def _server(self, db: Connection) -> Server:
        now = self._clock()
        return Server(self.issuer, self.config, self._clients, self.ring, OidcRepository(db, now), now)


def invalid_request(description: str) -> Answer:
    return Answer(400, {"error": "invalid_request", "error_description": description}, {})


def _gone() -> Answer:
    challenge = 'Bearer error="invalid_token", error_description="The account is no longer active."'
    return Answer(401, {"error": "invalid_token"}, {"www-authenticate": challenge})


def _location(answer: Answer) -> str:
    location = answer.location
    assert location is not None
    return location


def _client_keys(config: ClientConfig, base: Path) -> KeySet | None:
    return None if config.jwks is None else read_client_keys(base / config.jwks)
