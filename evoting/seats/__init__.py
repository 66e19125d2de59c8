"""From tallies to outcomes: totals, thresholds, seats, and the result of the record."""

from __future__ import annotations

from .decide import outcome, withdrawable
from .describe import describe_outcome, describe_step, describe_tie
from .errors import ResultError
from .outcome import Elected, Outcome
from .result import ContestResult, Result, build_result, decode_result, encode_result, outcome_tree
from .totals import GroupStatus, GroupTally, Totals, is_ranking, is_regular_ranking, sum_groups
from .working import Step, Tie, Working

__all__ = [
    "ContestResult",
    "Elected",
    "GroupStatus",
    "GroupTally",
    "Outcome",
    "Result",
    "ResultError",
    "Step",
    "Tie",
    "Totals",
    "Working",
    "build_result",
    "decode_result",
    "describe_outcome",
    "describe_step",
    "describe_tie",
    "encode_result",
    "is_ranking",
    "is_regular_ranking",
    "outcome",
    "outcome_tree",
    "sum_groups",
    "withdrawable",
]
