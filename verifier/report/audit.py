"""The report of an audit, in the style of the verifier's; its JSON form has the schema ``audit-schema-v1.json``."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from verifier.checks.registry import NotRun
from verifier.ledger.audit import Audit
from verifier.ledger.checks import checkpoint_notes, partly_issued
from verifier.record.cosigned import read_cosigned
from verifier.report.page import STYLE, check_table, escaped, table
from verifier.report.report import check_json, cosigned_json
from verifier.report.text import check_lines, printable
from verifier.run import CheckResult

FORMAT = "evoting-ledger-audit/v1"
#: Positions that a report lists; all are counted.
_LISTED = 20
_TREE = "the tree of a statement cannot be rebuilt without the issuer's secret; citizens check their own position in it"


@dataclass(frozen=True)
class AuditReport:
    """Verdict, checks, and what was audited."""

    verified: bool
    checks: tuple[CheckResult, ...]
    arithmetic: str
    seconds: float
    finished: int
    election: Mapping[str, Any]
    enrolment: Mapping[str, Any] | None
    ledgers: tuple[Mapping[str, Any], ...]
    cosigned: tuple[Mapping[str, Any], ...]
    partial: Mapping[str, Any]
    notes: tuple[str, ...]


def make_audit_report(audit: Audit, checks: list[CheckResult], seconds: float) -> AuditReport:
    """Put a report together; what could not be read is left out."""
    return AuditReport(
        verified=all(check.status == "pass" for check in checks),
        checks=tuple(checks),
        arithmetic=audit.settings.arithmetic,
        seconds=round(seconds, 3),
        finished=int(time.time()),
        election={"fingerprint": audit.record.trust.fingerprint.hex(), "model": _is_model(audit)},
        enrolment=_enrolment(audit),
        ledgers=_ledgers(audit),
        cosigned=_cosigned(audit),
        partial=_partial(audit),
        notes=tuple(_notes(audit)),
    )


def _is_model(audit: Audit) -> bool:
    try:
        return audit.record.manifest.is_model
    except NotRun:
        return False


def _enrolment(audit: Audit) -> Mapping[str, Any] | None:
    try:
        without = audit.enrolments.without_effect
        size = audit.log.size
    except NotRun:
        return None
    return {
        "entries": size,
        "without-effect": [{"reason": reason, "count": count} for reason, count in sorted(without.items())],
    }


def _ledgers(audit: Audit) -> tuple[Mapping[str, Any], ...]:
    try:
        styles, ledgers = list(audit.record.manifest.styles), audit.ledgers
    except NotRun:
        return ()
    return tuple(
        {
            "issuer": ledger.file.issuer,
            "role": ledger.role,
            "entries": ledger.whole.size,
            "root": ledger.whole.root.hex(),
            "statement": audit.statement(ledger.file.issuer) is not None,
            "issued": [
                {"style": style, "count": count, "terminal": terminal}
                for style in styles
                for count, terminal in [ledger.counts.get(style, (0, 0))]
            ],
        }
        for ledger in ledgers
    )


def _cosigned(audit: Audit) -> tuple[Mapping[str, Any], ...]:
    try:
        found = list(checkpoint_notes(audit))
    except NotRun:
        return ()
    return tuple(cosigned_json(None, what, read_cosigned(note, audit.record.trust.policy)) for what, _, note in found)


def _partial(audit: Audit) -> Mapping[str, Any]:
    try:
        positions = partly_issued(audit) if audit.inputs.ledgers else []
    except NotRun:
        positions = []
    return {"count": len(positions), "positions": positions[:_LISTED]}


def _notes(audit: Audit) -> Iterator[str]:
    if not audit.inputs.ledgers:
        yield "no ledger was given: only the enrolment log was audited"
        return
    try:
        missing = [file.issuer for file in audit.inputs.ledgers if audit.statement(file.issuer) is None]
    except NotRun:
        missing = []
    for issuer in missing:
        yield f"the record has no ledger statement of issuer {issuer}, so nothing was compared with one"
    yield _TREE


def _note_lines(report: AuditReport) -> Iterator[str]:
    """What a reader must be told, whatever the checks say."""
    for item in report.cosigned:
        yield f"{item['log']}: {item['text']}"
    if report.enrolment is not None:
        for item in report.enrolment["without-effect"]:
            yield f"enrolments without effect: {item['count']}, because {item['reason']}"
    if report.partial["count"]:
        shown = ", ".join(map(str, report.partial["positions"]))
        more = " and more" if report.partial["count"] > len(report.partial["positions"]) else ""
        yield f"partly issued: {report.partial['count']} positions with too few issuers for a credential: {shown}{more}"
    yield from report.notes


def audit_lines(report: AuditReport) -> Iterator[str]:
    """The report, line by line."""
    yield f"election  fingerprint {report.election['fingerprint']}"
    if report.election["model"]:
        yield "          MODEL ELECTION: not a real vote; enrolment age and later checkpoints are relaxed"
    if report.enrolment is not None:
        yield f"enrolment {report.enrolment['entries']} entries"
    for ledger in report.ledgers:
        issued = ", ".join(f"{item['style']} {item['count']} ({item['terminal']})" for item in ledger["issued"])
        yield printable(f"ledger    {ledger['role']}: {ledger['entries']} entries; issued (at terminals): {issued}")
    for line in _note_lines(report):
        yield printable(f"note      {line}")
    yield ""
    yield from check_lines(report.checks)
    yield ""
    passed = sum(check.status == "pass" for check in report.checks)
    yield f"{passed} of {len(report.checks)} checks passed in {report.seconds:.1f} s ({report.arithmetic} arithmetic)"
    yield "VERIFIED" if report.verified else "NOT VERIFIED"


def audit_json(report: AuditReport) -> dict[str, Any]:
    """The report as the schema wants it."""
    return {
        "format": FORMAT,
        "verified": report.verified,
        "arithmetic": report.arithmetic,
        "seconds": report.seconds,
        "finished": report.finished,
        "election": report.election,
        "enrolment": report.enrolment,
        "ledgers": list(report.ledgers),
        "cosigned": list(report.cosigned),
        "partial": report.partial,
        "notes": list(report.notes),
        "checks": [check_json(check) for check in report.checks],
    }


def audit_page(report: AuditReport) -> str:
    """The report as one self-contained page: no script, no external resource, everything escaped."""
    verdict = "VERIFIED" if report.verified else "NOT VERIFIED"
    rows = [
        [ledger["role"], item["style"], item["count"], item["terminal"]]
        for ledger in report.ledgers
        for item in ledger["issued"]
    ]
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{verdict}: audit of ledgers</title><style>{STYLE}</style></head><body><h1>Audit of ledgers</h1>",
    ]
    if report.election["model"]:
        parts.append('<p class="model">MODEL ELECTION: this is not a real vote.</p>')
    parts.append(f'<p class="verdict {"pass" if report.verified else "fail"}">{verdict}</p>')
    parts.append(f"<p>Election fingerprint <code>{escaped(report.election['fingerprint'])}</code>. Audited with the ")
    parts.append(f"{escaped(report.arithmetic)} arithmetic in {report.seconds} s.</p><ul>")
    parts += [f"<li>{escaped(line)}</li>" for line in _note_lines(report)]
    parts.append("</ul>")
    parts += table("Issued, as the ledgers say", ("issuer", "ballot style", "issued", "at terminals"), rows, 2)
    parts += check_table(report.checks)
    parts.append("</body></html>\n")
    return "\n".join(parts)


def audit_schema() -> dict[str, Any]:
    """The JSON schema of the report."""
    text = files("verifier.report").joinpath("audit-schema-v1.json").read_text(encoding="utf-8")
    decoded: dict[str, Any] = json.loads(text)
    return decoded
