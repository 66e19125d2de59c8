"""Sign-in. A wrong passkey, an unknown one and a revoked one get the same answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from biometric_idp.idp.accounts.repository import ACTIVE as ACCOUNT_ACTIVE
from biometric_idp.idp.accounts.repository import AccountRepository
from biometric_idp.idp.challenges.service import make_challenge, use_challenge
from biometric_idp.idp.context import Idp
from biometric_idp.idp.passkeys.options import request_options
from biometric_idp.idp.passkeys.repository import ACTIVE, PasskeyRepository
from biometric_idp.idp.passkeys.verify import client_challenge, verify_assertion
from biometric_idp.idp.sessions.service import ACCOUNT, ACR, AMR, open_session
from biometric_idp.shared.fields import decode_base64url, encode_base64url
from biometric_idp.webauthn import RelyingParty
from services.problems import Problem

PURPOSE = "sign-in"
FACE = "liveness"
Answer = dict[str, object]


def options(idp: Idp) -> Answer:
    """A challenge for anybody; nothing is stored."""
    seconds = idp.config.passkeys.seconds
    challenge = make_challenge(idp, PURPOSE, b"", seconds)
    return {
        "publicKey": request_options(challenge, rp_id=idp.config.rp_id, seconds=seconds),
        "id": encode_base64url(challenge[8:24]),
    }


def sign_in(db: Connection, idp: Idp, id_: str, credential: Mapping[str, Any]) -> Answer:
    """Check the assertion and open a session.

    Raises:
        Problem: ``challenge-invalid`` or ``passkey-refused``.
    """
    now = idp.clock()
    challenge = client_challenge(credential, "webauthn.get")
    if encode_base64url(challenge[8:24]) != id_:
        raise Problem("challenge-invalid")
    use_challenge(db, idp, PURPOSE, b"", challenge)
    try:
        credential_id = decode_base64url(credential.get("id"))
    except ValueError:
        raise Problem("passkey-refused") from None
    passkeys = PasskeyRepository(db)
    passkey = passkeys.get(credential_id, lock=True)
    if passkey is None or passkey.state != ACTIVE:
        raise Problem("passkey-refused")
    account = AccountRepository(db).get(passkey.account)
    if account is None or account.state != ACCOUNT_ACTIVE:
        raise Problem("passkey-refused")
    party = RelyingParty(idp.config.rp_id, idp.origin)
    counter = verify_assertion(credential, challenge, party, passkey.key, passkey.counter)
    if counter:
        passkeys.set_counter(passkey.credential, counter)
    must = FACE if idp.config.sign_in.face == "always" else None
    seconds = idp.config.sign_in.seconds
    token = open_session(db, ACCOUNT, now, seconds, account=account.id, level="passkey", must=must)
    idp.audit.record(db, "signed-in", now, account=idp.subject(account.id))
    answer: Answer = {
        "session": token,
        "acr": ACR["passkey"],
        "amr": AMR["passkey"],
        "expires": now + seconds,
    }
    if must is not None:
        answer["must"] = [must]
    return answer
