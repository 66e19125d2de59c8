"""Structured logs: one JSON object a line on stderr, ASCII only.

What people sent never reaches a log as it is: ``ensure_ascii`` turns control and direction characters into escapes
(attack A6). No address, no token and no person belongs in a log; callers pass only what is safe.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from pathlib import Path
from typing import Any, cast

import structlog
from structlog.typing import FilteringBoundLogger


def _dumps(value: Any, **options: Any) -> str:
    return json.dumps(value, ensure_ascii=True, **options)


def describe_error(error: BaseException) -> dict[str, Any]:
    """What a log may say of an unexpected error: its kind, where it came from, and the database's code for it.

    Never its message: that of a failed statement holds the values of a row, and others repeat what a client sent.
    """
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    described: dict[str, Any] = {
        "kind": type(error).__name__,
        "trace": [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames],
    }
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    if state:
        described["sqlstate"] = str(state)
    return described


def configure_logs(service: str, *, level: int = logging.INFO) -> None:
    """Send logs of this process to stderr, named after the service."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(_dumps, sort_keys=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    # Libraries that log for themselves would write addresses and paths.
    logging.getLogger().addHandler(logging.NullHandler())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "httpx", "httpcore", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)


def get_log() -> FilteringBoundLogger:
    return cast(FilteringBoundLogger, structlog.get_logger())
