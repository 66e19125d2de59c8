"""Issuers that misbehave on the wire: ``python -m tests.biometric_idp.issuer_service.hostile KIND``.

They know nothing of the election; whatever needs a key is played by a real issuer with a wrong share.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CBOR = "application/cbor"


class Hostile(BaseHTTPRequestHandler):
    """Answers every POST in one way."""

    kind = "garbage"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        try:
            KINDS[self.kind](self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def begin(self, kind: str, length: int | None) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        if length is not None:
            self.send_header("content-length", str(length))
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: what a test needs it asks for."""


def garbage(hostile: Hostile) -> None:
    hostile.begin(CBOR, 300)
    hostile.wfile.write(b"\xa3\xff" * 150)


def page(hostile: Hostile) -> None:
    """A login page of some network in between."""
    text = b"<html>Sign in to use this network</html>"
    hostile.begin("text/html", len(text))
    hostile.wfile.write(text)


def drip(hostile: Hostile) -> None:
    """A byte now and then, so that no single read takes long."""
    hostile.begin(CBOR, 10_000)
    for _ in range(10_000):
        hostile.wfile.write(b"\xa3")
        hostile.wfile.flush()
        time.sleep(0.1)


def silent(hostile: Hostile) -> None:
    time.sleep(60)


def flood(hostile: Hostile) -> None:
    hostile.begin(CBOR, None)
    for _ in range(1000):
        hostile.wfile.write(bytes(1_000_000))


def cut(hostile: Hostile) -> None:
    hostile.begin(CBOR, 300)
    hostile.wfile.write(b"\xa3" * 100)
    hostile.close_connection = True


KINDS: dict[str, Callable[[Hostile], None]] = {
    function.__name__: function for function in (garbage, page, drip, silent, flood, cut)
}


if __name__ == "__main__":
    Hostile.kind = sys.argv[1]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hostile)
    print(json.dumps({"service": "hostile", "port": server.server_port}), flush=True)
    server.serve_forever()
