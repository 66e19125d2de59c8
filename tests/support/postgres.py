"""A PostgreSQL server of its own for tests; without one they are skipped, but never in continuous integration."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from loadtests import postgres
from loadtests.postgres import PostgresMissing, PostgresServer


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A running server with durable settings; see ``loadtests.postgres``."""
    try:
        server = postgres.postgres_server()
        running = server.__enter__()
    except PostgresMissing as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    try:
        yield running
    finally:
        server.__exit__(None, None, None)


__all__ = ["PostgresServer", "postgres_server"]
