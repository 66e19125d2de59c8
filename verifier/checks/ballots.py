"""Groups 10 to 15: ballots and challenges, judged in the second pass over the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.checks.registry import check
from verifier.failure import Failures

if TYPE_CHECKING:
    from verifier.state import State


@check(
    "ballots.encoding", 10, "6.5", "every ballot and challenge that is not rejected is well-formed; canonical points"
)
def ballots_encoding(state: State) -> Failures:
    """``malformed`` of section 6.5."""
    return state.voters.of("ballots.encoding")


@check("ballots.credential", 11, "5, 6.5", "its credential is valid for this election and style")
def ballots_credential(state: State) -> Failures:
    """``credential`` of section 6.5."""
    return state.voters.of("ballots.credential")


@check("ballots.signature", 12, "6.5, 6.6", "its pseudonym signed all of it")
def ballots_signature(state: State) -> Failures:
    """``signature`` of section 6.5."""
    return state.voters.of("ballots.signature")


@check("ballots.proof", 13, "6.2-6.4", "every choice, sum and plaintext-knowledge proof holds")
def ballots_proof(state: State) -> Failures:
    """``proof`` of section 6.5."""
    return state.voters.of("ballots.proof")


@check("ballots.duplicate", 14, "6.5", "no pad and no commitment repeats")
def ballots_duplicate(state: State) -> Failures:
    """``duplicate`` of section 6.5."""
    return state.voters.of("ballots.duplicate")


@check("ballots.sequence", 15, "6.5, 7.1", "sequence numbers rise; of each pseudonym exactly the highest is counted")
def ballots_sequence(state: State) -> Failures:
    """``sequence`` of section 6.5, and precedence of section 7.1."""
    return state.voters.of("ballots.sequence")
