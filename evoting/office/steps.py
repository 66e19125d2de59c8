"""What the election office does with a record, step by step; each function appends what its phase calls for.

All take the time as an argument and officers' signing keys by role id. Nothing is appended before everything that goes
into an entry is complete, so an interrupted step is simply done again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from nacl.signing import SigningKey

from crypto.entry import ballot_order, decode_role_entry, entry_hash, sign_entry
from crypto.group import load_group
from evoting.ballots.ballot import decode_voter_entry
from evoting.ballots.code_books import code_books
from evoting.definition import HomomorphicContest, Manifest, manifest_hash
from evoting.errors import RecordError
from evoting.office.groups import TallyGroup, merge_groups
from evoting.office.lists import list_path, write_lists
from evoting.office.opening import (
    blobref,
    encode_issuance_keys,
    opening_body,
)
from evoting.office.selection import Selection, select
from evoting.record.election import (
    ElectionRecord,
    ElectionView,
    is_challenge_entry,
    member,
    member_integer,
    read_blobref,
)

Officers = Mapping[str, SigningKey]
Progress = Callable[[int], None]


def one_officer(officers: Officers) -> Officers:
    """The first officer alone, for entries that need only one."""
    name = min(officers)
    return {name: officers[name]}


def post_manifest(record: ElectionRecord, manifest: bytes, officers: Officers) -> None:
    """Entry 0; the command has held the manifest against everything before it made the log."""
    ref = record.board.put_blob(manifest)
    record.post("manifest", {"format": "evoting-record/v1", "manifest": blobref(ref)}, officers)


def post_ceremony(record: ElectionRecord, kind: str, transcript: bytes, officers: Officers, time: int) -> None:
    """The transcript of the trustees' or the issuers' ceremony; ``kind`` is the entry's type."""
    ref = record.board.put_blob(transcript)
    record.post(kind, {"transcript": blobref(ref), "time": time}, officers)


def open_election(
    record: ElectionRecord,
    officers: Officers,
    *,
    key: bytes,
    verification_keys: bytes,
    issuance_keys: Sequence[tuple[str, bytes, bytes]],
    vote_page: Sequence[tuple[str, bytes]],
    time: int,
) -> bytes:
    """Append the opening entry; returns the election fingerprint.

    Args:
        key, verification_keys: of the trustees, recomputed from the transcript.
        issuance_keys: (style, key, shares) recomputed from the issuers' transcript.
    """
    manifest = record.manifest
    group = load_group()
    books = {
        contest: record.board.put_blob(book.encode())
        for contest, book in code_books(group, manifest_hash(record.manifest_bytes), manifest).items()
    }
    roll = record.only("roll").body
    body = opening_body(
        manifest,
        group=group,
        manifest_blob=read_blobref(record.only("manifest").body["manifest"]),
        roll={name: roll[name] for name in ("commitment", "size", "styles")},
        enrolment=entry_hash(record.only("enrolment").raw),
        trustee_transcript=read_blobref(record.only("trustee-ceremony").body["transcript"]),
        key=key,
        verification_keys=verification_keys,
        issuer_transcript=read_blobref(record.only("issuer-ceremony").body["transcript"]),
        issuance_keys=record.board.put_blob(encode_issuance_keys(issuance_keys)),
        books=books,
        vote_page=vote_page,
        origin=record.board.origin,
        time=time,
    )
    record.post("opening", body, officers)
    return record.fingerprint


def append_epoch(record: ElectionRecord, entries: Sequence[bytes], ballot_box: Officers, time: int) -> None:
    """Append one epoch's ballots and challenges, in their order, with the epoch entry: all or nothing.

    Raises:
        RecordError: the election is not open at this time, the entries are more or longer than the manifest allows,
            or one of them is not even in its outer form a ballot or challenge.
    """
    manifest = record.manifest
    epochs = record.entries("epoch")
    closes = record.closing_time()
    if not manifest.opens <= time <= closes:
        raise RecordError(f"an epoch at {time} is outside of the voting time, {manifest.opens} to {closes}")
    if epochs and time < member_integer(epochs[-1], "time"):
        raise RecordError(f"an epoch at {time} is before the last one")
    if record.voter_count + len(entries) > manifest.limits.ballots:
        raise RecordError(f"the manifest allows {manifest.limits.ballots} ballots and challenges in all")
    for entry in entries:
        if len(entry) > manifest.limits.entry_bytes:
            raise RecordError(f"an entry has {len(entry)} bytes; the manifest allows {manifest.limits.entry_bytes}")
        decode_voter_entry(entry)
    body = {"number": len(epochs), "time": time, "entries": len(entries)}
    raw = sign_entry("epoch", body, record.binding, ballot_box)
    record.require_next(decode_role_entry(raw))
    record.board.append([*sorted(entries, key=ballot_order), raw])


def close_election(record: ElectionRecord, officers: Officers, time: int) -> None:
    """Append the close, after which no ballot is accepted.

    Raises:
        RecordError: voting has not ended, and it is no MODEL election; or a terminal that was opened has neither
            delivered nor been excluded.
    """
    closes = record.closing_time()
    if time < closes and not record.manifest.model:
        raise RecordError(
            f"voting goes on until {closes}, and it is {time}; only a MODEL election can be closed before its end"
        )
    opened = {str(entry.body["terminal"]) for entry in record.entries("terminal-opening")}
    settled = {str(entry.body["terminal"]) for entry in record.entries("terminal-closing", "terminal-exclusion")}
    if opened - settled:
        raise RecordError(
            f"terminal {', '.join(sorted(opened - settled))} has not delivered its closing protocol; "
            "wait for it, or let two officers exclude it"
        )
    challenges = sum(is_challenge_entry(entry) for entry in record.voter_entries())
    record.post(
        "close",
        {
            "ballots": record.voter_count - challenges,
            "challenges": challenges,
            "epochs": len(record.entries("epoch")),
            "time": time,
        },
        officers,
    )


def tally_groups(manifest: Manifest, selection: Selection) -> dict[str, list[TallyGroup]]:
    """The tally groups of every contest."""
    counted = {style: account.counted for style, account in selection.accounts.items()}
    return {
        contest.id: merge_groups(
            counted, [style.id for style in manifest.styles_with(contest.id)], manifest.minimum_for(contest)
        )
        for contest in manifest.contests
    }


def judge_all(record: ElectionRecord, progress: Progress = lambda _: None) -> Selection:
    """Judge every ballot and challenge on the board."""
    manifest = record.manifest
    return select(
        record.ballot_context(),
        record.voter_entries,
        [style.id for style in manifest.styles],
        manifest.limits.challenges,
        progress,
    )


def post_selection(record: ElectionRecord, officers: Officers, selection: Selection, time: int) -> None:
    """Append the selection with its accounting and the tally groups that follow."""
    groups = tally_groups(record.manifest, selection)
    ref = record.board.put_blob(selection.dispositions)
    record.post(
        "selection",
        {
            "dispositions": blobref(ref),
            "accounting": [account.encode(style) for style, account in selection.accounts.items()],
            "malformed": selection.malformed,
            "groups": [
                {
                    "contest": contest,
                    "groups": [
                        {"group": one.id, "styles": list(one.styles), "ballots": one.ballots, "status": one.status}
                        for one in members
                    ],
                }
                for contest, members in groups.items()
            ],
            "time": time,
        },
        officers,
    )


def published_groups(record: ElectionView) -> dict[str, list[TallyGroup]]:
    """The tally groups that the selection entry names.

    Raises:
        RecordError: there is no selection, or it is not of its schema.
    """
    groups = member(record.only("selection"), "groups")
    try:
        return {
            item["contest"]: [
                TallyGroup(one["group"], tuple(one["styles"]), one["ballots"], one["status"]) for one in item["groups"]
            ]
            for item in groups
        }
    except (KeyError, TypeError):
        raise RecordError("the selection entry is not of its schema") from None


def post_aggregates(
    record: ElectionRecord, officers: Officers, directory: Path, progress: Progress = lambda _: None
) -> None:
    """Append every aggregate entry that is not there yet, and write the mix inputs into a directory."""
    groups = published_groups(record)
    dispositions = record.board.get_blob(read_blobref(record.only("selection").body["dispositions"]))
    context = record.ballot_context()
    entries: Iterable[bytes] = record.voter_entries()
    aggregates = write_lists(context, groups, entries, dispositions, directory, progress)
    posted = {(entry.body["contest"], entry.body["group"]) for entry in record.entries("aggregate")}
    sizes = {(contest, one.id): one.ballots for contest, members in groups.items() for one in members}
    for contest in record.manifest.contests:
        if isinstance(contest, HomomorphicContest):
            for one in groups[contest.id]:
                name = (contest.id, one.id)
                if one.status == "tallied" and name not in posted:
                    body = {
                        "contest": contest.id,
                        "group": one.id,
                        "ballots": sizes[name],
                        "ciphertexts": aggregates[name],
                    }
                    record.post("aggregate", body, one_officer(officers))


def post_mix(
    record: ElectionRecord,
    mixer: Officers,
    *,
    contest: str,
    group: str,
    stage: int,
    count: int,
    inputs: Path,
    output: Path,
    proof: Path,
    time: int,
) -> None:
    """Append one mix stage that a mixer made and signed off with its key."""
    with inputs.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    record.post(
        "mix",
        {
            "contest": contest,
            "group": group,
            "stage": stage,
            "count": count,
            "input": digest,
            "output": blobref(record.board.put_blob(output)),
            "proof": blobref(record.board.put_blob(proof)),
            "time": time,
        },
        mixer,
    )


def mix_input(directory: Path, contest: str, group: str) -> Path:
    """The file that the first mixer reads."""
    return list_path(directory, (contest, group))
