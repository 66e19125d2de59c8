"""Tables of the provider. Codes, tokens and assertion ids are there as SHA-256 only."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, String, Table, Text


def oidc_tables(metadata: MetaData) -> tuple[Table, Table, Table]:
    """Codes, access tokens, and ids of client assertions that were used."""
    code = Table(
        "oidc_code",
        metadata,
        Column("hash", LargeBinary(32), primary_key=True),
        Column("client", String(64), nullable=False),
        Column("redirect_uri", Text, nullable=False),
        Column("scope", String(200), nullable=False),
        Column("subject", String(64), nullable=False),
        Column("nonce", String(512), nullable=False),
        Column("challenge", String(43), nullable=False),
        Column("acr", String(64), nullable=False),
        Column("amr", String(100), nullable=False),
        Column("auth_time", BigInteger, nullable=False),
        Column("expires", BigInteger, nullable=False),
        Column("used", BigInteger),
        # A used code is remembered for as long as the token it made is valid, so that using it again revokes the token.
        Column("forget", BigInteger, nullable=False),
        Index("ix_oidc_code_forget", "forget"),
    )
    token = Table(
        "oidc_token",
        metadata,
        Column("hash", LargeBinary(32), primary_key=True),
        Column("code", LargeBinary(32), nullable=False),
        Column("client", String(64), nullable=False),
        Column("scope", String(200), nullable=False),
        Column("subject", String(64), nullable=False),
        Column("expires", BigInteger, nullable=False),
        Column("revoked", BigInteger),
        Index("ix_oidc_token_code", "code"),
        Index("ix_oidc_token_subject", "subject"),
        Index("ix_oidc_token_expires", "expires"),
    )
    assertion = Table(
        "oidc_assertion",
        metadata,
        Column("client", String(64), primary_key=True),
        Column("jti", LargeBinary(32), primary_key=True),
        Column("expires", BigInteger, nullable=False),
        Index("ix_oidc_assertion_expires", "expires"),
    )
    return code, token, assertion


METADATA = MetaData()
CODE, TOKEN, ASSERTION = oidc_tables(METADATA)
