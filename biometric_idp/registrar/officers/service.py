"""A passkey confirmed in person (docs/spec/05-credentials.md section 5.3): two officers, over this very key."""

from __future__ import annotations

import secrets
from hashlib import sha256

from sqlalchemy import Connection

from biometric_idp.errors import FormatError
from biometric_idp.registrar.confirmations.repository import (
    CONFIRMED,
    EnrolmentRepository,
    StoredEnrolment,
)
from biometric_idp.registrar.confirmations.service import Answer, sign
from biometric_idp.registrar.context import Registrar
from biometric_idp.registrar.officers.schemas import InPerson
from biometric_idp.registrar.rolls.repository import RollRepository
from biometric_idp.registrar.tables import OFFICER_COUNTER
from biometric_idp.shared.officers import require_two_officers
from biometric_idp.webauthn import PublicPasskey, RelyingParty, require_cose_key
from crypto.hashing import frames, u64
from services.problems import Problem

IN_PERSON_DOMAIN = "evoting/v1/in-person"
_DAY = 86_400


def in_person_challenge(origin: str, position: int, credential: bytes, key: bytes, date: int) -> bytes:
    """What both officers' passkeys sign. ``date`` is in days since 1970-01-01."""
    return sha256(frames(IN_PERSON_DOMAIN, (origin.encode(), u64(position), credential, key, u64(date)))).digest()


def confirm_in_person(db: Connection, registrar: Registrar, request: InPerson) -> Answer:
    """Sign a passkey that two officers vouch for; the same request again gives the same body."""
    election = registrar.election(request.election)
    try:
        require_cose_key(request.key, request.algorithm)
    except FormatError:
        raise Problem("key-not-accepted") from None
    passkey = PublicPasskey(request.credential, request.algorithm, request.key)
    now = registrar.clock()
    if abs(request.date - now // _DAY) > 1:
        raise Problem("officers-refused")
    place = RollRepository(db).find(election.id, request.pin, lock=True)
    if place is None:
        raise Problem("not-on-roll")
    repository = EnrolmentRepository(db)
    item = repository.by_credential(election.id, passkey.credential)
    if item is not None and (item.position != place.position or item.passkey != passkey):
        raise Problem("credential-in-use")
    challenge = in_person_challenge(election.origin, place.position, passkey.credential, passkey.key, request.date)
    office = registrar.config.office
    if office is None:
        raise Problem("officers-refused")
    party = RelyingParty(office.rp_id, office.origin)
    officers = registrar.config.officers
    names = require_two_officers(db, OFFICER_COUNTER, officers, party, request.assertions, challenge)
    if item is None:
        id_ = secrets.token_hex(16)
        item = StoredEnrolment(id_, election.id, place.position, place.style, passkey, request.language, expires=now)
        repository.add(item, now)
    if item.state != CONFIRMED:
        repository.expire_pending(election.id, place.position)
        sign(db, registrar, item, "in-person", "in-person")
        registrar.audit.record(db, "in-person", now, election=election.id, officers=" ".join(names))
    signed = repository.get(item.id)
    assert signed is not None
    return {
        "id": item.id,
        "position": item.position,
        "style": item.style,
        "body": signed.body,
        "signature": signed.signature,
    }
