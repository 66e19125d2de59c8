"""A voting passkey from its registration to the enrolment log (docs/spec/05-credentials.md section 5.3).

    new -> told (the registrar has it) -> logged        or        new -> desk (two officers must confirm) -> logged

Crash points: every arrow is one transaction. The registrar is told outside of any; telling it again changes nothing
there, so a request that is repeated after a crash goes on where it was. The log entry and the state ``logged`` are one
transaction, so an entry is never written twice.
"""

from __future__ import annotations

import secrets
from hashlib import sha256

from sqlalchemy import Connection

from biometric_idp.enrolment.log import (
    ENROLMENT_DOMAIN,
    Enrolment,
    decode_enrolments,
    encode_entry,
    enrolment_origin,
    sign_enrolments,
)
from biometric_idp.errors import FormatError
from biometric_idp.idp.accounts.repository import AccountRepository
from biometric_idp.idp.challenges.service import make_challenge, use_challenge
from biometric_idp.idp.config import ElectionConfig
from biometric_idp.idp.context import DAY, Idp
from biometric_idp.idp.idempotency.service import Idempotent, Key
from biometric_idp.idp.passkeys.options import creation_options
from biometric_idp.idp.passkeys.verify import (
    VOTING_ALGORITHMS,
    canonical_passkey,
    client_challenge,
    verify_registration,
)
from biometric_idp.idp.tables import RATE
from biometric_idp.idp.voting.handoff import VOTING_PASSKEY, require_voting
from biometric_idp.idp.voting.registrar_client import RegistrarRefusal, Started, Status
from biometric_idp.idp.voting.repository import (
    DESK,
    LOGGED,
    NEW,
    TOLD,
    OpeningRepository,
    PlaceRepository,
    VotingPasskey,
    VotingPasskeyRepository,
)
from biometric_idp.idp.voting.schemas import RegisterPasskey
from biometric_idp.population.pin import mask_pin
from biometric_idp.shared.fields import encode_base64url
from biometric_idp.shared.rates import take
from biometric_idp.signatures import frames_signature_holds
from biometric_idp.webauthn import PublicPasskey, RelyingParty
from services.problems import Problem

#: Seconds by which the registrar's clock may be ahead.
_AHEAD = 300
Answer = dict[str, object]


def require_enrolment(db: Connection, election: ElectionConfig) -> None:
    """Issuers have the log up to the checkpoint of the opening: a later passkey would only cost its voter the terminal.

    Raises:
        Problem: ``enrolment-closed``.
    """
    if OpeningRepository(db).enrolled(election.id) is not None:
        raise Problem("enrolment-closed")


def options(db: Connection, idp: Idp, session_id: bytes, origin: str) -> Answer:
    """Options for a passkey on the voting host's RP ID."""
    election = idp.election(origin)
    session, account_id = require_voting(db, idp, session_id, VOTING_PASSKEY)
    if session.election != election.id:
        raise Problem("session-purpose")
    require_enrolment(db, election)
    account = AccountRepository(db).get(account_id)
    if account is None:
        raise Problem("session-needed")
    config = idp.config.voting_passkeys
    challenge = make_challenge(idp, VOTING_PASSKEY, session_id, config.seconds)
    return {
        "publicKey": creation_options(
            challenge,
            rp_id=election.voting_rp_id,
            rp_name=election.title["ky"],
            handle=idp.digest("voting-handle", election.id.encode(), account_id.encode()),
            user_name=mask_pin(account.pin),
            seconds=config.seconds,
            is_attested=config.attestation == "required",
            algorithms=VOTING_ALGORITHMS,
        ),
        "id": encode_base64url(challenge[8:24]),
    }


def register(
    db: Connection, idp: Idp, session_id: bytes, request: RegisterPasskey, key: Key
) -> tuple[VotingPasskey, Answer | None]:
    """Check the new passkey and keep it; gives it, and the answer where this very request was answered before."""
    now = idp.clock()
    session, account = require_voting(db, idp, session_id, VOTING_PASSKEY)
    assert session.election is not None
    election = idp.election_by_id(session.election)
    idempotent = Idempotent(db, idp, account, key)
    repository = VotingPasskeyRepository(db)
    if idempotent.reference is not None:
        known = repository.get(idempotent.reference)
        if known is None:
            raise Problem("enrolment-unknown")
        return known, idempotent.answer
    require_enrolment(db, election)
    subject = idp.digest("voting-passkeys", account.encode(), election.id.encode())
    take(db, RATE, "voting-passkeys", subject, idp.config.voting_passkeys.a_day, DAY, now)
    challenge = client_challenge(request.credential, "webauthn.create")
    if encode_base64url(challenge[8:24]) != request.id:
        raise Problem("challenge-invalid")
    use_challenge(db, idp, VOTING_PASSKEY, session_id, challenge)
    party = RelyingParty(election.voting_rp_id, election.voting_origin)
    made = verify_registration(request.credential, challenge, party, idp.voting_policy, VOTING_ALGORITHMS)
    passkey = canonical_passkey(made)
    pending = VotingPasskey(
        secrets.token_hex(16),
        account,
        election.id,
        passkey.credential,
        passkey.key,
        passkey.algorithm,
        request.language,
        NEW,
        None,
        None,
        None,
        now,
    )
    if not repository.add(pending):
        raise Problem("credential-in-use")
    idempotent.began(pending.id)
    return pending, None


def tell_registrar(db: Connection, idp: Idp, pending: VotingPasskey, key: Key, started: Started) -> Answer:
    """Keep what the registrar answered, and answer."""
    election = idp.election_by_id(pending.election)
    idempotent = Idempotent(db, idp, pending.account, key)
    if idempotent.answer is not None:
        return idempotent.answer
    PlaceRepository(db).put(election.id, pending.account, started.position, started.style)
    repository = VotingPasskeyRepository(db)
    now = repository.get(pending.id, lock=True)
    if now is not None and now.state == NEW:
        repository.change(pending.id, state=TOLD, registrar=started.id, hint=started.hint)
        idp.audit.record(
            db,
            "voting-passkey-pending",
            idp.clock(),
            account=idp.subject(pending.account),
            election=election.id,
            key=sha256(pending.key).hexdigest()[:8],
        )
    answer: Answer = {
        "enrolment": started.id,
        "key_digest": sha256(pending.key).hexdigest(),
        "registrar": election.registrar.url,
        "channel_hint": started.hint,
    }
    idempotent.answered(answer)
    return answer


def note_refusal(db: Connection, idp: Idp, pending: VotingPasskey, refusal: RegistrarRefusal) -> Problem:
    """A later passkey waits for two officers at the registrar's desk; what else is refused is refused."""
    problem = refusal.problem()
    their = refusal.detail.get("enrolment")
    if refusal.code == "change-in-person" and type(their) is str and len(their) <= 64:
        VotingPasskeyRepository(db).change(pending.id, state=DESK, registrar=their)
        return Problem("change-in-person", enrolment=their)
    return problem


def pending_of(db: Connection, idp: Idp, session_id: bytes, id_: str) -> VotingPasskey:
    """The caller's own pending enrolment, by the registrar's id, under which all three know it.

    Raises:
        Problem: ``session-purpose``, ``enrolment-unknown``.
    """
    session, account = require_voting(db, idp, session_id, VOTING_PASSKEY)
    assert session.election is not None
    pending = VotingPasskeyRepository(db).of_registrar(session.election, account, id_)
    if pending is None:
        raise Problem("enrolment-unknown")
    return pending


def check_confirmation(
    idp: Idp, election: ElectionConfig, pending: VotingPasskey, place: tuple[int, str] | None, status: Status
) -> Enrolment:
    """The body that the registrar signed, if it is about this person's passkey and nothing else.

    Raises:
        Problem: ``registrar-contradicts``.
    """
    bound = enrolment_origin(election.origin).encode()
    registrar = bytes.fromhex(election.registrar.key)
    passkey = PublicPasskey(pending.credential, pending.algorithm, pending.key)
    try:
        if not frames_signature_holds(registrar, status.signature, ENROLMENT_DOMAIN, bound, status.body):
            raise FormatError("the registrar's signature does not verify")
        enrolments = decode_enrolments(status.body, "the registrar's body")
        if len(enrolments) != 1 or enrolments[0].passkey != passkey:
            raise FormatError("another passkey")
        item = enrolments[0]
        if place is not None and (item.position, item.style) != place:
            raise FormatError("another position")
        if item.time > idp.clock() + _AHEAD:
            raise FormatError("a time to come")
    except FormatError:
        raise Problem("registrar-contradicts") from None
    return item


def append(db: Connection, idp: Idp, pending_id: str, status: Status) -> Answer:
    """Sign and append to the log, once; whatever comes later gets the same index."""
    repository = VotingPasskeyRepository(db)
    pending = repository.get(pending_id, lock=True)
    if pending is None:
        raise Problem("enrolment-unknown")
    election = idp.election_by_id(pending.election)
    places = PlaceRepository(db)
    place = places.get(election.id, pending.account)
    if pending.state != LOGGED:
        require_enrolment(db, election)
        item = check_confirmation(idp, election, pending, place, status)
        if place is None:
            places.put(election.id, pending.account, item.position, item.style)
            place = item.position, item.style
        own = sign_enrolments(idp.key, election.origin, status.body)
        index = idp.logs[election.id].append(db, [encode_entry(status.body, own, status.signature)])
        repository.change(pending.id, state=LOGGED, entry=index)
        now = idp.clock()
        AccountRepository(db).note(pending.account, f"voting-passkey-{item.method}", now // DAY)
        idp.audit.record(
            db,
            "voting-passkey-logged",
            now,
            account=idp.subject(pending.account),
            election=election.id,
            method=item.method,
            key=sha256(pending.key).hexdigest()[:8],
        )
    else:
        assert pending.entry is not None
        index = pending.entry
    assert place is not None
    return {"state": LOGGED, "index": index, "position": place[0], "style": place[1]}


def waiting(db: Connection, pending: VotingPasskey) -> Answer:
    place = PlaceRepository(db).get(pending.election, pending.account)
    answer: Answer = {"state": "pending"}
    if place is not None:
        answer |= {"position": place[0], "style": place[1]}
    return answer


def account_pin(db: Connection, account: str) -> str:
    found = AccountRepository(db).get(account)
    if found is None:
        raise Problem("session-needed")
    return found.pin
