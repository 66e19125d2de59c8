"""The report as one self-contained page: no script, no external resource, everything escaped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from verifier.record.manifest import codes_of
from verifier.report.report import Report
from verifier.report.text import place, printable
from verifier.run import CheckResult

STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 1rem; }
h1, h2, h3 { line-height: 1.2; }
table { border-collapse: collapse; width: 100%; margin: 0.5rem 0 1.5rem; }
caption { text-align: left; font-weight: bold; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.6rem; border-bottom: 1px solid #8886; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
code { overflow-wrap: anywhere; }
.verdict { font-size: 1.5rem; font-weight: bold; padding: 0.5rem 1rem; border: 3px solid; }
.pass { color: #0a6b2d; } .fail, .not-run { color: #b00020; }
.model { background: #ffd200; color: #000; font-weight: bold; padding: 0.5rem 1rem; }
@media (prefers-color-scheme: dark) { .pass { color: #6fdc8c; } .fail, .not-run { color: #ff8389; } }
"""


def escaped(value: object) -> str:
    """Anything as text of a page."""
    return escape(printable(str(value)))


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[object]], numbers: int) -> Iterator[str]:
    """A table whose columns from ``numbers`` on hold numbers."""

    def cells(tag: str, values: Sequence[object]) -> str:
        return "".join(
            f"<{tag}{' class=number' if place >= numbers else ''}>{escaped(value)}</{tag}>"
            for place, value in enumerate(values)
        )

    yield f"<table><caption>{escaped(caption)}</caption><thead><tr>{cells('th', head)}</tr></thead><tbody>"
    for row in rows:
        yield f"<tr>{cells('td', row)}</tr>"
    yield "</tbody></table>"


def check_table(checks: Sequence[CheckResult]) -> Iterator[str]:
    """Every check with its culprits."""
    head = "".join(f"<th>{name}</th>" for name in ("#", "check", "status", "what holds"))
    yield f"<h2>Checks</h2><table><thead><tr>{head}</tr></thead><tbody>"
    for check in checks:
        details = "".join(
            f"<li>{escape(place(failure))}{': ' if place(failure) else ''}{escaped(failure.sentence)}</li>"
            for failure in check.failures
        )
        if check.total > len(check.failures):
            details += f"<li>and {check.total - len(check.failures)} more</li>"
        shown = escaped(check.holds) + (f"<ul>{details}</ul>" if details else "")
        yield (
            f"<tr><td>{check.group}</td><td><code>{escaped(check.name)}</code></td>"
            f'<td class="{check.status}">{check.status}</td><td>{shown}</td></tr>'
        )
    yield "</tbody></table>"


def _notices(report: Report) -> Iterator[str]:
    for notice in report.notices:
        if notice["type"] == "annulment":
            text = f"ANNULMENT (entry {notice['entry']}): {notice['subject']}. {notice['reason']}"
            yield f'<p class="model" role="alert">{escaped(text)}</p>'
    if report.notices:
        rows = [[notice[name] for name in ("type", "subject", "reason", "entry")] for notice in report.notices]
        yield from table("Annulments, withdrawals and complaints", ("type", "subject", "reason", "entry"), rows, 3)


def _cosigned(report: Report) -> Iterator[str]:
    if report.cosigned:
        rows = [[item["log"], item["text"], item["entry"]] for item in report.cosigned]
        yield from table("Log witnesses of enrolment log and ledgers", ("log", "seen", "entry"), rows, 2)


def _accounting(report: Report) -> Iterator[str]:
    if not report.accounting:
        return
    rows = [
        [
            item["style"],
            ", ".join(f"{rejected['reason']} {rejected['count']}" for rejected in item["rejected"]) or "-",
            *(item[name] for name in ("appended", "counted", "superseded", "challenged")),
        ]
        for item in report.accounting
    ]
    head = ("ballot style", "rejected", "appended", "counted", "superseded", "challenged")
    yield "<h2>Accounting</h2>"
    yield from table("Ballots and challenges by style", head, rows, 2)


class _Names:
    """Titles of what a result refers to by id, in one language."""

    def __init__(self, contest: Mapping[str, Any], language: str) -> None:
        self.contest = contest
        self.language = language
        self.titles: dict[str, str] = {}
        for option in contest.get("options", ()):
            self._add(option["id"], option["title"])
        for candidate in contest.get("candidates", ()):
            self._add(candidate["id"], candidate["title"])
        for party in contest.get("parties", ()):
            self._add(party["id"], party["title"])
            for candidate in party["candidates"]:
                self._add(f"{party['id']}/{candidate['id']}", candidate["title"])
        if contest.get("against-all"):
            self._add("against-all", contest["against-all"])

    def _add(self, name: str, titles: Mapping[str, str]) -> None:
        self.titles[name] = titles[self.language]

    def __call__(self, name: str) -> str:
        return f"{self.titles[name]} ({name})" if name in self.titles else name

    def columns(self) -> list[str]:
        """What ``counts`` counts, in order."""
        if self.contest["kind"] == "homomorphic":
            return [option["id"] for option in self.contest["options"]]
        return codes_of(self.contest)


def _contest(contest: Mapping[str, Any], result: Mapping[str, Any], language: str) -> Iterator[str]:
    names, outcome, totals = _Names(contest, language), result["outcome"], result["totals"]
    yield f"<h3>{escaped(contest['title'][language])}</h3>"
    yield f"<p>Outcome: <strong>{escaped(outcome['status'])}</strong>"
    if outcome["adopted"] is not None:
        yield f", adopted: {escaped(names(outcome['adopted']))}"
    if outcome["vacant"]:
        yield f", vacant seats: {escaped(outcome['vacant'])}"
    yield "</p>"
    if totals is None:
        yield "<p>Totals are withheld: a group is too small.</p>"
    else:
        numbers = ("registered", "counted", "valid", "invalid", "blank", "choices")
        rows: list[list[object]] = [["-" if totals[name] is None else totals[name] for name in numbers]]
        yield from table("Totals", numbers, rows, 0)
        if totals["counts"] is not None:
            votes = [[names(code), count] for code, count in zip(names.columns(), totals["counts"], strict=False)]
            yield from table("Votes", ("choice", "votes"), votes, 1)
    if outcome["seats"]:
        seats = [[names(item["party"]), item["seats"]] for item in outcome["seats"]]
        yield from table("Seats", ("party", "seats"), seats, 1)
    if outcome["elected"]:
        elected = [[names(item["id"]), item["by"], item["votes"]] for item in outcome["elected"]]
        yield from table("Elected", ("candidate", "by", "votes"), elected, 2)
    if outcome["advance"]:
        yield from table("Second round", ("candidate",), [[names(item)] for item in outcome["advance"]], 1)
    if outcome["ties"]:
        ties = [
            [tie["purpose"], ", ".join(map(names, tie["ids"])), tie["by"], tie["places"]] for tie in outcome["ties"]
        ]
        yield from table("Ties", ("for", "among", "resolved by", "places"), ties, 3)
    if outcome["steps"]:
        steps = [[step[0], names(step[1]), ", ".join(map(str, step[2]))] for step in outcome["steps"]]
        yield "<details><summary>The count, step by step</summary>"
        yield from table("Steps (section 10.5)", ("step", "subject", "values"), steps, 2)
        yield "</details>"


def render(report: Report, contests: Mapping[str, Mapping[str, Any]]) -> str:
    """The page.

    Args:
        report: what was found.
        contests: the manifest's contests by id, for titles; empty where there is no manifest.
    """
    verdict = "VERIFIED" if report.verified else "NOT VERIFIED"
    election = report.election
    language = election["languages"][0] if election else "en"
    title = election["title"].get(language, "") if election else "an unreadable election"
    parts = [
        f'<!doctype html><html lang="{escaped(language)}"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{verdict}: {escaped(title)}</title><style>{STYLE}</style></head><body>",
        f"<h1>{escaped(title)}</h1>",
    ]
    if election and election["model"]:
        parts.append('<p class="model">MODEL ELECTION: this is not a real vote.</p>')
    if election and election["note"]:
        parts.append(f"<p>{escaped(election['note'].get(language, ''))}</p>")
    parts.append(f'<p class="verdict {"pass" if report.verified else "fail"}">{verdict}</p>')
    parts.append(f"<p>Log <code>{escaped(report.log['origin'])}</code>, {report.log['size']} entries, root ")
    parts.append(f"<code>{escaped(report.log['root'])}</code>.")
    if election:
        parts.append(f" Election fingerprint <code>{escaped(election['fingerprint'])}</code>.")
    parts.append(f" Verified with the {escaped(report.arithmetic)} arithmetic in {report.seconds} s.</p>")
    parts += _notices(report)
    parts += _cosigned(report)
    if report.result is not None:
        claim = "" if report.verified else " (as published; not verified)"
        parts.append(f"<h2>Result{claim}</h2>")
        for result in report.result["contests"]:
            if result["contest"] in contests:
                parts += _contest(contests[result["contest"]], result, language)
    parts += _accounting(report)
    parts += check_table(report.checks)
    parts.append("</body></html>\n")
    return "\n".join(parts)
