"""``python -m tests.support.fork_server SOCKET``: imports what services and commands import, then forks on request.

It has one thread and waits in one place, so a fork finds no lock held. Each child gets standard output and error from
the request, runs its module as ``__main__``, and ends as an interpreter does.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import struct
import sys
import threading
import traceback
import warnings
from contextlib import suppress

_FD_LIMIT = 3
_MODULES = (
    "alembic.command",
    "biometric_idp.idp.cli",
    "biometric_idp.issuer.cli",
    "biometric_idp.issuer.http.app",
    "biometric_idp.issuer.http.desk",
    "biometric_idp.registrar.cli",
    "evoting.board.witness_cli",
    "evoting.board.witness_http",
    "httpcore",
    "psycopg",
    "services.pages",
    "services.run",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
)


def _preload() -> None:
    """What costs time to import. Modules that are run are executed anew all the same."""
    for name in _MODULES:
        importlib.import_module(name)


def _serve(requests: socket.socket) -> list[str] | None:
    """Fork until the other end is closed; in a child, the words of its command."""
    waking, wakes = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wakes)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    statuses: dict[int, socket.socket] = {}
    while True:
        ready = select.select([requests.fileno(), waking], [], [])[0]
        if waking in ready:
            os.read(waking, 4096)
            _reap(statuses)
        if requests.fileno() not in ready:
            continue
        message, descriptors, _, _ = socket.recv_fds(requests, 1 << 20, _FD_LIMIT)
        if not message:
            return None
        stdout, stderr, status = descriptors
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            os.dup2(stdout, 1)
            os.dup2(stderr, 2)
            others = [item.detach() for item in statuses.values()]
            for descriptor in (requests.detach(), waking, wakes, *descriptors, *others):
                os.close(descriptor)
            request = json.loads(message)
            os.environ.clear()
            os.environ.update(request["environment"])
            return list(request["words"])
        os.close(stdout)
        os.close(stderr)
        statuses[pid] = socket.socket(fileno=status)
        requests.send(struct.pack("i", pid))


def _reap(statuses: dict[int, socket.socket]) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        # Perhaps nobody waits for it any more.
        with statuses.pop(pid) as told, suppress(OSError):
            told.send(struct.pack("i", os.waitstatus_to_exitcode(status)), socket.MSG_NOSIGNAL)


def _exit_code(module: str) -> int:
    """Of the module run as ``__main__``."""
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    except BaseException:  # noqa: BLE001  (it ends the module as it would end an interpreter)
        traceback.print_exc()
        return 1
    return 0


def main() -> None:
    _preload()
    # The collector of a child then leaves the pages alone that it shares with this process.
    gc.freeze()
    words = _serve(socket.socket(fileno=int(sys.argv[1])))
    if words is None:
        return
    sys.argv = list(words)
    warnings.filterwarnings("ignore", ".*found in sys.modules", RuntimeWarning)
    code = _exit_code(words[0])
    # As an interpreter ends, but without taking apart every module: that would copy all that is shared.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
