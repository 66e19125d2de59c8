"""Group 16: opening and closing; docs/spec/02-record.md section 2.6."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from verifier.checks.registry import check
from verifier.failure import Failure
from verifier.stream.scan import BALLOT, CHALLENGE

if TYPE_CHECKING:
    from verifier.state import State


def _voters(state: State) -> NDArray[np.int64]:
    """Indices of all ballots and challenges, also after ``close``."""
    kinds = np.frombuffer(state.scan.kinds, dtype=np.uint8)
    return np.flatnonzero((kinds == BALLOT) | (kinds == CHALLENGE))


def _batches(state: State) -> Iterator[tuple[int, int]]:
    """Every run of ballots and challenges: first index and index after the last."""
    voters = _voters(state)
    if not len(voters):
        return
    breaks = np.flatnonzero(np.diff(voters) != 1)
    firsts = np.concatenate((voters[:1], voters[breaks + 1]))
    lasts = np.concatenate((voters[breaks], voters[-1:]))
    yield from zip(firsts.tolist(), (lasts + 1).tolist(), strict=True)


@check("bounds.opening", 16, "2.6", "no epoch before the opening time; epochs are numbered, sorted and complete")
def bounds_opening(state: State) -> Iterator[Failure]:
    """Batches of the ballot box."""
    epochs = {entry.index: entry for entry in state.of("epoch")}
    lengths = {end: end - first for first, end in _batches(state)}
    for end, length in lengths.items():
        if end not in epochs:
            yield Failure(f"a batch of {length} entries is not followed by an epoch entry", entry=end - 1)
    latest = state.manifest.raw["opens"]
    for number, entry in enumerate(epochs.values()):
        if entry.fields["number"] != number:
            yield Failure(f"epoch {entry.fields['number']} where {number} is due", entry=entry.index)
        if entry.fields["entries"] != lengths.get(entry.index, 0):
            sentence = f"states {entry.fields['entries']} entries, {lengths.get(entry.index, 0)} stand before it"
            yield Failure(sentence, entry=entry.index)
        if entry.fields["time"] < latest:
            yield Failure("its time is before the opening or the epoch before", entry=entry.index)
        latest = max(latest, entry.fields["time"])
    for index in state.scan.unsorted:
        yield Failure("stands after an entry that it should precede in its batch", entry=index)


@check(
    "bounds.closing",
    16,
    "2.6",
    "no ballot after close, no epoch after the closing time; the close's counts are the log's",
)
def bounds_closing(state: State) -> Iterator[Failure]:
    """The end of voting."""
    close = state.only("close")
    late = _voters(state)
    for index in late[late > close.index].tolist():
        yield Failure("a ballot or challenge after close", entry=index)
    closes = state.manifest.raw["closes"]
    epochs = 0
    for entry in state.of("epoch", "extension"):
        if entry.type == "extension":
            if not entry.fields["time"] <= closes < entry.fields["closes"]:
                yield Failure(
                    f"voting ends at {closes}: an extension comes before, and is to a later time", entry.index
                )
            closes = entry.fields["closes"]
        elif entry.index > close.index:
            yield Failure("an epoch after close", entry=entry.index)
        else:
            epochs += 1
            if entry.fields["time"] > closes:
                yield Failure(f"its time is after the closing at {closes}", entry=entry.index)
    if not state.manifest.is_model and close.fields["time"] < closes:
        yield Failure(f"closed before the closing time {closes}", entry=close.index)
    kinds = np.frombuffer(state.scan.kinds, dtype=np.uint8)[: close.index]
    found = {
        "ballots": int(np.count_nonzero(kinds == BALLOT)),
        "challenges": int(np.count_nonzero(kinds == CHALLENGE)),
        "epochs": epochs,
    }
    for name, count in found.items():
        if close.fields[name] != count:
            yield Failure(f"states {close.fields[name]} {name}, the log has {count}", entry=close.index)


@check("bounds.terminals", 16, "2.6", "every opened terminal has its closing protocol or exclusion")
def bounds_terminals(state: State) -> Iterator[Failure]:
    """Offline terminals delivered before the close, or are excluded by name."""
    close = state.only("close").index
    ended: dict[str, int] = {}
    for entry in state.of("terminal-closing", "terminal-exclusion"):
        ended.setdefault(entry.fields["terminal"], entry.index)
    opened = {entry.fields["terminal"]: entry.index for entry in state.of("terminal-opening")}
    units = {unit["id"] for unit in state.manifest.raw["units"]}
    for entry in state.of("terminal-opening"):
        if entry.fields["unit"] not in units:
            yield Failure("opened for a reporting unit that does not exist", entry=entry.index)
    for terminal, index in opened.items():
        if not index < ended.get(terminal, close) < close:
            yield Failure("neither closing protocol nor exclusion before close", entry=index, role=terminal)
    for terminal in ended.keys() - opened.keys():
        yield Failure("closed or excluded without having been opened", entry=ended[terminal], role=terminal)
