"""Deletion of what has outlived its purpose, and the audit log that proves it."""

from __future__ import annotations

import json
import sqlite3
from hashlib import sha256
from pathlib import Path

import pytest

from biometric_idp.idp.app import open_idp
from biometric_idp.idp.config import IdpConfig
from biometric_idp.idp.purge.service import purge
from biometric_idp.population.xroad.evidence import EvidenceStore, Exchange
from biometric_idp.registrar.app import open_registrar
from biometric_idp.registrar.config import RegistrarConfig
from biometric_idp.registrar.purge import purge as purge_registrar
from services.config import read_config
from tests.biometric_idp.online.parties import Device, run, running
from tests.biometric_idp.population.security_server import CLIENT, CLIENT_USAGE, SERVICE, TestAuthority
from tests.support.running import run_tool

pytestmark = pytest.mark.slow

DAY = 86_400


@pytest.fixture(name="directory")
def fixture_directory(tmp_path: Path) -> Path:
    """What a voter leaves behind, with the services stopped."""

    def change(members: dict[str, object]) -> None:
        elections = members["elections"]
        assert isinstance(elections, list)
        elections[0]["closes"] = 2_000_000_000

    with running(tmp_path, change_idp=change) as parties:
        device = Device(parties, parties.people[0])
        device.enrol()
        device.sign_in()
        place = device.vote_ready()
        device.handoff("ticket")
        device.ticket(place, bytes(48), key="some-ticket-key")
        device.close()
    return tmp_path


def rows(directory: Path, name: str, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(directory / name / f"{name}.sqlite") as connection:
        return list(connection.execute(query))


def purge_at(directory: Path, now: int) -> dict[str, int]:
    path = directory / "idp/idp.toml"
    idp = open_idp(read_config(path, IdpConfig), path.parent, 1, clock=lambda: now)
    try:
        return purge(idp)
    finally:
        idp.committer.engine.dispose()


def test_purge_deletes_what_is_over_and_proves_it(directory: Path) -> None:
    sessions = rows(directory, "idp", "SELECT id FROM session")
    assert sessions
    counts = purge_at(directory, 2_000_000_000 - 1)
    assert counts["sessions"] == len(sessions)
    assert counts["accounts"] == 0
    for table in ("session", "used_challenge", "handoff", "idempotency", "enrolment", "rate"):
        assert rows(directory, "idp", f"SELECT * FROM {table}") == [], table
    events = [json.loads(str(event)) for (event,) in rows(directory, "idp", "SELECT event FROM audit_log")]
    proof = next(event for event in events if event["event"] == "purged" and event["kind"] == "sessions")
    ids = sorted(bytes(id_).hex() for (id_,) in sessions)  # type: ignore[call-overload]
    assert proof["ids"] == sha256("\n".join(ids).encode()).hexdigest()
    assert proof["count"] == len(ids)

    assert purge_at(directory, 2_000_000_000 + 90 * DAY)["accounts"] == 1
    for table in ("account", "passkey", "voting_passkey", "place", "notice"):
        assert rows(directory, "idp", f"SELECT * FROM {table}") == [], table
    # The log is evidence and stays.
    assert len(rows(directory, "idp", "SELECT * FROM log_entry")) == 1


def test_the_registrar_forgets_messages_when_they_are_delivered_and_rows_later(directory: Path) -> None:
    assert set(rows(directory, "registrar", "SELECT address, subject, text FROM outbox")) == {("", "", "")}
    path = directory / "registrar/registrar.toml"
    registrar = open_registrar(read_config(path, RegistrarConfig), path.parent, clock=lambda: 2_000_000_000)
    counts = purge_registrar(registrar)
    registrar.committer.engine.dispose()
    assert counts["messages"] == 2
    assert rows(directory, "registrar", "SELECT * FROM outbox") == []
    assert rows(directory, "registrar", "SELECT state FROM enrolment") == [("confirmed",)]


@pytest.mark.parametrize("name", ["idp", "registrar"])
def test_answers_of_a_register_over_x_road_are_deleted_when_their_days_are_over(directory: Path, name: str) -> None:
    own, now = directory / name, 2_000_000_000
    authority = TestAuthority(own, "authority")
    certificate, key = authority.issue("idp", CLIENT_USAGE)
    value = {
        "format": "evoting-xroad-register/v1",
        "server": "https://127.0.0.1:1",
        "ca": str(authority.ca),
        "certificate": str(certificate),
        "key": str(key),
        "client": CLIENT,
        "service": SERVICE,
        "evidence": "evidence",
        "person": {"path": "/v1/persons/{pin}"},
        "mapping": {
            "root": "/result",
            "fields": {item: f"/{item}" for item in ("pin", "surname", "given_names", "birth_date", "sex", "deceased")},
        },
    }
    (own / "register.json").write_text(json.dumps(value))
    store = EvidenceStore(own / "evidence")
    old, young = (
        Exchange(f"{number:08x}-0000-4000-8000-000000000000", 1, moment, "GET", "/r1", (), None, 200, (), b"body")
        for number, moment in enumerate((now - 90 * DAY - 1, now - 90 * DAY))
    )
    store.keep(old)
    store.keep(young)
    assert run_purge(directory, name, now)["register-answers"] == 1
    assert run_purge(directory, name, now)["register-answers"] == 0
    assert [path.name for path in (own / "evidence").glob("??/*.json")] == [f"{young.name}.json"]
    assert store.check() == []
    events = [json.loads(str(event)) for (event,) in rows(directory, name, "SELECT event FROM audit_log")]
    (proof,) = [event for event in events if event.get("kind") == "register-answers"]
    assert (proof["event"], proof["count"]) == ("purged", 1)
    assert proof["ids"] == sha256(old.name.encode()).hexdigest()


def run_purge(directory: Path, name: str, now: int) -> dict[str, int]:
    if name == "idp":
        return purge_at(directory, now)
    path = directory / "registrar/registrar.toml"
    registrar = open_registrar(read_config(path, RegistrarConfig), path.parent, clock=lambda: now)
    try:
        return purge_registrar(registrar)
    finally:
        registrar.committer.engine.dispose()


@pytest.mark.parametrize("name", ["idp", "registrar"])
def test_a_changed_or_shortened_audit_log_is_noticed(directory: Path, name: str) -> None:
    config = directory / f"{name}/{name}.toml"
    head = run(name, "audit", "--config", config)
    assert head["entries"] > 0
    continued = ("--size", head["entries"], "--hash", head["hash"])
    assert run(name, "audit", "--config", config, *continued)["hash"] == head["hash"]
    for change in (
        "UPDATE audit_log SET event = replace(event, 'date', 'dote') WHERE sequence = 1",
        "DELETE FROM audit_log WHERE sequence = 0",
    ):
        with sqlite3.connect(directory / name / f"{name}.sqlite") as connection:
            saved = list(connection.execute("SELECT * FROM audit_log"))
            connection.execute(change)
        finished = run_tool(f"biometric_idp.{name}.cli", "audit", "--config", config)
        assert finished.returncode == 2
        assert "audit log" in finished.stderr
        with sqlite3.connect(directory / name / f"{name}.sqlite") as connection:
            connection.execute("DELETE FROM audit_log")
            connection.executemany("INSERT INTO audit_log VALUES (?, ?, ?)", saved)
    with sqlite3.connect(directory / name / f"{name}.sqlite") as connection:
        connection.execute("DELETE FROM audit_log WHERE sequence = (SELECT max(sequence) FROM audit_log)")
    finished = run_tool(f"biometric_idp.{name}.cli", "audit", "--config", config, *continued)
    assert finished.returncode == 2
    assert "are left of" in finished.stderr


def test_no_secret_and_no_person_is_in_the_audit_log(directory: Path) -> None:
    for name in ("idp", "registrar"):
        events = " ".join(str(event) for (event,) in rows(directory, name, "SELECT event FROM audit_log"))
        register = json.loads((directory / name / "register.json").read_text())["persons"][0]
        for secret in (register["pin"], register["phone"], register["surname"]):
            assert secret not in events
        for event in map(json.loads, [str(event) for (event,) in rows(directory, name, "SELECT event FROM audit_log")]):
            assert ("date" in event) != ("time" in event)
            assert "date" in event or event["event"] in ("purged", "election-opened", "roll", "voter-list")
