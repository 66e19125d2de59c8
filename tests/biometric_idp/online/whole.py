"""A whole small election of processes: identity provider, registrar, and issuers that took in their log and roll."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from biometric_idp.bulk.enrol import StylePlan
from biometric_idp.client.connection import Connection
from biometric_idp.client.issuance import new_wallet
from biometric_idp.client.obtain import Issuers
from biometric_idp.client.wallet import StoredWallet, WalletFile
from biometric_idp.enrolment.log import EnrolmentSource
from biometric_idp.issuer.checks import DAY
from biometric_idp.issuer.office import read_enrolment_entries
from biometric_idp.policy import sign_officer_passkey
from biometric_idp.registrar.roll import read_roll
from biometric_idp.role_key import read_role_key
from tests.biometric_idp.issuer_service.places import IssuerPlace, make_place
from tests.biometric_idp.online.parties import (
    ELECTION,
    FINGERPRINT,
    ORIGIN,
    TITLE,
    VOTING,
    Device,
    Parties,
    officer,
    officer_config,
    run,
    running,
)
from tests.biometric_idp.world import World, key

#: Styles that ``World`` has issuance keys for.
PLANS = (StylePlan("abroad", 5, 0), StylePlan("bishkek", 3, 0))
OTHER_ORIGIN, OTHER_FINGERPRINT = "vote.example/other", bytes(range(32))


def terminal_officer(number: int, fingerprint: bytes = FINGERPRINT) -> dict[str, object]:
    """An officer in the identity provider's configuration, with the signature of the role."""
    role = key(f"officer {number}")
    signed = sign_officer_passkey(role, fingerprint, f"officer-{number}", officer(number).public)
    return {
        **officer_config(number),
        "role_key": bytes(role.verify_key).hex(),
        "signature": signed.signature.hex(),
    }


def with_officers(members: dict[str, Any]) -> None:
    """Officers 1 and 2 in this election, 5 and 6 with authenticators that count; 3 and 4 in another election."""
    first = members["elections"][0]
    first["officers"] = [terminal_officer(number) for number in (1, 2, 5, 6)]
    other = {"id": "other", "origin": OTHER_ORIGIN, "title": TITLE}
    officers = [terminal_officer(number, OTHER_FINGERPRINT) for number in (3, 4)]
    members["elections"].append({**first, **other, "officers": officers})


@dataclass
class Whole:
    """Everything that runs, and a device that has a passkey in the log."""

    parties: Parties
    enrolled: Device
    world: World
    issuers: list[IssuerPlace] = field(default_factory=list)

    @property
    def provider(self) -> Connection:
        port = self.parties.idp.port
        return Connection(f"http://127.0.0.1:{port}", host=f"id.localhost:{port}", tries=1)

    def device_side(self) -> Issuers:
        connections = {place.index: Connection(place.services[0].url, tries=1) for place in self.issuers}
        world = self.world
        return Issuers(world.group, world.pairing, world.keys, world.threshold, connections, os.urandom)

    def wallet(self, name: str, position: int, style: str) -> tuple[WalletFile, StoredWallet]:
        file = WalletFile(self.parties.directory / f"wallet-{name}", bytes(32), os.urandom)
        drawn = new_wallet(self.world.group, self.world.pairing, FINGERPRINT, style, position, os.urandom)
        return file, file.create(drawn)

    def counts(self, index: int, size: int) -> dict[str, dict[str, int]]:
        """``/v1/ledger/counts`` of an issuer by style, once the checkpoint has this size."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            answer = httpx.get(f"{self.issuers[index - 1].services[0].url}/v1/ledger/counts")
            if answer.status_code == 200 and answer.json()["size"] >= size:
                return {item["style"]: item for item in answer.json()["issued"]}
            time.sleep(0.05)
        raise AssertionError("no checkpoint of this size")


def issuers_of(parties: Parties, now: int) -> World:
    """What issuers took in of a running identity provider and registrar: keys, roll, log."""
    directory = parties.directory
    election = ("--config", parties.idp_config, "--election", ELECTION)
    run("idp", "export-enrolments", *election, "--out", directory / "log.bin")
    note = httpx.get(
        f"http://127.0.0.1:{parties.idp.port}/v1/elections/{ELECTION}/enrolment-log/checkpoint",
        headers={"host": f"id.localhost:{parties.idp.port}"},
    )
    roles = {name: read_role_key(directory / name / "role.key") for name in ("idp", "registrar")}
    (directory / "issuers").mkdir()
    world = World(directory / "issuers", idp=roles["idp"], registrar=roles["registrar"], now=now)
    world.roll = read_roll(directory / "roll.bin")
    world.entries = list(read_enrolment_entries(directory / "log.bin"))
    source = EnrolmentSource(
        ORIGIN, bytes(roles["idp"].verify_key), bytes(roles["registrar"].verify_key), note.text, now
    )
    officers = [
        sign_officer_passkey(key(f"officer {number}"), FINGERPRINT, f"officer-{number}", officer(number).public)
        for number in (1, 2)
    ]
    world.policy = replace(
        world.policy,
        fingerprint=FINGERPRINT,
        origin=ORIGIN,
        party=VOTING,
        opens=now - DAY,
        closes=now + DAY,
        styles=tuple(world.roll.sizes()),
        officers=tuple(officers),
        enrolment=source,
    )
    return world


@contextmanager
def whole_election(directory: Path, *, issuers: Sequence[int] = (1, 2, 3, 4)) -> Iterator[Whole]:
    """All parties as processes; the first person of the register has a voting passkey in the log."""
    with running(directory, change_idp=with_officers, plans=PLANS) as parties:
        run(
            "idp", "open", "--config", parties.idp_config, "--election", "other",
            "--fingerprint", OTHER_FINGERPRINT.hex(),
        )  # fmt: skip
        device = Device(parties, parties.people[0])
        device.enrol()
        device.vote_ready()
        time.sleep(1.1)  # The log's times are in whole seconds, and none may be after the checkpoint's.
        whole = Whole(parties, device, issuers_of(parties, int(time.time())))
        try:
            for index in issuers:
                place = make_place(whole.world, index)
                whole.issuers.append(place)
                place.start()
            yield whole
        finally:
            for place in whole.issuers:
                place.stop()
            whole.world.close()
            device.close()
