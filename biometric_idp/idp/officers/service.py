"""Two officers confirm an appointment, or let a person in at the desk.

Both passkeys sign one challenge, which names the person by PIN: officers type it from the document before them, so a
confirmation cannot be taken for somebody else's.
"""

from __future__ import annotations

import secrets

from sqlalchemy import Connection

from biometric_idp.idp.challenges.service import make_challenge, use_challenge
from biometric_idp.idp.context import DAY, Idp
from biometric_idp.idp.enrolment.repository import Enrolment, EnrolmentRepository, FailureRepository
from biometric_idp.idp.enrolment.schemas import MakeAppointment
from biometric_idp.idp.enrolment.service import Answer, face_subject, pin_subject
from biometric_idp.idp.officers.repository import OPEN, Appointment, AppointmentRepository
from biometric_idp.idp.officers.schemas import Confirm, LetIn, OfficerOptions
from biometric_idp.idp.passkeys.options import Options, request_options
from biometric_idp.idp.sessions.repository import SessionRepository
from biometric_idp.idp.sessions.service import ENROLMENT, open_session, require_session
from biometric_idp.idp.tables import OFFICER_COUNTER
from biometric_idp.population.register import Person
from biometric_idp.shared.fields import decode_base64url
from biometric_idp.shared.officers import require_two_officers
from biometric_idp.webauthn import RelyingParty
from services.problems import Problem

PURPOSE = "officers"


def make_appointment(db: Connection, idp: Idp, session_id: bytes, request: MakeAppointment) -> Answer:
    """The enrolment waits for two officers at a consulate; its session lives as long as the appointment."""
    now, config = idp.clock(), idp.config.appointments
    if request.consulate not in config.consulates:
        raise Problem("unknown-consulate")
    session = require_session(db, session_id, now, ENROLMENT, lock=True)
    assert session.enrolment is not None
    enrolment = EnrolmentRepository(db).get(session.enrolment, lock=True)
    if enrolment is None:
        raise Problem("session-needed")
    expires = now + config.days * DAY
    made = AppointmentRepository(db).put(
        Appointment(secrets.token_hex(16), enrolment.id, request.consulate, OPEN, now, expires)
    )
    EnrolmentRepository(db).change(enrolment.id, expires=made.expires)
    SessionRepository(db).change(session_id, expires=made.expires)
    idp.audit.record(db, "appointment", now, consulate=made.consulate)
    return {"appointment": made.id, "consulate": made.consulate, "state": made.state, "expires": made.expires}


def options(idp: Idp, request: OfficerOptions) -> Options:
    """What officers' passkeys sign; it tells nothing about who exists."""
    seconds = idp.config.passkeys.seconds
    if request.appointment is None:
        challenge = make_challenge(idp, PURPOSE, request.pin.encode(), seconds)
    else:
        challenge = _appointment_challenge(idp, request.appointment, request.pin)
    allow = [bytes.fromhex(item.credential) for item in idp.config.officers]
    return {"publicKey": request_options(challenge, rp_id=idp.config.rp_id, seconds=seconds, allow=allow)}


def _appointment_challenge(idp: Idp, appointment: str, pin: str) -> bytes:
    return idp.digest("appointment", appointment.encode(), pin.encode())


def _officers(db: Connection, idp: Idp, request: Confirm | LetIn, challenge: bytes) -> str:
    party = RelyingParty(idp.config.rp_id, idp.origin)
    names = require_two_officers(db, OFFICER_COUNTER, idp.config.officers, party, request.assertions, challenge)
    return " ".join(sorted(names))


def confirm(db: Connection, idp: Idp, request: Confirm) -> Answer:
    """Both officers saw person and document: the passkey step is next."""
    now = idp.clock()
    names = _officers(db, idp, request, _appointment_challenge(idp, request.appointment, request.pin))
    appointments, enrolments = AppointmentRepository(db), EnrolmentRepository(db)
    appointment = appointments.get(request.appointment, lock=True)
    enrolment = None if appointment is None else enrolments.get(appointment.enrolment, lock=True)
    if appointment is None or enrolment is None or enrolment.pin != request.pin or appointment.expires <= now:
        raise Problem("officers-refused")
    if appointment.state == OPEN:
        appointments.confirm(appointment.id)
        done = (*(step for step in enrolment.done if step != "officers"), "officers")
        enrolments.set_steps(enrolment.id, ("passkey",), done)
        idp.audit.record(db, "officers-confirmed", now, officers=names, consulate=appointment.consulate)
    return {"state": "confirmed"}


def let_in(db: Connection, idp: Idp, request: LetIn, person: Person | None) -> Answer:
    """An enrolment at the desk, whatever delays there are for this PIN: nobody can lock a person out of this way."""
    now = idp.clock()
    challenge = decode_base64url(request.challenge)
    use_challenge(db, idp, PURPOSE, request.pin.encode(), challenge)
    names = _officers(db, idp, request, challenge)
    if person is None or person.deceased:
        raise Problem("officers-refused")
    for subject in (pin_subject(idp, request.pin), face_subject(idp, request.pin)):
        FailureRepository(db).clear(subject)
    seconds = idp.config.enrolment.seconds
    id_, done = secrets.token_hex(16), ("document", "officers")
    EnrolmentRepository(db).add(
        Enrolment(id_, request.pin, request.language, ("passkey",), done, 0, now, now + seconds)
    )
    token = open_session(db, ENROLMENT, now, seconds, enrolment=id_, level="document")
    idp.audit.record(db, "officers-let-in", now, officers=names)
    return {"session": token, "steps": ["passkey"], "expires": now + seconds}
