"""The registrar's half of an enrolment: a code by its own channel, and its signature once the citizen confirmed.

docs/spec/05-credentials.md section 5.3. Everything about one person waits for its turn on the person's row of the roll,
so that no two requests together get further than one alone.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256

from sqlalchemy import Connection

from biometric_idp.enrolment.log import Enrolment, encode_enrolments, sign_enrolments
from biometric_idp.errors import FormatError
from biometric_idp.registrar.channels.service import NOTICE_SECONDS, choose_channel
from biometric_idp.registrar.config import ElectionConfig
from biometric_idp.registrar.confirmations.repository import (
    CONFIRMED,
    DESK,
    EXPIRED,
    PENDING,
    EnrolmentRepository,
    StoredEnrolment,
)
from biometric_idp.registrar.confirmations.schemas import Confirm, FindPosition, StartEnrolment
from biometric_idp.registrar.context import Registrar, key_prefix
from biometric_idp.registrar.rolls.repository import RollPosition, RollRepository
from biometric_idp.registrar.tables import RATE
from biometric_idp.shared.rates import take
from biometric_idp.shared.request_signature import WINDOW, verify_request
from biometric_idp.webauthn import PublicPasskey, require_cose_key
from services.problems import Problem

_DAY = 86_400
Answer = dict[str, object]


def require_signed(
    registrar: Registrar,
    election: ElectionConfig,
    method: str,
    path: str,
    body: bytes,
    headers: Mapping[str, str],
) -> tuple[bytes, int]:
    """The request's signature and time, if the election's identity provider signed it just now.

    Raises:
        Problem: ``not-the-identity-provider``.
    """
    known = bytes.fromhex(election.identity_provider)
    signed = verify_request(known, method, path, body, dict(headers), registrar.clock())
    if signed is None:
        raise Problem("not-the-identity-provider")
    return signed


def _use(repository: EnrolmentRepository, signed: tuple[bytes, int]) -> None:
    signature, time = signed
    if not repository.use_signature(signature, time + 2 * WINDOW):
        raise Problem("request-replayed")


def find_position(db: Connection, election: ElectionConfig, request: FindPosition, signed: tuple[bytes, int]) -> Answer:
    """Position and style of a person."""
    _use(EnrolmentRepository(db), signed)
    place = _require_place(db, election, request.pin)
    return {"position": place.position, "style": place.style}


def _require_place(db: Connection, election: ElectionConfig, pin: str) -> RollPosition:
    place = RollRepository(db).find(election.id, pin, lock=True)
    if place is None:
        raise Problem("not-on-roll")
    return place


def start(
    db: Connection, registrar: Registrar, election: ElectionConfig, request: StartEnrolment, signed: tuple[bytes, int]
) -> Answer | Problem:
    """Take in a passkey and send its citizen a code; the same request again changes nothing."""
    try:
        require_cose_key(request.key, request.algorithm)
    except FormatError:
        raise Problem("key-not-accepted") from None
    passkey = PublicPasskey(request.credential, request.algorithm, request.key)
    now = registrar.clock()
    repository = EnrolmentRepository(db)
    _use(repository, signed)
    place = _require_place(db, election, request.pin)
    known = repository.by_credential(election.id, passkey.credential)
    if known is not None:
        if known.position != place.position or known.passkey != passkey:
            raise Problem("credential-in-use")
        if known.state == DESK:
            return Problem("change-in-person", enrolment=known.id)
        if known.state == CONFIRMED or (known.state == PENDING and now < known.expires):
            return _started(known)
    prefix = key_prefix(passkey.key)
    contacts = registrar.contacts(request.pin)
    title = election.title[request.language]
    id_ = secrets.token_hex(16) if known is None else known.id
    item = StoredEnrolment(id_, election.id, place.position, place.style, passkey, request.language, expires=now)
    if repository.has_confirmed(election.id, place.position):
        person = registrar.digest("change-attempts", election.id, request.pin)
        take(db, RATE, "change-attempts", person, registrar.config.codes.a_day, _DAY, now)
        registrar.outbox.queue(
            db, contacts, "change-attempt", request.language, NOTICE_SECONDS, election=title, key=prefix
        )
        _put(repository, item, now, is_new=known is None)
        registrar.audit.record(db, "change-attempted", now, election=election.id, position=place.position)
        return Problem("change-in-person", enrolment=item.id)
    chosen = choose_channel(contacts, registrar.outbox.channels)
    if chosen is None:
        raise Problem("no-contact")
    repository.expire_pending(election.id, place.position)
    code = _send_code(db, registrar, election, item.id, request.pin, request.language, prefix)
    expires = now + registrar.config.codes.seconds
    item = replace(item, state=PENDING, hint=chosen[2], code=code, expires=expires)
    _put(repository, item, now, is_new=known is None)
    registrar.audit.record(db, "code-sent", now, election=election.id, position=place.position, key=prefix)
    return _started(item)


def _put(repository: EnrolmentRepository, item: StoredEnrolment, now: int, *, is_new: bool) -> None:
    if is_new:
        repository.add(item, now)
    else:
        repository.change(
            item.id, state=item.state, hint=item.hint, code=item.code, expires=item.expires, attempts=0, created=now
        )


def _send_code(
    db: Connection, registrar: Registrar, election: ElectionConfig, id_: str, pin: str, language: str, prefix: str
) -> bytes:
    """Queue a fresh code; gives what is stored of it."""
    person = registrar.digest("codes", election.id, pin)
    take(db, RATE, "codes", person, registrar.config.codes.a_day, _DAY, registrar.clock())
    code = f"{secrets.randbelow(10**8):08d}"
    title = election.title[language]
    registrar.outbox.queue(
        db,
        registrar.contacts(pin),
        "code",
        language,
        registrar.config.codes.seconds,
        election=title,
        code=code,
        key=prefix,
    )
    return registrar.digest("code", id_, code)


def _started(item: StoredEnrolment) -> Answer:
    return {"id": item.id, "position": item.position, "style": item.style, "channel_hint": item.hint}


def status(registrar: Registrar, item: StoredEnrolment) -> Answer:
    """How far an enrolment is, and the signed body once it is confirmed. It changes nothing, so it may be repeated."""
    if item.state == CONFIRMED:
        assert item.body is not None
        assert item.signature is not None
        return {"state": CONFIRMED, "body": item.body, "signature": item.signature}
    if item.state == DESK or (item.state == PENDING and registrar.clock() < item.expires):
        return {"state": PENDING}
    return {"state": EXPIRED}


def send_again(db: Connection, registrar: Registrar, id_: str) -> Answer:
    """A fresh code for an enrolment that still waits; the earlier one is void."""
    repository = EnrolmentRepository(db)
    item = repository.get(id_, lock=True)
    if item is None or item.state not in (PENDING, EXPIRED) or item.attempts >= registrar.config.codes.attempts:
        raise Problem("enrolment-unknown")
    voter = RollRepository(db).pin_at(item.election, item.position)
    election = registrar.election_by_id(item.election)
    if voter is None or repository.has_confirmed(item.election, item.position):
        raise Problem("enrolment-unknown")
    RollRepository(db).find(item.election, voter[0], lock=True)
    repository.expire_pending(item.election, item.position)
    prefix = key_prefix(item.passkey.key)
    code = _send_code(db, registrar, election, id_, voter[0], item.language, prefix)
    expires = registrar.clock() + registrar.config.codes.seconds
    repository.change(id_, state=PENDING, code=code, expires=expires)
    return {"state": PENDING, "channel_hint": item.hint}


def confirm(db: Connection, registrar: Registrar, request: Confirm) -> Answer | Problem:
    """The citizen's device shows the code and the digest of the key that it made."""
    repository = EnrolmentRepository(db)
    now = registrar.clock()
    item = repository.get(request.enrolment, lock=True)
    if item is None or item.state == DESK:
        raise Problem("enrolment-unknown")
    if item.code is None or item.attempts >= registrar.config.codes.attempts:
        return Problem("code-void")
    if item.state == EXPIRED or (item.state == PENDING and now >= item.expires):
        return Problem("code-expired")
    if not hmac.compare_digest(item.code, registrar.digest("code", item.id, request.code)):
        repository.change(item.id, attempts=item.attempts + 1)
        left = registrar.config.codes.attempts - item.attempts - 1
        registrar.audit.record(db, "code-wrong", now, election=item.election, position=item.position, left=left)
        return Problem("code-wrong", left=left) if left else Problem("code-void")
    if sha256(item.passkey.key).hexdigest() != request.key_digest:
        return _stop_other_key(db, registrar, item)
    if item.state == PENDING:
        sign(db, registrar, item, "code", "registered")
    return {"state": CONFIRMED}


def _stop_other_key(db: Connection, registrar: Registrar, item: StoredEnrolment) -> Problem:
    """The key that the identity provider sent is not the one that the citizen's device made (attack C14)."""
    if item.state == PENDING:
        EnrolmentRepository(db).change(item.id, state=EXPIRED, code=None)
        registrar.audit.record(
            db,
            "other-key",
            registrar.clock(),
            election=item.election,
            position=item.position,
            key=key_prefix(item.passkey.key),
        )
        notify(db, registrar, item, "other-key")
    return Problem("other-key")


def sign(db: Connection, registrar: Registrar, item: StoredEnrolment, method: str, notice: str) -> None:
    """Sign the enrolment as confirmed now, and tell the citizen."""
    now = registrar.clock()
    election = registrar.election_by_id(item.election)
    body = encode_enrolments([Enrolment(item.position, item.style, item.passkey, method, now)])
    signature = sign_enrolments(registrar.key, election.origin, body)
    EnrolmentRepository(db).change(item.id, state=CONFIRMED, method=method, body=body, signature=signature)
    registrar.audit.record(
        db,
        "confirmed",
        now,
        election=item.election,
        position=item.position,
        method=method,
        key=key_prefix(item.passkey.key),
    )
    notify(db, registrar, item, notice)


def notify(db: Connection, registrar: Registrar, item: StoredEnrolment, kind: str) -> None:
    """A notice to the citizen at this position, by the registrar's own channel."""
    voter = RollRepository(db).pin_at(item.election, item.position)
    if voter is None:
        return
    title = registrar.election_by_id(item.election).title[item.language]
    registrar.outbox.queue(
        db,
        registrar.contacts(voter[0]),
        kind,
        item.language,
        NOTICE_SECONDS,
        election=title,
        key=key_prefix(item.passkey.key),
    )
