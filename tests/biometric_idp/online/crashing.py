"""Identity provider or registrar that dies, as by a power failure, when it reaches a point for the first time."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from fastapi import FastAPI

from biometric_idp.idp import app as idp_app
from biometric_idp.idp.config import IdpConfig
from biometric_idp.registrar import app as registrar_app
from biometric_idp.registrar.config import RegistrarConfig
from services.config import read_config
from services.run import serve


def main(tool: str, point: str, config: str, port: str) -> None:
    path = Path(config)

    def probe(reached: str) -> None:
        if reached == point:
            os.kill(os.getpid(), signal.SIGKILL)

    def make(bound: int) -> FastAPI:
        if tool == "idp":
            idp = idp_app.open_idp(read_config(path, IdpConfig), path.parent, bound, probe=probe)
            return idp_app.make_app(idp, bound)
        registrar = registrar_app.open_registrar(read_config(path, RegistrarConfig), path.parent, probe=probe)
        return registrar_app.make_app(registrar, bound)

    serve(tool, make, "127.0.0.1", int(port))


if __name__ == "__main__":
    main(*sys.argv[1:])
