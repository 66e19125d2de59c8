"""Tables of the provider. Codes, tokens and assertion ids are there as SHA-256 only."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, LargeBinary, String, Table, Text

from biometric_idp.idp.tables import METADATA

CODE = Table(
    "oidc_code",
    METADATA,
    Column("hash", LargeBinary(32), primary_key=True),
    Column("client", String(64), nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("scope", String(200), nullable=False),
    Column("subject", String(64), nullable=False, index=True),
    Column("nonce", String(512), nullable=False),
    Column("challenge", String(43), nullable=False),
    Column("acr", String(64), nullable=False),
    Column("amr", String(100), nullable=False),
    Column("auth_time", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("used", BigInteger),
    #: A used code is remembered for as long as the token it made is valid, so that using it again revokes the token.
    Column("forget", BigInteger, nullable=False, index=True),
)

TOKEN = Table(
    "oidc_token",
    METADATA,
    Column("hash", LargeBinary(32), primary_key=True),
    Column("code", LargeBinary(32), nullable=False, index=True),
    Column("client", String(64), nullable=False),
    Column("scope", String(200), nullable=False),
    Column("subject", String(64), nullable=False, index=True),
    Column("expires", BigInteger, nullable=False, index=True),
    Column("revoked", BigInteger),
)

#: Client assertions that were used: SHA-256 of client and id.
ASSERTION = Table(
    "oidc_assertion",
    METADATA,
    Column("hash", LargeBinary(32), primary_key=True),
    Column("expires", BigInteger, nullable=False, index=True),
)

#: Kind, table, id and the time after which nobody can use a row any more.
PURGED = (
    ("oidc-codes", CODE, CODE.c.hash, CODE.c.forget),
    ("oidc-tokens", TOKEN, TOKEN.c.hash, TOKEN.c.expires),
    ("oidc-assertions", ASSERTION, ASSERTION.c.hash, ASSERTION.c.expires),
)
