"""May this request have a credential? Rows 3 to 12 of docs/spec/05-credentials.md section 5.5, as a pure function.

Rows 1 and 14 belong to the store, row 13 to the arithmetic on whole batches (``service``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from biometric_idp.errors import Refused
from biometric_idp.idp.ticket import TicketVerifier
from biometric_idp.policy import IssuancePolicy
from biometric_idp.request import Request, request_hash
from biometric_idp.webauthn import PublicPasskey, check_assertion
from crypto.hashing import frame

DAY = 86_400

VoterClass = Literal["passkey", "terminal"]


@dataclass(frozen=True, slots=True)
class VoterState:
    """What an issuer's own copies say about the position of a request.

    Attributes:
        style: ballot style on the roll, None where the position is not on it.
        passkey: the enrolment that counts, None where there is none.
        counters: highest signature counters seen, by ``counter_id``; missing ones are zero.
    """

    style: str | None
    passkey: PublicPasskey | None
    counters: Mapping[bytes, int]


@dataclass(frozen=True, slots=True)
class Authorised:
    """A request that passed rows 3 to 12, and what the ledger must record with it."""

    request: Request
    hash: bytes
    voter_class: VoterClass
    counters: tuple[tuple[bytes, int], ...]
    date: int


def counter_id(passkey: PublicPasskey) -> bytes:
    """Whose counter it is: id and key together, because anybody may enrol a key of their own under a known id."""
    return sha256(frame(passkey.credential) + frame(passkey.key)).digest()


class Authoriser:
    """Everything that requests of one election are judged by."""

    def __init__(self, policy: IssuancePolicy) -> None:
        self._policy = policy
        self._officers = {officer.passkey.credential: officer for officer in policy.officers}
        self._tickets = TicketVerifier(policy.enrolment.identity_provider, policy.fingerprint)

    def hash_of(self, request: Request) -> bytes:
        """The request hash, computed and never taken from the request."""
        return request_hash(
            self._policy.fingerprint, request.style, request.position, request.credential, request.blinded
        )

    def officers_of(self, request: Request) -> list[PublicPasskey]:
        """Passkeys of officers whose ids a request names."""
        named = [self._officers.get(assertion.credential) for assertion in request.assertions]
        return [officer.passkey for officer in named if officer is not None]

    def authorise(self, request: Request, hash_: bytes, state: VoterState, now: int) -> Authorised:
        """Judge one request.

        Args:
            request: decoded; its point is not looked at here.
            hash_: what ``hash_of`` gives for it.
            state: the issuer's own copies.
            now: seconds since 1970.

        Raises:
            Refused: with the code of the first row that does not hold.

        Cost: one signature verification for each assertion, and one for each tree of tickets.
        """
        policy = self._policy
        if not policy.opens <= now < policy.closes:
            raise Refused("period", "issuance is not open")
        if state.style is None:
            raise Refused("roll", "the position is not on the roll")
        if state.style != request.style:
            raise Refused("roll", "the roll has another ballot style at this position")
        passkeys = self._passkeys(request, state)
        counters: list[tuple[bytes, int]] = []
        for assertion, passkey in zip(request.assertions, passkeys, strict=True):
            known = counter_id(passkey)
            counter = check_assertion(assertion, passkey, policy.party, hash_, state.counters.get(known, 0))
            if counter:
                counters.append((known, counter))
        today = now // DAY
        if abs(request.ticket.date - today) > 1:
            raise Refused("ticket", "the ticket is of another day")
        if not self._tickets.holds(request.ticket, hash_):
            raise Refused("ticket", "the identity provider did not sign a ticket for this request")
        voter_class: VoterClass = "terminal" if request.is_terminal else "passkey"
        return Authorised(request, hash_, voter_class, tuple(counters), today)

    def _passkeys(self, request: Request, state: VoterState) -> list[PublicPasskey]:
        """Row 5: the passkeys that must have made the assertions, in their order."""
        if not request.is_terminal:
            enrolled = state.passkey
            if enrolled is None or enrolled.credential != request.credential:
                raise Refused("enrolment", "the enrolment log has no such passkey for this position")
            if len(request.assertions) != 1 or request.assertions[0].credential != request.credential:
                raise Refused("enrolment", "exactly one assertion by the enrolled passkey is needed")
            return [enrolled]
        if state.passkey is not None:
            raise Refused("enrolment", "this voter has a passkey; officers cannot act in its place")
        officers = [self._officers.get(assertion.credential) for assertion in request.assertions]
        first, second = officers if len(officers) == 2 else (None, None)
        if first is None or second is None or first.role == second.role:
            raise Refused("enrolment", "assertions by two different officers are needed")
        return [first.passkey, second.passkey]
