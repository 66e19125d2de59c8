"""Each check of the auditor by a defect that only it names: planted by whoever is corrupt, signed again, hashed again.

Attacks C1, C2, C6, C8, C13, C14, C15 and C16 as an auditor sees them.
"""

from __future__ import annotations

import re

import pytest

from biometric_idp.webauthn import USER_PRESENT, USER_VERIFIED
from tests.support.small_manifest import OPENS
from tests.verifier.ledger.edits import (
    TERMINAL,
    Edit,
    as_class,
    asserted,
    at_terminal,
    bad_point,
    by_thief,
    checkpoint_of,
    client_data,
    cosigned,
    cut_path,
    edit_request,
    enrolled_twice,
    everywhere,
    extended,
    flag,
    foreign_log,
    forged_enrolment,
    idp,
    longer_statement,
    new_bodies,
    new_ticket,
    no_statement,
    officer_file,
    officer_of,
    other_passkey,
    other_statement,
    policy_period,
    replaced,
    request_of,
    second_request,
    shorter_statement,
    signed,
    statement,
    swap_signatures,
    swapped,
    ticket,
    withheld,
)
from tests.verifier.ledger.world import ABSTAINER, DAY, PARTY, Case, failing, passkey
from verifier.ledger.run import ORDER
from verifier.record.cbor import encode

ID = re.compile(r"C[0-9]+ ")

# Attack or rule, checks that must name it, words of the sentence, edit
DEFECTS: list[tuple[str, set[str], str, Edit]] = [
    # the record and what comes with it
    (
        "a record of another election",
        {"audit.record"},
        "fingerprint",
        lambda c: c.record.set("opening", "time", value=1),
    ),
    (
        "a forged statement",
        {"audit.record"},
        "signed by issuer",
        lambda c: c.after.append(lambda: c.record.edit("ledger", lambda b: None, 3, "registrar")),
    ),
    ("another roll", {"audit.record"}, "the roll's ballot styles", lambda c: setattr(c, "roll", c.roll[:-2] + b"\0\0")),
    # enrolment
    (
        "C14 by the identity provider alone",
        {"audit.enrolment"},
        "the signature of the registrar",
        lambda c: forged_enrolment(c, registrar=idp(c)),
    ),
    (
        "C14 by the registrar alone",
        {"audit.enrolment"},
        "the signature of the identity-provider",
        lambda c: forged_enrolment(c, idp=c.world.keys["registrar"]),
    ),
    ("an entry that is none", {"audit.enrolment"}, "enrolment log: entry", lambda c: c.extend_log(b"\xa0")),
    (
        "a body that is none",
        {"audit.enrolment"},
        "enrolment log: body",
        lambda c: c.extend_log(encode({"body": b"\xa0", "identity-provider": bytes(64), "registrar": bytes(64)})),
    ),
    ("another log", {"audit.enrolment"}, "give another root hash", foreign_log),
    ("a log that is cut", {"audit.enrolment"}, "the log has 6 entries, its checkpoint 7", lambda c: c.log.pop()),
    (
        "a log that goes on",
        {"audit.enrolment"},
        "more than the 7 of the record's last checkpoint",
        lambda c: c.log.append(c.log[0]),
    ),
    ("an enrolment checkpoint by nobody", {"audit.enrolment"}, "the identity provider's signature on it", new_bodies),
    # the ledger as a log
    (
        "an entry that is none",
        {"audit.ledger-format"},
        "entry: key 'date' is missing",
        lambda c: c.entries[4].append(encode({"class": "passkey"})),
    ),
    (
        "a signature of another",
        {"audit.checkpoint"},
        "the issuer's signature",
        lambda c: checkpoint_of(4, key=c.keys[3])(c),
    ),
    ("another ledger's origin", {"audit.checkpoint"}, "the origin of the checkpoint", checkpoint_of(3)),
    ("no checkpoint", {"audit.checkpoint"}, "checkpoint: ", lambda c: c.note.update({4: lambda _: b"nothing"})),
    ("C2 an entry is withheld", {"audit.checkpoint", "audit.counts"}, "the checkpoint is over 2 entries", withheld),
    (
        "C2 an entry is replaced",
        {"audit.checkpoint"},
        "another root hash than the checkpoint",
        lambda c: checkpoint_of(4, entries=c.entries[4][::-1])(c),
    ),
    ("another statement", {"audit.checkpoint"}, "another root hash than the ledger statement", other_statement),
    ("a longer statement", {"audit.checkpoint"}, "is over 3 entries, the file holds 2", longer_statement),
    ("an unreadable statement", {"audit.checkpoint"}, "cannot be read", statement(checkpoint="x")),
    ("no statement at the end", {"audit.checkpoint"}, "has no ledger statement of this issuer", no_statement),
    (
        "issuance after the statement",
        {"audit.counts"},
        "1 issued, 0 at terminals are stated, 2 and 0",
        shorter_statement,
    ),
    (
        "too few cosignatures",
        {"audit.cosignatures"},
        "cosigned by 2 of 4 log witnesses, which is no quorum",
        cosigned(2),
    ),
    (
        "a false cosignature",
        {"audit.cosignatures"},
        "the cosignature of witness-1 does not hold",
        cosigned(4, broken=True),
    ),
    # single entries
    ("another hash is stated", {"audit.request"}, "the hash is not that", lambda c: c.change(4, 0, hash=bytes(32))),
    (
        "C16 a terminal entry passes as a voter's",
        {"audit.request"},
        "the class is not that",
        as_class("passkey", TERMINAL, 1, 2, 3),
    ),
    (
        "a voter's entry passes as a terminal one",
        {"audit.request"},
        "the class is not that",
        as_class("terminal", 0, 4),
    ),
    ("a request that is none", {"audit.request"}, "request: key 'style'", lambda c: c.change(4, 0, request=b"\xa0")),
    (
        "a request that is too long",
        {"audit.request"},
        "16385 bytes are more",
        lambda c: c.change(4, 0, request=bytes(16_385)),
    ),
    ("beyond the roll", {"audit.roll"}, "position 40 is not on the roll", at_terminal(40, 1, 2)),
    (
        "another style",
        {"audit.roll"},
        "another ballot style",
        lambda c: everywhere(c, c.world.request(12, *c.world.officer_passkeys, credential=b"", style="west")),
    ),
    (
        "before the opening",
        {"audit.dates"},
        "is before issuance opened",
        lambda c: c.change(4, 0, date=OPENS // DAY - 1),
    ),
    ("after the close", {"audit.dates"}, "is after issuance ended", lambda c: c.change(4, 0, date=OPENS // DAY + 1)),
    (
        "before the policy's period",
        {"audit.dates"},
        "before issuance opened",
        policy_period(OPENS + DAY, OPENS + 9 * DAY),
    ),
    ("after the policy's period", {"audit.dates"}, "after issuance ended", policy_period(0, OPENS - DAY)),
    # tickets
    (
        "C14 a ticket of another day",
        {"audit.ticket"},
        "the ticket is of day",
        lambda c: new_ticket(c, idp(c), date=OPENS // DAY - 2),
    ),
    ("C14 a ticket by the issuer", {"audit.ticket"}, "did not sign a ticket", lambda c: new_ticket(c, c.keys[4])),
    (
        "a ticket of another election",
        {"audit.ticket"},
        "did not sign a ticket",
        lambda c: new_ticket(c, idp(c), bytes(32)),
    ),
    (
        "a ticket of another request",
        {"audit.ticket"},
        "did not sign a ticket",
        lambda c: edit_request(c, lambda r: r.update(ticket=request_of(c, 4, 1)["ticket"])),
    ),
    ("a ticket with another place", {"audit.ticket"}, "did not sign", lambda c: ticket(c, lambda t: t.update(index=5))),
    ("a ticket with half a hash", {"audit.ticket"}, "did not sign", lambda c: ticket(c, cut_path)),
    # assertions
    ("C6 the request is swapped", {"audit.assertion", "audit.cross"}, "the challenge is not the hash", swapped),
    ("C8 another user's key", {"audit.assertion"}, "exactly one assertion", other_passkey),
    (
        "C8 another user's key under the voter's id",
        {"audit.assertion"},
        "signature does not hold",
        lambda c: other_passkey(c, c.world.passkeys[0].public.credential),
    ),
    ("C8 wrong RP ID", {"audit.assertion"}, "another RP ID", lambda c: asserted(c, party={"rp_id": "id.localhost"})),
    (
        "C8 wrong origin",
        {"audit.assertion"},
        "another origin than",
        lambda c: asserted(c, party={"origin": "http://id.localhost:8443"}),
    ),
    ("C8 no user verification", {"audit.assertion"}, "the user was not verified", flag(USER_PRESENT)),
    ("C8 no user presence", {"audit.assertion"}, "the user was not present", flag(USER_VERIFIED)),
    ("C8 a registration", {"audit.assertion"}, "hold a key", flag(USER_PRESENT | USER_VERIFIED | 0x40)),
    ("C8 extensions announced", {"audit.assertion"}, "flags do not agree", flag(USER_PRESENT | USER_VERIFIED | 0x80)),
    ("C8 extensions hidden", {"audit.assertion"}, "flags do not agree", extended(b"x", 0x05)),
    ("C8 another ceremony", {"audit.assertion"}, "another type", lambda c: client_data(c, type="webauthn.create")),
    ("C8 in a frame", {"audit.assertion"}, "inside a page", lambda c: client_data(c, crossOrigin=True)),
    ("C8 in a frame of", {"audit.assertion"}, "inside a page", lambda c: client_data(c, topOrigin=PARTY.origin)),
    ("C8 replayed challenge", {"audit.assertion"}, "the challenge is not", lambda c: client_data(c, challenge="AAAA")),
    ("C8 no object", {"audit.assertion"}, "no JSON object", lambda c: signed(c, b"[]")),
    ("C8 not JSON", {"audit.assertion"}, "not JSON", lambda c: signed(c, b"\xff")),
    ("C8 not a number", {"audit.assertion"}, "not JSON", lambda c: signed(c, b'{"x": NaN}')),
    ("C8 nested without end", {"audit.assertion"}, "not JSON", lambda c: signed(c, b"[" * 2048)),
    ("C8 a name twice", {"audit.assertion"}, "not JSON", lambda c: signed(c, b'{"type":"webauthn.get","type":"x"}')),
    ("C14 no enrolled passkey", {"audit.assertion"}, "has no such passkey for position 12", by_thief),
    ("C14 a passkey that was replaced in person", {"audit.assertion"}, "has no such passkey for position 22", replaced),
    (
        "two assertions of a voter",
        {"audit.assertion"},
        "exactly one assertion",
        lambda c: edit_request(c, lambda r: r["assertions"].append(r["assertions"][0])),
    ),
    # terminals
    ("C16 one officer twice", {"audit.assertion"}, "two different officers", at_terminal(12, 1, 1)),
    ("C16 one officer alone", {"audit.assertion"}, "two different officers", at_terminal(12, 2)),
    (
        "C16 an unknown officer",
        {"audit.assertion"},
        "two different officers",
        lambda c: everywhere(c, c.world.request(12, c.world.officer_passkeys[0], passkey("nobody"), credential=b"")),
    ),
    (
        "C16 officers for a voter with a passkey",
        {"audit.assertion"},
        "officers cannot act in its place",
        at_terminal(ABSTAINER, 1, 2),
    ),
    (
        "C16 officers' passkeys that were not given",
        {"audit.assertion"},
        "were not given",
        lambda c: setattr(c, "officers", None),
    ),
    (
        "C16 the office names the officers' passkeys",
        {"audit.assertion"},
        "not signed by this officer's role key",
        officer_file(swap_signatures),
    ),
    (
        "C16 a registrar as an officer",
        {"audit.assertion"},
        "not signed by this officer's role key",
        officer_of("registrar", "registrar"),
    ),
    (
        "C16 somebody who is no role as an officer",
        {"audit.assertion"},
        "not signed by this officer's role key",
        officer_of("nobody", "officer-1"),
    ),
    # points, uniqueness, numbers
    ("C15 the identity", {"audit.blinded"}, "the blinded point", bad_point(b"\xc0" + bytes(47))),
    ("C15 outside the subgroup", {"audit.blinded"}, "the blinded point", bad_point(b"\x80" + bytes(46) + b"\x04")),
    ("C15 not canonical", {"audit.blinded"}, "the blinded point", bad_point(b"\xff" * 48)),
    (
        "C1 a second request on one ledger",
        {"audit.unique"},
        "position 0 has an earlier entry",
        lambda c: c.add(4, c.world.request(0)),
    ),
    (
        "C1 one request twice on one ledger",
        {"audit.unique"},
        "position 0 has an earlier entry",
        lambda c: c.entries[4].append(c.entries[4][0]),
    ),
    (
        "one passkey for two positions",
        {"audit.unique"},
        "positions 0 and 12 have passkeys with one credential id",
        lambda c: enrolled_twice(c, same_id=True),
    ),
    (
        "one key for two positions",
        {"audit.unique"},
        "positions 0 and 12 have passkeys with one key",
        lambda c: enrolled_twice(c, same_id=False),
    ),
    (
        "C2 fewer are stated",
        {"audit.counts"},
        "1 issued, 0 at terminals are stated, 2 and 0",
        statement(issued=[{"style": "east", "count": 1, "terminal": 0}, {"style": "west", "count": 0, "terminal": 0}]),
    ),
    (
        "C2 terminal ones are hidden",
        {"audit.counts"},
        "2 issued, 1 at terminals are stated, 2 and 0",
        statement(issued=[{"style": "east", "count": 2, "terminal": 1}, {"style": "west", "count": 0, "terminal": 0}]),
    ),
    (
        "C13 two requests of one voter",
        {"audit.cross"},
        "position 0 has one request on the ledger of issuer-1",
        second_request,
    ),
]


def of(*attacks: str) -> pytest.MarkDecorator:
    """The rows of some attacks; without any, the rest."""
    rows = [row for row in DEFECTS if row[0].split()[0] in attacks or (not attacks and not ID.match(row[0]))]
    assert rows
    return pytest.mark.parametrize(("what", "checks", "words", "edit"), rows, ids=[row[0] for row in rows])


def require_named(case: Case, checks: set[str], words: str, edit: Edit) -> None:
    """Exactly these checks fail, and one says what was planted."""
    edit(case)
    code, report, shown = case.run()
    found = {name: [failure["sentence"] for failure in failures] for name, failures in failing(report).items()}
    assert (code, set(found)) == (1, checks), found
    assert any(words in sentence for sentences in found.values() for sentence in sentences), found
    assert shown.endswith("NOT VERIFIED\n")


@of()
def test_a_defect_is_named_by_its_check(case: Case, what: str, checks: set[str], words: str, edit: Edit) -> None:
    require_named(case, checks, words, edit)


@of("C1")
def test_C1_a_second_entry_for_a_voter_is_named(
    case: Case, what: str, checks: set[str], words: str, edit: Edit
) -> None:
    require_named(case, checks, words, edit)


@of("C2")
def test_C2_a_ledger_that_does_not_say_what_was_issued_is_named(
    case: Case, what: str, checks: set[str], words: str, edit: Edit
) -> None:
    require_named(case, checks, words, edit)


@of("C6")
def test_C6_an_authorisation_kept_for_another_request_is_named(
    case: Case, what: str, checks: set[str], words: str, edit: Edit
) -> None:
    require_named(case, checks, words, edit)


@of("C8")
def test_C8_an_assertion_that_no_issuer_may_take_is_named(
    case: Case, what: str, checks: set[str], words: str, edit: Edit
) -> None:
    require_named(case, checks, words, edit)


@of("C13")
def test_C13_two_requests_of_one_voter_are_named_with_both_issuers(
    case: Case, what: str, checks: set[str], words: str, edit: Edit
) -> None:
    require_named(case, checks, words, edit)


@of("C14")
def test_C14_what_one_role_alone_minted_is_named(
    case: Case, what: str, checks: set[str], words: str, edit: Edit
) -> None:
    require_named(case, checks, words, edit)


@of("C15")
def test_C15_an_unusable_point_on_a_ledger_is_named(
    case: Case, what: str, checks: set[str], words: str, edit: Edit
) -> None:
    require_named(case, checks, words, edit)


@of("C16")
def test_C16_what_an_officer_alone_had_issued_is_named(
    case: Case, what: str, checks: set[str], words: str, edit: Edit
) -> None:
    require_named(case, checks, words, edit)


def test_every_check_of_single_defects_has_a_row() -> None:
    named = set().union(*(checks for _, checks, _, _ in DEFECTS))
    assert named == set(ORDER) - {"audit.complete"}
