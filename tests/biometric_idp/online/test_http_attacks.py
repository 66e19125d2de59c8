"""Attacks A6, A7 and A8 on both services, and the refusals of their configuration."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest

from biometric_idp.idp.config import IdpConfig
from biometric_idp.issuer.http.config import IssuerConfig
from biometric_idp.registrar.config import RegistrarConfig
from tests.biometric_idp.online.parties import OFFICE, VOTING, Device, Parties, make_parties, write_config
from tests.support.running import run_tool

pytestmark = pytest.mark.slow

NASTY = (
    "\x00",
    "\x1b[31m",
    "\r\nx: y",
    "\u202e",
    "\u2066",
    "<script>",
    "' OR 1=1 --",
    "../../etc/passwd",
    "\ud83d\ude00",
)


def nasty_bodies(value: str) -> list[tuple[str, dict[str, Any]]]:
    mrz = ["I" * 30, "<" * 30, "A" * 30]
    return [
        ("/v1/enrolments", {"pin": value, "document": {"mrz": mrz}, "language": "ky"}),
        ("/v1/enrolments", {"pin": "1" * 14, "document": {"mrz": [value, *mrz[1:]]}, "language": "ky"}),
        ("/v1/enrolments", {"pin": "1" * 14, "document": {"mrz": mrz}, "language": value}),
        ("/v1/enrolments", {"pin": "1" * 14, "document": {"mrz": mrz}, value: value}),
        ("/v1/enrolments/appointment", {"consulate": value}),
        ("/v1/sign-in", {"id": value, "credential": {"id": value}}),
        ("/v1/sign-in", {"id": "abc", "credential": {value: value, "response": {"clientDataJSON": value}}}),
        ("/v1/handoff", {"election": value, "purpose": value}),
        ("/v1/voting/session", {"code": value}),
        (
            "/v1/voting/tickets",
            {"election": value, "style": value, "position": 0, "credential": value, "blinded": value},
        ),
        ("/v1/officers/options", {"pin": value}),
    ]


@pytest.mark.parametrize("value", NASTY)
def test_A6_control_and_direction_characters_come_back_and_are_logged_escaped(device: Device, value: str) -> None:
    device.enrol()
    for path, body in nasty_bodies(value):
        headers = {"authorization": f"Bearer {device.session}", "content-type": "application/json"}
        answer = device.id.post(path, content=json.dumps(body).encode(), headers=headers)
        assert answer.status_code in (401, 403, 422), path
        assert answer.headers["content-type"] == "application/problem+json"
        # Names of unknown fields are the only thing of a request that an answer shows.
        assert not any(ord(character) < 32 or character in "\u202e\u2066" for character in answer.text), path
    for path in ("/v1/confirmations", "/v1/resends"):
        data = json.dumps({"enrolment": value, "code": value, "key_digest": value}).encode()
        answer = device.reg.post(path, content=data, headers={"content-type": "application/json"})
        assert answer.status_code == 422
    for line in (device.parties.idp.log + device.parties.registrar.log).splitlines():
        assert line.isascii()
        json.loads(line)
        assert device.person.pin not in line
        assert device.session not in line


def test_A7_other_hosts_and_foreign_origins_are_refused(shared: Parties) -> None:
    for service, name in ((shared.idp, "id.localhost"), (shared.registrar, "registrar.localhost")):
        with httpx.Client(base_url=f"http://127.0.0.1:{service.port}", trust_env=False) as client:
            for host in ("evil.example", f"{name}.evil.example", f"{name}:1", ""):
                assert client.get("/healthz", headers={"host": host}).status_code in (400, 421)
            own = {"host": f"{name}:{service.port}"}
            for origin in ("https://evil.example", "null", f"http://{name}", VOTING.origin + ".evil.example"):
                for path in ("/v1/sign-in/options", "/v1/voting/session", "/v1/confirmations", "/v1/in-person"):
                    answer = client.post(path, json={}, headers={**own, "origin": origin})
                    assert answer.status_code == 403
                    assert answer.json()["code"] == "foreign-origin"
                    assert "access-control-allow-origin" not in answer.headers


def test_A7_the_voting_origin_reaches_only_what_is_meant_for_it(shared: Parties) -> None:
    open_to_voting = {"idp": ("/v1/voting/session",), "registrar": ("/v1/confirmations", "/v1/resends")}
    closed = {
        "idp": ("/v1/enrolments", "/v1/sign-in", "/v1/handoff", "/v1/account", "/v1/officers/options"),
        "registrar": ("/v1/enrolments", "/v1/positions", "/v1/in-person"),
    }
    for name, service in (("idp", shared.idp), ("registrar", shared.registrar)):
        with httpx.Client(base_url=f"http://127.0.0.1:{service.port}", trust_env=False) as client:
            host = {"host": f"{'id' if name == 'idp' else 'registrar'}.localhost:{service.port}"}
            ask = {**host, "origin": VOTING.origin, "access-control-request-method": "POST"}
            for path in open_to_voting[name]:
                answer = client.options(path, headers=ask)
                assert answer.headers["access-control-allow-origin"] == VOTING.origin
                assert "access-control-allow-credentials" not in answer.headers
            for path in closed[name]:
                assert client.options(path, headers=ask).status_code == 403
                assert client.post(path, json={}, headers={**host, "origin": VOTING.origin}).status_code == 403
    with httpx.Client(base_url=f"http://127.0.0.1:{shared.registrar.port}", trust_env=False) as client:
        office = {"origin": OFFICE.origin, "access-control-request-method": "POST"}
        office["host"] = f"registrar.localhost:{shared.registrar.port}"
        assert client.options("/v1/in-person", headers=office).status_code == 204


def test_A8_no_path_leads_out_and_nothing_opens_without_a_token(shared: Parties) -> None:
    paths = [
        b"/v1/elections/model-2027/enrolment-log/tile/../../../../../etc/passwd",
        b"/v1/elections/model-2027/enrolment-log/tile/0/..%2f..%2f..%2fetc/passwd",
        b"/v1/elections/..%2f..%2fetc/enrolment-log/checkpoint",
        b"/v1/elections/model-2027/enrolment-log/tile/%00",
        b"//etc/passwd",
        b"/docs",
        b"/redoc",
    ]
    for path in paths:
        with socket.create_connection(("127.0.0.1", shared.idp.port)) as connection:
            host = f"id.localhost:{shared.idp.port}".encode()
            connection.sendall(b"GET " + path + b" HTTP/1.1\r\nhost: " + host + b"\r\nconnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        assert answer.split(b" ", 2)[1] in (b"404", b"422", b"400"), path
        assert b"root:" not in answer
    with httpx.Client(base_url=f"http://127.0.0.1:{shared.idp.port}", trust_env=False) as client:
        client.headers["host"] = f"id.localhost:{shared.idp.port}"
        log = "/v1/elections/model-2027/enrolment-log"
        for token in (None, "admin", "root", "0" * 43, "a" * 43):
            headers = {} if token is None else {"authorization": f"Bearer {token}"}
            assert client.get("/v1/account", headers=headers).status_code == 401
            assert client.get(f"{log}/enrolment-log.bin", headers=headers).status_code == 401
            assert client.get(f"{log}/tile/entries/000.p/1", headers=headers).status_code in (401, 404)


REAL: dict[str, Any] = {
    "host_names": ["id.example"],
    "origin": "https://id.example",
    "rp_id": "id.example",
    "database": "idp.sqlite",
    "key": "role.key",
    "secret": "secret",
    "register": {"file": "register.json"},
    "biometrics": {"master_key": "master.key"},
}
ELECTION: dict[str, Any] = {
    "id": "e",
    "origin": "vote.example/e",
    "voting_origin": "https://vote.example",
    "voting_rp_id": "vote.example",
    "registrar": {"url": "https://registrar.example", "key": "00" * 32},
    "title": {"ky": "x", "ru": "x", "en": "x"},
}


MODEL: dict[str, Any] = {"model": True}
MODEL_ELECTION: dict[str, Any] = {
    **ELECTION,
    "model": True,
    "voting_origin": "http://vote.localhost:8000",
    "voting_rp_id": "vote.localhost",
    "registrar": {"url": "http://127.0.0.1:9000", "key": "00" * 32},
}
REGISTRAR: dict[str, Any] = {
    "host_names": ["registrar.example"],
    "database": "registrar.sqlite",
    "key": "role.key",
    "secret": "secret",
    "register": {"file": "register.json"},
    "channels": {"sms": {"url": "https://sms.example/send", "sender": "x"}},
    "office": {"rp_id": "office.example", "origin": "https://office.example"},
    "elections": [
        {
            "id": "e",
            "origin": "vote.example/e",
            "identity_provider": "00" * 32,
            "voting_origin": "https://vote.example",
            "title": {"ky": "x", "ru": "x", "en": "x"},
        }
    ],
}


def registrar_with(address: str, *, model: bool = False) -> dict[str, Any]:
    """The registrar with this voting origin."""
    (election,) = REGISTRAR["elections"]
    return {**REGISTRAR, "model": model, "elections": [{**election, "model": model, "voting_origin": address}]}


def test_a_model_deployment_may_use_http_on_this_machine() -> None:
    here = {"origin": "http://id.localhost:81", "rp_id": "id.localhost"}
    witness = {"vkey": "x", "url": "http://127.0.0.1:8471"}
    members = {**REAL, **MODEL, **here, "elections": [MODEL_ELECTION], "log": {"witnesses": [witness], "quorum": 1}}
    assert IdpConfig.model_validate(members).model
    assert RegistrarConfig.model_validate(registrar_with("http://vote.localhost:8000", model=True)).model
    assert not IdpConfig.model_validate({**REAL, "elections": [ELECTION]}).model
    assert not RegistrarConfig.model_validate(REGISTRAR).model


@pytest.mark.parametrize(
    ("members", "word"),
    [
        (registrar_with("http://vote.localhost:8000"), "the voting origin must begin with https://"),
        (registrar_with("http://vote.example", model=True), "the voting origin must begin with https://"),
        (
            {**REGISTRAR, "office": {"rp_id": "localhost", "origin": "http://localhost:1"}},
            "the office's origin must begin",
        ),
        *[
            ({**REGISTRAR, "channels": {"sms": {"url": url, "sender": "x"}}}, "the gateway's address must begin")
            for url in ("http://sms.example", "http://localhost:80@sms.example", "http://localhost:x@sms.example/")
        ],
    ],
)
def test_a_registrar_whose_addresses_leave_the_machine_in_clear_does_not_start(
    members: dict[str, Any], word: str
) -> None:
    with pytest.raises(ValueError, match=word):
        RegistrarConfig.model_validate(members)


def test_an_issuer_asks_no_witness_over_the_network_in_clear() -> None:
    vkey = "court.example/witness+1f17c3df+BEEKfHGRBIUqqAMpmiwbycUAws1tKjLVQhCsPlHsTdZb"
    members = {"directory": ".", "host_names": ["issuer.example"], "quorum": 1}
    for url in ("https://witness.example", "http://127.0.0.1:8471"):
        assert IssuerConfig.model_validate({**members, "witnesses": [{"vkey": vkey, "url": url}]}).witnesses
    with pytest.raises(ValueError, match="the address of a log witness must begin with https://"):
        IssuerConfig.model_validate({**members, "witnesses": [{"vkey": vkey, "url": "http://witness.example"}]})


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"enrolment": {"steps": ["document", "passkey"]}}, "MODEL"),
        ({"enrolment": {"steps": ["document", "liveness", "passkey"]}}, "belong together"),
        ({"enrolment": {"steps": ["passkey"]}}, "document and passkey"),
        ({"liveness": {"fixed_order": ["blink"]}}, "MODEL"),
        ({"origin": "http://id.example"}, "https"),
        ({"origin": "http://id.localhost:81", "rp_id": "id.localhost"}, "the origin must begin with https://"),
        ({"origin": "auto"}, "MODEL"),
        ({"rp_id": "example.org"}, "RP ID"),
        ({"biometrics": {}}, "master_key"),
        ({"elections": [{**ELECTION, "model": True}]}, "MODEL"),
        ({"elections": [{**ELECTION, "voting_origin": "http://vote.example"}]}, "https"),
        (
            {
                "elections": [
                    {**ELECTION, "voting_origin": "http://vote.localhost:8000", "voting_rp_id": "vote.localhost"}
                ]
            },
            "the voting origin must begin with https://",
        ),
        ({"elections": [{**ELECTION, "voting_rp_id": "other.example"}]}, "voting RP ID"),
        *[
            (
                {"elections": [{**ELECTION, "registrar": {"url": url, "key": "00" * 32}}]},
                "registrar's address must begin",
            )
            for url in ("http://registrar.example", "http://127.0.0.1:9000", "https://127.0.0.1@registrar.example")
        ],
        ({"log": {"witnesses": [{"vkey": "x", "url": "http://127.0.0.1:8471"}], "quorum": 1}}, "log witnesses"),
        *[
            ({**MODEL, "elections": [{**MODEL_ELECTION, **item}]}, "must begin with https://")
            for item in (
                {"registrar": {"url": "http://registrar.example", "key": "00" * 32}},
                {"registrar": {"url": "http://127.0.0.1:1@registrar.example", "key": "00" * 32}},
                {"registrar": {"url": "http://localhost.example", "key": "00" * 32}},
                {"voting_origin": "http://vote.example", "voting_rp_id": "vote.example"},
            )
        ],
        ({**MODEL, "origin": "http://id.example"}, "https://"),
        ({**MODEL, "log": {"witnesses": [{"vkey": "x", "url": "http://witness.example"}], "quorum": 1}}, "witnesses"),
        ({"elections": [ELECTION, ELECTION]}, "same id"),
        ({"passkeys": {"attestation": "required"}}, "roots"),
        ({"something": 1}, "something"),
    ],
)
def test_a_deployment_that_is_not_safe_does_not_start(tmp_path: Path, change: dict[str, Any], word: str) -> None:
    config = tmp_path / "idp.toml"
    write_config(config, {**REAL, **change})
    finished = run_tool("biometric_idp.idp.cli", "serve", "--config", config)
    assert finished.returncode == 2
    assert finished.stderr.startswith("evoting-idp: error: ")
    assert len(finished.stderr.splitlines()) == 1
    assert word in finished.stderr


def test_the_registrar_of_a_real_election_has_no_spool(tmp_path: Path) -> None:
    parties = make_parties(tmp_path)
    text = parties.registrar_config.read_text().replace("model = true\n", "model = false\n", 1)
    parties.registrar_config.write_text(text)
    finished = run_tool("biometric_idp.registrar.cli", "serve", "--config", parties.registrar_config)
    assert finished.returncode == 2
    assert "spool" in finished.stderr
