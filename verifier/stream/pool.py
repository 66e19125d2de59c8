"""Chunk tasks on all cores, results in order.

Processes, not threads: decoding and hashing in Python take a tenth of the time, which one interpreter would serialise.
Each worker uses one thread of the kernel.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any, TypeVar

from crypto.group import set_threads

Task = TypeVar("Task")
Result = TypeVar("Result")

#: Set once in each worker.
_context: Any = None


def _start(context: Any, threads: int) -> None:
    global _context
    _context = context
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted, and ends its workers
    set_threads(threads)


def _call(function: Callable[[Any, Any], Any], task: Any) -> Any:
    return function(_context, task)


def run_tasks(
    function: Callable[[Any, Task], Result], context: Any, tasks: Sequence[Task], jobs: int
) -> Iterator[Result]:
    """Yield ``function(context, task)`` for every task, in order.

    Args:
        function: a function of a module; it must not raise for hostile input.
        context: what all tasks share; sent to each worker once.
        tasks: small descriptions of chunks; what they name is read by the worker.
        jobs: processes; with 1, or for a single task, everything runs here.

    At most two tasks for each process are under way, so results do not pile up.
    """
    if jobs <= 1 or len(tasks) <= 1:
        for task in tasks:
            yield function(context, task)
        return
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(tasks)), spawn, _start, (context, 1)) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for task in tasks:
                waiting.append(pool.submit(_call, function, task))
                if len(waiting) >= 2 * jobs:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
