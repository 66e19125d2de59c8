"""One commit per request, at its edge."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import nullcontext
from typing import TypeVar

from sqlalchemy import Connection, Engine

from services.database import is_postgresql, reading, transaction
from services.problems import Problem

Result = TypeVar("Result")

#: Called with a point's name right before and after each commit; tests kill the process there.
Probe = Callable[[str], None]


def no_probe(_: str) -> None:
    return


class Committer:
    """Runs the work of a request in one transaction.

    Work that must be kept although the request is refused, such as a counted attempt, returns the ``Problem`` instead
    of raising it; what is raised is rolled back.
    """

    def __init__(self, engine: Engine, probe: Probe = no_probe) -> None:
        self.engine = engine
        self.probe = probe
        # SQLite has one writer: threads of this process wait for each other here, in turn and without polling.
        self._turn = nullcontext() if is_postgresql(engine) else threading.Lock()

    def commit(self, name: str, work: Callable[[Connection], Result | Problem]) -> Result:
        """Durable when this returns.

        Raises:
            Problem: what ``work`` returned or raised.
        """

        def probed(connection: Connection) -> Result | Problem:
            result = work(connection)
            self.probe(f"{name}:before-commit")
            return result

        with self._turn:
            outcome = transaction(self.engine, probed)
        self.probe(f"{name}:after-commit")
        if isinstance(outcome, Problem):
            raise outcome
        return outcome

    def read(self, work: Callable[[Connection], Result]) -> Result:
        """Run work that changes nothing; it waits for no writer."""
        with reading(self.engine) as connection:
            return work(connection)
