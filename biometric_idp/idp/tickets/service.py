"""Tickets (docs/spec/05-credentials.md section 5.4) and inquiries (5.7).

A ticket says that the person behind a request was checked; it is necessary and never sufficient. Nothing about it is
kept but a date: between issuance here and a ballot there must be no time to compare.
"""

from __future__ import annotations

from sqlalchemy import Connection

from biometric_idp.idp.accounts.repository import AccountRepository
from biometric_idp.idp.config import ElectionConfig
from biometric_idp.idp.context import DAY, Idp
from biometric_idp.idp.idempotency.service import Answer, Idempotent, Key
from biometric_idp.idp.tables import RATE
from biometric_idp.idp.ticket import sign_tickets
from biometric_idp.idp.voting.handoff import TICKET, require_voting
from biometric_idp.idp.voting.registrar_client import RegistrarRefusal
from biometric_idp.idp.voting.repository import OpeningRepository, PlaceRepository, VotingPasskeyRepository
from biometric_idp.idp.voting.schemas import AskInquiry, AskTicket
from biometric_idp.request import Ticket, request_hash
from biometric_idp.shared.fields import encode_base64url
from biometric_idp.shared.inquiry import sign_inquiry
from biometric_idp.shared.rates import take
from crypto import cbor
from services.problems import Problem

_LEVELS = ("passkey", "passkey+face")


def ticket(db: Connection, idp: Idp, session_id: bytes, request: AskTicket, key: Key) -> Answer:
    """A ticket for the caller's own request, whose hash is computed here.

    Raises:
        Problem: ``session-purpose``, ``level-too-low``, ``not-your-request``, ``too-many-requests``,
            ``unknown-election``.
    """
    session, account = require_voting(db, idp, session_id, TICKET)
    election, fingerprint = opened_election(db, idp, request.election)
    if session.election != election.id:
        raise Problem("session-purpose")
    if _LEVELS.index(session.level) < _LEVELS.index(idp.config.tickets.level):
        raise Problem("level-too-low")
    idempotent = Idempotent(db, idp, account, key)
    if idempotent.answer is not None:
        return idempotent.answer
    place = PlaceRepository(db).get(election.id, account)
    passkey = VotingPasskeyRepository(db).counting(election.id, account)
    if place != (request.position, request.style) or passkey is None or passkey.credential != request.credential:
        raise Problem("not-your-request")
    now = idp.clock()
    subject = idp.digest("tickets", account.encode(), election.id.encode())
    take(db, RATE, "tickets", subject, idp.config.tickets.a_day, DAY, now)
    hash_ = request_hash(fingerprint, request.style, request.position, request.credential, request.blinded)
    signed = sign_tickets(idp.key, fingerprint, [hash_], now // DAY)[0]
    idp.audit.record(db, "ticket", now, account=idp.subject(account), election=election.id)
    answer: Answer = {"hash": encode_base64url(hash_), "ticket": encode_base64url(encode_ticket(signed))}
    idempotent.answered(answer)
    return answer


def encode_ticket(signed: Ticket) -> bytes:
    """A ticket by itself, as it lies inside a request."""
    return cbor.encode(
        {
            "date": signed.date,
            "size": signed.size,
            "index": signed.index,
            "path": signed.path,
            "signature": signed.signature,
        }
    )


def opened_election(db: Connection, idp: Idp, fingerprint: str) -> tuple[ElectionConfig, bytes]:
    """The election with this fingerprint.

    Raises:
        Problem: ``unknown-election``.
    """
    data = bytes.fromhex(fingerprint)
    id_ = OpeningRepository(db).election(data)
    if id_ is None:
        raise Problem("unknown-election")
    return idp.election_by_id(id_), data


def find_place(idp: Idp, session_id: bytes, fingerprint: str) -> tuple[ElectionConfig, str, tuple[int, str]]:
    """Election, account, and position of the caller: as known here, else as the registrar says.

    Whoever enrols a voting passkey may look at their position as well as whoever asks for a ticket.
    """

    def look(db: Connection) -> tuple[ElectionConfig, str, str, tuple[int, str] | None]:
        session, account = require_voting(db, idp, session_id)
        election, _ = opened_election(db, idp, fingerprint)
        found = AccountRepository(db).get(account)
        if session.election != election.id or found is None:
            raise Problem("session-purpose")
        return election, account, found.pin, PlaceRepository(db).get(election.id, account)

    election, account, pin, place = idp.committer.read(look)
    if place is None:
        try:
            place = idp.registrars[election.id].position(election.origin, pin)
        except RegistrarRefusal as refusal:
            raise refusal.problem() from None
    return election, account, place


def inquiry(
    db: Connection, idp: Idp, election: ElectionConfig, account: str, place: tuple[int, str], request: AskInquiry
) -> Answer:
    """The caller's right to ask one issuer (0: the registrar) about their own position today."""
    PlaceRepository(db).put(election.id, account, *place)
    now = idp.clock()
    subject = idp.digest("inquiries", account.encode(), election.id.encode())
    take(db, RATE, "inquiries", subject, 10 * idp.config.tickets.a_day, DAY, now)
    signed = sign_inquiry(idp.key, bytes.fromhex(request.election), request.issuer, place[0], now // DAY)
    idp.audit.record(db, "inquiry", now, account=idp.subject(account), election=election.id)
    return {"inquiry": encode_base64url(signed.encode()), "position": place[0], "style": place[1]}
