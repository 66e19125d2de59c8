"""Queries of the roll."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from biometric_idp.registrar.rolls.models import ROLL, ROLL_HEAD


@dataclass(frozen=True, slots=True)
class RollHead:
    size: int
    secret: bytes
    commitment: bytes
    fingerprint: bytes | None
    styles: tuple[str, ...] | None

    def __repr__(self) -> str:
        return f"RollHead(size={self.size})"


@dataclass(frozen=True, slots=True)
class RollPosition:
    position: int
    style: str


class RollRepository:
    def __init__(self, db: Connection) -> None:
        self._db = db

    def add(self, election: str, head: RollHead, voters: Sequence[tuple[str, str]]) -> None:
        """Take in (style, pin) in order of position."""
        self._db.execute(
            insert(ROLL_HEAD).values(
                election=election,
                size=head.size,
                secret=head.secret,
                commitment=head.commitment,
                fingerprint=head.fingerprint,
                styles=head.styles,
            )
        )
        rows = [
            {"election": election, "position": position, "pin": pin, "style": style}
            for position, (style, pin) in enumerate(voters)
        ]
        for start in range(0, len(rows), 10_000):
            self._db.execute(insert(ROLL), rows[start : start + 10_000])

    def head(self, election: str) -> RollHead | None:
        row = self._db.execute(select(ROLL_HEAD).where(ROLL_HEAD.c.election == election)).one_or_none()
        if row is None:
            return None
        styles = None if row.styles is None else tuple(row.styles)
        return RollHead(row.size, row.secret, row.commitment, row.fingerprint, styles)

    def set_fingerprint(self, election: str, fingerprint: bytes) -> None:
        self._db.execute(update(ROLL_HEAD).where(ROLL_HEAD.c.election == election).values(fingerprint=fingerprint))

    def find(self, election: str, pin: str, *, lock: bool = False) -> RollPosition | None:
        """The person's position; with ``lock``, whatever concerns this person waits until the transaction ends."""
        query = select(ROLL.c.position, ROLL.c.style).where(ROLL.c.election == election, ROLL.c.pin == pin)
        row = self._db.execute(query.with_for_update() if lock else query).one_or_none()
        return None if row is None else RollPosition(row.position, row.style)

    def pin_at(self, election: str, position: int) -> tuple[str, str] | None:
        """PIN and style at a position."""
        query = select(ROLL.c.pin, ROLL.c.style).where(ROLL.c.election == election, ROLL.c.position == position)
        row = self._db.execute(query).one_or_none()
        return None if row is None else (row.pin, row.style)

    def voters(self, election: str) -> Iterator[tuple[str, str]]:
        """(style, pin) in order of position."""
        query = select(ROLL.c.style, ROLL.c.pin).where(ROLL.c.election == election).order_by(ROLL.c.position)
        for row in self._db.execution_options(yield_per=10_000).execute(query):
            yield row.style, row.pin
