"""The flow against ``evoting-idp serve``: a person enrols, signs in with a passkey, and a client learns of it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from biometric_idp.idp.app import MIGRATIONS, SERVICE
from biometric_idp.idp.oidc.keys import new_key
from biometric_idp.idp.oidc.levels import PASSKEY
from biometric_idp.idp.oidc.tables import ASSERTION, CODE, TOKEN
from services.database import open_engine
from services.migrations import differences, upgrade
from tests.biometric_idp.oidc.relying_party import RelyingParty
from tests.biometric_idp.online.parties import Device, Parties, run, running

CLIENT = {
    "id": "cabinet",
    "names": {"ky": "Кабинет", "ru": "Кабинет", "en": "Cabinet"},
    "redirect_uris": ["https://cabinet.example/callback"],
    "authentication": "none",
    "scopes": ["openid", "profile", "pin"],
}


@pytest.fixture(scope="module")
def parties(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parties]:
    directory = tmp_path_factory.mktemp("parties")

    def change(members: dict[str, Any]) -> None:
        members["oidc"] = {"keys": "oidc-keys", "clients": [CLIENT]}
        if not (directory / "idp/oidc-keys").exists():
            # Old enough to be replaced in a test.
            new_key(directory / "idp/oidc-keys", int(time.time()) - 7200, least_age=600)

    with running(directory, change_idp=change) as started:
        yield started


@pytest.fixture
def device(parties: Parties) -> Iterator[Device]:
    made = Device(parties, parties.people[5])
    yield made
    made.close()


def _party(device: Device) -> RelyingParty:
    return RelyingParty(device.id, "cabinet", "https://cabinet.example/callback")


@pytest.mark.slow
def test_a_passkey_sign_in_reaches_a_client(parties: Parties, device: Device) -> None:
    party = _party(device)
    parameters, verifier = party.start()
    # Neither a session of an unfinished enrolment nor (below) one of the voting host signs anybody in.
    device.start()
    assert party.post(parameters, device.session).json()["code"] == "oidc-sign-in"
    device.register()
    device.sign_in()
    described = party.open(parameters)
    assert described.json()["names"] == CLIENT["names"]
    # As the page sends it: JSON.
    answer = device.id.post("/oidc/authorize", json=parameters, headers={"authorization": f"Bearer {device.session}"})
    assert answer.status_code == 200, answer.text
    tokens = party.exchange(answer.json()["redirect"].split("code=")[1].split("&")[0], verifier).json()
    claims = party.claims(tokens)
    assert claims["iss"] == parties.id_origin
    assert (claims["acr"], claims["amr"], claims["nonce"]) == (PASSKEY, ["pop", "user"], parameters["nonce"])
    assert claims["auth_time"] == pytest.approx(time.time(), abs=30)
    record = device.person.record
    info = party.userinfo(tokens["access_token"]).json()
    assert info == {"sub": claims["sub"], "pin": device.person.pin, "name": info["name"]}
    assert str(record["surname"]) in info["name"]
    assert device.person.pin not in claims["sub"]

    more, _ = party.start(acr_values="urn:evoting:acr:passkey+face")
    refused = party.post(more, device.session)
    assert (refused.status_code, refused.json()["detail"]["missing"]) == (403, "face")
    device.handoff()
    assert party.post(more, device.voting_session).json()["code"] == "oidc-sign-in"

    device.post("/v1/sign-out", {}, device.session)
    assert party.post(parameters, device.session).json()["code"] == "oidc-sign-in"


@pytest.mark.slow
def test_a_new_key_is_taken_up_without_a_restart(parties: Parties, device: Device) -> None:
    party = _party(device)
    before = device.id.get("/oidc/jwks").json()["keys"]
    made = run("idp", "oidc-key", "--config", parties.idp_config, "new")
    after = device.id.get("/oidc/jwks").json()["keys"]
    assert [key["kid"] for key in after] == made["published"] == [made["kid"], before[0]["kid"]]
    assert all(key.keys() == {"kty", "crv", "x", "y", "kid", "alg", "use"} for key in after)
    command = [sys.executable, "-m", "biometric_idp.idp.cli", "oidc-key", "--config", str(parties.idp_config), "new"]
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 2
    assert again.stderr.startswith("evoting-idp: error: the present key is ")
    assert again.stderr.count("\n") == 1
    assert party.open(party.start()[0]).status_code == 200


@pytest.mark.slow
def test_purge_of_the_identity_provider_deletes_them_and_proves_it(parties: Parties) -> None:
    counts = run("idp", "purge", "--config", parties.idp_config)
    assert {"oidc-codes", "oidc-tokens", "oidc-assertions"} <= counts.keys()


def test_the_revision_makes_what_the_models_have(tmp_path: Path) -> None:
    engine = open_engine(str(tmp_path / "idp.db"))
    upgrade(engine, MIGRATIONS, SERVICE)
    with engine.connect() as db:
        found = [item for item in differences(db, CODE.metadata, SERVICE) if "oidc" in repr(item)]
        assert found == []
        assert all(db.execute(table.select()).first() is None for table in (CODE, TOKEN, ASSERTION))


@pytest.mark.slow
def test_a_configuration_without_clients_has_no_such_routes(tmp_path: Path) -> None:
    with running(tmp_path) as bare:
        for path in ("/.well-known/openid-configuration", "/oidc/jwks", "/oidc/authorize"):
            assert httpx.get(f"http://127.0.0.1:{bare.idp.port}{path}").status_code == 404
