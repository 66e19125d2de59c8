"""All cases, in the order of an election."""

from __future__ import annotations

from tests.tampered import ballots, counting, log, setup
from tests.tampered.case import REGISTRY, Case

CASES: list[type[Case]] = sorted(
    REGISTRY, key=lambda case: [module.__name__ for module in (log, setup, ballots, counting)].index(case.__module__)
)
