"""``kill -9`` of the identity provider at random moments, while voters enrol and fetch tickets.

Every voter's device takes each step again until it is answered, as a page would. However often the process dies, in the
end every voter has one account, one voting passkey in the enrolment log at one place, and one ticket for one request.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import create_engine, text

from biometric_idp.bulk.enrol import StylePlan
from biometric_idp.bulk.people import SyntheticPerson
from biometric_idp.enrolment.log import enrolment_origin
from biometric_idp.enrolment.passkey import Ed25519Passkey
from biometric_idp.signatures import note_verifier
from crypto.log.checkpoint import Checkpoint, verify_log_signature
from crypto.log.merkle import hash_leaves, root_of_hashes
from crypto.log.note import decode_note
from tests.biometric_idp.online.parties import ELECTION, ORIGIN, Device, Parties, Refused, running

VOTERS_A_ROUND = 5
_WORKERS = 10
_STEP_SECONDS = 120.0
_PAUSE = 0.1


@dataclass
class Voted:
    """What one voter's device ends with."""

    credential: bytes
    index: int
    tickets: set[str]


@dataclass
class Outcome:
    """What the devices saw and what the database says, over all lives of the process."""

    voted: dict[str, Voted] = field(default_factory=dict)
    retries: int = 0
    failed: list[str] = field(default_factory=list)
    heads: list[Checkpoint] = field(default_factory=list)
    doubles: list[str] = field(default_factory=list)
    untrue: list[str] = field(default_factory=list)


class Walk:
    """One voter's whole way, each step again until it is answered."""

    def __init__(self, parties: Parties, person: SyntheticPerson) -> None:
        self._parties = parties
        self._device = Device(parties, person)
        self.retries = 0

    def _until(self, step: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + _STEP_SECONDS
        lost = False
        while True:
            try:
                answer = step()
            except httpx.TransportError:
                lost = True
            except Refused as refused:
                # The service says itself that it cannot now.
                if refused.status != 503:
                    raise
                lost = True
            else:
                self.retries += lost
                return answer
            if time.monotonic() > deadline:
                raise TimeoutError("a step was never answered")
            time.sleep(_PAUSE)

    def run(self) -> Voted:
        device, until = self._device, self._until
        try:
            until(device.start)
            made = until(device.registration)
            body = {"credential": made}
            assert until(lambda: device.post("/v1/enrolments/passkey", body, device.session)) == {"account": "active"}
            until(device.sign_in)
            until(device.handoff)
            registration = until(device.voting_registration)

            def register() -> dict[str, Any]:
                return device.post("/v1/voting/passkey", registration, device.voting_session, key="registration")

            pending = until(register)
            until(lambda: device.confirm(pending["enrolment"]))
            place = until(lambda: device.complete(pending["enrolment"]))
            assert place["state"] == "logged"
            self._try_a_second_passkey()
            until(lambda: device.handoff("ticket"))
            blinded = os.urandom(48)
            tickets = {until(lambda: device.ticket(place, blinded, key="the ticket"))["ticket"] for _ in range(2)}
            return Voted(device.voting_key.public.credential, place["index"], tickets)
        finally:
            device.close()

    def _try_a_second_passkey(self) -> None:
        """Another voting passkey of the same voter is for the registrar's desk."""
        device, seed = self._device, os.urandom(32)
        other = Ed25519Passkey(seed, sha256(seed).digest()[:16])
        registration = self._until(lambda: device.voting_registration(passkey=other))

        def register() -> dict[str, Any]:
            return device.post("/v1/voting/passkey", registration, device.voting_session, key="a second passkey")

        try:
            self._until(register)
            code = "none, the passkey was taken"
        except Refused as refused:
            code = refused.code
        if code != "change-in-person":
            raise AssertionError(f"answer to a second passkey: {code}")


def _watch(parties: Parties, outcome: Outcome, stop: threading.Event) -> None:
    """Somebody who keeps every checkpoint of the enrolment log."""
    key = note_verifier(parties.keys["idp"], enrolment_origin(ORIGIN))
    path = f"/v1/elections/{ELECTION}/enrolment-log/checkpoint"
    with httpx.Client(base_url=f"http://127.0.0.1:{parties.idp.port}", timeout=5, trust_env=False) as client:
        while not stop.wait(0.05):
            try:
                response = client.get(path)
            except httpx.TransportError:
                continue
            if response.status_code == 200:
                outcome.heads.append(verify_log_signature(decode_note(response.content), key))


def run(
    directory: Path,
    rounds: int,
    databases: Mapping[str, str],
    seed: int,
    progress: Callable[[int], None] = lambda _: None,
) -> Outcome:
    """So many kills, each with new voters at work and those who are not done yet.

    Args:
        databases: addresses by ``idp`` and ``registrar``; SQLite where there is none.
    """
    rng, outcome = random.Random(seed), Outcome()
    plans = (StylePlan("north", VOTERS_A_ROUND * rounds, 0),)
    chosen = {f"{name}_database": url for name, url in databases.items()}
    with running(directory, plans=plans, **chosen) as parties:
        stop = threading.Event()
        watcher = threading.Thread(target=_watch, args=(parties, outcome, stop))
        watcher.start()

        def walk(person: SyntheticPerson) -> None:
            way = Walk(parties, person)
            try:
                outcome.voted[person.pin] = way.run()
            except Exception as error:  # noqa: BLE001  (a voter who does not come through is what is looked for)
                outcome.failed.append(f"{type(error).__name__}: {error}")
            outcome.retries += way.retries

        try:
            with ThreadPoolExecutor(_WORKERS) as pool:
                for number in range(rounds):
                    start = VOTERS_A_ROUND * number
                    for person in parties.people[start : start + VOTERS_A_ROUND]:
                        pool.submit(walk, person)
                    time.sleep(rng.uniform(0, 1.0))
                    assert parties.idp.process is not None
                    parties.idp.process.kill()
                    parties.idp.process.wait()
                    parties.idp.start()
                    progress(number + 1)
            time.sleep(1.0)
        finally:
            stop.set()
            watcher.join()
        parties.idp.stop()
        url = databases.get("idp", f"sqlite:///{directory}/idp/idp.sqlite")
        _judge(url, outcome)
    return outcome


def _judge(url: str, outcome: Outcome) -> None:
    """Hold the devices' memories against the database."""
    engine = create_engine(url)
    with engine.connect() as db:
        entries = [bytes(row[0]) for row in db.execute(text("SELECT entry FROM log_entry ORDER BY position"))]
        for pin, voted in outcome.voted.items():
            accounts = list(db.execute(text("SELECT id FROM account WHERE pin = :pin"), {"pin": pin}))
            passkeys = [
                row
                for account in accounts
                for row in db.execute(
                    text("SELECT state, entry FROM voting_passkey WHERE account = :id AND state = 'logged'"),
                    {"id": account[0]},
                )
            ]
            found = [index for index, entry in enumerate(entries) if voted.credential in entry]
            if len(accounts) != 1 or len(passkeys) != 1 or len(found) != 1 or len(voted.tickets) != 1:
                outcome.doubles.append(
                    f"{len(accounts)} accounts, {len(passkeys)} passkeys, {len(found)} entries, "
                    f"{len(voted.tickets)} tickets"
                )
            elif found != [voted.index]:
                outcome.untrue.append(f"acknowledged entry {voted.index} is at {found[0]}")
        if len(entries) != len(outcome.voted):
            outcome.untrue.append(f"{len(entries)} log entries of {len(outcome.voted)} voters")
        leaves = hash_leaves(entries)
        for head in outcome.heads:
            if head.size > len(entries) or head.root != root_of_hashes(leaves[: 32 * head.size]):
                outcome.untrue.append(f"the checkpoint of size {head.size} is no prefix of the log")
    engine.dispose()
