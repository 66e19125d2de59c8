"""Group 3: who vouches for the checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from verifier.checks.registry import NotRun, check
from verifier.failure import Failure
from verifier.record.note import Cosignature, VerifierKey, lines_of, read_cosignature, verify_note

if TYPE_CHECKING:
    from verifier.state import State

#: Clocks may differ by this much.
ALLOWANCE_SECONDS = 300


def log_keys(state: State) -> list[VerifierKey]:
    """The policy's keys for the origin of the checkpoint."""
    return [key for key in state.trust.policy.logs if key.name == state.checkpoint.origin]


def cosignatures(state: State) -> dict[str, Cosignature]:
    """Valid cosignatures of the policy's witnesses, by the policy's names."""
    found = {name: read_cosignature(state.checkpoint.note, key) for name, key in state.trust.policy.witnesses.items()}
    return {name: cosignature for name, cosignature in found.items() if cosignature is not None}


def is_timely(state: State, cosignature: Cosignature) -> bool:
    """Whether a cosignature is neither in the future nor older than the last timed entry."""
    times = [entry.time for entry in state.entries if entry.time is not None]
    latest = max(times, default=0)
    earliest = latest - ALLOWANCE_SECONDS
    return earliest <= cosignature.timestamp <= state.settings.now + ALLOWANCE_SECONDS


@check("checkpoint.signature", 3, "2-log", "the log signed, under the policy's key and the opening's origin")
def checkpoint_signature(state: State) -> Iterator[Failure]:
    """The log's own signature."""
    note = state.checkpoint.note
    if not any(verify_note(note, key) for key in log_keys(state)):
        yield Failure("no valid signature of the log that the trust root's policy names")
    for key in state.trust.policy.logs:
        if lines_of(note, key) and not verify_note(note, key):
            yield Failure(f"the line of the log key {key.name} does not verify")
    try:
        origin = state.opening.fields["origin"]
    except NotRun:
        return
    if origin != state.checkpoint.origin:
        yield Failure("the origin is not that of the opening entry", entry=state.opening.index)


@check("checkpoint.quorum", 3, "2-log", "cosignatures of known log witnesses reach the policy's quorum")
def checkpoint_quorum(state: State) -> Iterator[Failure]:
    """Enough witnesses saw this checkpoint."""
    policy, found = state.trust.policy, cosignatures(state)
    for name, key in policy.witnesses.items():
        if name not in found and lines_of(state.checkpoint.note, key):
            yield Failure("the cosignature does not verify", role=name)
    if not policy.is_satisfied(found.keys()):
        yield Failure(f"valid cosignatures of {len(found)} known log witnesses do not reach the quorum")
    if policy.is_split():
        yield Failure("the policy's quorum can be reached by two sets of witnesses without a common member")


@check("checkpoint.times", 3, "2-log", "the quorum is reached by cosignatures neither in the future nor outdated")
def checkpoint_times(state: State) -> Iterator[Failure]:
    """The witnesses saw this checkpoint at a possible time."""
    found = cosignatures(state)
    if not state.trust.policy.is_satisfied(found.keys()):
        raise NotRun("checkpoint.quorum", "there is no quorum to look at")
    timely = {name for name, cosignature in found.items() if is_timely(state, cosignature)}
    if not state.trust.policy.is_satisfied(timely):
        yield Failure(f"only {len(timely)} cosignatures are of a time that clock and entries allow: no quorum")
