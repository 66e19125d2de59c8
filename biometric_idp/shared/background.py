"""Work that a service repeats in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from biometric_idp.errors import IdpError
from services.logs import describe_error, get_log


def explain(error: Exception) -> dict[str, Any]:
    """What a log may say of a failure; errors of our own speak for themselves and name no person."""
    own = {"reason": str(error)[:500]} if isinstance(error, IdpError) else {}
    return {**describe_error(error), **own}


class Repeated:
    """Runs ``work`` at intervals, and once more when it stops. A failure is logged and does not end it."""

    def __init__(self, name: str, seconds: float, work: Callable[[], object]) -> None:
        self._name = name
        self._seconds = seconds
        self._work = work
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=15)
        self._once()

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds):
            self._once()

    def _once(self) -> None:
        try:
            self._work()
        except Exception as error:  # noqa: BLE001  (whatever it is, the next round tries again)
            get_log().error("background-failed", work=self._name, **explain(error))
