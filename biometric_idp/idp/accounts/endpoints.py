"""``/v1/account``."""

from __future__ import annotations

from fastapi import APIRouter

from biometric_idp.idp.accounts import service
from biometric_idp.idp.accounts.schemas import RevokePasskey
from biometric_idp.idp.context import Service, TokenHash
from biometric_idp.shared.answers import (
    BASE64URL,
    COUNT,
    DAYS,
    FLAG,
    TEXT,
    TEXTS,
    answer,
    many,
    maybe,
    members,
    one_of,
)

router = APIRouter(prefix="/v1/account")


_PASSKEY = members(credential=BASE64URL, state=TEXT, backed_up=FLAG, date=DAYS)
_ELECTION = members(
    election=TEXT,
    id=TEXT,
    title=TEXTS,
    model=FLAG,
    voting_origin=TEXT,
    position=maybe(COUNT),
    style=maybe(TEXT),
    voting_passkey=one_of("logged", "pending", "none"),
)
_ACCOUNT = answer(
    pin=TEXT,
    state=TEXT,
    proofing=TEXT,
    acr=TEXT,
    amr=many(TEXT),
    passkeys=many(_PASSKEY),
    notices=many(members(kind=TEXT, date=DAYS)),
    elections=many(_ELECTION),
)


@router.get("", responses=_ACCOUNT)
def show(idp: Service, token: TokenHash) -> service.Answer:
    """The caller's own data."""
    return idp.committer.read(lambda db: service.show(db, idp, token))


@router.post("/passkeys/revoke", responses=answer(state=TEXT))
def revoke_passkey(body: RevokePasskey, idp: Service, token: TokenHash) -> service.Answer:
    """Revoke a sign-in passkey of one's own."""
    return idp.committer.commit("passkey-revoke", lambda db: service.revoke_passkey(db, idp, token, body.credential))
