"""``make crash``: ``kill -9`` of identity providers and issuers at random moments under load, on both databases.

Rounds are done in portions, each with processes and a database of its own; ``var/crash`` remembers which are done, so
an interrupted run goes on where it was. Figures go to ``var/crash.json``; any violation ends with exit code 1.
"""

from __future__ import annotations

import argparse
import datetime
import json
import random
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.crash import issuer, provider
from tests.support.postgres import postgres_server

STATE, OUTPUT = Path("var/crash"), Path("var/crash.json")
PORTION = 10
KINDS = tuple((service, database) for database in ("sqlite", "postgresql") for service in ("issuer", "idp"))


@dataclass
class Figures:
    """What a portion showed."""

    rounds: int
    voters: int
    double_credentials: int
    locked_out: int
    retries_completed: int
    seconds: float
    violations: list[str] = field(default_factory=list)


def _progress(name: str, done: int, rounds: int) -> None:
    end = "\n" if done == rounds else ""
    print(f"\rcrash: {name}: {done} of {rounds} rounds{end}", end="", file=sys.stderr, flush=True)


def run_portion(service: str, database: str, rounds: int, seed: int, directory: Path, name: str) -> Figures:
    """So many kills of one service."""
    began = time.monotonic()
    with ExitStack() as stack:
        server = stack.enter_context(postgres_server()) if database == "postgresql" else None

        def report(done: int) -> None:
            _progress(name, done, rounds)

        if service == "issuer":
            url = None if server is None else server.database()
            seen, violations = issuer.Seen(), list[str]()
            try:
                issuer.run(directory, rounds, url, seed, seen, report)
            except AssertionError as error:
                violations.append(str(error) or repr(error))
            doubles, locked = seen.doubles(), seen.locked_out()
            voters, retries = len({position for position, _ in seen.asked}), len(seen.retried())
        else:
            urls = {} if server is None else {part: server.database() for part in ("idp", "registrar")}
            outcome = provider.run(directory, rounds, urls, seed, report)
            violations = outcome.failed + outcome.doubles + outcome.untrue
            doubles, locked = len(outcome.doubles), len(outcome.failed)
            voters, retries = rounds * provider.VOTERS_A_ROUND, outcome.retries
    return Figures(rounds, voters, doubles, locked, retries, time.monotonic() - began, violations)


def _plan(rounds: int) -> list[tuple[str, str, int]]:
    """Portions in turn over services and databases."""
    portions: list[tuple[str, str, int]] = []
    while rounds > 0:
        service, database = KINDS[len(portions) % len(KINDS)]
        portions.append((service, database, min(PORTION, rounds)))
        rounds -= PORTION
    return portions


def _commit() -> str:
    found = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=False)
    return found.stdout.strip()


def run(rounds: int, seed: int) -> tuple[list[Figures], str]:
    """All portions that are not done yet; gives the figures of all, and the commit that they are about."""
    STATE.mkdir(parents=True, exist_ok=True)
    kept = STATE / "state.json"
    state = json.loads(kept.read_text()) if kept.exists() else {}
    if (state.get("rounds"), state.get("commit")) != (rounds, _commit()):
        state = {"rounds": rounds, "commit": _commit(), "seed": seed, "done": []}
    done = [Figures(**item) for item in state["done"]]
    plan = _plan(rounds)
    for number, (service, database, count) in enumerate(plan):
        if number < len(done):
            continue
        directory = STATE / "portion"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        name = f"{service} on {database}, portion {number + 1} of {len(plan)}"
        done.append(run_portion(service, database, count, state["seed"] + number, directory.resolve(), name))
        for violation in done[-1].violations:
            print(f"crash: {name}: {violation}", file=sys.stderr)
        state["done"] = [asdict(item) for item in done]
        whole = kept.with_suffix(".new")
        whole.write_text(json.dumps(state, indent=1) + "\n")
        whole.replace(kept)
        if not done[-1].violations:
            shutil.rmtree(directory, ignore_errors=True)
    return done, state["commit"]


def main() -> int:
    """Run, or go on; write the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="how often a process is killed")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("there must be a round at least")
    done, commit = run(arguments.rounds, arguments.seed)
    violations = sum(len(item.violations) for item in done)
    figures = {
        "crash_rounds": sum(item.rounds for item in done),
        "crash_voters": sum(item.voters for item in done),
        "crash_double_credentials": sum(item.double_credentials for item in done),
        "crash_locked_out": sum(item.locked_out for item in done),
        "crash_retries_completed": sum(item.retries_completed for item in done),
        "crash_violations": violations,
        "seconds": round(sum(item.seconds for item in done), 1),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "commit": commit,
    }
    OUTPUT.write_text(json.dumps(figures, indent=1) + "\n")
    (STATE / "state.json").unlink()
    for name, value in figures.items():
        print(f"{name:<26}{value}")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
