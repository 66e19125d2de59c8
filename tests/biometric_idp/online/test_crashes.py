"""``kill -9`` around every commit on a voter's way: a retry completes, and nothing is there twice."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from tests.biometric_idp.online.parties import Device, Parties, Refused, Service, running

IDP_STEPS = (
    "enrolment-start", "enrolment-passkey", "sign-in", "handoff", "voting-session", "voting-passkey", "voting-told",
    "voting-logged", "ticket",
)  # fmt: skip
REGISTRAR_STEPS = ("start", "confirm", "outbox-lease", "outbox-finish")
POINTS = [
    *[("idp", f"{step}:{side}-commit") for step in IDP_STEPS for side in ("before", "after")],
    ("idp", "registrar-told"),
    *[("registrar", f"{step}:{side}-commit") for step in REGISTRAR_STEPS for side in ("before", "after")],
    ("registrar", "outbox-handed-over"),
]


@pytest.fixture(scope="module", name="parties")
def fixture_parties(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parties]:
    with running(tmp_path_factory.mktemp("crashes")) as parties:
        yield parties


class Retrying:
    """Takes a step again, as a page or a client would, when the service went away under it."""

    def __init__(self, services: dict[str, Service]) -> None:
        self._services = services
        self.deaths = 0

    def revive(self) -> None:
        for service in self._services.values():
            assert service.process is not None
            if service.process.poll() is not None:
                self.deaths += 1
                service.start()

    def __call__(self, step: Callable[[], Any]) -> Any:
        for _ in range(40):
            try:
                return step()
            except httpx.TransportError:
                for service in self._services.values():
                    assert service.process is not None
                    try:
                        service.process.wait(0.3)
                    except subprocess.TimeoutExpired:
                        continue
                self.revive()
            except Refused as refused:
                # The other service is away at this moment.
                if refused.code != "registrar-unavailable":
                    raise
                self.revive()
        raise AssertionError("the step never completed")


def rows(parties: Parties, name: str, query: str, *values: object) -> list[tuple[Any, ...]]:
    with sqlite3.connect(parties.directory / name / f"{name}.sqlite") as connection:
        return list(connection.execute(query, values))


def sign_in_over(device: Device, purpose: str) -> None:
    device.sign_in()
    device.handoff(purpose)


@pytest.mark.slow
@pytest.mark.parametrize(("tool", "point"), POINTS, ids=[f"{tool}-{point}" for tool, point in POINTS])
def test_a_crash_at_any_commit_leaves_one_of_everything(parties: Parties, tool: str, point: str) -> None:
    services = {"idp": parties.idp, "registrar": parties.registrar}
    configs = {"idp": parties.idp_config, "registrar": parties.registrar_config}
    service = services[tool]
    service.stop()
    service.run("tests.biometric_idp.online.crashing", tool, point, configs[tool], service.port)
    retry = Retrying(services)
    person = parties.people[POINTS.index((tool, point))]
    device = Device(parties, person)

    def begin() -> None:
        device.start()

    retry(begin)
    made = retry(device.registration)

    def register_sign_in() -> dict[str, Any]:
        return device.post("/v1/enrolments/passkey", {"credential": made}, device.session)

    assert retry(register_sign_in) == {"account": "active"}
    retry(device.sign_in)

    def over() -> None:
        device.handoff()

    retry(over)
    registration = retry(device.voting_registration)

    def register() -> dict[str, Any]:
        return device.post("/v1/voting/passkey", registration, device.voting_session, key="registration-key")

    pending = retry(register)

    def delivered() -> str:
        # The outbox may die while the message is awaited, with no request under way that would show it.
        for _ in range(40):
            retry.revive()
            with suppress(AssertionError):
                return parties.code_for(str(person.record["phone"]), device.key_digest, 2)
        raise AssertionError("the message was lost")

    def confirm() -> None:
        device.confirm(pending["enrolment"], code=delivered())

    retry(confirm)
    logged = retry(lambda: device.complete(pending["enrolment"]))
    assert logged["state"] == "logged"
    assert retry(lambda: device.complete(pending["enrolment"])) == logged
    retry(lambda: device.handoff("ticket"))
    blinded = os.urandom(48)
    ticket = retry(lambda: device.ticket(logged, blinded, key="ticket-key"))
    assert retry(lambda: device.ticket(logged, blinded, key="ticket-key")) == ticket
    if retry.deaths == 0:
        service.wait_killed()
        retry.revive()
    assert retry.deaths == 1

    ((account,),) = rows(parties, "idp", "SELECT id FROM account WHERE pin = ?", person.pin)
    passkeys = rows(parties, "idp", "SELECT state, entry FROM voting_passkey WHERE account = ?", account)
    assert passkeys == [("logged", logged["index"])]
    credential = device.voting_key.public.credential
    entries = rows(parties, "idp", "SELECT position FROM log_entry WHERE instr(entry, ?) > 0", credential)
    assert entries == [(logged["index"],)]
    confirmed = rows(parties, "registrar", "SELECT state FROM enrolment WHERE credential = ?", credential)
    assert confirmed == [("confirmed",)]
    # The code and the notice; a code that a crash voided would have been refused above.
    device.close()
