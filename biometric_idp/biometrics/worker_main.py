"""A matcher process: ``python -m biometric_idp.biometrics.worker_main FD``. Started by ``workers.py`` only.

It reads jobs from one socket, keeps nothing between them, and cannot write a file: its file size limit is zero.
"""

from __future__ import annotations

import resource
import signal
import socket
import sys
from dataclasses import fields
from typing import Any

from biometric_idp.biometrics import messages
from biometric_idp.biometrics.errors import BiometricError, WorkerFailed
from biometric_idp.biometrics.face_dlib import DlibFaceMatcher, FaceLimits
from biometric_idp.biometrics.finger_nbis import NbisFingerMatcher
from biometric_idp.biometrics.frames import measure_frame
from biometric_idp.biometrics.interface import Matcher, Modality
from biometric_idp.errors import FormatError


def main() -> int:
    """Serve one socket until the other side closes it."""
    if len(sys.argv) != 2 or not sys.argv[1].isdigit():
        print("worker: error: started by the identity provider, not by hand", file=sys.stderr)
        return 2
    # Control-C is for the service, which then closes the sockets.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = socket.socket(fileno=int(sys.argv[1]))
    try:
        settings, _ = messages.receive(channel)
        memory = settings.pop("memory")
        _limit(int(str(memory)))
        worker = _Worker(settings)
        messages.send(channel, {"ready": True})
        # Where the service died while a job hung, nobody else would end this process.
        patience = int(float(str(settings["deadline"]))) + 5
        while True:
            header, body = messages.receive(channel)
            signal.alarm(patience)
            messages.send(channel, worker.answer(header, body))
            signal.alarm(0)
    except (EOFError, OSError):
        return 0


def _limit(memory: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if memory:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


class _Worker:
    def __init__(self, settings: dict[str, object]) -> None:
        given: Any = settings["face"]
        self._face = DlibFaceMatcher(FaceLimits(**{item.name: given[item.name] for item in fields(FaceLimits)}))
        finger: Any = settings["finger"]
        self._matchers: dict[Modality, Matcher] = {"face": self._face, "finger": NbisFingerMatcher(float(finger))}

    def answer(self, header: dict[str, object], body: bytes) -> dict[str, object]:
        """The job's result, or what was wrong with it."""
        try:
            return self._do(header, body)
        except BiometricError as error:
            return messages.error_header(error)
        except FormatError as error:
            return {"error": "FormatError", "detail": str(error)}
        except MemoryError:
            return messages.error_header(WorkerFailed("matcher-crashed", "out of memory"))
        except Exception as error:  # noqa: BLE001 - whatever an image provokes must not end the worker
            return messages.error_header(WorkerFailed("matcher-crashed", type(error).__name__))

    def _do(self, header: dict[str, object], body: bytes) -> dict[str, object]:
        job = header.get("job")
        if job == "measure":
            measure = measure_frame(self._face.detector, body, embed=header.get("embed") is True)
            return {"measure": messages.measure_header(measure)}
        matcher = self._matchers[messages.read_modality(header.get("modality"))]
        if job == "extract":
            return {"template": messages.template_header(matcher.extract(body))}
        if job == "compare":
            a, b = messages.read_template(header.get("a")), messages.read_template(header.get("b"))
            return {"score": messages.score_header(matcher.compare(a, b))}
        raise FormatError("an unknown job")


if __name__ == "__main__":
    sys.exit(main())
