"""``python -m loadtests.bench``: all sections on one core and on all, a table, and flat keys in ``var/bench.json``."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from crypto.group import load_group, set_threads
from loadtests.bench.ballots import measure_ballots
from loadtests.bench.decryption import measure_decryption
from loadtests.bench.faces import face_matches_per_second_core
from loadtests.bench.identity import measure_identity
from loadtests.bench.kernel import measure_kernel
from loadtests.bench.record import measure_record
from mix_net.bench import bench_shuffle

OUTPUT = Path("var/bench.json")


def _shuffle(count: int, threads: int) -> dict[str, float]:
    figures = bench_shuffle(count, threads=threads)
    if count == 100_000:
        return figures
    exponent = len(str(count)) - 1
    return {name.replace("shuffle_", f"shuffle_1e{exponent}_", 1): value for name, value in figures.items()}


def sections(full: bool, cores: int) -> dict[str, Callable[[int], Mapping[str, float]]]:
    """What is measured, by name; each takes the number of cores."""
    result: dict[str, Callable[[int], Mapping[str, float]]] = {
        "kernel": lambda _: measure_kernel(full),
        "ballots": lambda _: measure_ballots(),
        "shuffle-1e4": lambda cores: _shuffle(10_000, cores),
        "shuffle-1e5": lambda cores: _shuffle(100_000, cores),
        "decryption": lambda _: measure_decryption(),
        "record": lambda cores: measure_record(14, "referendum", cores),
        "faces": lambda _: face_matches_per_second_core(),
    }
    if cores > 1:
        # Services are processes of their own: one core each would say nothing.
        result["identity"] = lambda _: measure_identity(1000)
    if full:
        result["shuffle-1e6"] = lambda cores: _shuffle(1_000_000, cores)
    return result


def main() -> int:
    """Run all sections, or one that the parent asked for."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.bench", description=__doc__)
    parser.add_argument("--section", help="only this one, its figures as JSON on standard output")
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--full", action="store_true", default=bool(os.environ.get("FULL")), help="also 10^6 (FULL=1)")
    options = parser.parse_args()
    if options.section:
        set_threads(options.cores)
        print(json.dumps(dict(sections(options.full, options.cores)[options.section](options.cores))))
        return 0
    figures: dict[str, object] = _environment()
    for cores in dict.fromkeys((1, os.cpu_count() or 1)):
        suffix = "" if cores == 1 else "_all_cores"
        for name in sections(options.full, cores):
            print(f"{name}, {cores} core{'s' if cores > 1 else ''} ...", file=sys.stderr)
            command = [sys.executable, "-m", "loadtests.bench", "--section", name, "--cores", str(cores)]
            done = subprocess.run(
                command + (["--full"] if options.full else []), stdout=subprocess.PIPE, text=True, check=True
            )
            mark = "" if name == "identity" else suffix
            figures |= {key + mark: value for key, value in json.loads(done.stdout).items()}
            OUTPUT.parent.mkdir(exist_ok=True)
            OUTPUT.write_text(json.dumps(figures, indent=1) + "\n")
    _print(figures)
    return 0


def _environment() -> dict[str, object]:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return {
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "commit": commit.stdout.strip(),
        "machine": _processor(),
        "cores": os.cpu_count() or 1,
        "python": platform.python_version(),
        "arithmetic": load_group().name,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _print(figures: Mapping[str, object]) -> None:
    table = Table(title=f"{figures['machine']}, {figures['date']}, {figures['commit']}", title_justify="left")
    table.add_column("figure")
    table.add_column("one core", justify="right")
    table.add_column("all cores", justify="right")
    for name, value in figures.items():
        if isinstance(value, float | int) and not name.endswith("_all_cores"):
            other = figures.get(f"{name}_all_cores", "")
            table.add_row(name, f"{value:,.3f}", f"{other:,.3f}" if isinstance(other, float | int) else "")
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
