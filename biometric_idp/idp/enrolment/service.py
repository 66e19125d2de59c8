"""The steps of an enrolment, in their order; each is one transaction, and repeating one changes nothing.

    document -> (passive authentication) -> liveness -> face -> passkey

Which are demanded is configuration. Two officers can take the place of liveness and face (``appointments``).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from biometric_idp.documents.compare import DocumentPolicy
from biometric_idp.idp.accounts.repository import ACTIVE, Account, AccountRepository
from biometric_idp.idp.challenges.service import make_challenge, use_challenge
from biometric_idp.idp.config import STEP_ORDER
from biometric_idp.idp.context import DAY, Idp
from biometric_idp.idp.enrolment.identity import is_identified
from biometric_idp.idp.enrolment.repository import Enrolment, EnrolmentRepository, FailureRepository
from biometric_idp.idp.enrolment.schemas import StartEnrolment
from biometric_idp.idp.enrolment.throttle import count_failure, require_turn
from biometric_idp.idp.passkeys.options import Options, creation_options
from biometric_idp.idp.passkeys.repository import ACTIVE as PASSKEY_ACTIVE
from biometric_idp.idp.passkeys.repository import PasskeyRepository, StoredPasskey
from biometric_idp.idp.passkeys.verify import SIGN_IN_ALGORITHMS, client_challenge, verify_registration
from biometric_idp.idp.sessions.repository import Session, SessionRepository
from biometric_idp.idp.sessions.service import ACCOUNT, ENROLMENT, open_session, require_session
from biometric_idp.population.pin import mask_pin
from biometric_idp.population.register import Person
from biometric_idp.shared.fields import decode_base64url
from biometric_idp.webauthn import RelyingParty
from services.problems import Problem

Answer = dict[str, object]
PURPOSE = "sign-in-passkey"
DOCUMENT_POLICY = DocumentPolicy()


def pin_subject(idp: Idp, pin: str) -> bytes:
    """Whom failures with documents are counted against."""
    return idp.digest("pin", pin.encode())


def face_subject(idp: Idp, pin: str) -> bytes:
    """Whom failures with faces are counted against."""
    return idp.digest("face", pin.encode())


def identify(db: Connection, idp: Idp, pin: str, mrz: Sequence[str], person: Person | None) -> Problem | None:
    """PIN and document, with the delays after failures. The problem is returned, so that the failure stays counted.

    Args:
        person: what the register says; asked before the transaction began.

    Raises:
        Problem: ``too-many-attempts``.
    """
    now = idp.clock()
    subject = pin_subject(idp, pin)
    require_turn(db, subject, now)
    if not is_identified(person, mrz, now, DOCUMENT_POLICY):
        count_failure(db, idp.config.enrolment, subject, now)
        idp.audit.record(db, "identity-not-confirmed", now)
        return Problem("identity-not-confirmed")
    FailureRepository(db).clear(subject)
    return None


def start(db: Connection, idp: Idp, request: StartEnrolment, person: Person | None) -> Answer | Problem:
    """An enrolment of the person whom PIN and document name; ``person`` is what the register says of them."""
    problem = identify(db, idp, request.pin, request.document.mrz, person)
    if problem is not None:
        return problem
    now = idp.clock()
    steps = tuple(step for step in STEP_ORDER if step in idp.config.enrolment.steps and step != "document")
    expires = now + idp.config.enrolment.seconds
    enrolment = Enrolment(secrets.token_hex(16), request.pin, request.language, steps, ("document",), 0, now, expires)
    EnrolmentRepository(db).add(enrolment)
    token = open_session(db, ENROLMENT, now, idp.config.enrolment.seconds, enrolment=enrolment.id, level="document")
    return {"session": token, "steps": list(steps), "expires": expires}


def require_step(
    db: Connection, idp: Idp, session_id: bytes, step: str, *, lock: bool = True
) -> tuple[Session, Enrolment]:
    """The enrolment of this session, if this is its next step; with ``lock``, until the transaction ends.

    Raises:
        Problem: ``session-needed``, or ``wrong-step``, which names the next one.
    """
    session = require_session(db, session_id, idp.clock(), ENROLMENT, lock=lock)
    assert session.enrolment is not None
    enrolment = EnrolmentRepository(db).get(session.enrolment, lock=lock)
    if enrolment is None:
        raise Problem("session-needed")
    if not enrolment.remaining or enrolment.remaining[0] != step:
        raise Problem("wrong-step", next=enrolment.remaining[0] if enrolment.remaining else "none")
    return session, enrolment


def finish_step(db: Connection, enrolment: Enrolment, step: str) -> tuple[str, ...]:
    """Note a step as done; gives what remains."""
    remaining = tuple(item for item in enrolment.remaining if item != step)
    EnrolmentRepository(db).set_steps(enrolment.id, remaining, (*enrolment.done, step))
    return remaining


def passkey_options(db: Connection, idp: Idp, session_id: bytes) -> Options:
    """Options for the sign-in passkey."""
    _, enrolment = require_step(db, idp, session_id, "passkey", lock=False)
    account = AccountRepository(db).of_pin(enrolment.pin)
    known = [] if account is None else PasskeyRepository(db).of_account(account.id)
    config = idp.config
    return {
        "publicKey": creation_options(
            make_challenge(idp, PURPOSE, session_id, config.passkeys.seconds),
            rp_id=config.rp_id,
            rp_name=config.rp_name,
            handle=handle_of(idp, enrolment.pin),
            user_name=mask_pin(enrolment.pin),
            seconds=config.passkeys.seconds,
            is_attested=config.passkeys.attestation == "required",
            algorithms=SIGN_IN_ALGORITHMS,
            exclude=[item.credential for item in known if item.state == PASSKEY_ACTIVE],
        )
    }


def handle_of(idp: Idp, pin: str) -> bytes:
    """The WebAuthn user handle: the same for one person here, meaningless anywhere else."""
    return idp.digest("user-handle", pin.encode())


def register_passkey(db: Connection, idp: Idp, session_id: bytes, credential: Mapping[str, Any]) -> Answer:
    """The last step: the passkey, and with it the account. The session becomes one of a finished sign-in."""
    now = idp.clock()
    done = _repeated(db, session_id, now, credential)
    if done is not None:
        return done
    session, enrolment = require_step(db, idp, session_id, "passkey")
    challenge = client_challenge(credential, "webauthn.create")
    use_challenge(db, idp, PURPOSE, session_id, challenge)
    party = RelyingParty(idp.config.rp_id, idp.origin)
    made = verify_registration(credential, challenge, party, idp.policy, SIGN_IN_ALGORITHMS)
    proofing = proofing_of(enrolment)
    accounts, passkeys = AccountRepository(db), PasskeyRepository(db)
    handle = handle_of(idp, enrolment.pin)
    fresh = Account(secrets.token_hex(16), enrolment.pin, handle, ACTIVE, proofing, now, now)
    account = accounts.put(fresh)
    if account.state != ACTIVE:
        raise Problem("account-closed")
    active = [item for item in passkeys.of_account(account.id) if item.state == PASSKEY_ACTIVE]
    if len(active) >= idp.config.passkeys.most:
        raise Problem("too-many-passkeys")
    if passkeys.get(made.credential) is not None:
        raise Problem("passkey-refused")
    passkeys.add(
        StoredPasskey(
            made.credential,
            account.id,
            made.key,
            made.counter,
            made.aaguid,
            made.format,
            made.backed_up,
            PASSKEY_ACTIVE,
            now,
        )
    )
    if account.id != fresh.id:
        accounts.change(account.id, proofing=proofing, changed=now)
    accounts.note(account.id, "passkey-registered", now // DAY)
    finish_step(db, enrolment, "passkey")
    level = "passkey+face" if "face" in enrolment.done else "passkey"
    seconds = idp.config.sign_in.seconds
    SessionRepository(db).change(
        session.id, purpose=ACCOUNT, account=account.id, level=level, began=now, expires=now + seconds
    )
    idp.audit.record(db, "enrolled", now, account=idp.subject(account.id), proofing=proofing, authenticator=made.aaguid)
    return {"account": ACTIVE}


def _repeated(db: Connection, session_id: bytes, now: int, credential: Mapping[str, Any]) -> Answer | None:
    """The answer, where this session has registered this very passkey already."""
    session = SessionRepository(db).get(session_id, lock=True)
    if session is None or session.expires <= now or session.purpose != ACCOUNT or session.enrolment is None:
        return None
    try:
        passkey = PasskeyRepository(db).get(decode_base64url(credential.get("id")))
    except ValueError:
        return None
    return {"account": ACTIVE} if passkey is not None and passkey.account == session.account else None


def proofing_of(enrolment: Enrolment) -> str:
    if "officers" in enrolment.done:
        return "officers"
    return "document+face" if "face" in enrolment.done else "document"
