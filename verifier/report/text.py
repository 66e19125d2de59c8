"""The report on a terminal: one line for each check, and the verdict as the last line."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from verifier.failure import Failure
from verifier.report.report import Report
from verifier.run import CheckResult

_MARK = {"pass": "pass", "fail": "FAIL", "not-run": "not run"}


def printable(text: str) -> str:
    """Text from a record with everything that a terminal or page would not show as it is written out."""
    return "".join(
        char
        if char.isprintable() and unicodedata.category(char) not in ("Cf", "Cc", "Zl", "Zp")
        else f"\\u{ord(char):04x}"
        for char in text
    )


def place(failure: Failure) -> str:
    """Where a failure is, and who is to blame."""
    parts = []
    if failure.entry is not None:
        parts.append(f"entry {failure.entry}")
    if failure.blob is not None:
        parts.append(f"blob {failure.blob[:16]}…")
    if failure.role is not None:
        parts.append(f"role {failure.role}")
    if failure.equation is not None:
        parts.append(f"rule {failure.equation}")
    return printable(", ".join(parts))


def check_lines(checks: Sequence[CheckResult]) -> Iterator[str]:
    """One line for each check, and its culprits below it."""
    group = 0
    for check in checks:
        number = f"{check.group:>2}" if check.group != group else "  "
        group = check.group
        holds = check.holds if check.status == "pass" else ""
        yield f"{number}  {check.name:<26}{_MARK[check.status]:<9}{holds}".rstrip()
        for failure in check.failures:
            where = place(failure)
            yield f"      - {where + ': ' if where else ''}{printable(failure.sentence)}"
        if check.total > len(check.failures):
            yield f"      - and {check.total - len(check.failures)} more"


def report_lines(report: Report) -> Iterator[str]:
    """The report, line by line."""
    yield f"log       {printable(report.log['origin'])}, {report.log['size']} entries"
    if report.election is not None:
        titles, language = report.election["title"], report.election["languages"][0]
        yield f"election  {printable(titles.get(language) or next(iter(titles.values())))} ({report.election['id']})"
        yield f"          fingerprint {report.election['fingerprint'] or 'unknown: there is no opening entry'}"
        if report.election["model"]:
            yield "          MODEL ELECTION: not a real vote; enrolment age and later checkpoints are relaxed"
    for notice in report.notices:
        name = notice["type"].upper() if notice["type"] == "annulment" else notice["type"]
        reason = f" ({notice['reason']})" if notice["reason"] else ""
        yield printable(f"{name:<10}entry {notice['entry']}, {notice['subject']}{reason}")
    for item in report.cosigned:
        yield printable(f"{'cosigned' if item['by'] else 'note':<10}{item['log']}: {item['text']}")
    yield ""
    yield from check_lines(report.checks)
    yield ""
    passed = sum(check.status == "pass" for check in report.checks)
    yield f"{passed} of {len(report.checks)} checks passed in {report.seconds:.1f} s ({report.arithmetic} arithmetic)"
    annulments = [str(notice["entry"]) for notice in report.notices if notice["type"] == "annulment"]
    if annulments:
        yield f"ANNULMENT in entry {', '.join(annulments)}: read it before you use this result"
    yield "VERIFIED" if report.verified else "NOT VERIFIED"
