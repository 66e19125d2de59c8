"""Edits of an honest audit's input: each plants one defect, made by the role that is corrupt there."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import Any

from nacl.signing import SigningKey

from biometric_idp.enrolment.passkey import make_assertion
from biometric_idp.idp.ticket import sign_tickets
from biometric_idp.issuer.ledger import sign_ledger_checkpoint
from biometric_idp.policy import sign_officer_passkey
from biometric_idp.request import Assertion, Request
from tests.support.small_election import ORIGIN
from tests.support.small_manifest import OPENS
from tests.verifier.ledger.world import (
    DAY,
    PARTY,
    VOTERS,
    Case,
    assertion_with,
    cosignature_lines,
    ledger_entry,
    passkey,
)
from verifier.record.cbor import decode, encode

Edit = Callable[[Case], object]
#: Index of a terminal entry on the ledgers of issuers 1 to 3.
TERMINAL = len(VOTERS)


def request_of(case: Case, issuer: int, index: int) -> dict[str, Any]:
    """The decoded request of an entry."""
    entry: Any = decode(case.entries[issuer][index])
    request: Any = decode(entry["request"])
    return request  # type: ignore[no-any-return]


def hash_of(case: Case) -> bytes:
    """The request hash of voter 0 on issuer 4's ledger."""
    entry: Any = decode(case.entries[4][0])
    return bytes(entry["hash"])


def both(*edits: Edit) -> Edit:
    """One edit after the other."""

    def edit(case: Case) -> None:
        for one in edits:
            one(case)

    return edit


def edit_request(case: Case, change: Callable[[dict[str, Any]], object], issuer: int = 4, index: int = 0) -> None:
    """Change a request's members; neither hash nor assertion follow."""
    request = request_of(case, issuer, index)
    change(request)
    case.change(issuer, index, request=encode(request))


def asserted(case: Case, **parts: Any) -> None:
    """Voter 0's passkey makes another assertion over the true hash; issuer 4 takes it."""
    hash_ = hash_of(case)
    own = case.world.passkeys[0]
    party = replace(PARTY, **parts.pop("party", {}))
    assertion = make_assertion(own, party, hash_, **parts)
    put_assertion(case, assertion)


def put_assertion(case: Case, assertion: Assertion) -> None:
    value = {
        "credential": assertion.credential,
        "client-data": assertion.client_data,
        "authenticator-data": assertion.authenticator_data,
        "signature": assertion.signature,
    }
    edit_request(case, lambda request: request.update(assertions=[value]))


def signed(case: Case, client_data: bytes | None = None, data: bytes | None = None) -> None:
    """Voter 0's passkey signs any client data or authenticator data."""
    hash_ = hash_of(case)
    honest = make_assertion(case.world.passkeys[0], PARTY, hash_)
    put_assertion(
        case,
        assertion_with(case.world.passkeys[0], client_data or honest.client_data, data or honest.authenticator_data),
    )


def client_data(case: Case, without: str | None = None, **changes: Any) -> None:
    hash_ = hash_of(case)
    challenge = base64.urlsafe_b64encode(hash_).rstrip(b"=").decode()
    members = {"type": "webauthn.get", "challenge": challenge, "origin": PARTY.origin, "crossOrigin": False, **changes}
    members.pop(without or "", None)
    signed(case, json.dumps(members).encode())


def ticket(case: Case, change: Callable[[dict[str, Any]], object]) -> None:
    edit_request(case, lambda request: change(request["ticket"]))


def new_ticket(case: Case, key: SigningKey, fingerprint: bytes | None = None, date: int = OPENS // DAY) -> None:
    hash_ = hash_of(case)
    made = sign_tickets(key, fingerprint or case.world.fingerprint, [hash_], date)[0]
    value = {"date": made.date, "size": made.size, "index": 0, "path": b"", "signature": made.signature}
    edit_request(case, lambda request: request.update(ticket=value))


def idp(case: Case) -> SigningKey:
    return case.world.keys["identity-provider"]


def everywhere(case: Case, request: Request) -> None:
    """A request that issuers 1 to 3 have on their ledgers."""
    for issuer in (1, 2, 3):
        case.add(issuer, request)


def enrolled_twice(case: Case, same_id: bool) -> None:
    """Registrar and identity provider enrol voter 0's passkey for the position of somebody else, who then "asks"."""
    own = case.world.passkeys[0]
    public = own.public if same_id else replace(own.public, credential=b"another id")
    enrolment = replace(case.world.enrolment(12, own), passkey=public)
    case.extend_log(case.world.log_entry([enrolment]))
    request = case.world.request(12, own, credential=public.credential)
    assertions = tuple(replace(one, credential=public.credential) for one in request.assertions)
    everywhere(case, replace(request, assertions=assertions))


def forged_enrolment(case: Case, **keys: SigningKey) -> None:
    """One role alone puts a key of its own into the log for the abstainer at position 12."""
    own = passkey("of a corrupt role")
    case.extend_log(case.world.log_entry([case.world.enrolment(12, own)], **keys))


def flag(value: int) -> Edit:
    return lambda case: asserted(case, flags=value)


def extended(data: bytes, flags: int) -> Edit:
    head = sha256(PARTY.rp_id.encode()).digest() + bytes([flags]) + bytes(4)
    return lambda case: signed(case, data=head + data)


def checkpoint_of(issuer: int, **changes: Any) -> Edit:
    """Issuer 4's file has another checkpoint, while its statement stays."""

    def edit(case: Case) -> None:
        entries = changes.get("entries", case.entries[4])
        key = changes.get("key", case.keys[4])
        text = sign_ledger_checkpoint(key, changes.get("origin", ORIGIN), issuer, entries)
        case.note[4] = lambda _: text.encode()

    return edit


def cosigned(count: int, broken: bool = False) -> Edit:
    def edit(case: Case) -> None:
        def note(data: bytes) -> bytes:
            lines = cosignature_lines(case.world, data.split(b"\n\n")[0] + b"\n", count)
            if broken:
                text = f"{ORIGIN}/ledger/4\n0\n{base64.b64encode(sha256(b'').digest()).decode()}\n".encode()
                lines[0] = cosignature_lines(case.world, text, 1)[0]
            return data + b"".join(lines)

        case.note[4] = note

    return edit


def statement(**changes: Any) -> Edit:
    """Issuer 4 states something else than its ledger."""

    def edit(case: Case) -> None:
        for name, value in changes.items():
            case.after.append(partial(case.record.set, "ledger", name, value=value, number=3))

    return edit


def stated_checkpoint(case: Case, entries: list[bytes]) -> None:
    text = sign_ledger_checkpoint(case.keys[4], ORIGIN, 4, entries)
    case.after.append(lambda: case.record.set("ledger", "checkpoint", value=text, number=3))


def other_statement(case: Case) -> None:
    stated_checkpoint(case, [case.entries[4][1], case.entries[4][0]])


def longer_statement(case: Case) -> None:
    stated_checkpoint(case, [*case.entries[4], b"more"])


def shorter_statement(case: Case) -> None:
    """Issuance went on after the statement."""
    stated_checkpoint(case, case.entries[4][:1])
    statement(issued=[{"style": "east", "count": 1, "terminal": 0}, {"style": "west", "count": 0, "terminal": 0}])(case)


def no_statement(case: Case) -> None:
    case.restated = False

    def drop() -> None:
        case.record.entries.pop(case.record.at("ledger", 3))
        body: Any = {"dispositions": {"hash": bytes(32), "length": 0}, "accounting": [], "malformed": 0, "groups": []}
        style = {"style": "east", "appended": 0, "counted": 0, "superseded": 0, "challenged": 0, "rejected": []}
        group: Any = {"group": "east", "styles": ["east"], "ballots": 0, "status": "empty"}
        body |= {"accounting": [style], "groups": [{"contest": "question", "groups": [group]}], "time": OPENS}
        case.record.entries.append(case.record.sign("selection", body, "officer-1", "officer-2"))

    case.after.append(drop)


def foreign_log(case: Case) -> None:
    """The auditor gets another log than the record's checkpoint is over."""
    case.log[-1] = case.world.log_entry([case.world.enrolment(1, passkey("another without effect"))])


def officer_file(change: Callable[[Any], object]) -> Edit:
    return lambda case: change(case.officers["officers"])


def officer_of(role: str, key: str) -> Edit:
    """A role, with the signature of a key, stands for the first officer's passkey."""

    def edit(case: Case) -> None:
        own = case.world.officer_passkeys[0].public
        signed_by = sign_officer_passkey(case.world.keys[key], case.world.fingerprint, role, own)
        case.officers["officers"][0].update(role=role, signature=signed_by.signature.hex())

    return edit


def swap_signatures(officers: Any) -> None:
    officers[0]["signature"], officers[1]["signature"] = officers[1]["signature"], officers[0]["signature"]


def at_terminal(position: int, *signers: int, credential: bytes = b"") -> Edit:
    """Some officers issue to somebody; issuers 1 to 3 take it."""

    def edit(case: Case) -> None:
        officers = [case.world.officer_passkeys[number - 1] for number in signers]
        everywhere(case, case.world.request(position, *officers, credential=credential))

    return edit


def policy_period(opens: int, closes: int) -> Edit:
    def edit(case: Case) -> None:
        case.officers |= {"format": "evoting-issuance-policy/v1", "opens": opens, "closes": closes}

    return edit


def bad_point(blinded: bytes) -> Edit:
    def edit(case: Case) -> None:
        request = case.world.request(1, blinded=blinded)
        for issuer in (1, 2, 3, 4):
            case.replace(issuer, 1, request)

    return edit


def second_request(case: Case) -> None:
    """Voter 0 sends another request to issuer 4, whose group overlaps with the first in corrupt issuers only."""
    case.replace(4, 0, case.world.request(0))


def swapped(case: Case) -> None:
    """Authorisation kept, request swapped: a fresh blinded point under the voter's assertion and a true ticket."""
    old, new = request_of(case, 4, 0), case.world.request(0)
    raw: Any = decode(ledger_entry(case.world, new))
    request: Any = decode(raw["request"])
    request["assertions"] = old["assertions"]
    case.entries[4][0] = encode({**raw, "request": encode(request)})


def replaced(case: Case) -> None:
    lost = passkey("lost")
    request = case.world.request(22, lost, credential=lost.public.credential)
    for issuer in (1, 2, 3):
        case.replace(issuer, VOTERS.index(22), request)


def new_bodies(case: Case) -> None:
    """A second enrolment entry whose checkpoint another role signed."""
    case.extend_log(case.log[0])
    text = sign_ledger_checkpoint(case.world.keys["registrar"], ORIGIN, 1, case.log)
    case.record.set("enrolment", "checkpoint", number=1, value=text.replace("/ledger/1", "/enrolment"))


def withheld(case: Case) -> None:
    """Issuer 4 shows the auditor one entry less than it signed."""
    checkpoint_of(4, entries=list(case.entries[4]))(case)
    case.restated = False
    case.entries[4].pop()


def as_class(name: str, index: int, *issuers: int) -> Edit:
    def edit(case: Case) -> None:
        for issuer in issuers:
            case.change(issuer, index, **{"class": name})

    return edit


def other_passkey(case: Case, credential: bytes | None = None) -> None:
    """Voter 1's passkey asserts for voter 0, under its own credential id or voter 0's."""
    made = make_assertion(case.world.passkeys[1], PARTY, hash_of(case))
    put_assertion(case, made if credential is None else replace(made, credential=credential))


def by_thief(case: Case) -> None:
    thief = passkey("thief")
    everywhere(case, case.world.request(12, thief, credential=thief.public.credential))


def cut_path(request_ticket: dict[str, Any]) -> None:
    request_ticket["path"] = request_ticket["path"][:-1]
