"""Running an application: one process, one socket, a line on stdout when it listens, a graceful end."""

from __future__ import annotations

import json
import signal
import socket
import sys
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from services.errors import ServiceError
from services.logs import configure_logs

_SWITCH_SECONDS = 0.0005


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one.

    Raises:
        ServiceError: the address cannot be had.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ServiceError(f"cannot listen on {host} port {port}: {error.strerror}") from None
    return listener


def serve(name: str, make_app: Callable[[int], FastAPI], host: str, port: int, *, most_connections: int = 2048) -> None:
    """Serve until SIGTERM or SIGINT; then finish open requests, at most ten seconds.

    Args:
        make_app: is told the port, which is known only now where 0 was asked for.
    """
    configure_logs(name)
    # A thread that comes back from the database waits for the event loop no longer than this, instead of 5 ms.
    sys.setswitchinterval(_SWITCH_SECONDS)
    listener = listen(host, port)
    bound = int(listener.getsockname()[1])
    app = make_app(bound)
    config = uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
        limit_concurrency=most_connections,
        backlog=2048,
    )
    server = _Server(config, json.dumps({"service": name, "host": host, "port": bound}))
    for number in (signal.SIGTERM, signal.SIGINT):
        # The server raises the signal once more when it is done; by then it has done its duty.
        signal.signal(number, lambda *_: None)
    server.run([listener])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, line: str) -> None:
        super().__init__(config)
        self._line = line

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(self._line, flush=True)
        else:
            sys.stdout.flush()
