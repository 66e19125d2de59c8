"""What a verification found, as data; the JSON form has the schema ``schema-v2.json`` beside this file."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from verifier.checks.registry import NotRun
from verifier.failure import Failure
from verifier.record.cosigned import Cosigned, read_cosigned
from verifier.record.entries import RoleEntry
from verifier.record.errors import FormatError
from verifier.record.note import parse_note
from verifier.run import CheckResult
from verifier.state import State

FORMAT = "evoting-verification-report/v2"


@dataclass(frozen=True)
class Report:
    """Verdict, checks, and what the record says, for a reader."""

    verified: bool
    checks: tuple[CheckResult, ...]
    arithmetic: str
    seconds: float
    finished: int
    log: Mapping[str, Any]
    election: Mapping[str, Any] | None
    notices: tuple[Mapping[str, Any], ...]  # annulments, withdrawals, complaints
    cosigned: tuple[Mapping[str, Any], ...]  # who cosigned the enrolment log and the ledgers: told, not judged
    accounting: tuple[Mapping[str, Any], ...]
    result: Mapping[str, Any] | None


def make_report(state: State, checks: list[CheckResult], seconds: float) -> Report:
    """Put a report together; what the record does not give is None."""
    return Report(
        verified=all(check.status == "pass" for check in checks),
        checks=tuple(checks),
        arithmetic=state.group.name,
        seconds=round(seconds, 3),
        finished=int(time.time()),
        log={"origin": state.checkpoint.origin, "size": state.log.size, "root": state.checkpoint.root.hex()},
        election=_election(state),
        notices=_notices(state),
        cosigned=_cosigned(state),
        accounting=_accounting(state),
        result=_result(state),
    )


def _election(state: State) -> Mapping[str, Any] | None:
    try:
        manifest = state.manifest
    except NotRun:
        return None
    try:
        fingerprint: str | None = state.fingerprint.hex()
    except NotRun:
        fingerprint = None
    raw = manifest.raw
    return {
        "id": raw["id"],
        "title": raw["title"],
        "note": raw["note"],
        "model": raw["model"],
        "languages": raw["languages"],
        "fingerprint": fingerprint,
        "manifest": manifest.hash.hex(),
    }


def _notices(state: State) -> tuple[Mapping[str, Any], ...]:
    """What a reader of the result must be told, whatever the checks say."""
    try:
        entries = state.of("annulment", "withdrawal", "complaint")
    except NotRun:
        return ()
    return tuple(
        {
            "entry": entry.index,
            "type": entry.type,
            "time": entry.time,
            "subject": _subject(entry),
            "reason": entry.fields.get("reason", ""),
        }
        for entry in entries
    )


def _cosigned(state: State) -> tuple[Mapping[str, Any], ...]:
    """Whether a quorum of the trust root's log witnesses saw the enrolment log and the ledgers."""
    try:
        entries = state.of("enrolment", "ledger")
    except NotRun:
        return ()
    found = []
    for entry in entries:
        name = "enrolment log" if entry.type == "enrolment" else f"ledger of issuer {entry.fields['issuer']}"
        try:
            note = parse_note(entry.fields["checkpoint"].encode("utf-8", "surrogatepass"))
        except FormatError:
            continue  # ``opening.roll`` and ``ledger.statements`` say so
        found.append(cosigned_json(entry.index, name, read_cosigned(note, state.trust.policy)))
    return tuple(found)


def cosigned_json(entry: int | None, name: str, cosigned: Cosigned) -> dict[str, Any]:
    """One of them, for a report."""
    return {
        "entry": entry,
        "log": name,
        "by": list(cosigned.by),
        "witnesses": cosigned.witnesses,
        "quorum": cosigned.is_quorum,
        "text": cosigned.sentence(),
    }


def _subject(entry: RoleEntry) -> str:
    """What an annulment, withdrawal or complaint is about."""
    fields = entry.fields
    if entry.type == "annulment":
        return str(fields["scope"])
    first = fields["contest"] if entry.type == "withdrawal" else fields["number"]
    return f"{first}: {fields['subject']}"


def _accounting(state: State) -> tuple[Mapping[str, Any], ...]:
    try:
        return tuple(state.selection.fields["accounting"])
    except NotRun:
        return ()


def _result(state: State) -> Mapping[str, Any] | None:
    """The published result without its fingerprint, with contests only that the manifest has."""
    try:
        published, contests = state.result, state.manifest.contests
    except NotRun:
        return None
    return {"contests": [item for item in published["contests"] if item["contest"] in contests]}


def failure_json(failure: Failure) -> dict[str, Any]:
    """A culprit as the schema wants it."""
    return {
        "sentence": failure.sentence,
        "entry": failure.entry,
        "blob": failure.blob,
        "role": failure.role,
        "equation": failure.equation,
    }


def check_json(check: CheckResult) -> dict[str, Any]:
    """A check as the schema wants it."""
    return {
        "name": check.name,
        "group": check.group,
        "section": check.section,
        "status": check.status,
        "cause": check.cause,
        "total": check.total,
        "failures": [failure_json(failure) for failure in check.failures],
    }


def to_json(report: Report) -> dict[str, Any]:
    """The report as the schema wants it."""
    return {
        "format": FORMAT,
        "verified": report.verified,
        "arithmetic": report.arithmetic,
        "seconds": report.seconds,
        "finished": report.finished,
        "log": dict(report.log),
        "election": report.election,
        "checks": [check_json(check) for check in report.checks],
        "notices": list(report.notices),
        "cosigned": list(report.cosigned),
        "accounting": list(report.accounting),
        "result": report.result,
    }


def schema() -> dict[str, Any]:
    """The JSON schema of the report."""
    text = files("verifier.report").joinpath("schema-v2.json").read_text(encoding="utf-8")
    decoded: dict[str, Any] = json.loads(text)
    return decoded
