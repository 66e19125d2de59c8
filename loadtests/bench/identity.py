"""Enrolment, sign-in and issuance over HTTP: identity provider, registrar, four issuers and four log witnesses.

All of it is on this machine, voters' devices included, and every database is PostgreSQL with durable commits. Devices
register a document and two passkeys; faces are measured in ``faces``.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evoting.demo import counting, setup, voters
from evoting.demo.places import Places
from evoting.demo.plan import Plan
from evoting.examples.kyrgyz2021 import demo_election
from evoting.record.election import ElectionRecord
from loadtests.postgres import postgres_server

#: Between checkpoints of enrolment log and ledgers; real elections take longer.
CHECKPOINT_SECONDS = 20.0
#: What devices do, and the name of its figures.
NAMES = {
    "enrolments": "enrolment",
    "voting_passkeys": "voting_passkey",
    "sign_ins": "sign_in",
    "issuances": "issuance",
}


def measure_identity(scale: int) -> dict[str, float]:
    """Figures of each step: per second with all cores, and latency in milliseconds at the 50th and 99th percentile."""
    with tempfile.TemporaryDirectory(prefix="identity-") as directory, postgres_server() as server:
        roles = ["identity-provider", "registrar", *(f"issuer-{index}" for index in range(1, 5))]
        databases = {role: server.database() for role in roles}
        places = Places(Path(directory) / "run", databases, CHECKPOINT_SECONDS)
        places.root.mkdir()
        plan = Plan(scale, "referendum", int(time.time()) - 5, "http")
        measured = _run(places, plan)
    figures: dict[str, float] = {}
    for step, values in measured.items():
        name = NAMES[step]
        figures[f"{step}_per_second"] = round(values["per_second"], 1)
        figures[f"{name}_p50_ms"] = round(values["p50_ms"], 1)
        figures[f"{name}_p99_ms"] = round(values["p99_ms"], 1)
        figures[f"{step}_measured"] = values["count"]
    return figures


def _run(places: Places, plan: Plan) -> Mapping[str, Any]:
    keys = setup.make_keys(places, plan)
    election = demo_election(plan.scale, plan.contest, keys, plan.options)
    with setup.open_board(places) as board:
        record = ElectionRecord(board)
        setup.publish_manifest(record, places, election.manifest)
        measured = dict(voters.enrol(record, places, plan, election, lambda _: None))
        setup.run_ceremony(record, places, "trustee")
        setup.run_ceremony(record, places, "issuer")
        setup.open_election(record, places)
        counting.publish(record, places, 1)
        measured |= voters.issue(record, places, plan, 1, lambda _: None, kill=False)
    return measured
