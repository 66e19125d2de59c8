"""Tickets for terminal voters without a voting passkey: two officers' passkeys over the voter's own request.

The officers are those of the election, on the voting host's RP ID, and their assertions are the ones that every issuer
checks again (docs/spec/05-credentials.md section 5.5); one officer alone gets nothing anywhere (attack C16). The
identity provider's own part is the person: PIN and document, and that this position is theirs.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from biometric_idp.idp.accounts.repository import AccountRepository
from biometric_idp.idp.config import ElectionConfig
from biometric_idp.idp.context import DAY, Idp
from biometric_idp.idp.enrolment.identity import is_identified
from biometric_idp.idp.enrolment.repository import FailureRepository
from biometric_idp.idp.enrolment.service import DOCUMENT_POLICY, pin_subject
from biometric_idp.idp.enrolment.throttle import count_failure, require_turn
from biometric_idp.idp.idempotency.service import Answer, Idempotent, Key
from biometric_idp.idp.tables import OFFICER_COUNTER
from biometric_idp.idp.ticket import sign_tickets
from biometric_idp.idp.tickets.service import encode_ticket, opened_election
from biometric_idp.idp.voting.registrar_client import RegistrarRefusal
from biometric_idp.idp.voting.repository import VotingPasskeyRepository
from biometric_idp.idp.voting.schemas import AskTerminalTicket
from biometric_idp.population.register import Person
from biometric_idp.request import request_hash
from biometric_idp.shared.fields import encode_base64url
from biometric_idp.shared.officers import require_two_officers
from biometric_idp.webauthn import RelyingParty
from services.problems import Problem


@dataclass(frozen=True, slots=True)
class Vouched:
    """A request that two officers signed for an identified person; ``answer`` where it was answered before."""

    election: ElectionConfig
    hash: bytes
    officers: str
    fingerprint: bytes
    answer: Answer | None = None


def vouch(db: Connection, idp: Idp, request: AskTerminalTicket, person: Person | None, key: Key) -> Vouched | Problem:
    """Officers first, then the person: who is no officer learns nothing about anybody.

    Raises:
        Problem: ``unknown-election``, ``officers-refused``, ``too-many-attempts``, ``terminal-has-passkey``.
    """
    now = idp.clock()
    election, fingerprint = opened_election(db, idp, request.election)
    hash_ = request_hash(fingerprint, request.style, request.position, b"", request.blinded)
    answered = Idempotent(db, idp, _subject(idp, request), key).answer
    if answered is not None:
        return Vouched(election, hash_, "", fingerprint, answered)
    party = RelyingParty(election.voting_rp_id, election.voting_origin)
    names = require_two_officers(db, OFFICER_COUNTER, election.officers, party, request.assertions, hash_)
    subject = pin_subject(idp, request.pin)
    require_turn(db, subject, now)
    if not is_identified(person, request.document.mrz, now, DOCUMENT_POLICY):
        count_failure(db, idp.config.enrolment, subject, now)
        idp.audit.record(db, "identity-not-confirmed", now)
        return Problem("identity-not-confirmed")
    FailureRepository(db).clear(subject)
    account = AccountRepository(db).of_pin(request.pin)
    if account is not None and VotingPasskeyRepository(db).counting(election.id, account.id) is not None:
        raise Problem("terminal-has-passkey")
    return Vouched(election, hash_, " ".join(sorted(names)), fingerprint)


def find_position(idp: Idp, vouched: Vouched, request: AskTerminalTicket) -> None:
    """The registrar's word that this is the person's position.

    Raises:
        Problem: ``not-your-request``, or what the registrar answered.
    """
    election = vouched.election
    try:
        place = idp.registrars[election.id].position(election.origin, request.pin)
    except RegistrarRefusal as refusal:
        raise refusal.problem() from None
    if place != (request.position, request.style):
        raise Problem("not-your-request")


def sign(db: Connection, idp: Idp, vouched: Vouched, request: AskTerminalTicket, key: Key) -> Answer:
    """The ticket, dated by day."""
    idempotent = Idempotent(db, idp, _subject(idp, request), key)
    if idempotent.answer is not None:
        return idempotent.answer
    now = idp.clock()
    signed = sign_tickets(idp.key, vouched.fingerprint, [vouched.hash], now // DAY)[0]
    idp.audit.record(db, "terminal-ticket", now, officers=vouched.officers, election=vouched.election.id)
    answer: Answer = {"hash": encode_base64url(vouched.hash), "ticket": encode_base64url(encode_ticket(signed))}
    idempotent.answered(answer)
    return answer


def _subject(idp: Idp, request: AskTerminalTicket) -> str:
    """Whose idempotency keys these are: of a person at a terminal, who has no account here."""
    return idp.digest("terminal", request.pin.encode()).hex()
