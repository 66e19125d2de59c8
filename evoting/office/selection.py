"""The counted set: judging everything appended before the close (docs/spec/07-counting.md section 7.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from evoting.ballots.ballot import Ballot, decode_ballot, decode_voter_entry
from evoting.ballots.check import BallotContext, Judged, judge_entries
from evoting.ballots.dispositions import CHALLENGED, COUNTED, REASON_NAMES, REASONS, SUPERSEDED
from evoting.office.duplicates import PrefixIndex

CHUNK = 4096
#: A ballot's sequence number is at most so far above the one before: a device in wrong hands could otherwise take the
#: highest there is, and the voter could never vote again.
MAX_STEP = 1 << 16


@dataclass
class StyleAccount:
    """The accounting identity of one ballot style: appended = counted + superseded + challenged + rejected."""

    appended: int = 0
    counted: int = 0
    superseded: int = 0
    challenged: int = 0
    rejected: Counter[int] = field(default_factory=Counter)

    def encode(self, style: str) -> dict[str, object]:
        return {
            "style": style,
            "appended": self.appended,
            "counted": self.counted,
            "superseded": self.superseded,
            "challenged": self.challenged,
            "rejected": [
                {"reason": REASON_NAMES[byte], "count": self.rejected[byte]} for byte in sorted(self.rejected)
            ],
        }


@dataclass(frozen=True)
class Selection:
    """What became of every ballot and challenge, in log order."""

    dispositions: bytes
    styles: list[str | None]
    accounts: dict[str, StyleAccount]
    malformed: int


@dataclass(frozen=True)
class _Row:
    """What is kept of an entry between the two passes."""

    challenge: bool
    style: str | None
    reason: str | None
    opens: bool
    pseudonym: bytes
    sequence: int


def select(
    context: BallotContext,
    entries: Callable[[], Iterable[bytes]],
    styles: Sequence[str],
    max_challenges: int,
    progress: Callable[[int], None] = lambda _: None,
) -> Selection:
    """Judge all ballots and challenges before the close.

    Args:
        entries: gives the entries in log order, each time from the start; read twice.
        styles: ballot styles in the manifest's order.
        max_challenges: valid challenges a pseudonym may publish.
        progress: told how many entries were judged since the last call.

    Memory: about 150 bytes for each element on the board and for each entry, whatever the size of an entry.
    """
    rows: list[_Row] = []
    index = PrefixIndex()
    source = iter(entries())
    while chunk := list(islice(source, CHUNK)):
        for judged in judge_entries(context, chunk):
            rows.append(_keep(judged))
            index.add(b"" if judged.reason else components(_require(judged.ballot)))
        progress(len(chunk))
    suspects = set(index.suspects())
    full = (
        {
            ordinal: components(decode_ballot(decode_voter_entry(entry).body, context.election, context.styles))
            for ordinal, entry in enumerate(entries())
            if ordinal in suspects
        }
        if suspects
        else {}
    )
    return _dispose(rows, full, styles, max_challenges)


def components(ballot: Ballot) -> bytes:
    """Everything of a ballot that may occur only once on the board: pads and commitments.

    Not the second component of a ciphertext: in a mixed contest its author need not know what is in it, so whoever saw
    a ballot first could take one of it into an own ballot, get in before it, and have it rejected.
    """
    return b"".join([pads(part.ciphertexts) + part.commitments for part in ballot.contests])


def pads(ciphertexts: bytes) -> bytes:
    """The first component of every ciphertext."""
    return b"".join([ciphertexts[at : at + 32] for at in range(0, len(ciphertexts), 64)])


def _require(ballot: Ballot | None) -> Ballot:
    assert ballot is not None
    return ballot


def _keep(judged: Judged) -> _Row:
    ballot = judged.ballot
    return _Row(
        judged.challenge,
        judged.style,
        judged.reason,
        judged.opens,
        ballot.pseudonym if ballot else b"",
        ballot.sequence if ballot else 0,
    )


def _dispose(rows: Sequence[_Row], suspects: dict[int, bytes], styles: Sequence[str], max_challenges: int) -> Selection:
    dispositions = bytearray(len(rows))
    seen: set[bytes] = set()
    last: dict[bytes, tuple[int, int]] = {}
    challenges: Counter[bytes] = Counter()
    for ordinal, row in enumerate(rows):
        reason = row.reason
        if reason is None and ordinal in suspects:
            data = suspects[ordinal]
            elements = {data[at : at + 32] for at in range(0, len(data), 32)}
            if len(elements) * 32 != len(data) or not seen.isdisjoint(elements):
                reason = "duplicate"
        if reason is None and row.challenge:
            if not row.opens:
                reason = "opening"
            elif challenges[row.pseudonym] >= max_challenges:
                reason = "excess"
        if reason is None and not row.challenge and not _follows(row, last):
            reason = "sequence"
        if ordinal in suspects and reason in (None, "excess"):
            # What was opened in public must not be counted, whether or not the challenge was one too many.
            seen |= elements
        if reason is not None:
            dispositions[ordinal] = REASONS[reason]
            continue
        if row.challenge:
            challenges[row.pseudonym] += 1
            dispositions[ordinal] = CHALLENGED
            continue
        if row.pseudonym in last:
            dispositions[last[row.pseudonym][1]] = SUPERSEDED
        last[row.pseudonym] = (row.sequence, ordinal)
        dispositions[ordinal] = COUNTED
    return summarise(bytes(dispositions), [row.style for row in rows], styles)


def _follows(row: _Row, last: dict[bytes, tuple[int, int]]) -> bool:
    """Whether a ballot's sequence number may come now (section 6.5)."""
    if row.pseudonym not in last:
        return row.sequence <= MAX_STEP
    before = last[row.pseudonym][0]
    return before < row.sequence <= before + MAX_STEP


def summarise(dispositions: bytes, entry_styles: Sequence[str | None], styles: Sequence[str]) -> Selection:
    """The accounting that follows from dispositions and the styles of the entries."""
    accounts = {style: StyleAccount() for style in styles}
    for style, byte in zip(entry_styles, dispositions, strict=True):
        if style is None:
            continue
        account = accounts[style]
        account.appended += 1
        if byte == COUNTED:
            account.counted += 1
        elif byte == SUPERSEDED:
            account.superseded += 1
        elif byte == CHALLENGED:
            account.challenged += 1
        else:
            account.rejected[byte] += 1
    return Selection(dispositions, list(entry_styles), accounts, sum(style is None for style in entry_styles))
