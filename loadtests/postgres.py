"""A PostgreSQL server of its own: Debian's package, on a socket in a temporary directory, gone afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: PostgreSQL refuses to run as root; Debian's package brings this user.
_USER = "postgres"


class PostgresMissing(RuntimeError):
    """There is no PostgreSQL server on this machine."""


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    if initdb is None:
        raise PostgresMissing("PostgreSQL is not installed (Debian: postgresql); make setup installs it where it may")
    return Path(initdb).resolve().parent


def _as_user(*command: object) -> list[str]:
    words = [str(word) for word in command]
    return ["runuser", "-u", _USER, "--", *words] if os.geteuid() == 0 else words


class PostgresServer:
    """A running server; ``database`` makes a fresh, empty database and gives its address."""

    def __init__(self, directory: Path, port: int) -> None:
        self._directory = directory
        self._port = port

    def database(self) -> str:
        name = f"test_{uuid.uuid4().hex}"
        programs = _programs()
        subprocess.run(
            _as_user(programs / "createdb", "-h", self._directory, "-p", self._port, name),
            check=True, capture_output=True, cwd="/",
        )  # fmt: skip
        return f"postgresql+psycopg://{_USER}@/{name}?host={self._directory}&port={self._port}"

    @contextmanager
    def standby(self) -> Iterator[PostgresServer]:
        """A replica that follows this server; a database's address there differs by the port only."""
        data, port = self._directory / "standby", self._port + 1
        source = ("-h", self._directory, "-p", self._port, "-U", _USER)
        subprocess.run(
            _as_user(_programs() / "pg_basebackup", "-D", data, "-R", "-c", "fast", "--no-sync", *source),
            check=True, capture_output=True, cwd="/",
        )  # fmt: skip
        with _started(self._directory, data, port) as server:
            yield server

    def address(self, url: str) -> str:
        """The address on this server of a database whose address on another one is given."""
        return f"{url.rpartition('&port=')[0]}&port={self._port}"


@contextmanager
def _started(directory: Path, data: Path, port: int) -> Iterator[PostgresServer]:
    """The server of a data directory, while the context lasts."""
    control = _programs() / "pg_ctl"
    options = (
        f"-c listen_addresses='' -c unix_socket_directories={directory} -c port={port} "
        "-c max_connections=200 -c shared_buffers=64MB"
    )
    subprocess.run(
        _as_user(control, "-D", data, "-w", "-l", directory / f"log-{port}", "-o", options, "start"),
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
    )  # fmt: skip
    try:
        yield PostgresServer(directory, port)
    finally:
        subprocess.run(
            _as_user(control, "-D", data, "-m", "immediate", "-w", "stop"),
            check=False, capture_output=True, cwd="/",
        )  # fmt: skip


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Start a server with durable settings, as in real use; it listens on a socket in its directory only."""
    programs = _programs()
    directory = Path(tempfile.mkdtemp(prefix="pg-"))
    directory.chmod(0o755)
    data, port = directory / "data", 5432
    if os.geteuid() == 0:
        shutil.chown(directory, _USER)
    try:
        subprocess.run(
            _as_user(programs / "initdb", "-D", data, "-A", "trust", "-U", _USER, "--no-sync", "-E", "UTF8"),
            check=True, capture_output=True, cwd="/",
        )  # fmt: skip
        with _started(directory, data, port) as server:
            yield server
    finally:
        shutil.rmtree(directory, ignore_errors=True)
