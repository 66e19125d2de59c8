"""``/v1/account``."""

from __future__ import annotations

from fastapi import APIRouter

from biometric_idp.idp.accounts import service
from biometric_idp.idp.accounts.schemas import RevokePasskey
from biometric_idp.idp.context import Service, TokenHash

router = APIRouter(prefix="/v1/account")


@router.get("")
def show(idp: Service, token: TokenHash) -> service.Answer:
    """The caller's own data."""
    return idp.committer.read(lambda db: service.show(db, idp, token))


@router.post("/passkeys/revoke")
def revoke_passkey(body: RevokePasskey, idp: Service, token: TokenHash) -> service.Answer:
    """Revoke a sign-in passkey of one's own."""
    return idp.committer.commit("passkey-revoke", lambda db: service.revoke_passkey(db, idp, token, body.credential))
