"""Running the other parties' commands as processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from evoting.errors import EvotingError

#: Console command -> module, so that a party runs under the same interpreter wherever scripts are installed.
MODULES = {
    "evoting-trustee": "evoting.trustees.cli",
    "evoting-issuer": "biometric_idp.issuer.cli",
    "evoting-mixer": "evoting.mixers.cli",
    "evoting-witness": "evoting.board.witness_cli",
    "evoting-verify": "verifier.cli",
    "evoting-voters": "biometric_idp.bulk",
    "evoting-idp": "biometric_idp.idp.cli",
    "evoting-registrar": "biometric_idp.registrar.cli",
}


class PartyFailed(EvotingError):
    """A party's command ended with an error; the message holds what it said."""


def command(name: str, *arguments: object) -> list[str]:
    """The command line of a party's tool."""
    return [sys.executable, "-m", MODULES[name], *[str(argument) for argument in arguments]]


def run_party(name: str, *arguments: object, cpus: int | None = None) -> str:
    """Run a party's command to its end; returns its standard output.

    Raises:
        PartyFailed: it ended with another code than 0.
    """
    environment = dict(os.environ)
    if cpus is not None:
        environment["RAYON_NUM_THREADS"] = str(cpus)
    done = subprocess.run(
        command(name, *arguments),
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise PartyFailed(f"{name} {arguments[0] if arguments else ''} ended with code {done.returncode}: {last}")
    return done.stdout


def run_parties(calls: Sequence[tuple[object, ...]], jobs: int) -> list[str]:
    """Run several parties side by side, each with its share of the cores; results in the order of the calls."""
    cpus = max(1, (os.cpu_count() or 1) // jobs)
    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(lambda call: run_party(str(call[0]), *call[1:], cpus=cpus), calls))
