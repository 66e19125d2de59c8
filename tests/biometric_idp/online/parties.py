"""Identity provider and registrar as real processes on loopback, and a voter's device that talks to them."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

from biometric_idp.bulk.enrol import StylePlan
from biometric_idp.bulk.people import SyntheticPerson, make_people, write_register
from biometric_idp.enrolment.passkey import (
    Ed25519Passkey,
    Es256Passkey,
    Passkey,
    assertion_json,
    make_assertion,
    make_registration,
)
from biometric_idp.shared.fields import decode_base64url
from biometric_idp.webauthn import RelyingParty
from tests.biometric_idp.world import passkey as world_passkey
from tests.support.forking import Forked, start_module
from tests.support.running import run_tool

ORIGIN = "vote.example/2027"
ELECTION = "model-2027"
VOTING = RelyingParty("vote.localhost", "http://vote.localhost:8000")
OFFICE = RelyingParty("office.localhost", "http://office.localhost:8001")
FINGERPRINT = sha256(b"election").digest()
STYLES = (StylePlan("north", 40, 0), StylePlan("south", 24, 0))
TITLE = {"ky": "Моделдик шайлоо", "ru": "Модельные выборы", "en": "Model election"}
#: The manifest's officers, who vouch for terminal voters; the same as the issuers' world has.
TERMINAL_OFFICERS: dict[str, Passkey] = {
    "officer-1": world_passkey("officer 1"),
    "officer-2": world_passkey("officer 2", Es256Passkey),
}
READER = "reader-token-of-an-auditor-in-tests"


def toml(value: object) -> str:
    """A value in TOML; JSON's texts and arrays are TOML's."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {toml(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def write_config(path: Path, members: Mapping[str, object]) -> None:
    path.write_text("".join(f"{name} = {toml(value)}\n" for name, value in members.items()))


def officer(number: int) -> Es256Passkey:
    return Es256Passkey(bytes([number]) * 32, b"officer %d" % number)


def officer_config(number: int) -> dict[str, object]:
    return passkey_config(f"officer-{number}", officer(number))


def passkey_config(name: str, own: Passkey) -> dict[str, object]:
    public = own.public
    return {
        "name": name,
        "credential": public.credential.hex(),
        "algorithm": public.algorithm,
        "key": public.key.hex(),
    }


def run(tool: str, *arguments: object, prints: bool = True) -> dict[str, Any]:
    """One command of an operator; gives what it prints, if it does."""
    finished = run_tool(f"biometric_idp.{tool}.cli", *arguments)
    assert finished.returncode == 0, finished.stderr
    answer = json.loads(finished.stdout) if prints else {}
    assert isinstance(answer, dict)
    return answer


class Service:
    """One process that serves, and is started again under the same log and port."""

    def __init__(self, module: str, config: Path, log: Path) -> None:
        self._module = module
        self._config = config
        self._log = log
        self.process: Forked | None = None
        self.port = 0

    def start(self) -> None:
        """Start, on the same port as before where there was one."""
        self.run(self._module, "serve", "--config", self._config, "--port", self.port)

    def run(self, module: str, *arguments: object) -> None:
        """Start this instead, once."""
        with self._log.open("a") as log:
            self.process = start_module(module, *arguments, stderr=log)
        line = self.process.stdout.readline()
        assert line, self._log.read_text()[-3000:]
        self.port = int(json.loads(line)["port"])

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)

    def wait_killed(self) -> int:
        assert self.process is not None
        return self.process.wait(20)

    @property
    def log(self) -> str:
        return self._log.read_text()


@dataclass
class Parties:
    """The processes of one small MODEL election."""

    directory: Path
    people: Sequence[SyntheticPerson]
    registrar: Service
    idp: Service
    idp_config: Path
    registrar_config: Path
    keys: dict[str, bytes] = field(default_factory=dict)
    _read: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def id_origin(self) -> str:
        return f"http://id.localhost:{self.idp.port}"

    @property
    def party(self) -> RelyingParty:
        return RelyingParty("id.localhost", self.id_origin)

    def messages(self) -> list[dict[str, str]]:
        """What citizens got, in no order."""
        for name in set(os.listdir(self.directory / "spool")) - self._read.keys():
            if name.endswith(".json") and not name.startswith("."):
                self._read[name] = json.loads((self.directory / "spool" / name).read_text())
        return list(self._read.values())

    def code_for(self, address: str, key_digest: str, seconds: float = 60) -> str:
        """The code in the message to this telephone about this key; waits for its delivery."""
        import time

        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for message in self.messages():
                found = re.search(r"\b([0-9]{8})\b(?!.*[0-9a-f]{8})|\b([0-9]{8})\.", message["text"])
                if message["to"] == address and key_digest[:8] in message["text"] and found:
                    return found[1] or found[2]
            time.sleep(0.02)
        raise AssertionError("no code came")

    def stop(self) -> None:
        self.idp.stop()
        self.registrar.stop()


Change = Callable[[dict[str, Any]], None]


def _nothing(_: dict[str, Any]) -> None:
    return


def _url(database: str, directory: Path, name: str) -> str:
    return f"{name}.sqlite" if database == "sqlite" else database


def _csv_roll(registrar_config: Path, people: Sequence[SyntheticPerson], roll: Path) -> None:
    """The roll out of an unsigned list, as MODEL elections may have it."""
    voters = registrar_config.parent / "voters.csv"
    voters.write_text("pin,style\n" + "".join(f"{item.pin},{item.record['unit']}\n" for item in people))
    election = ("--config", registrar_config, "--election", ELECTION)
    run("registrar", "roll", *election, "--list", voters, "--roll", roll)


def make_parties(
    directory: Path,
    *,
    idp_database: str = "sqlite",
    registrar_database: str = "sqlite",
    change_idp: Change = _nothing,
    change_registrar: Change = _nothing,
    plans: Sequence[StylePlan] = STYLES,
    make_roll: Callable[[Path, Sequence[SyntheticPerson], Path], None] = _csv_roll,
) -> Parties:
    """Keys, registers, roll and configuration of both; nothing is started yet but what ``init`` does."""
    people = list(make_people(plans, 7))
    for name in ("idp", "registrar"):
        (directory / name).mkdir()
        write_register(directory / name / "register.json", people)
    idp_config, registrar_config = directory / "idp/idp.toml", directory / "registrar/registrar.toml"
    base: dict[str, Any] = {
        "model": True,
        "host_names": ["id.localhost", "127.0.0.1"],
        "origin": "auto",
        "rp_id": "id.localhost",
        "database": _url(idp_database, directory, "idp"),
        "key": "role.key",
        "secret": "secret",
        "register": {"file": "register.json"},
        "enrolment": {"steps": ["document", "passkey"]},
        "log": {"interval": 0.2, "readers": {"auditor": sha256(READER.encode()).hexdigest()}},
    }
    write_config(idp_config, base)
    idp_key = run("idp", "init", "--config", idp_config)["key"]
    registrar: dict[str, Any] = {
        "model": True,
        "host_names": ["registrar.localhost", "127.0.0.1"],
        "database": _url(registrar_database, directory, "registrar"),
        "key": "role.key",
        "secret": "secret",
        "register": {"file": "register.json"},
        "channels": {"spool": str(directory / "spool")},
        "codes": {"a_day": 50},
        "office": {"rp_id": OFFICE.rp_id, "origin": OFFICE.origin},
        "officers": [officer_config(1), officer_config(2)],
        "elections": [
            {
                "id": ELECTION,
                "origin": ORIGIN,
                "identity_provider": idp_key,
                "voting_origin": VOTING.origin,
                "title": TITLE,
                "model": True,
            }
        ],
    }
    change_registrar(registrar)
    write_config(registrar_config, registrar)
    registrar_key = run("registrar", "init", "--config", registrar_config)["key"]
    make_roll(registrar_config, people, directory / "roll.bin")
    election = ("--config", registrar_config, "--election", ELECTION)
    run("registrar", "open", *election, "--fingerprint", FINGERPRINT.hex())
    services = [
        Service(f"biometric_idp.{name}.cli", config, directory / f"{name}.log")
        for name, config in (("idp", idp_config), ("registrar", registrar_config))
    ]
    parties = Parties(directory, people, services[1], services[0], idp_config, registrar_config)
    parties.keys = {"idp": bytes.fromhex(idp_key), "registrar": bytes.fromhex(registrar_key)}

    def write_idp() -> None:
        members = dict(base)
        members["elections"] = [
            {
                "id": ELECTION,
                "origin": ORIGIN,
                "voting_origin": VOTING.origin,
                "voting_rp_id": VOTING.rp_id,
                "registrar": {"url": f"http://127.0.0.1:{parties.registrar.port}", "key": registrar_key},
                "title": TITLE,
                "officers": [passkey_config(name, own) for name, own in TERMINAL_OFFICERS.items()],
                "model": True,
            }
        ]
        change_idp(members)
        write_config(idp_config, members)

    parties.write_idp = write_idp  # type: ignore[attr-defined]
    return parties


def start_parties(parties: Parties) -> None:
    parties.registrar.start()
    parties.write_idp()  # type: ignore[attr-defined]
    run("idp", "open", "--config", parties.idp_config, "--election", ELECTION, "--fingerprint", FINGERPRINT.hex())
    parties.idp.start()


@contextmanager
def running(directory: Path, **options: Any) -> Iterator[Parties]:
    parties = make_parties(directory, **options)
    try:
        start_parties(parties)
        yield parties
    finally:
        parties.stop()


class Refused(Exception):
    """A problem, as the device sees it."""

    def __init__(self, response: httpx.Response) -> None:
        body = response.json()
        super().__init__(body["code"])
        self.code: str = body["code"]
        self.body: dict[str, Any] = body
        self.status = response.status_code
        self.headers = response.headers


class Device:
    """One voter's device: software passkeys for both hosts, and the steps that its pages would take."""

    def __init__(self, parties: Parties, person: SyntheticPerson, *, seed: bytes | None = None) -> None:
        self.parties = parties
        self.person = person
        seed = os.urandom(32) if seed is None else seed
        self.sign_in_key: Passkey = Es256Passkey(seed, sha256(b"sign-in" + seed).digest()[:16])
        self.voting_key: Passkey = Ed25519Passkey(seed, sha256(b"voting" + seed).digest()[:16])
        self.session = ""
        self.voting_session = ""
        self.id = httpx.Client(
            base_url=f"http://127.0.0.1:{parties.idp.port}",
            headers={"host": f"id.localhost:{parties.idp.port}"},
            timeout=60,
            trust_env=False,
        )
        self.reg = httpx.Client(
            base_url=f"http://127.0.0.1:{parties.registrar.port}",
            headers={"host": f"registrar.localhost:{parties.registrar.port}", "origin": VOTING.origin},
            timeout=60,
            trust_env=False,
        )

    def close(self) -> None:
        self.id.close()
        self.reg.close()

    def post(
        self,
        path: str,
        members: Mapping[str, object] | None = None,
        session: str | None = None,
        *,
        key: str | None = None,
        client: httpx.Client | None = None,
        origin: str | None = None,
    ) -> dict[str, Any]:
        headers: dict[str, str] = {}
        if session:
            headers["authorization"] = f"Bearer {session}"
        if key is not None:
            headers["idempotency-key"] = key
        if path.startswith("/v1/voting/"):
            headers["origin"] = VOTING.origin
        if origin is not None:
            headers["origin"] = origin
        response = (client or self.id).post(path, json=members, headers=headers)
        return answer_of(response)

    def get(self, path: str, session: str) -> dict[str, Any]:
        return answer_of(self.id.get(path, headers={"authorization": f"Bearer {session}"}))

    # Enrolment and sign-in.

    def start(self, *, pin: str | None = None, mrz: Sequence[str] | None = None) -> dict[str, Any]:
        members = {
            "pin": pin or self.person.pin,
            "document": {"mrz": list(mrz or self.person.mrz)},
            "language": "ru",
        }
        started = self.post("/v1/enrolments", members)
        self.session = started["session"]
        return started

    def register(self, **options: Any) -> dict[str, Any]:
        return self.post("/v1/enrolments/passkey", {"credential": self.registration(**options)}, self.session)

    def registration(self, **options: Any) -> dict[str, object]:
        """What the device would send, not sent yet."""
        offered = self.post("/v1/enrolments/passkey/options", {}, self.session)["publicKey"]
        challenge = decode_base64url(offered["challenge"])
        return make_registration(self.sign_in_key, options.pop("party", self.parties.party), challenge, **options)

    def enrol(self) -> None:
        self.start()
        assert self.register() == {"account": "active"}

    def sign_in(self, **options: Any) -> dict[str, Any]:
        offered = self.post("/v1/sign-in/options", {})
        challenge = decode_base64url(offered["publicKey"]["challenge"])
        party = options.pop("party", self.parties.party)
        assertion = make_assertion(options.pop("passkey", self.sign_in_key), party, challenge, **options)
        answer = self.post("/v1/sign-in", {"id": offered["id"], "credential": assertion_json(assertion)})
        self.session = answer["session"]
        return answer

    # The voting passkey.

    def handoff(self, purpose: str = "voting-passkey") -> dict[str, Any]:
        code = self.post("/v1/handoff", {"election": ORIGIN, "purpose": purpose}, self.session)["code"]
        answer = self.post("/v1/voting/session", {"code": code})
        self.voting_session = answer["session"]
        return answer

    def voting_registration(self, **options: Any) -> dict[str, Any]:
        """What the device would send, not sent yet."""
        offered = self.post("/v1/voting/passkey/options", {"election": ORIGIN}, self.voting_session)
        challenge = decode_base64url(offered["publicKey"]["challenge"])
        party = options.pop("party", VOTING)
        made = make_registration(options.pop("passkey", self.voting_key), party, challenge, **options)
        return {"id": offered["id"], "credential": made, "language": "ru"}

    def register_voting(self, *, key: str | None = None, **options: Any) -> dict[str, Any]:
        return self.post("/v1/voting/passkey", self.voting_registration(**options), self.voting_session, key=key)

    @property
    def key_digest(self) -> str:
        return sha256(self.voting_key.public.key).hexdigest()

    def confirm(self, enrolment: str, *, code: str | None = None, digest: str | None = None) -> dict[str, Any]:
        phone = str(self.person.record["phone"])
        code = code or self.parties.code_for(phone, self.key_digest)
        members = {"enrolment": enrolment, "code": code, "key_digest": digest or self.key_digest}
        return self.post("/v1/confirmations", members, client=self.reg)

    def complete(self, enrolment: str) -> dict[str, Any]:
        return self.post("/v1/voting/passkey/complete", {"enrolment": enrolment}, self.voting_session)

    def vote_ready(self) -> dict[str, Any]:
        """From a fresh sign-in to a passkey in the log."""
        self.handoff()
        pending = self.register_voting(key="first-registration")
        self.confirm(pending["enrolment"])
        return self.complete(pending["enrolment"])

    def ticket(
        self, place: Mapping[str, Any], blinded: bytes, *, key: str | None = None, **changes: Any
    ) -> dict[str, Any]:
        from biometric_idp.shared.fields import encode_base64url

        members: dict[str, Any] = {
            "election": FINGERPRINT.hex(),
            "style": place["style"],
            "position": place["position"],
            "credential": encode_base64url(self.voting_key.public.credential),
            "blinded": encode_base64url(blinded),
        }
        members.update(changes)
        return self.post("/v1/voting/tickets", members, self.voting_session, key=key)


def answer_of(response: httpx.Response) -> dict[str, Any]:
    if response.status_code >= 400:
        raise Refused(response)
    value = response.json() if response.content else {}
    assert isinstance(value, dict)
    return value
