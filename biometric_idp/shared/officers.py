"""Two different officers who confirm something with their own passkeys; one alone is never enough (attack C16)."""

from __future__ import annotations

from collections.abc import Sequence
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


def require_two_officers(
    db: Connection,
    table: Table,
    officers: Sequence[OfficerConfig],
    party: RelyingParty,
    assertions: Sequence[AssertionBody],
    challenge: bytes,
) -> list[str]:
    """Names of the two officers whose passkeys made the assertions over this challenge.

    Raises:
        Problem: ``officers-refused``, whatever did not hold.
    """
    known = {bytes.fromhex(item.credential): item for item in officers}
    found = [known[item.credential] for item in assertions if item.credential in known]
    if len(found) != 2 or found[0].name == found[1].name:
        raise Problem("officers-refused")
    for body, officer in zip(assertions, found, strict=True):
        passkey = PublicPasskey(body.credential, officer.algorithm, bytes.fromhex(officer.key))
        last = db.scalar(select(table.c.value).where(table.c.credential == body.credential)) or 0
        try:
            counter = check_assertion(body.assertion(), passkey, party, challenge, last)
        except Refused:
            raise Problem("officers-refused") from None
        if counter and not insert_or_update(
            db,
            table,
            {"credential": body.credential, "value": counter},
            ("credential",),
            {"value": counter},
            table.c.value < counter,
        ):
            raise Problem("officers-refused")
    return [officer.name for officer in found]
