"""Group 8: the key ceremonies of trustees and issuers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from verifier.checks.registry import check
from verifier.failure import Failure

if TYPE_CHECKING:
    from verifier.state import State


def _located(state: State, kind: str, entry: str) -> Iterator[Failure]:
    index = state.only(entry).index
    for failure in state.ceremony(kind).failures:
        yield replace(failure, entry=index)


@check("ceremony.trustees", 8, "4", "the trustees' transcript passes every rule; the joint key is recomputed")
def ceremony_trustees(state: State) -> Iterator[Failure]:
    """Distributed key generation of the election key."""
    yield from _located(state, "trustees", "trustee-ceremony")


@check("ceremony.issuers", 8, "4", "the same for the issuers, for every style; 2k > m")
def ceremony_issuers(state: State) -> Iterator[Failure]:
    """Distributed key generation of the issuance keys."""
    issuers = state.manifest.raw["issuers"]
    if 2 * issuers["k"] <= issuers["m"]:
        yield Failure("two groups of k issuers need not overlap", entry=state.only("manifest").index)
    yield from _located(state, "issuers", "issuer-ceremony")
