"""C11 and C12 over a whole small election: what all parties together keep, and what a citizen may ask.

What a ballot will show is pseudonym and credential. Neither, nor anything that leads to them, may be with any party of
enrolment and issuance; and what the parties keep about a request must not say when on its day it was made.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from biometric_idp.bulk.online import read_devices
from biometric_idp.bulk.voters import read_wallets
from biometric_idp.client.connection import Connection
from biometric_idp.client.issuance import new_wallet, pseudonym_of
from biometric_idp.client.voter import Voter
from biometric_idp.client.wallet import WalletFile
from biometric_idp.issuer.ledger import PositionProof, verify_position
from biometric_idp.issuer.position_tree import TreeStatement
from crypto.blind_bls import encode_message, hash_credential_message
from crypto.errors import CryptoError
from tests.biometric_idp.issuer_service.places import AUDITOR_TOKEN
from tests.biometric_idp.online.election import SmallElection, small_election
from tests.biometric_idp.online.everything import Row, as_bytes, checkpoint_sqlite, files_of, holds, readings, rows_of
from tests.biometric_idp.online.parties import ORIGIN, READER, VOTING

pytestmark = pytest.mark.slow
DAY = 86_400


@dataclass
class Wake:
    """An election after issuance, and all that its parties have kept.

    Attributes:
        blinded: by position, as the voter's device sent it.
        secrets: what only the device may know, by what it is.
        issued: seconds between which everything was issued.
        before: when issuance had not begun yet, so that rows of the enrolment can be told from it.
    """

    election: SmallElection
    rows: list[Row]
    files: dict[str, bytes]
    logs: dict[str, str]
    blinded: dict[int, bytes]
    secrets: dict[str, bytes]
    issued: tuple[float, float]


def _prepare(election: SmallElection) -> tuple[dict[int, bytes], dict[str, bytes]]:
    """Every device's wallet, drawn here so that its blinding is known; a finished wallet has none any more."""
    world, blinded, secrets = election.world, dict[int, bytes](), dict[str, bytes]()
    devices = read_devices(election.voters / "people.json")
    lines = [json.loads(line) for line in (election.voters / "journal.jsonl").read_text().splitlines()]
    places = {item["device"]: item["value"] for item in lines if item["what"] == "place"}
    sealed = election.voters / "sealed"
    sealed.mkdir(mode=0o700)
    for number, (position, style) in places.items():
        wallet = new_wallet(world.group, world.pairing, world.fingerprint, style, position, os.urandom)
        WalletFile(sealed / f"{number:07d}.wallet", devices[number].seed, os.urandom).create(wallet)
        assert wallet.blinding is not None
        blinded[position] = wallet.blinded
        secrets[f"blinding {number}"] = wallet.blinding.to_bytes(32, "big")
        secrets[f"blinding {number}, little endian"] = wallet.blinding.to_bytes(32, "little")
        secrets[f"pseudonym {number}"] = pseudonym_of(world.group, wallet)
        message = encode_message(world.fingerprint, style, pseudonym_of(world.group, wallet))
        secrets[f"message {number}"] = sha256(message).digest()
        secrets[f"hashed message {number}"] = hash_credential_message(world.pairing, [message]).encode()
    return blinded, secrets


@pytest.fixture(name="wake", scope="module", params=["sqlite", "postgresql"])
def fixture_wake(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wake]:
    directory = tmp_path_factory.mktemp("election")
    urls = {
        "idp": f"sqlite:///{directory}/parties/idp/idp.sqlite",
        "registrar": f"sqlite:///{directory}/parties/registrar/registrar.sqlite",
        **{str(index): f"sqlite:///{directory}/issuers/issuer-{index}/ledger.sqlite" for index in range(1, 5)},
    }
    databases: dict[str, str] = {}
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        urls = databases = {name: server.database() for name in urls}
    with small_election(directory, databases=databases, checkpoint_seconds=0.2, tree_seconds=0.2) as election:
        blinded, secrets = _prepare(election)
        # Whole seconds of issuance must be other ones than those of enrolment.
        time.sleep(2.1)
        began = time.time()
        election.issue()
        ended = time.time()
        # Checkpoints, trees and sealed audit events follow.
        time.sleep(2.5)
        for number, row in enumerate(
            read_wallets(election.voters / "wallets/00000.bin", election.world.fingerprint).rows
        ):
            secrets[f"secret {number}"] = bytes(row["secret"])
            secrets[f"credential {number}"] = bytes(row["credential"])
        for number, device in enumerate(read_devices(election.voters / "people.json")):
            secrets[f"wallet key {number}"] = device.seed
        parts = ("parties", "issuers")
        for part in parts:
            checkpoint_sqlite(directory / part)
        services = {f"issuer-{index}": item.errors for index, item in enumerate(election.issuers, start=1)}
        logs = {name: path.read_text() for name, path in services.items()}
        logs |= {name: (directory / f"parties/{name}.log").read_text() for name in ("idp", "registrar")}
        files = {name: data for part in parts for name, data in files_of(directory / part)}
        files |= {name: text.encode() for name, text in logs.items()}
        rows = [row for name, url in urls.items() for row in rows_of(name, url)]
        yield Wake(election, rows, files, logs, blinded, secrets, (began, ended))


def test_C11_nothing_that_a_ballot_shows_is_with_any_party(wake: Wake) -> None:
    haystack = [reading for data in wake.files.values() for reading in readings(data)]
    haystack += [
        reading for row in wake.rows for value in row.members.values() for reading in readings(as_bytes(value))
    ]
    # The search finds what it should: what devices did send is there.
    assert all(holds(haystack, point) for point in wake.blinded.values())
    assert holds(haystack, wake.election.parties.people[0].pin.encode())
    assert len(wake.secrets) == 8 * len(wake.blinded)
    found = [name for name, value in wake.secrets.items() if holds(haystack, value)]
    assert found == []


def test_C11_issuers_know_positions_and_no_person(wake: Wake) -> None:
    """Joined with the registrar's roll a position is a person; an issuer alone has no name, PIN or telephone."""
    people = wake.election.parties.people
    told = [
        item for person in people for item in (person.pin, str(person.record["phone"]), str(person.record["surname"]))
    ]
    at_issuers = [data for name, data in wake.files.items() if "issuer" in Path(name).name or "/issuers/" in name]
    at_issuers += [as_bytes(value) for row in wake.rows if row.database.isdigit() for value in row.members.values()]
    assert at_issuers
    assert not [text for text in told if any(text.encode() in data for data in at_issuers)]


def _fine(value: object, issued: tuple[float, float]) -> bool:
    """Whether a number is a time within issuance, in seconds to nanoseconds, or what expires so much later."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    began, ended = issued
    return any(
        (began - 1 + later) * unit <= value <= (ended + 1 + later) * unit
        for unit in (1, 10**3, 10**6, 10**9)
        for later in (0, 120, 600, 3600, DAY, 7 * DAY)
    )


#: What the identity provider must know to the second: sessions end, limits count, and nonces of sign-in are used once.
#: ``purge`` deletes them; they name an account's sign-in, and no request for a credential.
SESSIONS = {"session", "handoff", "used_challenge", "rate"}


def test_C11_no_time_finer_than_a_date_is_beside_a_position_a_ticket_or_a_request(wake: Wake) -> None:
    fine = {
        (row.database, row.table, name)
        for row in wake.rows
        for name, value in row.members.items()
        if _fine(value, wake.issued)
    }
    assert {(database, table) for database, table, _ in fine} <= {("idp", table) for table in SESSIONS}
    # The rows that are about requests exist.
    assert sum(row.table == "ledger" for row in wake.rows) == 3 * len(wake.blinded)
    events = [json.loads(row.members["event"]) for row in wake.rows if row.table == "audit_log"]
    tickets = [event for event in events if event["event"] == "ticket"]
    assert len(tickets) == len(wake.blinded)
    assert all(event.keys() == {"event", "date", "account", "election"} for event in tickets)
    assert all(event["date"] * DAY <= wake.issued[0] < (event["date"] + 2) * DAY for event in tickets)


QUIET = {
    "/v1/issuances",
    "/v1/positions",
    "/v1/voting/tickets",
    "/v1/voting/inquiries",
    "/v1/officers/places",
    "/v1/officers/tickets",
    "/v1/elections/{election}/roll/proof",
}


def test_C11_no_log_line_or_metric_beside_the_order_of_a_ledger_gives_a_request_its_time(wake: Wake) -> None:
    for name, text in wake.logs.items():
        lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        routes = [line.get("route", "") for line in lines]
        assert not QUIET & set(routes), name
        # A head of the audit log, told after each ticket, would be a line for each ticket.
        assert not [line for line in lines if line["event"] == "audit-head"], name
    parties = wake.election.parties
    ports = [service.port for service in wake.election.issuers] + [parties.idp.port, parties.registrar.port]
    for port in ports:
        httpx.get(f"http://127.0.0.1:{port}/healthz").raise_for_status()
        metrics = httpx.get(f"http://127.0.0.1:{port}/metrics").raise_for_status().text
        assert 'route="/healthz"' in metrics
        assert not [route for route in QUIET if route in metrics], port


def test_C11_logs_hold_no_pin_token_address_position_or_credential(wake: Wake) -> None:
    parties = wake.election.parties
    told = [person.pin for person in parties.people] + [str(person.record["phone"]) for person in parties.people]
    told += [READER, AUDITOR_TOKEN, "127.0.0.1", "Bearer", "authorization"]
    told += [message["text"] for message in parties.messages()]
    devices = read_devices(wake.election.voters / "people.json")
    told += [sha256(b"credential id" + device.seed).digest()[:16].hex() for device in devices]
    for name, text in wake.logs.items():
        assert not [item for item in told if item in text], name
        assert "position" not in text, name


def test_C11_the_registrar_and_the_voting_host_share_no_identifier_of_a_session(wake: Wake) -> None:
    """Only roll position and the enrolled public key are with more than one party; they are public within a roll."""
    by_party: dict[str, set[bytes]] = {}
    for row in wake.rows:
        party = "issuer" if row.database.isdigit() else row.database
        values = {as_bytes(value) for value in row.members.values() if isinstance(value, bytes | str)}
        by_party.setdefault(party, set()).update(value for value in values if len(value) >= 16)
    log = {as_bytes(row.members["entry"]) for row in wake.rows if row.table == "log_entry" and row.database == "idp"}
    for value in by_party["issuer"] & (by_party["idp"] | by_party["registrar"]):
        enrolled = any(value in entry for entry in log) or value.hex().encode() in log
        assert enrolled or value in {ORIGIN.encode(), wake.election.world.fingerprint}, value


def _citizen(wake: Wake, number: int, stack: ExitStack) -> Voter:
    election = wake.election
    settings = election.settings()
    provider = stack.enter_context(Connection(settings.provider))
    registrar = stack.enter_context(Connection(settings.registrar))
    voter = Voter(provider, registrar, settings.party, VOTING, ORIGIN)
    voter.sign_in(read_devices(election.voters / "people.json")[number].sign_in)
    return voter


def _statement(members: dict[str, Any], proof: dict[str, Any]) -> TreeStatement:
    return TreeStatement(
        proof["issuer"],
        bytes.fromhex(proof["fingerprint"]),
        members["size"],
        bytes.fromhex(members["root"]),
        members["tree-size"],
        members["time"],
        bytes.fromhex(members["signature"]),
    )


def test_C12_a_citizen_asks_every_issuer_with_an_inquiry_of_the_identity_provider(wake: Wake) -> None:
    world = wake.election.world
    with ExitStack() as stack:
        voter = _citizen(wake, 0, stack)
        place = voter.enter("ticket")
        assert place is not None
        answers: list[bool] = []
        for index, service in enumerate(wake.election.issuers, start=1):
            inquiry = voter.inquiry(world.fingerprint, index)
            proof = httpx.post(f"{service.url}/v1/positions", json={"inquiry": inquiry}).raise_for_status().json()
            statement = _statement(proof["statement"], proof)
            assert statement.holds(bytes(world.signing[index - 1].verify_key))
            value = None if proof["issued"] is None else bytes.fromhex(proof["issued"])
            path = tuple(bytes.fromhex(node) for node in proof["path"])
            checked = PositionProof(place.position, bytes.fromhex(proof["salt"]), value, path)
            verify_position(checked, world.fingerprint, statement.root, statement.tree_size)
            # The issuer cannot say the opposite under the same statement.
            lie = replace(checked, value=sha256(b"made up").digest() if value is None else None)
            with pytest.raises(CryptoError):
                verify_position(lie, world.fingerprint, statement.root, statement.tree_size)
            answers.append(value is not None)
            # The inquiry is for this issuer, and gives nobody else an answer.
            other = wake.election.issuers[index % 4]
            assert httpx.post(f"{other.url}/v1/positions", json={"inquiry": inquiry}).status_code == 403
        assert sum(answers) == world.threshold
