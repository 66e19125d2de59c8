"""Tables of voting passkeys."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table, Text, UniqueConstraint

from biometric_idp.idp.tables import METADATA

#: One-time codes that carry a sign-in from one host to the other.
HANDOFF = Table(
    "handoff",
    METADATA,
    Column("id", LargeBinary(32), primary_key=True),
    Column("account", String(32), nullable=False),
    Column("election", String(64), nullable=False),
    Column("grant", String(16), nullable=False),
    Column("level", String(16), nullable=False),
    Column("began", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False, index=True),
)

#: Who stands where on the roll, as the registrar said; one person, one position, whatever anybody says later.
PLACE = Table(
    "place",
    METADATA,
    Column("election", String(64), primary_key=True),
    Column("account", String(32), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("style", String(64), nullable=False),
    UniqueConstraint("election", "position", name="uq_place_position"),
)

VOTING_PASSKEY = Table(
    "voting_passkey",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("account", String(32), nullable=False, index=True),
    Column("election", String(64), nullable=False),
    Column("credential", LargeBinary(1023), nullable=False),
    Column("key", LargeBinary(128), nullable=False),
    Column("algorithm", Integer, nullable=False),
    Column("language", String(2), nullable=False),
    #: new (the registrar may not know of it), told, desk (waits for officers), logged
    Column("state", String(8), nullable=False),
    Column("registrar", String(64)),
    Column("hint", Text),
    #: Index in the enrolment log.
    Column("entry", BigInteger),
    Column("created", BigInteger, nullable=False),
    UniqueConstraint("election", "credential", name="uq_voting_passkey_credential"),
    UniqueConstraint("election", "entry", name="uq_voting_passkey_entry"),
    UniqueConstraint("election", "registrar", name="uq_voting_passkey_registrar"),
)

#: Fingerprint of an election, once it is known; and how many entries of the enrolment log count, once enrolment ended.
OPENING = Table(
    "opening",
    METADATA,
    Column("election", String(64), primary_key=True),
    Column("fingerprint", LargeBinary(32), nullable=False, unique=True),
    Column("enrolled", BigInteger),
)
