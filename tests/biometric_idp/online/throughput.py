"""Measures enrolments, voting passkeys and sign-ins: python -m tests.biometric_idp.online.throughput [VOTERS].

Steps document and passkey, as MODEL elections have them; all of it on this machine, clients included.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

from biometric_idp.bulk.enrol import StylePlan
from tests.biometric_idp.online.parties import Device, running
from tests.support.postgres import postgres_server

CLIENTS = 8


def timed(name: str, devices: Sequence[Device], step: Callable[[Device], object]) -> dict[str, float]:
    started, times = time.monotonic(), []

    def one(device: Device) -> None:
        begun = time.monotonic()
        step(device)
        times.append(time.monotonic() - begun)

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(one, devices))
    seconds = time.monotonic() - started
    ordered = sorted(times)
    return {
        f"{name}_per_second": round(len(devices) / seconds, 1),
        f"{name}_p50_ms": round(1000 * ordered[len(ordered) // 2], 1),
        f"{name}_p99_ms": round(1000 * ordered[len(ordered) * 99 // 100], 1),
    }


def measure(voters: int, kind: str) -> dict[str, float | str]:
    with (
        tempfile.TemporaryDirectory() as directory,
        postgres_server() if kind == "postgresql" else nullcontext() as server,
    ):
        databases = {}
        if server is not None:
            databases = {"idp_database": server.database(), "registrar_database": server.database()}
        plans = (StylePlan("north", voters, 0),)
        with running(Path(directory), plans=plans, **databases) as parties:
            devices = [Device(parties, person) for person in parties.people]
            result: dict[str, float | str] = {"database": kind, "voters": voters}
            result |= timed("enrolments", devices, Device.enrol)
            result |= timed("sign_ins", devices, Device.sign_in)
            result |= timed("voting_passkeys", devices, Device.vote_ready)
            parties.stop()
            result["cpu_seconds_services"] = round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime, 1)
            result["cpu_seconds_clients"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_utime, 1)
            return result


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    for chosen in ("sqlite", "postgresql"):
        print(json.dumps(measure(count, chosen)), flush=True)
