"""Many at once on PostgreSQL: one account for each person, one active code, one position."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.biometric_idp.online.parties import Device, Refused, running
from tests.support.postgres import PostgresServer

CLIENTS = 32


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_many_wrong_guesses_at_once_get_no_further_than_one_after_the_other(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    database = request.getfixturevalue("postgres").database() if kind == "postgresql" else "sqlite"
    with running(tmp_path, idp_database=database) as parties:
        devices = [Device(parties, parties.people[0]) for _ in range(CLIENTS)]

        def guess(device: Device) -> str:
            with pytest.raises(Refused) as caught:
                device.start(mrz=parties.people[1].mrz)
            return caught.value.code

        with ThreadPoolExecutor(CLIENTS) as pool:
            outcomes = Counter(pool.map(guess, devices))
        assert outcomes == {"identity-not-confirmed": 3, "too-many-attempts": CLIENTS - 3}
        for device in devices:
            device.close()


@pytest.mark.slow
def test_the_same_pin_from_32_clients_gives_one_account(tmp_path: Path, postgres: PostgresServer) -> None:
    databases = {"idp_database": postgres.database(), "registrar_database": postgres.database()}

    def change(members: dict[str, object]) -> None:
        members["passkeys"] = {"most": 20}

    with running(tmp_path, change_idp=change, **databases) as parties:
        devices = [Device(parties, parties.people[0]) for _ in range(CLIENTS)]

        def enrol(device: Device) -> str:
            try:
                device.enrol()
            except Refused as refused:
                return refused.code
            return "active"

        with ThreadPoolExecutor(CLIENTS) as pool:
            outcomes = list(pool.map(enrol, devices))
        assert outcomes.count("active") == 20
        assert set(outcomes) == {"active", "too-many-passkeys"}

        enrolled = [device for device, outcome in zip(devices, outcomes, strict=True) if outcome == "active"]

        def register(device: Device) -> str:
            device.handoff()
            try:
                return str(device.register_voting(key="concurrent-one")["enrolment"])
            except Refused as refused:
                return refused.code

        with ThreadPoolExecutor(CLIENTS) as pool:
            pending = list(pool.map(register, enrolled))
        assert "internal-error" not in pending
        engines = {name: create_engine(url) for name, url in databases.items()}
        with engines["idp_database"].connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM account")) == 1
            assert connection.scalar(text("SELECT count(*) FROM passkey")) == 20
            assert connection.scalar(text("SELECT count(*) FROM place")) == 1
        with engines["registrar_database"].connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM enrolment WHERE state = 'pending'")) == 1
            active = connection.scalar(text("SELECT id FROM enrolment WHERE state = 'pending'"))
        for engine in engines.values():
            engine.dispose()
        chosen = enrolled[pending.index(str(active))]
        chosen.confirm(str(active))

        def complete(_: int) -> int:
            return int(chosen.complete(str(active))["index"])

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(complete, range(16))) == [0] * 16
        for device in devices:
            device.close()
