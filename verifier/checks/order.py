"""Group 5: phases and numbers of entries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from verifier.checks.registry import NotRun, check
from verifier.failure import Failure
from verifier.record.entries import RoleEntry
from verifier.stream.scan import BALLOT, CHALLENGE

if TYPE_CHECKING:
    from verifier.state import State

SETUP = ("manifest", "roll", "enrolment", "trustee-ceremony", "issuer-ceremony", "opening")
_OPEN, _CLOSE = 6, 7
#: Phase of every type. Ballots and epochs are of the open phase; what stands after ``close`` is ``bounds.closing``.
_PHASE = {name: number for number, name in enumerate(SETUP)} | {
    "epoch": _OPEN,
    "terminal-opening": _OPEN,
    "terminal-closing": _OPEN,
    "terminal-exclusion": _OPEN,
    "extension": _OPEN,
    "vote-page": _OPEN,
    "withdrawal": _OPEN,
    "close": _CLOSE,
    "ledger": 8,
    "selection": 9,
    "aggregate": 10,
    "mix": 11,
    "decryption": 12,
    "result": 13,
}
_ANYWHERE = frozenset({"annulment", "complaint"})
_ONCE = (*SETUP, "close", "selection", "result")


@check("order.phases", 5, "2.3", "entry types stand in the order of phases")
def order_phases(state: State) -> Iterator[Failure]:
    """Setup, open, closed, ledgers, selection, aggregates, mixes, decryption, result."""
    reached, is_model = -1, False
    with suppress(NotRun):
        is_model = state.manifest.is_model
    for entry in state.entries:
        if entry.type in _ANYWHERE:
            if reached < SETUP.index("opening"):
                yield Failure(f"{entry.type} before the opening", entry=entry.index)
            continue
        if entry.type == "enrolment" and is_model and reached in (SETUP.index("opening"), _OPEN):
            reached = _OPEN
            continue
        phase = _PHASE[entry.type]
        if phase < len(SETUP) and phase == reached + 1 and entry.index == phase:
            reached = phase
        elif phase < len(SETUP) or phase < reached or reached < SETUP.index("opening"):
            # An epoch after ``close`` is reported by bounds.closing.
            if entry.type != "epoch" or reached < SETUP.index("opening"):
                yield Failure(f"{entry.type} is out of its phase", entry=entry.index)
            reached = max(reached, phase)
        else:
            reached = phase
    yield from _early_voters(state)
    yield from _descending_stages(state.of("mix"))


def _early_voters(state: State) -> Iterator[Failure]:
    openings = state.of("opening")
    end = openings[0].index if openings else state.log.size
    kinds = np.frombuffer(state.scan.kinds, dtype=np.uint8)[:end]
    for index in np.flatnonzero((kinds == BALLOT) | (kinds == CHALLENGE)).tolist():
        yield Failure("a ballot or challenge before the opening", entry=index)


def _descending_stages(mixes: list[RoleEntry]) -> Iterator[Failure]:
    latest: dict[tuple[str, str], int] = {}
    for entry in mixes:
        key = (entry.fields["contest"], entry.fields["group"])
        if entry.fields["stage"] < latest.get(key, 0):
            yield Failure("stages of one list do not ascend", entry=entry.index)
        latest[key] = entry.fields["stage"]


def _subject(entry: RoleEntry) -> tuple[Any, ...] | None:
    """What an entry is about, where a second one of its kind about the same must not be."""
    members = {
        "terminal-opening": ("terminal",),
        "terminal-closing": ("terminal",),
        "terminal-exclusion": ("terminal",),
        "ledger": ("issuer",),
        "aggregate": ("contest", "group"),
        "mix": ("contest", "group", "stage"),
        "decryption": ("contest", "group", "trustee"),
    }.get(entry.type)
    return None if members is None else (entry.type, *(entry.fields[member] for member in members))


@check("order.counts", 5, "2.3", "every type occurs as often as it may; entries of one kind do not repeat a subject")
def order_counts(state: State) -> Iterator[Failure]:
    """Numbers of entries."""
    is_model, ballots = True, state.log.size
    with suppress(NotRun):
        is_model, ballots = state.manifest.is_model, state.manifest.limits["ballots"]
    for name in _ONCE:
        found = state.of(name)
        if not found:
            yield Failure(f"there is no {name} entry")
        if len(found) > 1 and not (name == "enrolment" and is_model):
            yield Failure(f"there are {len(found)} {name} entries instead of one", entry=found[1].index)
    subjects = Counter(subject for entry in state.entries if (subject := _subject(entry)) is not None)
    for entry in state.entries:
        subject = _subject(entry)
        if subject is not None and subjects[subject] > 1:
            yield Failure(f"{' '.join(map(str, subject))} occurs {subjects[subject]} times", entry=entry.index)
            subjects[subject] = 0
    copies = Counter(entry.raw for entry in state.entries)
    for entry in state.entries:
        if copies[entry.raw] > 1:
            yield Failure(f"the same {entry.type} entry occurs {copies[entry.raw]} times", entry=entry.index)
            copies[entry.raw] = 0
    if len(state.voter_indices) > ballots:
        yield Failure(f"{len(state.voter_indices)} ballots and challenges are beyond limits.ballots")
