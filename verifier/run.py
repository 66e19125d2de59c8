"""Running all checks: each exactly once, in the order of the specification; every failure is reported."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from crypto.errors import CryptoError
from verifier.checks import (  # noqa: F401  (importing a module registers its checks)
    accounting,
    ballots,
    bounds,
    ceremonies,
    challenges,
    checkpoint,
    decryptions,
    ledgers,
    log,
    mixes,
    opening,
    order,
    record,
    tally,
    trust,
)
from verifier.checks.registry import CHECKS, Check, NotRun
from verifier.failure import Failure, Failures
from verifier.record.errors import FormatError
from verifier.state import State

#: The order of docs/spec/11-checks.md, in which checks run and are reported.
ORDER = (
    "record.files", "record.blobs", "record.encoding", "trust.fingerprint", "trust.signatures",
    "checkpoint.signature", "checkpoint.quorum", "checkpoint.times", "log.root", "log.consistency", "order.phases",
    "order.counts", "group.parameters", "opening.manifest", "opening.roll", "opening.keys", "opening.code-books",
    "opening.partition", "ceremony.trustees", "ceremony.issuers", "ledger.statements", "ledger.bounds",
    "ballots.encoding", "ballots.credential", "ballots.signature", "ballots.proof", "ballots.duplicate",
    "ballots.sequence", "bounds.opening", "bounds.closing", "bounds.terminals", "accounting.dispositions",
    "accounting.styles", "accounting.groups", "mix.input", "mix.chain", "mix.proof", "mix.mixers",
    "decryption.input", "decryption.proof", "decryption.trustees", "plaintexts.codes", "tally.totals",
    "tally.groups", "tally.outcome", "challenges.opening", "challenges.uncounted",
)  # fmt: skip

COMPLETE = "verifier.complete"


@dataclass(frozen=True)
class CheckResult:
    """One line of the report."""

    name: str
    group: int
    section: str
    holds: str
    status: Literal["pass", "fail", "not-run"]
    failures: tuple[Failure, ...] = ()
    total: int = 0
    cause: str | None = None  # the check whose failure prevented this one


def run_checks(state: State) -> list[CheckResult]:
    """Run every check; hostile records end in failures, never in an exception.

    Raises:
        Exception: a defect of the verifier itself, which must not pass as a verdict about the record.
    """
    registered = {check.name: check for check in CHECKS}
    if registered.keys() != set(ORDER):
        raise AssertionError(f"checks without place or function: {sorted(registered.keys() ^ set(ORDER))}")
    results = [run_check(registered[name], state) for name in ORDER]
    missed = [result.name for result in results if result.status == "not-run"]
    complete = Failures(Failure(f"{name} did not run") for name in missed)
    results.append(_result(Check(COMPLETE, 26, "-", "every check above ran", _nothing), complete))
    return results


def _nothing(state: State) -> Iterable[Failure]:
    return ()


def run_check(check: Check, state: Any) -> CheckResult:
    """Run one check on what its function works on."""
    failures = Failures()
    try:
        found = check.function(state)
        if isinstance(found, Failures):
            failures = found
        else:
            for failure in found:
                failures.add(failure)
    except NotRun as error:
        if not failures:
            sentence = f" ({error.sentence})" if error.sentence else ""
            note = (Failure(f"not run because of {error.cause}{sentence}"),)
            return CheckResult(check.name, check.group, check.section, check.holds, "not-run", note, 0, error.cause)
        failures.add(Failure(f"could not go on because of {error}"))
    except (CryptoError, FormatError) as error:
        failures.add(Failure(f"hostile bytes: {error}"))
    return _result(check, failures)


def _result(check: Check, failures: Failures) -> CheckResult:
    status: Literal["pass", "fail"] = "fail" if failures else "pass"
    return CheckResult(
        check.name, check.group, check.section, check.holds, status, tuple(failures.listed), failures.total
    )
