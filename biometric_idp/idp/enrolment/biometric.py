"""The steps liveness and face of an enrolment, and passive authentication of a chip."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection

from biometric_idp.documents.compare import DocumentPolicy, compare_with_person
from biometric_idp.documents.errors import DocumentRefused
from biometric_idp.documents.passive_authentication import authenticate_document
from biometric_idp.idp.context import Idp
from biometric_idp.idp.enrolment.repository import Enrolment, EnrolmentRepository, FailureRepository
from biometric_idp.idp.enrolment.schemas import Chip
from biometric_idp.idp.enrolment.service import Answer, face_subject, finish_step, require_step
from biometric_idp.idp.enrolment.throttle import count_failure, may_try, require_turn
from biometric_idp.idp.faces import service as faces
from biometric_idp.idp.faces.repository import LivenessRepository, StoredLiveness
from services.problems import Problem


def authenticate_chip(idp: Idp, session_id: bytes, chip: Chip) -> Answer:
    """What a terminal read from the chip is what the state signed, and names this person."""
    _, enrolment = idp.committer.read(
        lambda db: require_step(db, idp, session_id, "passive-authentication", lock=False)
    )
    person = idp.register.person(enrolment.pin)
    moment = datetime.fromtimestamp(idp.clock(), UTC)
    if person is None or idp.country_roots is None:
        raise Problem("identity-not-confirmed")
    try:
        document = authenticate_document(chip.sod, {1: chip.dg1, 2: chip.dg2}, idp.country_roots, moment)
        if compare_with_person(document.mrz, person, moment.date(), DocumentPolicy()):
            raise Problem("identity-not-confirmed")
    except DocumentRefused as error:
        raise Problem(error.code) from None

    def finish(db: Connection) -> Answer:
        _, current = require_step(db, idp, session_id, "passive-authentication")
        return {"steps": list(finish_step(db, current, "passive-authentication"))}

    return idp.committer.commit("enrolment-chip", finish)


def begin_liveness(db: Connection, idp: Idp, session_id: bytes) -> Answer:
    _, enrolment = require_step(db, idp, session_id, "liveness")
    may_try(db, face_subject(idp, enrolment.pin), idp.clock())
    return faces.begin(db, idp, session_id, enrolment.expires)


def take_frames(idp: Idp, session_id: bytes, sequence: int, frames: list[bytes]) -> Answer:
    def look(db: Connection) -> tuple[Enrolment, StoredLiveness | None]:
        stored = LivenessRepository(db).get(session_id)
        if stored is not None and stored.passed:
            _, enrolment = require_step(db, idp, session_id, "face", lock=False)
        else:
            _, enrolment = require_step(db, idp, session_id, "liveness", lock=False)
        return enrolment, stored

    enrolment, stored = idp.committer.read(look)

    def passed(db: Connection) -> None:
        _, current = require_step(db, idp, session_id, "liveness")
        finish_step(db, current, "liveness")

    return faces.take_frames(idp, stored, idp.voter(enrolment.pin), sequence, frames, passed)


def match_face(idp: Idp, session_id: bytes) -> Answer:
    """The best frame against the register's portrait; a template is kept where they match."""

    def look(db: Connection) -> tuple[Enrolment, StoredLiveness | None]:
        _, enrolment = require_step(db, idp, session_id, "face", lock=False)
        may_try(db, face_subject(idp, enrolment.pin), idp.clock())
        return enrolment, LivenessRepository(db).get(session_id)

    enrolment, stored = idp.committer.read(look)
    subject = face_subject(idp, enrolment.pin)
    probe = faces.probe_of(idp, stored)
    matched = faces.matches_portrait(idp, probe, idp.register.portrait(enrolment.pin))
    if matched:
        faces.keep_template(idp, probe, idp.voter(enrolment.pin))

    def decide(db: Connection) -> Answer | Problem:
        _, current = require_step(db, idp, session_id, "face")
        now = idp.clock()
        require_turn(db, subject, now)
        LivenessRepository(db).erase(session_id)
        if matched:
            FailureRepository(db).clear(subject)
            finish_step(db, current, "face")
            idp.audit.record(db, "face-matched", now)
            return {"matched": True}
        count_failure(db, idp.config.enrolment, subject, now)
        attempts = current.face_attempts + 1
        left = idp.config.enrolment.face_attempts - attempts
        repository = EnrolmentRepository(db)
        repository.change(current.id, face_attempts=attempts)
        idp.audit.record(db, "face-mismatch", now, left=left)
        if left > 0:
            # The next comparison is of fresh frames.
            done = tuple(step for step in current.done if step != "liveness")
            repository.set_steps(current.id, ("liveness", *current.remaining), done)
            return Problem("face-mismatch", left=left)
        repository.set_steps(current.id, ("officers",), current.done)
        return Problem("face-attempts-over")

    return idp.committer.commit("enrolment-face", decide)
