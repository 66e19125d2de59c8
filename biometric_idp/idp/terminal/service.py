"""A ticket at a terminal (docs/spec/05-credentials.md section 5.4): officers, then person, then place, then the ticket.

The officers' assertions are those that the issuers will get: over the request hash with an empty credential id, on the
voting host. They name the position and not the person, so it is the registrar who says whose position it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from biometric_idp.errors import StateError
from biometric_idp.idp.accounts.repository import AccountRepository
from biometric_idp.idp.config import ElectionConfig
from biometric_idp.idp.context import DAY, Idp
from biometric_idp.idp.idempotency.service import Answer, Idempotent, Key
from biometric_idp.idp.tables import OFFICER_COUNTER, RATE
from biometric_idp.idp.terminal.schemas import AskPlace, AskTerminalTicket, AssertionJson
from biometric_idp.idp.ticket import sign_tickets
from biometric_idp.idp.tickets.service import encode_ticket, opened_election
from biometric_idp.idp.voting.repository import PlaceRepository, VotingPasskeyRepository
from biometric_idp.request import request_hash
from biometric_idp.shared.fields import encode_base64url
from biometric_idp.shared.officers import CheckedOfficers, check_officers
from biometric_idp.shared.rates import take
from biometric_idp.shared.terminal_place import place_challenge
from biometric_idp.webauthn import RelyingParty
from services.problems import Problem

#: There is no voting passkey, so no credential id (section 5.4).
NO_PASSKEY = b""


def officer_for_place(db: Connection, idp: Idp, request: AskPlace) -> ElectionConfig:
    """The election, if one of its officers asks for this person's place today; the assertion is used up.

    Raises:
        Problem: ``unknown-election``, ``officers-refused``, ``too-many-requests``.
    """
    now = idp.clock()
    election, fingerprint = opened_election(db, idp, request.election)
    if abs(request.date - now // DAY) > 1:
        raise Problem("officers-refused")
    challenge = place_challenge(fingerprint, request.pin, request.date)
    officers = _check(db, election, fingerprint, [request.assertion], challenge)
    officers.keep_counters(db, OFFICER_COUNTER)
    person = idp.digest("terminal-places", request.pin.encode(), election.id.encode())
    take(db, RATE, "terminal-places", person, 10 * idp.config.tickets.a_day, DAY, now)
    return election


def opened_with_officers(db: Connection, idp: Idp, request: AskTerminalTicket) -> tuple[ElectionConfig, bytes]:
    """The election and its fingerprint, if two of its officers made this request.

    Whether the assertions are used up already is for ``ticket`` to say: an answer that was lost is asked for again with
    the same ones.

    Raises:
        Problem: ``unknown-election``, ``officers-refused``.
    """
    election, fingerprint = opened_election(db, idp, request.election)
    _officers(db, election, fingerprint, request, is_repeatable=True)
    return election, fingerprint


def require_signed_officers(election: ElectionConfig, fingerprint: bytes) -> None:
    """An operator learns of a wrong signature here, and not from refusals at a terminal.

    Raises:
        StateError: names the officer.
    """
    for officer in election.officers:
        if not officer.holds(fingerprint):
            raise StateError(f"election {election.id}: the role's signature of officer {officer.name} does not hold")


def _hash(fingerprint: bytes, request: AskTerminalTicket) -> bytes:
    return request_hash(fingerprint, request.style, request.position, NO_PASSKEY, request.blinded)


def _officers(
    db: Connection,
    election: ElectionConfig,
    fingerprint: bytes,
    request: AskTerminalTicket,
    *,
    is_repeatable: bool = False,
) -> CheckedOfficers:
    hash_ = _hash(fingerprint, request)
    return _check(db, election, fingerprint, request.assertions, hash_, is_repeatable=is_repeatable)


def _check(
    db: Connection,
    election: ElectionConfig,
    fingerprint: bytes,
    assertions: Sequence[AssertionJson],
    challenge: bytes,
    *,
    is_repeatable: bool = False,
) -> CheckedOfficers:
    return check_officers(
        db,
        OFFICER_COUNTER,
        [officer for officer in election.officers if officer.holds(fingerprint)],
        RelyingParty(election.voting_rp_id, election.voting_origin),
        [item.assertion() for item in assertions],
        challenge,
        is_repeatable=is_repeatable,
    )


def ticket(
    db: Connection,
    idp: Idp,
    election: ElectionConfig,
    fingerprint: bytes,
    request: AskTerminalTicket,
    place: tuple[int, str],
    key: Key,
) -> Answer:
    """The ticket, if the place on the roll is the person's and they have no voting passkey.

    Args:
        place: position and style of the person, as the registrar says.

    Raises:
        Problem: ``not-this-place``, ``has-voting-passkey``, ``officers-refused``, ``too-many-requests``,
            ``registrar-contradicts``.
    """
    now = idp.clock()
    idempotent = Idempotent(db, idp, f"terminal {request.pin}", key)
    if idempotent.answer is not None:
        return idempotent.answer
    if place != (request.position, request.style):
        raise Problem("not-this-place")
    account = AccountRepository(db).of_pin(request.pin, lock=True)
    if account is not None:
        PlaceRepository(db).put(election.id, account.id, *place)
        if VotingPasskeyRepository(db).counting(election.id, account.id) is not None:
            raise Problem("has-voting-passkey")
    officers = _officers(db, election, fingerprint, request)
    officers.keep_counters(db, OFFICER_COUNTER)
    person = idp.digest("terminal-tickets", request.pin.encode(), election.id.encode())
    take(db, RATE, "terminal-tickets", person, idp.config.tickets.a_day, DAY, now)
    hash_ = _hash(fingerprint, request)
    signed = sign_tickets(idp.key, fingerprint, [hash_], now // DAY)[0]
    names = " ".join(sorted(officers.names))
    idp.audit.record(db, "terminal-ticket", now, person=person.hex()[:16], officers=names, election=election.id)
    answer: Answer = {"hash": encode_base64url(hash_), "ticket": encode_base64url(encode_ticket(signed))}
    idempotent.answered(answer)
    return answer
