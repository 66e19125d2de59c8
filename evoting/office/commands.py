"""The actions of ``evoting-office``: each reads its options, does one step, and prints what came of it."""

from __future__ import annotations

import hashlib
import json
from argparse import Namespace
from collections.abc import Iterator

from nacl.signing import SigningKey

from crypto.entry import MAX_ENTRY_BYTES, countersign_entry, decode_role_entry
from crypto.log.note import NOTE_KEY, NoteSignature, decode_signature_lines, decode_vkey
from crypto.log.policy import Policy, decode_policy
from evoting.ballots.lookup import find_entries
from evoting.board.keys import load_key
from evoting.board.layout import BlobRef
from evoting.board.store import Board
from evoting.definition import MAX_MANIFEST_BYTES, decode_manifest, import_folder
from evoting.errors import RecordError
from evoting.files import read_limited, write_new
from evoting.office import notices, steps
from evoting.office.console import note, now, opened_desk, posted, progress, view_of
from evoting.office.desk import load_officers
from evoting.office.handed_in import require_decryption, require_mix, require_possible_time, require_statement
from evoting.office.intake import take_in
from evoting.office.room import require_room
from evoting.office.setup import require_enrolment, require_roll
from evoting.office.status import describe_status
from evoting.office.tally import post_result
from evoting.office.trust_root import encode_trust_root, witness_policy
from evoting.printing import printable
from evoting.record.election import ElectionRecord, read_blobref
from evoting.record.rules import officers_needed
from evoting.record.trust_root import read_trust_root
from evoting.seats import describe_outcome

_MAX_TEXT_FILE = 1 << 20
#: What must hold of an entry of another role, beyond turn, signers and schema.
_REQUIRED = {"roll": require_roll, "enrolment": require_enrolment, "ledger": require_statement}


# Before the election.


def import_definition(options: Namespace) -> None:
    imported = import_folder(options.folder)
    for notice in imported.notices:
        note(notice)
    write_new(options.output, imported.data)
    print(imported.hash.hex())


def start(options: Namespace) -> None:
    data = read_limited(options.manifest, MAX_MANIFEST_BYTES)
    manifest = decode_manifest(data)
    require_room(manifest)  # before anything is made
    officers = load_officers(manifest, options.key, officers_needed("manifest"))
    key = load_key(options.log_key, NOTE_KEY)
    with Board.create(options.record, options.state, key) as board:
        steps.post_manifest(ElectionRecord(board), data, officers)
        board.publish()
    print(key.verifier.encode())


def make_trust_root(options: Namespace) -> None:
    view = view_of(options)
    if options.policy is not None:
        policy = decode_policy(read_limited(options.policy, _MAX_TEXT_FILE))
    elif options.log is not None:
        policy = witness_policy(view, decode_vkey(options.log), dict(options.witness))
    else:
        raise RecordError("give the log's policy: --policy FILE, or --log VKEY and --witness for each log witness")
    write_new(options.output, encode_trust_root(view, policy).encode())
    print(view.fingerprint.hex())


# At any time.


def status(options: Namespace) -> None:
    lines = describe_status(view_of(options))
    if options.json:
        print(json.dumps(lines, indent=2, ensure_ascii=False))
        return
    width = max(map(len, lines)) + 1
    for name, value in lines.items():
        print(f"{name + ':':{width}} {printable(value)}")


def lookup(options: Namespace) -> None:
    view = view_of(options)
    dispositions = None
    if view.entries("selection"):
        dispositions = view.blob(view.only("selection"), "dispositions")
    found = list(find_entries(view.indexed_voter_entries(), options.pseudonym, dispositions))
    if options.json:
        rows = [
            {
                "entry": one.index, "kind": one.kind, "sequence": one.sequence, "status": one.status,
                "tracking-hash": one.tracking.hex(), "tracking-code": one.code,
            }
            for one in found
        ]  # fmt: skip
        print(json.dumps(rows, indent=2))
        return
    for one in found:
        sequence = "-" if one.sequence is None else str(one.sequence)
        print(f"entry {one.index}: {one.kind}, sequence {sequence}, {one.status}, {one.code}")
    if not found:
        note("no ballot and no challenge names this pseudonym")


def publish(options: Namespace) -> None:
    policy: Policy | None = None
    lines: list[NoteSignature] = []
    if options.cosignatures:
        if options.trust_root is None:
            raise RecordError("--cosignatures needs --trust-root, which names the log witnesses")
        policy = read_trust_root(options.trust_root).policy
        for path in options.cosignatures:
            lines += decode_signature_lines(read_limited(path, _MAX_TEXT_FILE).decode())
    with Board.open(options.record, options.state, load_key(options.log_key, NOTE_KEY)) as board:
        board.publish()
        if policy is not None:
            board.add_cosignatures(lines, list(policy.witnesses.values()), now(options))
        board.prune()
        print(board.size)


def post(options: Namespace) -> None:
    raw = read_limited(options.entry, MAX_ENTRY_BYTES)
    entry = decode_role_entry(raw)
    wanted = {ref.hash: ref for ref in _blobrefs(entry.body)}
    given = {}
    for path in options.blob:
        with path.open("rb") as file:
            given[hashlib.file_digest(file, "sha256").digest()] = path
    with opened_desk(options) as desk:
        record = desk.record
        if options.key:
            officers = desk.officers_beside(entry)
            raw = countersign_entry(entry, record.binding, officers)
            entry = decode_role_entry(raw)
        record.require_next(entry)
        require_possible_time(entry, now(options))
        for digest, path in given.items():
            if digest not in wanted:
                raise RecordError(f"{path} is not a blob that the entry names")
        for digest, ref in wanted.items():
            place = given.get(digest, options.record / ref.path())
            if not place.exists():
                raise RecordError(f"the entry names the blob {digest.hex()}, which is not there: give it by --blob")
            if place.stat().st_size != ref.length:
                raise RecordError(f"{place} has {place.stat().st_size} bytes; the entry says {ref.length}")
        if entry.type in _REQUIRED:
            _REQUIRED[entry.type](record, entry)

        def blob(name: str) -> bytes:
            ref = read_blobref(entry.body[name])
            return bytes(given.get(ref.hash, options.record / ref.path()).read_bytes())

        if entry.type == "mix":
            require_mix(record, entry, options.lists, blob("output"), blob("proof"))
        if entry.type == "decryption":
            require_decryption(record, entry, blob("factors"), wrong=options.wrong)
        for path in given.values():
            record.board.put_blob(path)
        record.post_signed(raw)
        posted(desk, record.board.size - 1)


def _blobrefs(value: object) -> Iterator[BlobRef]:
    """Every blob that a body names."""
    if isinstance(value, dict) and value.keys() == {"hash", "length"}:
        yield read_blobref(value)
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _blobrefs(item)


# While the election runs.


def epoch(options: Namespace) -> None:
    key = load_key(options.box_key, NOTE_KEY)
    with opened_desk(options) as desk:
        record = desk.record
        role = next((one for one in record.manifest.roles_of("ballot-box") if one.key == key.verifier.public_key), None)
        if role is None:
            raise RecordError(f"{options.box_key}: this key is not the ballot box's of this election")
        limit = record.manifest.limits.entry_bytes
        paths = sorted(options.folder.glob("*.entry"))
        intake = take_in(record, {path.name: read_limited(path, limit) for path in paths})
        for name, reason in intake.refused.items():
            note(f"{name} is refused: {reason}")
        for name in intake.known:
            note(f"{name} is on the board already")
        steps.append_epoch(record, intake.taken, {role.id: SigningKey(key.seed)}, now(options))
        posted(desk, record.board.size - 1)


def withdrawal(options: Namespace) -> None:
    with opened_desk(options) as desk:
        index = notices.post_withdrawal(
            desk.record, desk.officers("withdrawal"), options.contest, options.subject, options.reason, now(options)
        )
        posted(desk, index)


def extension(options: Namespace) -> None:
    with opened_desk(options) as desk:
        officers = desk.officers("extension")
        posted(desk, notices.post_extension(desk.record, officers, options.closes, options.reason, now(options)))


def vote_page(options: Namespace) -> None:
    files = notices.read_page(options.page)
    with opened_desk(options) as desk:
        officers = desk.officers("vote-page")
        posted(desk, notices.post_vote_page(desk.record, officers, files, options.reason, now(options)))


def complaint(options: Namespace) -> None:
    with opened_desk(options) as desk:
        document = None
        if options.document is not None:
            document = read_limited(options.document, desk.record.manifest.limits.blob_bytes)
        officers = desk.officers("complaint")
        index = notices.post_complaint(desk.record, officers, options.number, options.subject, document, now(options))
        posted(desk, index)


def annulment(options: Namespace) -> None:
    with opened_desk(options) as desk:
        officers = desk.officers("annulment")
        posted(desk, notices.post_annulment(desk.record, officers, options.scope, options.reason, now(options)))


def terminal_exclusion(options: Namespace) -> None:
    with opened_desk(options) as desk:
        officers = desk.officers("terminal-exclusion")
        index = notices.post_terminal_exclusion(
            desk.record, officers, options.terminal, options.count, options.reason, now(options)
        )
        posted(desk, index)


# After voting.


def close(options: Namespace) -> None:
    with opened_desk(options) as desk:
        ends, time_now = desk.record.closing_time(), now(options)
        if time_now < ends and desk.record.manifest.model and not options.early:
            raise RecordError(f"voting goes on until {ends}, and it is {time_now}; --early closes all the same")
        steps.close_election(desk.record, desk.officers("close"), time_now)
        posted(desk, desk.record.board.size - 1)


def select(options: Namespace) -> None:
    with opened_desk(options) as desk:
        officers = desk.officers("selection")
        desk.record.only("close")
        selection = steps.judge_all(desk.record, progress("judged", desk.record.voter_count))
        steps.post_selection(desk.record, officers, selection, now(options))
        posted(desk, desk.record.board.size - 1)


def aggregate(options: Namespace) -> None:
    with opened_desk(options) as desk:
        steps.post_aggregates(desk.record, desk.officers("aggregate"), options.lists, progress("summed"))
        desk.record.board.publish()
    for path in sorted(options.lists.glob("*.list")):
        print(path)


def result(options: Namespace) -> None:
    with opened_desk(options) as desk:
        published = post_result(desk.record, desk.officers("result"), now(options), progress("counted"))
        desk.record.board.publish()
    for entry in published.contests:
        print(f"{entry.contest.id}:")
        for line in describe_outcome(entry.outcome):
            print(f"  {printable(line)}")
