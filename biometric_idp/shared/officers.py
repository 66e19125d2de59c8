"""Two different officers who confirm something with their own passkeys; one alone is never enough (attack C16)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import BigInteger, Column, Connection, LargeBinary, MetaData, Table, select

from biometric_idp.errors import Refused
from biometric_idp.request import Assertion
from biometric_idp.shared.fields import Base64Url, Body, CredentialId, Id
from biometric_idp.shared.inserts import insert_or_update
from biometric_idp.webauthn import PublicPasskey, RelyingParty, check_assertion
from services.config import Config
from services.problems import Problem

Hex = Annotated[str, Field(pattern=r"^([0-9a-f]{2})+$")]


class OfficerConfig(Config):
    """An officer and the public half of their passkey."""

    name: Id
    credential: Hex
    algorithm: Literal[-7, -8]
    key: Hex


class AssertionBody(Body):
    """A WebAuthn assertion, as ``navigator.credentials.get`` returns it, without what is not signed."""

    credential: CredentialId
    client_data: Annotated[Base64Url, Field(min_length=1, max_length=2048)]
    authenticator_data: Annotated[Base64Url, Field(min_length=37, max_length=1024)]
    signature: Annotated[Base64Url, Field(min_length=8, max_length=72)]

    def assertion(self) -> Assertion:
        return Assertion(self.credential, self.client_data, self.authenticator_data, self.signature)


TwoAssertions = Annotated[list[AssertionBody], Field(min_length=2, max_length=2)]


def officer_table(metadata: MetaData) -> Table:
    """Signature counters of officers' passkeys."""
    return Table(
        "officer_counter",
        metadata,
        Column("credential", LargeBinary(1023), primary_key=True),
        Column("value", BigInteger, nullable=False),
    )


@dataclass(frozen=True, slots=True)
class CheckedOfficers:
    """Different officers whose passkeys made an assertion each, and the new counters of those passkeys."""

    names: tuple[str, ...]
    counters: tuple[tuple[bytes, int], ...]

    def keep_counters(self, db: Connection, table: Table) -> None:
        """Use the assertions up.

        Raises:
            Problem: ``officers-refused``: one was used since it was checked.
        """
        for credential, counter in self.counters:
            values = {"credential": credential, "value": counter}
            if not insert_or_update(db, table, values, ("credential",), {"value": counter}, table.c.value < counter):
                raise Problem("officers-refused")


def check_officers(
    db: Connection,
    table: Table,
    officers: Sequence[OfficerConfig],
    party: RelyingParty,
    assertions: Sequence[Assertion],
    challenge: bytes,
    *,
    is_repeatable: bool = False,
) -> CheckedOfficers:
    """The officers whose passkeys made the assertions over this challenge, each another one; nothing is changed.

    Args:
        is_repeatable: take assertions that were used up already, where a later step will look again.

    Raises:
        Problem: ``officers-refused``, whatever did not hold.
    """
    known = {bytes.fromhex(item.credential): item for item in officers}
    found = [known[item.credential] for item in assertions if item.credential in known]
    names = tuple(officer.name for officer in found)
    if len(found) != len(assertions) or len(set(names)) != len(names):
        raise Problem("officers-refused")
    counters: list[tuple[bytes, int]] = []
    for assertion, officer in zip(assertions, found, strict=True):
        passkey = PublicPasskey(assertion.credential, officer.algorithm, bytes.fromhex(officer.key))
        used = select(table.c.value).where(table.c.credential == assertion.credential)
        last = 0 if is_repeatable else db.scalar(used) or 0
        try:
            counter = check_assertion(assertion, passkey, party, challenge, last)
        except Refused:
            raise Problem("officers-refused") from None
        if counter:
            counters.append((assertion.credential, counter))
    return CheckedOfficers(names, tuple(counters))


def require_two_officers(
    db: Connection,
    table: Table,
    officers: Sequence[OfficerConfig],
    party: RelyingParty,
    assertions: Sequence[AssertionBody],
    challenge: bytes,
) -> list[str]:
    """Names of the two officers whose passkeys made the assertions over this challenge, which are used up by it.

    Raises:
        Problem: ``officers-refused``, whatever did not hold.
    """
    if len(assertions) != 2:
        raise Problem("officers-refused")
    two = check_officers(db, table, officers, party, [item.assertion() for item in assertions], challenge)
    two.keep_counters(db, table)
    return list(two.names)
