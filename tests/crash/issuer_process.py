"""An issuer's service that dies at a named point: ``python -m tests.crash.issuer_process CONFIG POINT COUNT``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from biometric_idp.issuer.http.app import create_issuer_app
from biometric_idp.issuer.http.config import IssuerConfig
from biometric_idp.issuer.http.desk import Desk
from services.config import read_config
from services.run import serve

KILLED = 9


def main(path: Path, point: str, count: int) -> None:
    """Serve until the point is reached for the ``count``-th time."""
    left = count

    def probe(reached: str) -> None:
        nonlocal left
        if reached == point:
            left -= 1
            if left == 0:
                os._exit(KILLED)

    config = read_config(path, IssuerConfig)
    desk = Desk(config, path.parent, probe=probe)
    serve("issuer", lambda port: create_issuer_app(desk, config, port), "127.0.0.1", 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
