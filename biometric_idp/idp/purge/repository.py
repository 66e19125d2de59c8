"""Deletion by id, of whatever table."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Column, Connection, Table, delete, select

from biometric_idp.idp.accounts.models import ACCOUNT
from biometric_idp.idp.passkeys.models import PASSKEY
from biometric_idp.idp.sessions.models import SESSION
from biometric_idp.idp.tables import BIOMETRICS
from biometric_idp.idp.voting.models import PLACE, VOTING_PASSKEY


class PurgeRepository:
    def __init__(self, db: Connection) -> None:
        self._db = db

    def ids_before(self, id_: Column[object], time: Column[object], before: int, most: int) -> list[object]:
        """Ids of rows whose time is before another."""
        return list(self._db.scalars(select(id_).where(time < before).limit(most)))

    def delete(self, table: Table, id_: Column[object], ids: Sequence[object]) -> None:
        self._db.execute(delete(table).where(id_.in_(ids)))

    def delete_template(self, voter: str) -> None:
        """Templates of a person, and the keys that sealed them."""
        for table in (BIOMETRICS.templates, BIOMETRICS.marks):
            self._db.execute(delete(table).where(table.c.voter == voter))

    def delete_account_data(self, account: str) -> None:
        """Everything about a person but what the enrolment log holds."""
        for table in (SESSION, PASSKEY, PLACE, VOTING_PASSKEY):
            self._db.execute(delete(table).where(table.c.account == account))
        self._db.execute(delete(ACCOUNT).where(ACCOUNT.c.id == account))
