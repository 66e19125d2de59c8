"""Queries of appointments."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, select, update

from biometric_idp.idp.officers.models import APPOINTMENT
from biometric_idp.shared.inserts import insert_once

OPEN, CONFIRMED = "open", "confirmed"


@dataclass(frozen=True, slots=True)
class Appointment:
    id: str
    enrolment: str
    consulate: str
    state: str
    created: int
    expires: int


class AppointmentRepository:
    def __init__(self, db: Connection) -> None:
        self._db = db

    def put(self, appointment: Appointment) -> Appointment:
        """Add, or give the one that the enrolment has already."""
        insert_once(self._db, APPOINTMENT, asdict(appointment))
        query = select(APPOINTMENT).where(APPOINTMENT.c.enrolment == appointment.enrolment)
        return Appointment(**self._db.execute(query).one()._mapping)

    def get(self, id_: str, *, lock: bool = False) -> Appointment | None:
        query = select(APPOINTMENT).where(APPOINTMENT.c.id == id_)
        row = self._db.execute(query.with_for_update() if lock else query).one_or_none()
        return None if row is None else Appointment(**row._mapping)

    def confirm(self, id_: str) -> None:
        self._db.execute(update(APPOINTMENT).where(APPOINTMENT.c.id == id_).values(state=CONFIRMED))
