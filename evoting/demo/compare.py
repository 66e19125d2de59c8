"""The published result beside the one that the real figures give."""

from __future__ import annotations

import json

from rich.console import Console
from rich.table import Table

from evoting.definition import Contest, HomomorphicContest, OpenListContest
from evoting.demo.places import Places
from evoting.examples.kyrgyz2021 import DemoElection
from evoting.record.election import ElectionRecord, read_blobref
from evoting.seats import ContestResult, Result, decode_result, describe_outcome


def read_result(record: ElectionRecord) -> Result:
    """The result that the record names."""
    data = record.board.get_blob(read_blobref(record.only("result").body["result"]))
    return decode_result(data, record.manifest, record.manifest.limits.blob_bytes, fingerprint=record.fingerprint)


def write_result(record: ElectionRecord, places: Places, issuance: str) -> None:
    """The result as JSON, for people and spreadsheets; the record's own is what counts."""
    result = read_result(record)
    value = {
        "format": "evoting-demo-result/v1",
        "model": record.manifest.model,
        "issuance": issuance,
        "fingerprint": result.fingerprint.hex(),
        "contests": [_contest(entry) for entry in result.contests],
    }
    places.result.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def _contest(entry: ContestResult) -> dict[str, object]:
    totals = entry.totals
    return {
        "contest": entry.contest.id,
        "counted": sum(group.counted for group in entry.groups),
        "invalid": None if totals is None else totals.invalid,
        "blank": None if totals is None else totals.blank,
        "counts": None if totals is None or totals.counts is None else _named(entry.contest, totals.counts),
        "seats": dict(entry.outcome.seats),
        "steps": describe_outcome(entry.outcome),
    }


def _named(contest: Contest, counts: tuple[int, ...]) -> dict[str, int]:
    names = [option.id for option in contest.options] if isinstance(contest, HomomorphicContest) else contest.codes
    return {name: count for name, count in zip(names, counts, strict=True) if count}


def print_comparison(record: ElectionRecord, election: DemoElection) -> bool:
    """Print a table for each contest; whether every single count is as expected."""
    console = Console(highlight=False)
    same = True
    for entry in read_result(record).contests:
        expected = election.totals(entry.contest.id)
        totals = entry.totals
        table = Table(title=f"{entry.contest.title['en']} (MODEL)", title_justify="left")
        for column in ("", "counted", "expected"):
            table.add_column(column, justify="left" if not column else "right")
        counts = totals.counts if totals is not None and totals.counts is not None else ()
        rows = _rows(entry.contest, counts, expected.votes)
        if totals is not None:
            rows += [
                ("blank", totals.blank or 0, expected.blank),
                ("invalid", totals.invalid, expected.invalid),
                ("ballots", totals.counted, expected.ballots),
            ]
        for name, counted, wanted in rows:
            table.add_row(name, f"{counted:,}", f"{wanted:,}", style="" if counted == wanted else "bold red")
        console.print(table)
        same &= totals is not None and tuple(counts) == tuple(expected.votes)
        same &= totals is not None and (totals.counted, totals.invalid) == (expected.ballots, expected.invalid)
        if isinstance(entry.contest, OpenListContest):
            seats = ", ".join(f"{party} {number}" for party, number in entry.outcome.seats if number)
            console.print(f"seats: {seats or 'none'}")
    console.print("all counts are as expected" if same else "[bold red]some counts are NOT as expected[/]")
    return same


def _rows(contest: Contest, counts: tuple[int, ...], expected: tuple[int, ...]) -> list[tuple[str, int, int]]:
    if isinstance(contest, OpenListContest):
        rows = []
        place = 0
        for party in contest.parties:
            part = slice(place, place + 1 + len(party.candidates))
            rows.append((party.title["en"], sum(counts[part]), sum(expected[part])))
            place = part.stop
        return [*rows, ("against all", counts[place], expected[place])]
    if isinstance(contest, HomomorphicContest):
        names = [option.title["en"] for option in contest.options]
        return list(zip(names, counts, expected, strict=True))
    return list(zip(contest.codes, counts, expected, strict=True))
