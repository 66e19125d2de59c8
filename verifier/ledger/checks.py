"""The auditor's checks; docs/spec/05-credentials.md section 5.12.

They stand here in the order in which they run and are reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from verifier.checks.checkpoint import checkpoint_quorum, checkpoint_signature
from verifier.checks.log import log_root
from verifier.checks.opening import identity_provider_checkpoint, opening_manifest
from verifier.checks.registry import NotRun
from verifier.checks.trust import trust_fingerprint, trust_signatures
from verifier.failure import Failure, Failures
from verifier.ledger.audit import Audit, Ledger
from verifier.ledger.enrolments import ROW
from verifier.ledger.framed import Whole
from verifier.ledger.passkeys import NO_PASSKEY
from verifier.ledger.registry import check
from verifier.record.cosigned import read_cosigned
from verifier.record.errors import FormatError
from verifier.record.note import ED25519_NOTE, Checkpoint, Note, VerifierKey, parse_checkpoint, verify_note

#: Checks of the universal verifier that what is used here of the record rests on.
_OF_THE_RECORD = (
    trust_fingerprint,
    trust_signatures,
    checkpoint_signature,
    checkpoint_quorum,
    log_root,
    opening_manifest,
)
#: Positions that are looked at together.
_STEP = 1 << 16


@check(
    "audit.record",
    "2, 5.2",
    "opening, enrolment and ledger entries are the trust root's election; the roll has its styles",
    without_ledgers=True,
)
def audit_record(audit: Audit) -> Iterator[Failure]:
    """What is used of the record is in its log, signed, and pinned by the trust root."""
    for function in _OF_THE_RECORD:
        try:
            yield from function(audit.record)
        except NotRun as error:
            yield Failure(f"the record cannot be used: {error}")
    try:
        stated = audit.record.opening.fields["roll"]["styles"]
    except NotRun:
        return
    if stated != audit.inputs.roll.counts():
        yield Failure("the roll's ballot styles and their sizes are not those of the opening")


@check(
    "audit.enrolment",
    "5.3",
    "the enrolment log is that of the record's checkpoints; both roles signed every entry; the age is kept",
    without_ledgers=True,
)
def audit_enrolment(audit: Audit) -> Failures:
    """The log that issuers take passkeys from."""
    failures = Failures(_enrolment_checkpoints(audit))
    failures.merge(audit.enrolments.failures)
    return failures


def _enrolment_checkpoints(audit: Audit) -> Iterator[Failure]:
    record, log = audit.record, audit.log
    entries, opening = audit.enrolment_entries, audit.record.opening
    age = record.manifest.raw["enrolment-age"]
    if not record.manifest.is_model and entries[0].fields["time"] + age > opening.fields["time"]:
        yield Failure(f"the enrolment checkpoint is younger than {age} s at the opening", entry=opening.index)
    size = 0
    for entry in entries:
        try:
            text = entry.fields["checkpoint"]
            checkpoint = identity_provider_checkpoint(record, text, f"{audit.origin}/enrolment")
        except FormatError as error:
            yield Failure(f"enrolment checkpoint: {error}", entry=entry.index, role="identity-provider")
            continue
        size = checkpoint.size
        if size > log.size:
            yield Failure(f"the log has {log.size} entries, its checkpoint {size}", entry=entry.index)
        elif log.roots[size] != checkpoint.root:
            yield Failure(f"the first {size} entries of the log give another root hash", entry=entry.index)
    if log.size > size:
        yield Failure(f"the log has {log.size} entries, more than the {size} of the record's last checkpoint")


@check("audit.ledger-format", "5.7, 5.10", "every ledger is an issuer's, and every entry is of the schema")
def audit_ledger_format(audit: Audit) -> Failures:
    """Entries can be read."""
    failures = Failures()
    indices = {role.index for role in audit.record.manifest.roles_of("issuer")}
    for file in audit.inputs.ledgers:
        if file.issuer not in indices:
            failures.add(Failure(f"there is no issuer {file.issuer}"))
    failures.merge(audit.found("audit.ledger-format"))
    return failures


@check("audit.checkpoint", "5.7", "the issuer signed a checkpoint over exactly these entries, as its statement does")
def audit_checkpoint(audit: Audit) -> Iterator[Failure]:
    """Nothing was left out of a ledger, added to it or changed in it."""
    for file, whole in zip(audit.inputs.ledgers, audit.wholes, strict=True):
        role = audit.issuer_role(file.issuer)
        for failure in (*_own_checkpoint(audit, file.note, file.issuer, whole), *_stated(audit, file.issuer, whole)):
            yield replace(failure, role=role)


def _own_checkpoint(audit: Audit, note: bytes, issuer: int, whole: Whole) -> Iterator[Failure]:
    try:
        checkpoint = parse_checkpoint(note)
    except FormatError as error:
        yield Failure(f"checkpoint: {error}")
        return
    origin = f"{audit.origin}/ledger/{issuer}"
    if checkpoint.origin != origin:
        yield Failure(f"the origin of the checkpoint is not {origin}")
    keys = [role.key for role in audit.record.manifest.roles_of("issuer") if role.index == issuer]
    if not any(verify_note(checkpoint.note, VerifierKey(checkpoint.origin, ED25519_NOTE, key)) for key in keys):
        yield Failure("the issuer's signature on the checkpoint does not hold")
    if checkpoint.size != whole.size:
        yield Failure(f"the checkpoint is over {checkpoint.size} entries, the file holds {whole.size}")
    elif checkpoint.root != whole.root:
        yield Failure("the entries give another root hash than the checkpoint")


def _stated(audit: Audit, issuer: int, whole: Whole) -> Iterator[Failure]:
    entry, stated = audit.statement(issuer), audit.statement_checkpoint(issuer)
    if stated is None:
        if entry is not None:
            yield Failure("the checkpoint of the ledger statement cannot be read", entry=entry.index)
        elif audit.record.of("selection"):
            yield Failure("the record has no ledger statement of this issuer")
    elif stated.size > whole.size:
        yield Failure(f"the ledger statement is over {stated.size} entries, the file holds {whole.size}")
    elif whole.roots[stated.size] != stated.root:
        yield Failure(f"the first {stated.size} entries give another root hash than the ledger statement")


def checkpoint_notes(audit: Audit) -> Iterator[tuple[str, str | None, Note]]:
    """Every checkpoint that log witnesses may have seen: what it is, whom it is of, and the note."""
    for entry, checkpoint in audit.enrolment_checkpoints():
        yield f"enrolment log (entry {entry.index})", "identity-provider", checkpoint.note
    for file in audit.inputs.ledgers:
        role, own, stated = audit.issuer_role(file.issuer), _parsed(file.note), audit.statement_checkpoint(file.issuer)
        if own is not None:
            yield f"ledger of issuer {file.issuer}", role, own.note
        if stated is not None and stated != own:
            yield f"ledger of issuer {file.issuer} at its statement", role, stated.note


def _parsed(note: bytes) -> Checkpoint | None:
    try:
        return parse_checkpoint(note)
    except FormatError:
        return None


@check(
    "audit.cosignatures",
    "2-log",
    "checkpoints that log witnesses cosigned have a quorum of the trust root's policy",
    without_ledgers=True,
)
def audit_cosignatures(audit: Audit) -> Iterator[Failure]:
    """No issuer and no identity provider showed others another log."""
    for what, role, note in checkpoint_notes(audit):
        cosigned = read_cosigned(note, audit.record.trust.policy)
        for name in cosigned.wrong:
            yield Failure(f"{what}: the cosignature of {name} does not hold", role=role)
        if cosigned.is_bare:
            if audit.inputs.require_cosigned:
                yield Failure(f"{what}: not cosigned", role=role)
        elif not cosigned.is_quorum:
            yield Failure(f"{what}: {cosigned.sentence()}", role=role)


@check("audit.request", "5.4", "every request is of the schema and has the hash and class that its entry states")
def audit_request(audit: Audit) -> Iterable[Failure]:
    """Requests by themselves."""
    return audit.found("audit.request")


@check("audit.roll", "5.2", "every position is on the roll, with the ballot style of the request")
def audit_roll(audit: Audit) -> Iterable[Failure]:
    """Nothing was issued to nobody."""
    return audit.found("audit.roll")


@check("audit.dates", "5.7", "every entry is of a day on which issuance was open")
def audit_dates(audit: Audit) -> Iterable[Failure]:
    """Nothing was issued before the election opened or after it closed."""
    return audit.found("audit.dates")


@check("audit.assertion", "5.5", "the voter's enrolled passkey, or two officers' passkeys, signed this very request")
def audit_assertion(audit: Audit) -> Failures:
    """Rows 5 to 10 of section 5.5."""
    failures = Failures()
    if audit.inputs.officers is not None:
        for officer in audit.inputs.officers.officers:
            if not audit.is_vouched_for(officer):
                sentence = "the passkey is not signed by this officer's role key"
                failures.add(Failure(sentence, role=officer.role, equation="enrolment"))
    failures.merge(audit.found("audit.assertion"))
    return failures


@check("audit.ticket", "5.4", "the identity provider signed a ticket for this request, of the entry's date")
def audit_ticket(audit: Audit) -> Iterable[Failure]:
    """Row 12 of section 5.5."""
    return audit.found("audit.ticket")


@check("audit.blinded", "5.1", "every blinded point is canonical, in the subgroup and not the identity")
def audit_blinded(audit: Audit) -> Iterable[Failure]:
    """Row 13 of section 5.5."""
    return audit.found("audit.blinded")


@check("audit.unique", "5.5", "no position has two entries in one ledger, no passkey spoke for two positions")
def audit_unique(audit: Audit) -> Failures:
    """Row 14 of section 5.5, and one passkey for one voter."""
    failures = Failures()
    for ledger in audit.ledgers:
        failures.merge(ledger.repeated)
    used = np.zeros(audit.inputs.roll.size, dtype=bool)
    for ledger in audit.ledgers:
        used |= ledger.by_passkey
    table = np.memmap(audit.enrolments.path, dtype=ROW, mode="r")
    for member in ("credential", "key"):
        failures.merge(Failures(_shared(table, np.flatnonzero(used & (table["kind"] != NO_PASSKEY)), member)))
    return failures


def _shared(table: np.ndarray, positions: np.ndarray, member: str) -> Iterator[Failure]:
    """Positions whose passkeys have the same credential id or the same key."""
    heads = np.ascontiguousarray(table[member][positions, :8]).view("<u8").ravel()
    order = np.argsort(heads, kind="stable")
    for at in np.flatnonzero(heads[order[1:]] == heads[order[:-1]]):
        first, second = int(positions[order[at]]), int(positions[order[at + 1]])
        if bytes(table[first][member]) == bytes(table[second][member]):
            what = "credential id" if member == "credential" else "key"
            yield Failure(f"positions {first} and {second} have passkeys with one {what}", role="registrar")


@check("audit.counts", "5.7, 5.8", "the entries of every style, and the terminal ones, are as many as is stated")
def audit_counts(audit: Audit) -> Iterator[Failure]:
    """The public numbers are those of the ledger."""
    for ledger in audit.ledgers:
        entry = audit.statement(ledger.file.issuer)
        if entry is None:
            continue  # before the ledgers are closed nothing is stated; afterwards it is ``audit.checkpoint``
        for item in entry.fields["issued"]:
            count, terminal = ledger.counts.get(item["style"], (0, 0))
            if (count, terminal) != (item["count"], item["terminal"]):
                sentence = (
                    f"style {item['style']}: {item['count']} issued, {item['terminal']} at terminals are stated, "
                    f"{count} and {terminal} are on the ledger"
                )
                yield Failure(sentence, entry=entry.index, role=ledger.role)


@check("audit.cross", "5.6", "no position has two different requests on two ledgers")
def audit_cross(audit: Audit) -> Iterator[Failure]:
    """Evidence of a double request, which needs at least one corrupt issuer to succeed (C13)."""
    for start in range(0, audit.inputs.roll.size, _STEP):
        yield from _different(audit.ledgers, slice(start, start + _STEP))


def _different(ledgers: Iterable[Ledger], block: slice) -> Iterator[Failure]:
    seen: list[Ledger] = []
    for ledger in ledgers:
        for other in seen:
            both = ledger.held[block] & other.held[block]
            differ = both & (ledger.hashes[block] != other.hashes[block]).any(axis=1)
            for position in np.flatnonzero(differ):
                sentence = f"position {block.start + int(position)} has one request on the ledger of {other.role} "
                yield Failure(f"{sentence}and another on that of {ledger.role}", role=f"{other.role}, {ledger.role}")
        seen.append(ledger)


def partly_issued(audit: Audit) -> list[int]:
    """Positions with entries of too few issuers for a credential, whatever the ledgers that were not given hold."""
    issuers = audit.record.manifest.raw["issuers"]
    needed = issuers["k"] - (issuers["m"] - len(audit.ledgers))
    holders = np.zeros(audit.inputs.roll.size, dtype=np.uint16)
    for ledger in audit.ledgers:
        holders += ledger.held
    return [int(position) for position in np.flatnonzero((holders > 0) & (holders < needed))]
