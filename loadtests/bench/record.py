"""Whole-record verification: CPU time per ballot and peak memory, of the verifier's own command."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path


def measure_record(scale: int, contest: str, jobs: int) -> dict[str, float]:
    """Verify a demonstration's record, made first if it is not there yet, with ``jobs`` processes.

    CPU time and the largest single process's memory are those of the verifier and its workers.
    """
    root = Path(f"var/bench/demo-{scale}-{contest}")
    demo = [sys.executable, "-m", "evoting.demo.cli", "--scale", str(scale), "--contest", contest, "--out", str(root)]
    if not (root / "report.json").exists():
        subprocess.run(demo, check=True, stdout=subprocess.DEVNULL)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run(
        [
            sys.executable, "-m", "verifier.cli", "run", str(root / "record"),
            "--trust-root", str(root / "trust-root.json"), "--jobs", str(jobs),
        ],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "RAYON_NUM_THREADS": str(jobs)},
    )  # fmt: skip
    elapsed = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    ballots = _ballots(root)
    return {
        "record_ballots": ballots,
        "record_verify_us_per_ballot": cpu / ballots * 1e6,
        "record_verify_seconds": elapsed,
        "record_verify_peak_mb": after.ru_maxrss / 1024,
    }


def _ballots(root: Path) -> int:
    contests = json.loads((root / "result.json").read_text())["contests"]
    return int(contests[0]["counted"])
