"""``evoting-demo``: one complete model election on real input, from the key ceremony to independent verification."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from crypto.errors import CryptoError
from evoting.demo import counting, setup, voters
from evoting.demo.compare import print_comparison, write_result
from evoting.demo.parties import command
from evoting.demo.places import Places
from evoting.demo.plan import CONTESTS, HTTP_SCALE, ISSUANCE, Plan
from evoting.errors import EvotingError
from evoting.examples.kyrgyz2021 import DemoElection, demo_election
from evoting.record.election import ElectionRecord

_PROGRAM = "evoting-demo"
_DESCRIPTION = """\
Runs a model election with real cryptography on real input: the referendum of January 2021
and the parliamentary list contest of November 2021, one ballot for SCALE real ones. Every
party (trustees, issuers, mixers, log witnesses, voters, verifier) is a process of its own.
Interrupted, it goes on where it stopped.
"""
_EPILOG = """\
examples:
  evoting-demo                                 both contests, 1,394 ballots
  evoting-demo --scale 100                     13,942 ballots
  evoting-demo --scale 1 --contest referendum  all 1,394,218 ballots of the referendum

exit codes: 0 verified and as expected; 1 not verified; 2 it could not be run
"""


class Steps:
    """Runs the steps one after the other and tells which one is under way."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)

    @contextmanager
    def step(self, title: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
        """One step; gives the function that its work reports progress to."""
        start = time.monotonic()
        if not self._console.is_terminal or total is None:
            self._console.print(f"  {title} ...", end="" if self._console.is_terminal else "\n")
            yield lambda _: None
            self._console.print(f"\r  {title}: {time.monotonic() - start:.1f} s    ")
            return
        columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self._console, transient=True) as progress:
            task: TaskID = progress.add_task(title, total=total)
            yield lambda amount: progress.advance(task, amount)
        self._console.print(f"  {title}: {time.monotonic() - start:.1f} s")


def run(places: Places, plan: Plan, jobs: int) -> tuple[DemoElection, bool]:
    """All steps up to verification; each looks at the record first and does only what is missing.

    Returns:
        The election as expected, and whether the verifier found the record verified.
    """
    steps = Steps()
    with steps.step("keys of all roles"):
        keys = setup.make_keys(places, plan)
    election = demo_election(plan.scale, plan.contest, keys, plan.options)
    total = sum(election.ballots.values())
    with setup.open_board(places) as board:
        record = ElectionRecord(board)
        setup.publish_manifest(record, places, election.manifest)
        devices = voters.device_count(election)
        how = "over HTTP" if plan.issuance == "http" else "by files"
        with steps.step(f"roll, passkeys, enrolment log, {how}", devices) as report:
            voters.enrol(record, places, plan, election, _steps_of(report))
        with steps.step("key ceremony of the trustees"):
            setup.run_ceremony(record, places, "trustee")
        with steps.step("key ceremony of the issuers"):
            setup.run_ceremony(record, places, "issuer")
        with steps.step("opening entry and trust root"):
            setup.open_election(record, places)
            if not record.entries("epoch"):
                counting.publish(record, places, jobs)
        with steps.step(f"credentials for {devices} voters, {how}", devices) as report:
            voters.issue(record, places, plan, jobs, _steps_of(report))
        with steps.step("ballots", total) as report:
            voters.cast(record, places, plan, election, jobs, report)
        with steps.step("re-encryption pairs of the mixers"):
            counting.prepare_mixers(record, places, jobs)
        with steps.step("close and ledger statements"):
            counting.close(record, places)
            counting.ledgers(record, places, jobs)
        with steps.step("selection of the counted set", record.voter_count) as report:
            counting.select(record, places, report)
        with steps.step("aggregates and mix inputs", total) as report:
            counting.aggregate(record, places, report)
        mixes = len(counting.mixed_contests(record)) * total * election.manifest.mixers
        with steps.step("mixes", mixes or None) as report:
            counting.mix(record, places, jobs, report)
        if not record.entries("result"):
            with steps.step("checkpoint for the trustees"):
                counting.publish(record, places, jobs)
        with steps.step("decryption by t trustees"):
            counting.decrypt(record, places, jobs)
        with steps.step("result", total * len(election.manifest.contests)) as report:
            counting.result(record, places, report)
        with steps.step("publication and cosignatures"):
            counting.publish(record, places, jobs)
        voters.write_challenged_ballot(record, places)
        write_result(record, places, plan.issuance)
        as_expected = print_comparison(record, election)
    return election, verify(places) and as_expected


def _steps_of(report: Callable[[int], None]) -> Callable[[int], None]:
    """From totals so far to the amounts that a progress bar advances by."""
    seen = 0

    def heard(done: int) -> None:
        nonlocal seen
        report(done - seen)
        seen = done

    return heard


def verify(places: Places) -> bool:
    """Run the independent verifier; its report goes to the terminal."""
    done = subprocess.run(
        command(
            "evoting-verify", "run", places.record, "--trust-root", places.trust_root,
            "--json", places.root / "report.json", "--html", places.report,
        ),
        check=False,
    )  # fmt: skip
    return done.returncode == 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    options = _parser().parse_args(arguments)
    places = Places(options.out)
    try:
        if options.fresh and places.root.exists():
            Plan.require(places.plan)
            shutil.rmtree(places.root)
        plan = Plan.load_or_start(
            places.plan,
            options.scale,
            options.contest,
            lambda text: print(f"{_PROGRAM}: {text}", file=sys.stderr),
            options.issuance or ("http" if options.scale >= HTTP_SCALE else "files"),
        )
        _, verified = run(places, plan, options.jobs)
    except (EvotingError, CryptoError, ValueError) as error:
        print(f"{_PROGRAM}: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{_PROGRAM}: error: {error.filename or ''}: {error.strerror}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\n{_PROGRAM}: interrupted; run the same command again to go on", file=sys.stderr)
        return 2
    return 0 if verified else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_PROGRAM, description=_DESCRIPTION, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    environment = os.environ
    parser.add_argument(
        "--scale", type=_positive, default=environment.get("SCALE") or "1000",
        help="real ballots for each ballot cast (SCALE; default 1000; down to 1)",
    )  # fmt: skip
    parser.add_argument(
        "--contest", type=_one_of(CONTESTS), default=environment.get("CONTEST") or "both", metavar="|".join(CONTESTS),
        help="which contests (CONTEST)",
    )  # fmt: skip
    parser.add_argument(
        "--issuance", type=_one_of(ISSUANCE), default=environment.get("ISSUANCE") or None, metavar="|".join(ISSUANCE),
        help=f"credentials over HTTP from running services, or by files (ISSUANCE; http from SCALE={HTTP_SCALE} on)",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, default=Path(environment.get("OUT") or "var/demo"), help="directory")
    parser.add_argument("--jobs", type=_positive, default=os.cpu_count() or 1, help="worker processes")
    parser.add_argument("--fresh", action="store_true", help="remove an earlier demonstration in the directory first")
    return parser


def _one_of(known: Sequence[str]) -> Callable[[str], str]:
    """A type instead of choices, because defaults from the environment are looked at only by types."""

    def chosen(text: str) -> str:
        if text not in known:
            raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(known)}")
        return text

    return chosen


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
