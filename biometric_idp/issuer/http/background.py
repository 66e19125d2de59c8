"""Work at intervals beside the requests: checkpoints and trees."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from starlette.concurrency import run_in_threadpool

from biometric_idp.shared.background import explain
from services.logs import get_log


class Periodic:
    """Calls ``work`` in a thread, waits, and begins again; a failure is logged and does not end it."""

    def __init__(self, name: str, work: Callable[[], None], seconds: float) -> None:
        self._name = name
        self._work = work
        self._seconds = seconds
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Let the present round end, then do one more: what happened until now is not lost."""
        self._stopping.set()
        if self._task is not None:
            await self._task
        await self._once()

    async def _run(self) -> None:
        while not self._stopping.is_set():
            await self._once()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._seconds)

    async def _once(self) -> None:
        try:
            await run_in_threadpool(self._work)
        except Exception as error:  # noqa: BLE001  (what is wrong is for the operator; the next round tries again)
            get_log().error(self._name, **explain(error))
