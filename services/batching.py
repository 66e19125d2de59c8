"""Micro-batching: requests that arrive together are worked on together, outside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from services.problems import Problem

Item = TypeVar("Item")
Result = TypeVar("Result")


class MicroBatcher(Generic[Item, Result]):
    """Collects items while earlier ones are worked on, and hands them over as one batch.

    No timer: a lone request is worked on at once, and under load batches grow by themselves.

    Args:
        work: one result for each item, in order; runs in a thread of its own, one batch at a time.
        most: items in a batch.
        waiting: items that may wait; more are refused as ``busy``.
    """

    def __init__(
        self, work: Callable[[Sequence[Item]], Sequence[Result]], *, most: int = 256, waiting: int = 4096
    ) -> None:
        self._work = work
        self._most = most
        self._queue: asyncio.Queue[tuple[Item, asyncio.Future[Result]]] = asyncio.Queue(waiting)
        self._executor = ThreadPoolExecutor(1, "batch")
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Finish what waits, then stop."""
        await self._queue.join()
        if self._task is not None:
            self._task.cancel()
        self._executor.shutdown()

    async def submit(self, item: Item) -> Result:
        """The result for one item.

        Raises:
            Problem: ``busy``, too many are waiting.
        """
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        try:
            self._queue.put_nowait((item, future))
        except asyncio.QueueFull:
            raise Problem("busy", retry_after=2) from None
        return await future

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            batch = [await self._queue.get()]
            while len(batch) < self._most and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            try:
                results = await loop.run_in_executor(self._executor, self._work, [item for item, _ in batch])
                for (_, future), result in zip(batch, results, strict=True):
                    if not future.done():
                        future.set_result(result)
            except Exception as error:  # noqa: BLE001  (each waiting request is told)
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
            finally:
                for _ in batch:
                    self._queue.task_done()
