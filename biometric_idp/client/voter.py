"""A voter's device at identity provider and registrar: enrolment, sign-in, voting passkey, tickets.

The authenticator is an argument: in a browser the platform's, here usually a software one. Challenges of sign-in and
registration come from the identity provider; the challenge of a request for a credential never does (``obtain``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from biometric_idp.client.connection import Connection
from biometric_idp.client.wallet import StoredWallet
from biometric_idp.enrolment.passkey import Passkey, assertion_json, make_assertion, make_registration
from biometric_idp.errors import FormatError, IdpError
from biometric_idp.request import Ticket, decode_ticket
from biometric_idp.shared.fields import decode_base64url, encode_base64url
from biometric_idp.webauthn import PublicPasskey, RelyingParty

#: Does the steps between document and passkey (liveness, face) with the session's token; returns when they are done.
Steps = Callable[[Connection, str, Sequence[str]], None]


class StepsNeeded(IdpError):
    """The identity provider demands steps that this device cannot take."""


def _no_steps(_: Connection, __: str, steps: Sequence[str]) -> None:
    raise StepsNeeded(f"enrolment demands {', '.join(steps)}, which needs a camera")


@dataclass(frozen=True, slots=True)
class Place:
    """A voter's place on the roll."""

    position: int
    style: str


@dataclass(frozen=True, slots=True)
class Pending:
    """A voting passkey that the registrar has yet to confirm."""

    enrolment: str
    key_digest: str


class Voter:
    """One voter's device. Tokens live in here only, and for as long as it does."""

    def __init__(
        self, provider: Connection, registrar: Connection, party: RelyingParty, voting: RelyingParty, election: str
    ) -> None:
        """``party`` is the identity provider's host, ``voting`` the voting host; ``election`` its log's origin."""
        self._provider = provider
        self._registrar = registrar
        self._party = party
        self._voting = voting
        self._election = election
        self._session: str | None = None
        self._voting_session: str | None = None

    # Enrolment and sign-in.

    def enrol(self, pin: str, mrz: Sequence[str], passkey: Passkey, language: str, steps: Steps = _no_steps) -> None:
        """From PIN and document to a sign-in passkey; signed in when this returns.

        Raises:
            ServiceRefused: with the code of what does not fit.
            StepsNeeded: a camera is needed.
        """
        body = {"pin": pin, "document": {"mrz": list(mrz)}, "language": language}
        started = self._provider.json("POST", "/v1/enrolments", body)
        token = _text(started, "session")
        between = [step for step in started.get("steps", []) if step != "passkey"]
        if between:
            steps(self._provider, token, between)
        offered = self._provider.json("POST", "/v1/enrolments/passkey/options", {}, token=token)
        made = make_registration(passkey, self._party, _challenge(offered))
        self._provider.json("POST", "/v1/enrolments/passkey", {"credential": made}, token=token)
        self._session = token

    def sign_in(self, passkey: Passkey, counter: int = 0) -> Mapping[str, Any]:
        """Sign in by passkey; gives acr and amr, and what the policy still demands."""
        offered = self._provider.json("POST", "/v1/sign-in/options", {})
        assertion = make_assertion(passkey, self._party, _challenge(offered), counter=counter)
        body = {"id": _text(offered, "id"), "credential": assertion_json(assertion)}
        answer = self._provider.json("POST", "/v1/sign-in", body)
        self._session = _text(answer, "session")
        return answer

    # On the voting host.

    def enter(self, purpose: str) -> Place | None:
        """Hand the sign-in over to the voting host; gives the place on the roll where it is known already."""
        body = {"election": self._election, "purpose": purpose}
        handed = self._provider.json("POST", "/v1/handoff", body, token=self._session)
        answer = self._at_voting_host("/v1/voting/session", {"code": _text(handed, "code")})
        self._voting_session = _text(answer, "session")
        return place_of(answer) if "position" in answer else None

    def registration(self, passkey: Passkey, language: str) -> dict[str, Any]:
        """The request that registers a voting passkey; sent again, it has the same effect as once."""
        offered = self._at_voting_host("/v1/voting/passkey/options", {"election": self._election})
        made = make_registration(passkey, self._voting, _challenge(offered))
        return {"id": _text(offered, "id"), "credential": made, "language": language}

    def register(self, request: Mapping[str, Any], passkey: PublicPasskey) -> Pending:
        """Send the registration; the registrar now sends a code to the contact in its own register.

        Raises:
            FormatError: the identity provider shows another key than this device made.
        """
        key = sha256(passkey.credential).hexdigest()
        answer = self._at_voting_host("/v1/voting/passkey", dict(request), idempotency=key)
        digest = sha256(passkey.key).hexdigest()
        if answer.get("key_digest") != digest:
            raise FormatError("the identity provider registers another key than the one of this device")
        return Pending(_text(answer, "enrolment"), digest)

    def confirm(self, pending: Pending, code: str) -> None:
        """Give the registrar its code and this device's own key, past the identity provider."""
        body = {"enrolment": pending.enrolment, "code": code, "key_digest": pending.key_digest}
        self._registrar.json("POST", "/v1/confirmations", body, headers={"origin": self._voting.origin})

    def complete(self, pending: Pending) -> Place | None:
        """Have the confirmed passkey logged; None while the registrar has not confirmed it."""
        answer = self._at_voting_host("/v1/voting/passkey/complete", {"enrolment": pending.enrolment})
        return place_of(answer) if answer.get("state") == "logged" else None

    def ticket(self, stored: StoredWallet, credential: bytes) -> Ticket:
        """The identity provider's word for the request that this wallet makes."""
        wallet = stored.wallet
        body = {
            "election": wallet.fingerprint.hex(),
            "style": wallet.style,
            "position": wallet.position,
            "credential": encode_base64url(credential),
            "blinded": encode_base64url(wallet.blinded),
        }
        key = sha256(wallet.blinded).hexdigest()
        answer = self._at_voting_host("/v1/voting/tickets", body, idempotency=key)
        return decode_ticket(decode_base64url(answer.get("ticket")))

    def inquiry(self, fingerprint: bytes, issuer: int) -> str:
        """Leave to ask an issuer (0: the registrar) about one's own position."""
        body = {"election": fingerprint.hex(), "issuer": issuer}
        return _text(self._at_voting_host("/v1/voting/inquiries", body), "inquiry")

    def _at_voting_host(self, path: str, body: object, idempotency: str | None = None) -> dict[str, Any]:
        return self._provider.json(
            "POST",
            path,
            body,
            token=self._voting_session,
            idempotency=idempotency,
            headers={"origin": self._voting.origin},
        )


def _text(answer: Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    if type(value) is not str or not value:
        raise FormatError(f"the answer has no {name}")
    return value


def _challenge(offered: Mapping[str, Any]) -> bytes:
    options = offered.get("publicKey")
    if not isinstance(options, dict):
        raise FormatError("the answer has no options for a passkey")
    try:
        return decode_base64url(options.get("challenge"))
    except ValueError as error:
        raise FormatError(f"challenge: {error}") from None


def place_of(answer: Mapping[str, Any]) -> Place:
    """The place in an answer of the identity provider.

    Raises:
        FormatError: there is none.
    """
    position = answer.get("position")
    if type(position) is not int:
        raise FormatError("the answer has no position")
    return Place(position, _text(answer, "style"))
