"""Running the auditor's checks: each exactly once, in order; every failure is reported."""

from __future__ import annotations

from dataclasses import replace

from verifier.checks.registry import Check
from verifier.failure import Failure, Failures
from verifier.ledger import checks  # noqa: F401  (importing it registers the checks)
from verifier.ledger.audit import Audit
from verifier.ledger.registry import AUDITS, WITHOUT_LEDGERS
from verifier.run import CheckResult, run_check

COMPLETE = "audit.complete"
#: Names of the checks in order, as docs/spec/05-credentials.md section 5.12 lists them.
ORDER = (*AUDITS, COMPLETE)


def run_audit(audit: Audit) -> list[CheckResult]:
    """Run every check that has something to work on: without a ledger, those of the record and the enrolment log.

    Raises:
        UnreadableError: a file cannot be read to its end.
    """
    names = [name for name in AUDITS if audit.inputs.ledgers or name in WITHOUT_LEDGERS]
    results = [_by_our_names(run_check(AUDITS[name], audit)) for name in names]
    missed = Failures(Failure(f"{result.name} did not run") for result in results if result.status == "not-run")
    complete = Check(COMPLETE, len(AUDITS) + 1, "-", "every check above ran", lambda _: missed)
    return [*results, run_check(complete, audit)]


def _by_our_names(result: CheckResult) -> CheckResult:
    """Where something of the record is missing, its own check names a check of section 11; here it is one of ours."""
    foreign = result.cause is not None and not result.cause.startswith("audit.")
    return replace(result, cause="audit.record") if foreign else result


__all__ = ["AUDITS", "COMPLETE", "ORDER", "run_audit"]
