"""What the board holds under a pseudonym: how a voter finds out that somebody voted again with their credential.

Every entry that names the pseudonym is shown, also those that were rejected, and whoever sent them: malware on the
voter's device leaves a trace here that the voter did not make (attack B17). The voter looks again after the close.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from crypto import cbor
from crypto.errors import DecodeError
from evoting.ballots.ballot import MAX_ENTRY_BYTES, decode_voter_entry, tracking_code, tracking_hash
from evoting.ballots.dispositions import describe_disposition


@dataclass(frozen=True)
class FoundEntry:
    """One entry of a pseudonym.

    Attributes:
        index: its place in the log.
        kind: ``ballot`` or ``challenge``.
        sequence: the sequence number it claims; None where it has none.
        tracking: the whole tracking hash; compare all 32 bytes.
        status: ``counted``, ``superseded``, ``challenged``, ``rejected: <reason>``, or ``not judged yet``.
    """

    index: int
    kind: str
    sequence: int | None
    tracking: bytes
    code: str
    status: str


def find_entries(
    entries: Iterable[tuple[int, bytes]], pseudonym: bytes, dispositions: bytes | None = None
) -> Iterator[FoundEntry]:
    """Every ballot and challenge that names a pseudonym, in log order.

    Args:
        entries: all ballots and challenges with their index, in log order.
        pseudonym: 32 bytes.
        dispositions: the selection's, one byte for each entry; None before the selection.

    Raises:
        ValueError: the dispositions are not one for each entry, or one of them is unknown.

    A body that does not decode names nobody, so it is not found; it is rejected as malformed in any case.
    """
    total = 0
    for ordinal, (index, entry) in enumerate(entries):
        total += 1
        if dispositions is not None and ordinal >= len(dispositions):
            raise ValueError("there are fewer dispositions than ballots and challenges")
        if pseudonym not in entry:
            continue
        outer = decode_voter_entry(entry)
        try:
            ballot = cbor.decode(outer.body, limit=MAX_ENTRY_BYTES)
        except DecodeError:
            continue
        if not isinstance(ballot, dict) or ballot.get("pseudonym") != pseudonym:
            continue
        sequence = ballot.get("sequence")
        yield FoundEntry(
            index,
            "challenge" if outer.challenge else "ballot",
            sequence if type(sequence) is int else None,
            tracking_hash(outer.body),
            tracking_code(outer.body),
            "not judged yet" if dispositions is None else describe_disposition(dispositions[ordinal]),
        )
    if dispositions is not None and total != len(dispositions):
        raise ValueError("there are more dispositions than ballots and challenges")
