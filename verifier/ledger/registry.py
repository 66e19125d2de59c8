"""The auditor's checks: stable names, in the order of docs/spec/05-credentials.md section 5.12."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

from verifier.checks.registry import Check
from verifier.failure import Failure

if TYPE_CHECKING:
    from verifier.ledger.audit import Audit

AuditFunction: TypeAlias = "Callable[[Audit], Iterable[Failure]]"

AUDITS: dict[str, Check] = {}
#: Checks that have something to work on without any ledger.
WITHOUT_LEDGERS: set[str] = set()


def check(
    name: str, section: str, holds: str, *, without_ledgers: bool = False
) -> Callable[[AuditFunction], AuditFunction]:
    """Register a function that yields the failures of one check; it may raise ``NotRun``."""

    def register(function: Any) -> Any:
        AUDITS[name] = Check(name, len(AUDITS) + 1, section, holds, function)
        if without_ledgers:
            WITHOUT_LEDGERS.add(name)
        return function

    return register
