"""One small MODEL election with every party as a process, as the browser meets it.

Voting passkeys are made before the election is opened, so the stage has two acts: ``begin`` starts identity provider,
registrar, log witnesses and the voting host; ``open`` closes the enrolment, holds the ceremonies, appends the opening
entry, and starts four issuers.
"""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

from biometric_idp.biometrics.master_key import FileMasterKey
from biometric_idp.bulk.enrol import StylePlan
from biometric_idp.bulk.people import SyntheticPerson, make_people, write_register
from biometric_idp.files import write_atomic, write_json
from biometric_idp.issuer.keys import KEY_FORMAT, IssuerDirectory
from biometric_idp.role_key import read_role_key
from crypto.dkg.files import KeyShareFile
from crypto.dkg.parameters import ISSUERS
from crypto.log.note import NOTE_KEY, NoteSigningKey
from evoting.definition import Manifest
from evoting.office.issuance import write_policy
from tests.biometric_idp.online.parties import run, write_config
from tests.support.faces import portrait
from tests.support.running import Service, start_service
from tests.support.small_election import ORIGIN, SmallElection
from tests.support.witnesses import start_witnesses
from tests.web.recordings import ORDER

ELECTION = "small-test"
READER = "token of the election office in this test"
TITLE = {"ky": "Моделдик шайлоо", "ru": "Модельные выборы", "en": "Model election"}
PLANS = (StylePlan("east", 20, 0), StylePlan("west", 20, 0))
_DAY = 86_400


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class StageElection(SmallElection):
    """The record of the stage: its own hosts and times, and the role keys that the processes made."""

    def __init__(self, root: Path, stage: Stage) -> None:
        super().__init__(root)
        self.stage = stage
        self.keys["identity-provider"] = read_role_key(stage.root / "idp/role.key")
        self.keys["registrar"] = read_role_key(stage.root / "registrar/role.key")
        self.clock = stage.began

    def now(self) -> int:
        """Real time: enrolments carry it."""
        return int(time.time())

    @cached_property
    def manifest(self) -> Manifest:
        return replace(
            super().manifest,
            opens=self.stage.began - 60,
            closes=self.stage.began + _DAY,
            voting_origin=self.stage.voting_origin,
            identity_origin=self.stage.id_origin,
        )

    def alter(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        if kind == "roll":
            return {**body, "commitment": bytes.fromhex(self.stage.commitment)}
        if kind == "enrolment":
            return {**body, "checkpoint": self.stage.checkpoint}
        return body


class Stage:
    """All parties. Origins are what the browser sees; ``*.localhost`` is loopback there."""

    def __init__(self, root: Path, dist: Path, portraits: Sequence[str], stack: ExitStack) -> None:
        self.root = root
        self.dist = dist
        self.stack = stack
        self.began = int(time.time())
        self.ports = {name: free_port() for name in ("id", "vote", "registrar", *(f"issuer-{i}" for i in range(1, 5)))}
        self.people: list[SyntheticPerson] = list(make_people(PLANS, 7))
        self.portraits = portraits
        self.commitment = ""
        self.checkpoint = ""
        self._voting_host: Service | None = None

    def origin(self, name: str) -> str:
        return f"http://{name}.localhost:{self.ports[name]}"

    @property
    def id_origin(self) -> str:
        return self.origin("id")

    @property
    def voting_origin(self) -> str:
        return self.origin("vote")

    @property
    def issuer_origins(self) -> list[str]:
        return [self.origin(f"issuer-{index}") for index in range(1, 5)]

    def _serve(self, module: str, name: str, *arguments: object) -> Service:
        return self.stack.enter_context(start_service(module, *arguments, "--port", self.ports[name]))

    # First act

    def begin(self) -> None:
        for index, name in enumerate(self.portraits):
            self.people[index].record["portrait"] = f"{name}.jpg"
        for name in ("idp", "registrar"):
            (self.root / name).mkdir()
            for person in set(self.portraits):
                (self.root / name / f"{person}.jpg").write_bytes(portrait(person))
            write_register(self.root / name / "register.json", self.people)
        self._make_registrar(self._init_idp())
        self._serve(
            "biometric_idp.registrar.cli", "registrar", "serve", "--config", self.root / "registrar/config.toml"
        )
        self._serve("biometric_idp.idp.cli", "id", "serve", "--config", self.root / "idp/config.toml")
        self.show_voting_host(None)

    def _init_idp(self) -> str:
        config = self.root / "idp/config.toml"
        FileMasterKey.generate(self.root / "idp/master.key")
        self._idp: dict[str, Any] = {
            "model": True,
            "host_names": ["id.localhost", "127.0.0.1"],
            "origin": self.id_origin,
            "rp_id": "id.localhost",
            "database": "idp.sqlite",
            "key": "role.key",
            "secret": "secret",
            "pages": str(self.dist / "identity"),
            "register": {"file": "register.json"},
            "enrolment": {"steps": ["document", "liveness", "face", "passkey"], "failures": 20},
            # Fewer frames than by default, because browser, matchers and all other parties share two cores here.
            "liveness": {"fixed_order": list(ORDER), "frames_per_second": 5},
            "biometrics": {"master_key": "file:master.key", "workers": 2},
        }
        write_config(config, self._idp)
        return str(run("idp", "init", "--config", config)["key"])

    def _make_registrar(self, idp_key: str) -> None:
        directory = self.root / "registrar"
        config = directory / "config.toml"
        members: dict[str, Any] = {
            "model": True,
            "host_names": ["registrar.localhost", "127.0.0.1"],
            "database": "registrar.sqlite",
            "key": "role.key",
            "secret": "secret",
            "register": {"file": "register.json"},
            "channels": {"spool": str(self.root / "spool")},
            "elections": [
                {
                    "id": ELECTION,
                    "origin": ORIGIN,
                    "identity_provider": idp_key,
                    "voting_origin": self.voting_origin,
                    "title": TITLE,
                    "model": True,
                }
            ],
        }
        write_config(config, members)
        key = run("registrar", "init", "--config", config)["key"]
        voters = directory / "voters.csv"
        voters.write_text("pin,style\n" + "".join(f"{item.pin},{item.record['unit']}\n" for item in self.people))
        election = ("--config", config, "--election", ELECTION)
        made = run("registrar", "roll", *election, "--list", voters, "--roll", self.root / "roll.bin")
        self.commitment = str(made["commitment"])
        log = NoteSigningKey(f"{ORIGIN}/enrolment", NOTE_KEY, bytes(read_role_key(self.root / "idp/role.key"))).verifier
        witnesses = [place.witness for place in start_witnesses(self.root, self.stack, [log], 2)]
        self._idp["log"] = {
            "interval": 0.3,
            "quorum": 2,
            "witnesses": [{"vkey": item.key.encode(), "url": item.url} for item in witnesses],
            "readers": {"office": sha256(READER.encode()).hexdigest()},
        }
        self._idp["elections"] = [
            {
                "id": ELECTION,
                "origin": ORIGIN,
                "voting_origin": self.voting_origin,
                "voting_rp_id": "vote.localhost",
                "registrar": {"url": f"http://127.0.0.1:{self.ports['registrar']}", "key": key},
                "title": TITLE,
                "model": True,
            }
        ]
        write_config(self.root / "idp/config.toml", self._idp)

    def show_voting_host(self, opening: dict[str, Any] | None) -> None:
        """Serve the voting host; again, with the election's files, once it is open."""
        if self._voting_host is not None:
            self._voting_host.stop()
        site = self.root / "site"
        (site / "election").mkdir(parents=True, exist_ok=True)
        description = {
            "format": "evoting-vote-page/v1",
            "origin": ORIGIN,
            "title": TITLE,
            "model": True,
            "identity": self.id_origin,
            "registrar": self.origin("registrar"),
            "opening": opening,
        }
        (site / "election/election.json").write_text(json.dumps(description))
        allowed = [self.id_origin, self.origin("registrar"), *self.issuer_origins]
        connect = [word for origin in allowed for word in ("--connect", origin)]
        self._voting_host = self._serve(
            "services.pages", "vote", self.dist / "voting", site, "--host-name", "vote.localhost", *connect
        )

    def code_for(self, person: SyntheticPerson, digest: str) -> str:
        """The code in the registrar's message about this key."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            for path in (self.root / "spool").glob("*.json"):
                message = json.loads(path.read_text())
                found = re.search(r"\b[0-9]{8}\b", message["text"].replace(digest[:8], ""))
                if message["to"] == person.record["phone"] and digest[:8] in message["text"] and found:
                    return found[0]
            time.sleep(0.05)
        raise AssertionError("no code came")

    # Second act

    def open(self, enrolled: int) -> SmallElection:
        """Open the election with the enrolment log as it is, which must have so many entries."""
        with httpx.Client(base_url=f"http://127.0.0.1:{self.ports['id']}", timeout=30) as client:
            log = f"/v1/elections/{ELECTION}/enrolment-log"
            deadline = time.monotonic() + 30
            while True:
                answer = client.get(f"{log}/checkpoint")
                if answer.status_code == 200 and answer.text.split("\n")[1] == str(enrolled):
                    break
                assert time.monotonic() < deadline, answer.text
                time.sleep(0.1)
            self.checkpoint = answer.text
            token = {"authorization": f"Bearer {READER}"}
            (self.root / "enrolment.bin").write_bytes(client.get(f"{log}/enrolment-log.bin", headers=token).content)
        election = StageElection(self.root / "election", self)
        election.setup()
        election.open()
        fingerprint = election.record.fingerprint
        election.clock = election.now()
        election.publish()
        election.write_trust_root()
        policy = self.root / "policy.json"
        began = int(str(election.record.only("opening").body["time"]))
        write_policy(policy, election.manifest, fingerprint, ORIGIN, election.record.only("enrolment"), began)
        self._publish(election)
        for index in range(1, 5):
            self._start_issuer(election, index, policy)
        run("idp", "open", "--config", self.root / "idp/config.toml", *opened(fingerprint))
        run("registrar", "open", "--config", self.root / "registrar/config.toml", *opened(fingerprint))
        self.show_voting_host({"fingerprint": fingerprint.hex(), "issuers": self.issuer_origins})
        return election

    def _publish(self, election: SmallElection) -> None:
        opening = election.record.only("opening")
        folder = self.root / "site/election"
        body: dict[str, Any] = dict(opening.body)
        keys = body["issuers"]["keys"]["hash"].hex()
        (folder / "opening.cbor").write_bytes(opening.raw)
        (folder / "manifest.cbor").write_bytes(election.manifest_bytes)
        blob = election.record_path / "blob/sha256" / keys[:2] / keys
        (folder / "keys.cbor").write_bytes(blob.read_bytes())

    def _start_issuer(self, election: SmallElection, index: int, policy: Path) -> None:
        root = self.root / f"issuer-{index}"
        root.mkdir()
        directory = IssuerDirectory(root)
        key = election.keys[f"issuer-{index}"]
        write_json(
            directory.key,
            {"format": KEY_FORMAT, "seed": bytes(key).hex(), "ledger-secret": sha256(bytes(key)).hexdigest()},
            secret=True,
        )
        completed = election.issuer_completion[index - 1]
        shares = KeyShareFile(
            ISSUERS,
            election.manifest_hash,
            sha256(completed.transcript).digest(),
            index,
            election.manifest.issuer_threshold,
            completed.key_shares,
        )
        write_atomic(directory.share, shares.encode(), secret=True)
        run(
            "issuer",
            *("open", "--dir", root, "--policy", policy, "--roll", self.root / "roll.bin"),
            *("--enrolment-log", self.root / "enrolment.bin", "--issuance-keys", self.root / "site/election/keys.cbor"),
            *("--record", election.record_path, "--trust-root", election.trust_root_path),
        )
        config = root / "issuer.toml"
        write_config(
            config,
            {
                "directory": ".",
                "host_names": [f"issuer-{index}.localhost", "127.0.0.1"],
                "checkpoint_seconds": 0.5,
                "tree_seconds": 1.0,
                "threads": 1,
            },
        )
        self._serve("biometric_idp.issuer.cli", f"issuer-{index}", "serve", "--config", config)


def opened(fingerprint: bytes) -> tuple[object, ...]:
    return ("--election", ELECTION, "--fingerprint", fingerprint.hex())
