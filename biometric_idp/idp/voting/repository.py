"""Queries of hand-over codes, places on the roll, voting passkeys and openings."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from biometric_idp.idp.voting.models import HANDOFF, OPENING, PLACE, VOTING_PASSKEY
from biometric_idp.shared.inserts import insert_once
from services.problems import Problem

NEW, TOLD, DESK, LOGGED = "new", "told", "desk", "logged"

# What every ticket asks is made once.
_PLACE = select(PLACE.c.position, PLACE.c.style).where(
    PLACE.c.election == bindparam("in_election"), PLACE.c.account == bindparam("of_account")
)
_COUNTING = (
    select(VOTING_PASSKEY)
    .where(
        VOTING_PASSKEY.c.election == bindparam("in_election"),
        VOTING_PASSKEY.c.account == bindparam("of_account"),
        VOTING_PASSKEY.c.state == LOGGED,
        VOTING_PASSKEY.c.entry < bindparam("enrolled"),
    )
    .order_by(VOTING_PASSKEY.c.entry.desc())
    .limit(1)
)
_ENROLLED = select(OPENING.c.enrolled).where(OPENING.c.election == bindparam("in_election"))
#: More than any log holds.
_ALL = 2**62
_OPENED = select(OPENING.c.election).where(OPENING.c.fingerprint == bindparam("opened"))


@dataclass(frozen=True, slots=True)
class Handoff:
    id: bytes
    account: str
    election: str
    grant: str
    level: str
    began: int
    expires: int


@dataclass(frozen=True, slots=True)
class VotingPasskey:
    """A voting passkey on its way into the log, or in it."""

    id: str
    account: str
    election: str
    credential: bytes
    key: bytes
    algorithm: int
    language: str
    state: str
    registrar: str | None = field(repr=False)
    hint: str | None
    entry: int | None
    created: int


class HandoffRepository:
    def __init__(self, db: Connection) -> None:
        self._db = db

    def add(self, handoff: Handoff) -> None:
        self._db.execute(insert(HANDOFF), asdict(handoff))

    def take(self, id_: bytes) -> Handoff | None:
        """The hand-over behind a code, which is gone afterwards."""
        row = self._db.execute(select(HANDOFF).where(HANDOFF.c.id == id_).with_for_update()).one_or_none()
        if row is None or self._db.execute(delete(HANDOFF).where(HANDOFF.c.id == id_)).rowcount != 1:
            return None
        return Handoff(**row._mapping)


class PlaceRepository:
    def __init__(self, db: Connection) -> None:
        self._db = db

    def get(self, election: str, account: str) -> tuple[int, str] | None:
        """Position and style."""
        row = self._db.execute(_PLACE, {"in_election": election, "of_account": account}).one_or_none()
        return None if row is None else (row.position, row.style)

    def put(self, election: str, account: str, position: int, style: str) -> None:
        """Remember where a person stands.

        Raises:
            Problem: ``registrar-contradicts``: another position than before, or one that is another person's.
        """
        known = self.get(election, account)
        if known is None:
            values = {"election": election, "account": account, "position": position, "style": style}
            if insert_once(self._db, PLACE, values):
                return
            known = self.get(election, account)
        if known != (position, style):
            raise Problem("registrar-contradicts")

    def of_account(self, account: str) -> list[tuple[str, int, str]]:
        query = select(PLACE).where(PLACE.c.account == account).order_by(PLACE.c.election)
        return [(row.election, row.position, row.style) for row in self._db.execute(query)]


class VotingPasskeyRepository:
    def __init__(self, db: Connection) -> None:
        self._db = db

    def add(self, passkey: VotingPasskey) -> bool:
        """Whether it was added; not where this election has the credential id already."""
        return insert_once(self._db, VOTING_PASSKEY, asdict(passkey))

    def get(self, id_: str, *, lock: bool = False) -> VotingPasskey | None:
        query = select(VOTING_PASSKEY).where(VOTING_PASSKEY.c.id == id_)
        row = self._db.execute(query.with_for_update() if lock else query).one_or_none()
        return None if row is None else VotingPasskey(**row._mapping)

    def by_credential(self, election: str, credential: bytes) -> VotingPasskey | None:
        query = select(VOTING_PASSKEY).where(
            VOTING_PASSKEY.c.election == election, VOTING_PASSKEY.c.credential == credential
        )
        row = self._db.execute(query).one_or_none()
        return None if row is None else VotingPasskey(**row._mapping)

    def of_registrar(self, election: str, account: str, registrar: str) -> VotingPasskey | None:
        """The person's passkey that the registrar knows by this id."""
        table = VOTING_PASSKEY.c
        query = select(VOTING_PASSKEY).where(
            table.election == election, table.account == account, table.registrar == registrar
        )
        row = self._db.execute(query).one_or_none()
        return None if row is None else VotingPasskey(**row._mapping)

    def counting(self, election: str, account: str) -> VotingPasskey | None:
        """The person's last one in the part of the log that issuers have, which is the one that counts."""
        enrolled = OpeningRepository(self._db).enrolled(election)
        values = {"in_election": election, "of_account": account, "enrolled": _ALL if enrolled is None else enrolled}
        row = self._db.execute(_COUNTING, values).one_or_none()
        return None if row is None else VotingPasskey(**row._mapping)

    def of_account(self, account: str) -> list[VotingPasskey]:
        query = select(VOTING_PASSKEY).where(VOTING_PASSKEY.c.account == account).order_by(VOTING_PASSKEY.c.created)
        return [VotingPasskey(**row._mapping) for row in self._db.execute(query)]

    def change(self, id_: str, **values: Any) -> None:
        self._db.execute(update(VOTING_PASSKEY).where(VOTING_PASSKEY.c.id == id_).values(**values))

    def unfinished_before(self, time: int, most: int) -> list[str]:
        table = VOTING_PASSKEY.c
        query = select(table.id).where(table.state != LOGGED, table.created < time).limit(most)
        return list(self._db.scalars(query))


class OpeningRepository:
    def __init__(self, db: Connection) -> None:
        self._db = db

    def fingerprint(self, election: str) -> bytes | None:
        return self._db.scalar(select(OPENING.c.fingerprint).where(OPENING.c.election == election))

    def all(self) -> dict[str, bytes]:
        """Fingerprints by election."""
        return {row.election: row.fingerprint for row in self._db.execute(select(OPENING))}

    def election(self, fingerprint: bytes) -> str | None:
        return self._db.scalar(_OPENED, {"opened": fingerprint})

    def enrolled(self, election: str) -> int | None:
        """Entries of the enrolment log that count; None while enrolment goes on."""
        return self._db.scalar(_ENROLLED, {"in_election": election})

    def add(self, election: str, fingerprint: bytes) -> None:
        self._db.execute(insert(OPENING).values(election=election, fingerprint=fingerprint))

    def end_enrolment(self, election: str, size: int) -> None:
        self._db.execute(update(OPENING).where(OPENING.c.election == election).values(enrolled=size))
