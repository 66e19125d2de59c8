"""What officers announce on the board while an election runs (docs/spec/02-record.md sections 2.3 and 2.4).

Each function checks that the announcement makes sense in this election before anything is signed: an entry cannot be
taken back. All take the time as an argument and return the entry's index.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from evoting.definition.text import text_defect
from evoting.errors import RecordError
from evoting.office.opening import blobref
from evoting.office.steps import Officers
from evoting.record.election import ElectionRecord
from evoting.seats import withdrawable

MAX_PAGE_FILES = 1000
#: One extension. No extension can be shortened, and no binding election closes before its end: a year mistyped would
#: leave it open for ever.
MAX_EXTENSION_SECONDS = 7 * 86_400


def post_withdrawal(
    record: ElectionRecord, officers: Officers, contest: str, subject: str, reason: str, time: int
) -> int:
    """A candidate, party or option withdraws; votes for it stay in every count and base, but win nothing.

    Raises:
        RecordError: nobody of that name could withdraw in the contest, or has withdrawn already; or the close is
            there, after which nobody may withdraw.
    """
    known = record.manifest.contest_by_id.get(contest)
    if known is None:
        raise RecordError(f"there is no contest {contest!a}; there are {', '.join(record.manifest.contest_by_id)}")
    if subject not in withdrawable(known):
        allowed = sorted(withdrawable(known))
        hint = f"; who can is {', '.join(allowed[:20])}" if allowed else "; nobody can in this contest"
        raise RecordError(f"{subject!a} cannot withdraw from contest {contest}{hint}")
    gone = [(entry.body["contest"], entry.body["subject"]) for entry in record.entries("withdrawal")]
    if (contest, subject) in gone:
        raise RecordError(f"{subject} has withdrawn from contest {contest} already")
    body = {"contest": contest, "subject": subject, "reason": _text("reason", reason), "time": time}
    return _post(record, "withdrawal", body, officers)


def post_extension(record: ElectionRecord, officers: Officers, closes: int, reason: str, time: int) -> int:
    """Voting ends later than announced.

    Raises:
        RecordError: the new end is not later than the present one, which would make ballots late that were in time; or
            it is more than ``MAX_EXTENSION_SECONDS`` later.
    """
    ends = record.closing_time()
    if closes <= ends:
        raise RecordError(f"voting ends at {ends}; an extension can only name a later time")
    if closes > ends + MAX_EXTENSION_SECONDS:
        days = MAX_EXTENSION_SECONDS // 86_400
        raise RecordError(f"voting ends at {ends}; one extension names a time at most {days} days later, not {closes}")
    return _post(record, "extension", {"closes": closes, "reason": _text("reason", reason), "time": time}, officers)


def read_page(directory: Path) -> dict[str, bytes]:
    """SHA-256 of every file of a vote page, by its path with forward slashes.

    Raises:
        RecordError: there are none, or more than ``MAX_PAGE_FILES``.
    """
    paths = sorted(path for path in directory.rglob("*") if path.is_file())
    if not 0 < len(paths) <= MAX_PAGE_FILES:
        raise RecordError(f"{directory} holds {len(paths)} files; a vote page has 1 to {MAX_PAGE_FILES}")
    return {path.relative_to(directory).as_posix(): hashlib.sha256(path.read_bytes()).digest() for path in paths}


def post_vote_page(
    record: ElectionRecord, officers: Officers, files: Mapping[str, bytes], reason: str, time: int
) -> int:
    """The vote page has changed; the monitor compares what is served with these hashes."""
    body = {
        "files": [{"path": _text("path", path), "hash": digest} for path, digest in sorted(files.items())],
        "reason": _text("reason", reason),
        "time": time,
    }
    return _post(record, "vote-page", body, officers)


def post_complaint(
    record: ElectionRecord, officers: Officers, number: str, subject: str, document: bytes | None, time: int
) -> int:
    """A complaint was registered; its document, if it is public, becomes a blob.

    Raises:
        RecordError: the number is used, or the document is larger than the manifest allows.
    """
    if any(entry.body["number"] == number for entry in record.entries("complaint")):
        raise RecordError(f"complaint {number!a} is on the board already")
    limit = record.manifest.limits.blob_bytes
    if document is not None and len(document) > limit:
        raise RecordError(f"the document has {len(document)} bytes; the manifest allows {limit}")
    body: dict[str, object] = {"number": _text("number", number), "subject": _text("subject", subject), "time": time}
    record.only("opening")  # before anything is stored
    body["document"] = None if document is None else blobref(record.board.put_blob(document))
    return _post(record, "complaint", body, officers)


def post_annulment(record: ElectionRecord, officers: Officers, scope: str, reason: str, time: int) -> int:
    """A decision annuls the result in some scope, such as a reporting unit or the whole election."""
    body = {"scope": _text("scope", scope), "reason": _text("reason", reason), "time": time}
    return _post(record, "annulment", body, officers)


def post_terminal_exclusion(
    record: ElectionRecord, officers: Officers, terminal: str, count: int, reason: str, time: int
) -> int:
    """A terminal that was opened will not deliver; the ballots that it is known to hold are lost, and said to be.

    Raises:
        RecordError: the terminal was not opened, or has delivered or been excluded already.
    """
    if terminal not in {entry.body["terminal"] for entry in record.entries("terminal-opening")}:
        raise RecordError(f"terminal {terminal!a} was never opened")
    if terminal in {entry.body["terminal"] for entry in record.entries("terminal-closing")}:
        raise RecordError(f"terminal {terminal} has delivered its closing protocol")
    body = {"terminal": terminal, "count": count, "reason": _text("reason", reason), "time": time}
    return _post(record, "terminal-exclusion", body, officers)


def _post(record: ElectionRecord, kind: str, body: Mapping[str, object], officers: Officers) -> int:
    record.post(kind, body, officers)
    return record.board.size - 1


def _text(name: str, text: str) -> str:
    defect = text_defect(text)
    if defect is not None:
        raise RecordError(f"{name}: {defect}")
    return text
