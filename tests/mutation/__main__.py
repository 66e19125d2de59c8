"""``python -m tests.mutation``: replace every check and equation of the verifier by "pass" and see that a test fails.

Exit code 1 if any mutant survives. Results are kept in ``var/mutation``; a second run does only what is missing.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.mutation.mutants import ROOT
from tests.mutation.run import Run, Settings, execute, unknown_redundant

_KINDS = {
    "check": "registered checks that find nothing",
    "equation": "equations and rules that find nothing",
    "entry": "named equations left out of their list",
    "refusal": "single refusals that are skipped",
    "condition": "single reasons that are not looked at",
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--jobs", type=int, default=int(os.environ.get("JOBS", len(os.sched_getaffinity(0)))))
    parser.add_argument("--directory", type=Path, default=ROOT / "var" / "mutation", help="where results are kept")
    parser.add_argument("--summary", type=Path, default=ROOT / "var" / "mutation.json", help="figures, flat")
    parser.add_argument("--only", action="append", metavar="ID", help="mutants whose id starts so; may be repeated")
    parser.add_argument("--tests", action="append", metavar="TEST", help="run just these tests, all, for each mutant")
    parser.add_argument("--keep-records", action="store_true", help="do not make tampered records anew")
    parser.add_argument("--list", action="store_true", help="only list the mutants")
    return parser


class Progress:
    """A line that is written over on a terminal, and one every half a minute elsewhere."""

    def __init__(self) -> None:
        self._latest = 0.0

    def __call__(self, text: str) -> None:
        if sys.stderr.isatty():
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - self._latest > 30:
            self._latest = time.monotonic()
            print(text, file=sys.stderr, flush=True)


def _commit() -> str:
    found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def _summary(run: Run, seconds: float) -> dict[str, str | int | float]:
    results = run.results.values()
    figures: dict[str, str | int | float] = {
        "mutants": len(results),
        "killed": run.count("killed"),
        "survived": run.count("survived"),
        "redundant": run.count("redundant"),
        "tests_that_fail_without_a_mutant": len(run.broken),
        "seconds": round(seconds, 1),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "commit": _commit(),
        "sources": run.source_hash,
    }
    for kind in _KINDS:
        mine = [result for result in results if result.kind == kind]
        figures[f"{kind}_mutants"] = len(mine)
        figures[f"{kind}_killed"] = sum(result.status == "killed" for result in mine)
    return figures


def _table(run: Run) -> None:
    print(f"{'':44}mutants  killed  redundant  survived")
    for kind, words in _KINDS.items():
        mine = [result for result in run.results.values() if result.kind == kind]
        counts = [sum(result.status == status for result in mine) for status in ("killed", "redundant", "survived")]
        print(f"{words:44}{len(mine):7}{counts[0]:8}{counts[1]:11}{counts[2]:10}")
    for result in run.results.values():
        if result.status == "survived":
            print(f"SURVIVED  {result.id}  ({result.tests} tests passed)")
    for name in run.broken:
        print(f"FAILS WITHOUT A MUTANT  {name}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print a table, write the figures."""
    options = _parser().parse_args(arguments)
    settings = Settings(options.directory, options.jobs, options.only, options.tests, options.keep_records, Progress())
    if options.list:
        for mutant in Run(settings).mutants:
            print(mutant.id)
        return 0
    started = time.monotonic()
    try:
        run = execute(settings)
    except RuntimeError as error:
        print(f"\ntests.mutation: error: {error}", file=sys.stderr)
        return 2
    if sys.stderr.isatty():
        print(file=sys.stderr)
    _table(run)
    stale = list(unknown_redundant(run))
    for name in stale:
        print(f"NOT REDUNDANT AFTER ALL  {name}")
    if options.only is None:
        options.summary.parent.mkdir(parents=True, exist_ok=True)
        options.summary.write_text(json.dumps(_summary(run, time.monotonic() - started), indent=1) + "\n")
    return 1 if run.count("survived") or run.broken or stale else 0


if __name__ == "__main__":
    sys.exit(main())
