"""Whatever the parties of a small election have kept: files, logs, messages, and every value of every database row."""

from __future__ import annotations

import base64
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData, create_engine, select

_HEX = re.compile(rb"[0-9A-Fa-f]{16,}")
_BASE64 = re.compile(rb"[A-Za-z0-9_+/-]{20,}")


@dataclass(frozen=True)
class Row:
    """One row of a database."""

    database: str
    table: str
    members: dict[str, Any]


def rows_of(name: str, url: str) -> Iterator[Row]:
    """Every row of every table."""
    engine = create_engine(url)
    metadata = MetaData()
    metadata.reflect(engine)
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(select(table)):
                yield Row(name, table.name, dict(row._mapping))
    engine.dispose()


def files_of(directory: Path) -> Iterator[tuple[str, bytes]]:
    """Every file; of SQLite also the pages that were written and freed again."""
    for path in sorted(directory.rglob("*")):
        if path.is_file() and not path.name.endswith("-shm"):
            yield str(path), path.read_bytes()


def checkpoint_sqlite(directory: Path) -> None:
    """Nothing of a write-ahead log may stay out of sight."""
    for path in directory.rglob("*.sqlite"):
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA wal_checkpoint(FULL)")


def as_bytes(value: object) -> bytes:
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    return str(value).encode()


def readings(data: bytes) -> Iterator[bytes]:
    """The bytes, and what they say where they are hexadecimal digits or base64."""
    yield data
    for run in _HEX.findall(data):
        for start in (0, 1):
            text = run[start : start + (len(run) - start) // 2 * 2]
            yield bytes.fromhex(text.decode())
    for run in _BASE64.findall(data):
        plain = run.replace(b"-", b"+").replace(b"_", b"/")
        for start in range(4):
            text = plain[start:]
            yield base64.b64decode(text[: len(text) // 4 * 4])


def holds(haystack: list[bytes], needle: bytes) -> bool:
    """Whether 12 bytes in a row of a value occur anywhere; the first, middle and last ones are looked for."""
    middle = len(needle) // 2
    parts = {needle[:12], needle[middle - 6 : middle + 6], needle[-12:]}
    return any(part in data for data in haystack for part in parts)
