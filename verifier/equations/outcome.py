"""The outcome of a contest, recomputed step by step; docs/spec/10-results.md section 10.3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from verifier.equations import outcome_rules
from verifier.equations.outcome_count import Count
from verifier.equations.tally import form_fits
from verifier.failure import Failure


def compute_outcome(
    manifest: Mapping[str, Any], contest: Mapping[str, Any], result: Mapping[str, Any], fingerprint: bytes
) -> dict[str, Any]:
    """``outcome`` of a ``contest-result`` from its groups, totals and withdrawals."""
    count = Count(manifest, contest, result, fingerprint)
    for subject in result["withdrawn"]:
        count.record("withdrawn", subject)
    if any(group["status"] == "withheld" for group in result["groups"]):
        count.conclude("withheld")
        return count.outcome
    rules = {
        "list-seats": outcome_rules.list_seats,
        "referendum": outcome_rules.referendum,
        "majority-second-round": outcome_rules.majority_second_round,
        "top-k": outcome_rules.top_k,
        "council-majority": outcome_rules.council_majority,
        "instant-runoff": outcome_rules.instant_runoff,
    }
    rules[contest["rule"]["kind"]](count)
    return count.outcome


def check_outcome(
    manifest: Mapping[str, Any], contest: Mapping[str, Any], result: Mapping[str, Any], fingerprint: bytes
) -> list[Failure]:
    """The published outcome against the recomputed one: the first step and every field in which they differ."""
    tallied = [group for group in result["groups"] if group["status"] != "withheld"]
    if len(tallied) == len(result["groups"]):
        totals = result["totals"]
        if totals is None or not all(form_fits(contest, counts) for counts in [totals, *tallied]):
            return [_failure("form", "totals do not fit the contest, so nothing can be concluded from them")]
    expected, published = compute_outcome(manifest, contest, result, fingerprint), result["outcome"]
    failures = []
    for number, step in enumerate(expected["steps"]):
        if number >= len(published["steps"]) or published["steps"][number] != step:
            name, subject, values = step
            sentence = f"step {number + 1} is {name}({subject}; {', '.join(map(str, values))}), not the published one"
            failures.append(_failure("steps", sentence))
            break
    else:
        if len(published["steps"]) > len(expected["steps"]):
            failures.append(_failure("steps", f"there are more steps than the {len(expected['steps'])} of the rule"))
    for field, value in expected.items():
        if field != "steps" and published[field] != value:
            failures.append(_failure(field, f"{field} is not what the rule gives from the totals"))
    return failures


def _failure(field: str, sentence: str) -> Failure:
    return Failure(sentence, equation=f"outcome.{field}")
