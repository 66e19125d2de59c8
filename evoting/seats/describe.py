"""Steps, ties and outcomes as readable lines. The words are for people; what counts is in the step's integers."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from .outcome import Outcome
from .working import LIST_ORDER, Step, Tie

_SHARES: Mapping[str, str] = {
    "turnout": "turnout",
    "adoption": "adoption",
    "majority": "majority",
    "national-threshold": "national threshold",
    "area-threshold": "area threshold",
}


def describe_outcome(outcome: Outcome) -> list[str]:
    """The whole working, one line for each step and tie, and the outcome as the last lines."""
    lines = [describe_step(step) for step in outcome.steps]
    lines += [describe_tie(tie) for tie in outcome.ties]
    lines += [f"seats: {party} {seats}" for party, seats in outcome.seats if seats]
    if outcome.adopted is not None:
        lines.append(f"adopted: {outcome.adopted}")
    if outcome.advance:
        lines.append(f"to a second round: {', '.join(outcome.advance)}")
    if outcome.vacant:
        lines.append(f"vacant seats: {outcome.vacant}")
    lines.append(f"outcome: {outcome.status}")
    return lines


def describe_tie(tie: Tie) -> str:
    rule = "the order of the list" if tie.by == LIST_ORDER else "lot (docs/spec/10-results.md section 10.4)"
    return f"tie for {tie.places} place(s) ({tie.purpose}): {', '.join(tie.ids)}; this order by {rule}"


def describe_step(step: Step) -> str:
    """One step in words and numbers."""
    values = step.values
    if step.name in _SHARES:
        votes, base, numerator, denominator, strict, reached = values
        share = f"{decimal(Fraction(100 * votes, base))} %" if base else "no base"
        sign = (">" if strict else ">=") if reached else ("<=" if strict else "<")
        name = f"{_SHARES[step.name]} {step.subject}".strip()
        return f"{name}: {votes} / {base} = {share} {sign} {numerator}/{denominator}: {'yes' if reached else 'no'}"
    match step.name, values:
        case "quota", (total, seats):
            return f"quota = {total} / {seats} = {decimal(Fraction(total, seats))}"
        case "whole-seats", (votes, whole, remainder, seats):
            rest = decimal(Fraction(remainder, seats))
            return f"{step.subject}: {votes} / quota = {whole} seats, remainder {rest} votes"
        case "remainder-seat", (remainder, seats):
            return f"{step.subject}: one more seat for the remainder {decimal(Fraction(remainder, seats))}"
        case "quotient-seat", (number, votes, divisor):
            return f"seat {number}: {step.subject}, {votes} / {divisor} = {decimal(Fraction(votes, divisor))}"
        case "round", (seats, parties):
            return f"{seats} seats among {parties} parties"
        case "cap", (seats, cap):
            return f"{step.subject}: {seats} seats exceed the cap, so it keeps {cap}"
        case "seats", (seats,):
            return f"{step.subject}: {seats} seats"
        case "women-quota", (seats, numerator, denominator, required):
            name = f"{step.subject}: " if step.subject else ""
            return f"{name}women's quota {numerator}/{denominator} of {seats} seats = {required}"
        case "women-short", (required, found):
            name = f"{step.subject}: " if step.subject else ""
            return f"{name}the quota asks for {required} women, there are {found}"
        case "list-exhausted", (seats, found):
            return f"{step.subject}: {seats} seats, but only {found} candidates"
        case "against-all", (against, best, wins):
            verdict = "most votes: the election is repeated" if wins else "not the most votes"
            return f"against all {against}, highest other choice {best}: {verdict}"
        case "elected", (votes,):
            return f"elected: {step.subject} with {votes}"
        case "elected-woman", (votes,):
            return f"elected by the women's quota: {step.subject} with {votes}"
        case "elected-other-sex", (votes,):
            return f"elected in place of the last, all being of one sex: {step.subject} with {votes}"
        case "gives-way", (votes,):
            return f"gives way: {step.subject} with {votes}"
        case "no-other-sex", ():
            return "all are of one sex, but no candidate of the other has a vote"
        case "second-round", (votes,):
            return f"to the second round: {step.subject} with {votes}"
        case "withdrawn", ():
            return f"withdrawn: {step.subject}"
        case "runoff-round", (number, total):
            return f"round {number}: {total} ballots count"
        case "runoff-votes", (votes,):
            return f"  {step.subject}: {votes}"
        case "eliminated", (votes,):
            return f"eliminated: {step.subject} with {votes}"
    raise ValueError(f"unknown step {step.name}")


def decimal(value: Fraction) -> str:
    """A non-negative fraction with two decimals, rounded half up."""
    hundredths = (200 * value.numerator + value.denominator) // (2 * value.denominator)
    return f"{hundredths // 100}.{hundredths % 100:02}"
