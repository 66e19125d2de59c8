"""Group 25: published challenges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.checks.registry import check
from verifier.failure import Failures

if TYPE_CHECKING:
    from verifier.state import State


@check("challenges.opening", 25, "6.6", "every published challenge that is not rejected opens to its ciphertexts")
def challenges_opening(state: State) -> Failures:
    """``opening`` of section 6.6."""
    return state.voters.of("challenges.opening")


@check(
    "challenges.uncounted", 25, "6.6", "no challenged ciphertext is counted; at most the allowed number per pseudonym"
)
def challenges_uncounted(state: State) -> Failures:
    """``excess`` of section 6.6, and that a challenged ballot never counts."""
    return state.voters.of("challenges.uncounted")
