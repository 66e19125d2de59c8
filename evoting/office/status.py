"""Where an election stands, as its record shows."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from evoting.definition import HomomorphicContest
from evoting.office.steps import published_groups
from evoting.record.election import ElectionView
from evoting.record.rules import phase_name


def describe_status(record: ElectionView) -> dict[str, str]:
    """What a person wants to know first, by name and in this order; nothing here was verified.

    Raises:
        RecordError: the record is not of its format.
    """
    entries = record.entries()
    manifest = record.manifest
    counts = Counter(entry.type for entry in entries)
    title = manifest.title["en" if "en" in manifest.title.languages else manifest.title.languages[0]]
    lines = {
        "election": f"{manifest.id}: {title}" + (" (MODEL)" if manifest.model else ""),
        "phase": phase_name(entries),
        "entries": str(len(entries) + record.voter_count),
    }
    if counts["opening"]:
        lines["fingerprint"] = record.fingerprint.hex()
        extended = f", extended {counts['extension']} times" if counts["extension"] else ""
        lines["voting"] = f"{_moment(manifest.opens)} to {_moment(record.closing_time())}{extended}"
        lines["ballots and challenges"] = f"{record.voter_count} in {counts['epoch']} epochs"
        lines["terminals"] = _terminals(record)
    for kind in ("withdrawal", "complaint", "annulment", "vote-page"):
        if counts[kind]:
            lines[f"{kind} entries"] = str(counts[kind])
    if counts["close"]:
        lines["ledgers"] = f"{counts['ledger']} of {manifest.issuers}, needed {manifest.issuer_threshold}"
    if counts["selection"]:
        lines |= _lists(record)
    if counts["result"]:
        lines["result"] = "published"
    return lines


def _terminals(record: ElectionView) -> str:
    opened = {str(entry.body.get("terminal")) for entry in record.entries("terminal-opening")}
    settled = {str(entry.body.get("terminal")) for entry in record.entries("terminal-closing", "terminal-exclusion")}
    missing = sorted(opened - settled)
    return f"{len(opened)} opened" + (f", not delivered: {', '.join(missing)}" if missing else "")


def _lists(record: ElectionView) -> dict[str, str]:
    """What became of every list of every contest."""
    lines: dict[str, str] = {}
    manifest = record.manifest
    done = Counter(
        (entry.type, str(entry.body.get("contest")), str(entry.body.get("group")))
        for entry in record.entries("aggregate", "mix", "decryption")
    )
    groups = published_groups(record)
    for contest in manifest.contests:
        for group in groups.get(contest.id, []):
            name = f"list {contest.id}.{group.id}"
            if group.status != "tallied":
                lines[name] = f"{group.ballots} ballots, {group.status}"
                continue
            decryptions = done["decryption", contest.id, group.id]
            if isinstance(contest, HomomorphicContest):
                before = "aggregate " + ("posted" if done["aggregate", contest.id, group.id] else "missing")
            else:
                before = f"mixes {done['mix', contest.id, group.id]} of {manifest.mixers}"
            lines[name] = (
                f"{group.ballots} ballots, {before}, decryptions {decryptions}, needed {manifest.trustee_threshold}"
            )
    return lines


def _moment(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return f"{seconds} seconds since 1970"
