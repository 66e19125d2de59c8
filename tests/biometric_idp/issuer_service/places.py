"""Issuers of the small election as processes: their directories, configurations, and clients that ask them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import httpx

from biometric_idp.files import frame_item, write_atomic, write_json
from biometric_idp.issuer.keys import KEY_FORMAT, IssuerDirectory
from biometric_idp.issuer.office import ENROLMENT_LINE
from biometric_idp.logs.witnesses import Witness
from biometric_idp.policy import write_policy
from biometric_idp.registrar.roll import write_roll
from biometric_idp.request import Answer, Refusal, decode_answer
from crypto.dkg.files import KeyShareFile
from crypto.dkg.parameters import ISSUERS
from crypto.dkg.participant import KeyShare
from tests.biometric_idp.world import World
from tests.support.running import Service, start_service

TOOL = "biometric_idp.issuer.cli"
AUDITOR_TOKEN = "an auditor's token of enough length"


@dataclass
class IssuerPlace:
    """The directory of one issuer, and its processes while they run."""

    world: World
    index: int
    directory: IssuerDirectory
    config: Path
    services: list[Service] = field(default_factory=list)

    def start(self, module: str = TOOL, *arguments: object) -> Service:
        """Another process of this issuer, or of a module that stands in for it."""
        service = start_service(module, *(arguments or ("serve", "--config", self.config)))
        self.services.append(service)
        return service

    def stop(self) -> None:
        for service in self.services:
            service.end()
        self.services.clear()


def make_directory(world: World, index: int) -> IssuerDirectory:
    """What key generation and ceremony leave: key and key share, and no election yet."""
    root = world.directory / f"issuer-{index}"
    root.mkdir()
    directory = IssuerDirectory(root, world.databases.get(index))
    seed = sha256(f"issuer {index}".encode()).digest()
    write_json(
        directory.key,
        {"format": KEY_FORMAT, "seed": seed.hex(), "ledger-secret": sha256(seed).hexdigest()},
        secret=True,
    )
    keys = {style.style: style for style in world.keys.styles}
    shares = [
        KeyShare(style, index, secret.to_bytes(32, "big"), keys[style].shares[index - 1], keys[style].key)
        for style, secret in world.shares[index].items()
    ]
    file = KeyShareFile(ISSUERS, bytes(32), bytes(32), index, world.threshold, tuple(shares))
    write_atomic(directory.share, file.encode(), secret=True)
    return directory


def opening_arguments(world: World, entries: Sequence[bytes]) -> list[str]:
    """Files as issuers get them from the office, the registrar and the identity provider, for ``open``."""
    files = world.directory / "from-the-office"
    files.mkdir(exist_ok=True)
    write_policy(files / "policy.json", world.make_policy(entries))
    write_roll(files / "roll.bin", world.roll)
    write_atomic(files / "log.bin", [ENROLMENT_LINE, *[frame_item(entry) for entry in entries]])
    (files / "keys.cbor").write_bytes(world.keys.encode())
    names = {"policy": "policy.json", "roll": "roll.bin", "enrolment-log": "log.bin", "issuance-keys": "keys.cbor"}
    return [word for name, file in names.items() for word in (f"--{name}", str(files / file))]


def make_place(world: World, index: int, **settings: object) -> IssuerPlace:
    """Everything that ``evoting-issuer open`` would have left, and a configuration."""
    database = world.databases.get(index)
    directory = make_directory(world, index)
    write_policy(directory.policy, world.policy)
    write_roll(directory.roll, world.roll)
    world.databases.setdefault(index, str(directory.database))
    world.database(index)
    config = world.directory / f"issuer-{index}" / "issuer.toml"
    write_config(config, database, **settings)
    return IssuerPlace(world, index, directory, config)


def write_config(path: Path, database: str | None, **settings: object) -> None:
    """A configuration as an operator writes it; settings replace those that tests like."""
    witnesses = settings.pop("witnesses", ())
    assert isinstance(witnesses, Sequence)
    values: dict[str, object] = {
        "directory": ".",
        "host_names": ["127.0.0.1", "issuer.localhost"],
        "checkpoint_seconds": 0.2,
        "tree_seconds": 0.3,
        "threads": 1,
        **({} if database is None else {"database": database}),
        **settings,
    }
    # JSON's strings, numbers and lists are TOML's.
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    for witness in witnesses:
        assert isinstance(witness, Witness)
        lines += ["[[witnesses]]", f'vkey = "{witness.key.encode()}"', f'url = "{witness.url}"']
    digest = sha256(AUDITOR_TOKEN.encode()).hexdigest()
    lines += ["[[auditors]]", 'name = "court"', f'token_sha256 = "{digest}"']
    path.write_text("\n".join(lines) + "\n")


def ask(service: Service, request: bytes, **headers: str) -> httpx.Response:
    """One request for a credential."""
    content = {"content-type": "application/cbor", **headers}
    return httpx.post(f"{service.url}/v1/issuances", content=request, headers=content, timeout=60)


def answer_of(response: httpx.Response) -> Answer | Refusal:
    assert response.headers["content-type"] == "application/cbor", response.text
    answer = decode_answer(response.content)
    if isinstance(answer, Refusal):
        assert response.headers["evoting-refusal"] == answer.code
        assert response.status_code == {"malformed": 400, "already-issued": 409}.get(answer.code, 403)
    else:
        assert response.status_code == 200
    return answer


def ask_many(services: Sequence[Service], requests: Sequence[bytes], workers: int = 64) -> list[Answer | Refusal]:
    """All at once, spread over the processes."""
    limits = httpx.Limits(max_connections=workers, max_keepalive_connections=workers)
    with httpx.Client(timeout=120, limits=limits) as client, ThreadPoolExecutor(workers) as pool:

        def one(pair: tuple[int, bytes]) -> Answer | Refusal:
            number, request = pair
            url = f"{services[number % len(services)].url}/v1/issuances"
            return answer_of(client.post(url, content=request, headers={"content-type": "application/cbor"}))

        return list(pool.map(one, enumerate(requests)))


def code_of(answer: Answer | Refusal) -> str | None:
    return answer.code if isinstance(answer, Refusal) else None
