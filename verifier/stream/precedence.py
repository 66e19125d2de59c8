"""Which ballot of a pseudonym counts, and how many challenges it has; docs/spec sections 6.5, 6.6 and 7.1.

Judged over columns of all entries at once: sorted by pseudonym, then by place in the log.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from verifier.stream import claims
from verifier.stream.scan import BALLOT, CHALLENGE

Voters = NDArray[np.void]
#: Greatest distance of a sequence number to the one before (section 6.5).
MAX_STEP = np.uint64(1 << 16)


def _sorted(voters: Voters) -> Voters:
    """By pseudonym, then by ordinal."""
    words = voters["pseudonym"]
    order = np.lexsort((voters["ordinal"], words[:, 0], words[:, 1], words[:, 2], words[:, 3]))
    return voters[order]


def _starts(voters: Voters) -> NDArray[np.intp]:
    """For every row of a sorted table, the position of its pseudonym's first row."""
    if not len(voters):
        return np.empty(0, dtype=np.intp)
    words = voters["pseudonym"]
    is_first = np.ones(len(voters), dtype=np.bool_)
    is_first[1:] = (words[1:] != words[:-1]).any(axis=1)
    return np.maximum.accumulate(np.where(is_first, np.arange(len(voters)), 0))


def _is(voters: Voters, *claimed: int) -> NDArray[np.bool_]:
    return np.isin(voters["claim"], claimed)


def wrong_sequences(voters: Voters) -> Iterator[tuple[int, int, str]]:
    """Ordinal, claim and sentence of every ballot whose sequence number contradicts its claim."""
    table = _sorted(
        voters[(voters["kind"] == BALLOT) & _is(voters, claims.COUNTED, claims.SUPERSEDED, claims.SEQUENCE)]
    )
    if not len(table):
        return
    places, starts = np.arange(len(table)), _starts(table)
    accepted = _is(table, claims.COUNTED, claims.SUPERSEDED)
    latest = np.maximum.accumulate(np.where(accepted, places, -1))
    previous = np.concatenate(([-1], latest[:-1]))
    has_previous = previous >= starts
    before = np.where(has_previous, table["sequence"][previous], 0)
    rises = (~has_previous | (table["sequence"] > before)) & (table["sequence"] <= before + MAX_STEP)
    following = np.concatenate((starts[1:], [len(table)])) > places  # the next row is another pseudonym's
    final = np.minimum.accumulate(np.where(following, places, len(table))[::-1])[::-1]
    is_last = accepted & (latest[final] == places)
    sentences = (
        (accepted & ~rises, "its sequence number does not follow those of the pseudonym's earlier ballots"),
        (~accepted & rises, "claimed rejected (sequence), but its number follows those of all earlier valid ballots"),
        (is_last & _is(table, claims.SUPERSEDED), "claimed superseded, but it is the last valid one of its pseudonym"),
        (accepted & ~is_last & _is(table, claims.COUNTED), "claimed counted, but a later ballot supersedes it"),
    )
    for wrong, sentence in sentences:
        for place in np.flatnonzero(wrong):
            yield int(table["ordinal"][place]), int(table["claim"][place]), sentence


def wrong_excess(voters: Voters, allowed: int) -> Iterator[tuple[int, int, str]]:
    """Ordinal, claim and sentence of every challenge beyond the allowed number, or falsely called so."""
    table = _sorted(voters[(voters["kind"] == CHALLENGE) & _is(voters, claims.CHALLENGED, claims.EXCESS)])
    if not len(table):
        return
    accepted = _is(table, claims.CHALLENGED)
    before: NDArray[np.int64] = np.cumsum(accepted) - accepted  # accepted ones ahead in the whole table
    before = before - before[_starts(table)]
    for place in np.flatnonzero(accepted & (before >= allowed)):
        yield int(table["ordinal"][place]), claims.CHALLENGED, f"its pseudonym has {before[place]} challenges before it"
    for place in np.flatnonzero(~accepted & (before < allowed)):
        yield (
            int(table["ordinal"][place]),
            claims.EXCESS,
            f"claimed rejected (excess), but its pseudonym has only {before[place]} challenges before it",
        )


def used_pseudonyms(voters: Voters, style: int) -> int:
    """How many different pseudonyms of a style have a valid ballot or challenge (section 5.8)."""
    mine = voters[(voters["style"] == style) & _is(voters, *claims.ACCEPTED)]
    return len(np.unique(mine["pseudonym"], axis=0)) if len(mine) else 0
