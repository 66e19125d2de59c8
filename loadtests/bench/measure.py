"""Timing: CPU seconds of this process, all threads, best of several runs; and its peak memory."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def cpu_seconds(action: Callable[[], T], repeats: int = 3) -> tuple[float, T]:
    """Least CPU time of several runs, and the last run's value."""
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        value = action()
        best = min(best, time.process_time() - start)
    return best, value


def wall_seconds(action: Callable[[], T], repeats: int = 3) -> tuple[float, T]:
    """Least elapsed time of several runs, and the last run's value."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        value = action()
        best = min(best, time.perf_counter() - start)
    return best, value


def peak_megabytes() -> float:
    """Peak resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
