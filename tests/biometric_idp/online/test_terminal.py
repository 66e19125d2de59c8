"""Terminal voters without a passkey, from two officers at a desk to a credential that is counted apart (attack C16)."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, text

from biometric_idp.client.connection import Connection, ServiceRefused
from biometric_idp.client.issuance import challenge_of, new_wallet
from biometric_idp.client.obtain import Issuers
from biometric_idp.client.terminal import ask_terminal_ticket, obtain_at_terminal
from biometric_idp.client.wallet import StoredWallet, WalletFile
from biometric_idp.enrolment.passkey import Es256Passkey, Passkey, make_assertion
from biometric_idp.request import Assertion
from tests.biometric_idp.online.election import SmallElection, small_election
from tests.biometric_idp.online.parties import VOTING

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def election(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallElection]:
    with small_election(tmp_path_factory.mktemp("terminal"), (3, 2), abstainers=2) as made:
        yield made


@pytest.fixture
def provider(election: SmallElection) -> Iterator[Connection]:
    with Connection(election.settings().provider) as connection:
        yield connection


def place_of(election: SmallElection, index: int) -> tuple[int, str]:
    """Position and style of a person, as the registrar's clerk at the desk would look it up."""
    engine = create_engine(f"sqlite:///{election.parties.registrar_config.parent}/registrar.sqlite")
    with engine.connect() as connection:
        row = connection.execute(
            text("SELECT position, style FROM roll WHERE pin = :pin"), {"pin": election.parties.people[index].pin}
        ).one()
    engine.dispose()
    return int(row[0]), str(row[1])


def wallet_of(election: SmallElection, path: Path, index: int) -> tuple[WalletFile, StoredWallet]:
    world = election.world
    position, style = place_of(election, index)
    file = WalletFile(path / f"{index}.wallet", bytes(32), os.urandom)
    drawn = new_wallet(world.group, world.pairing, world.fingerprint, style, position, os.urandom)
    return file, file.create(drawn)


def signed(officers: Sequence[Passkey], challenge: bytes) -> list[Assertion]:
    return [make_assertion(officer, VOTING, challenge) for officer in officers]


def test_two_officers_obtain_a_credential_that_is_counted_apart(
    election: SmallElection, provider: Connection, tmp_path: Path
) -> None:
    world, person = election.world, election.parties.people[-1]
    file, stored = wallet_of(election, tmp_path, -1)
    connections = {index: Connection(service.url) for index, service in enumerate(election.issuers, start=1)}
    issuers = Issuers(world.group, world.pairing, world.keys, world.threshold, connections, os.urandom)
    done = obtain_at_terminal(
        issuers, provider, VOTING.origin, file, stored, person.pin, person.mrz, lambda c: signed(world.officers, c)
    )
    assert done.wallet.credential is not None
    assert file.load().wallet.credential == done.wallet.credential
    for connection in connections.values():
        connection.close()
    style = stored.wallet.style
    deadline = time.monotonic() + 20
    while True:
        styles = httpx.get(f"{election.issuers[0].url}/v1/ledger/counts").json()
        found = [item for item in styles.get("issued", []) if item["style"] == style]
        if found and found[0]["terminal"] == 1:
            break
        assert time.monotonic() < deadline, styles
        time.sleep(0.2)


def test_C16_one_officer_the_same_twice_a_stranger_or_another_request_get_no_ticket(
    election: SmallElection, provider: Connection, tmp_path: Path
) -> None:
    world, person = election.world, election.parties.people[-2]
    _, stored = wallet_of(election, tmp_path, -2)
    first, second = world.officers
    hash_ = challenge_of(stored, b"")
    stranger = Es256Passkey(bytes(32), b"stranger")
    defects = {
        "the same officer twice": signed([first, first], hash_),
        "a stranger": signed([first, stranger], hash_),
        "another request": signed([first, second], bytes(32)),
        "one of them another request": [*signed([first], hash_), *signed([second], bytes(32))],
    }
    for name, assertions in defects.items():
        with pytest.raises(ServiceRefused) as refused:
            ask_terminal_ticket(provider, VOTING.origin, stored, person.pin, person.mrz, assertions)
        assert refused.value.code == "officers-refused", name
    with pytest.raises(ServiceRefused) as refused:
        ask_terminal_ticket(provider, VOTING.origin, stored, person.pin, person.mrz, signed([first], hash_))
    assert refused.value.code == "malformed-request"


def test_officers_get_no_ticket_for_somebody_elses_position_document_or_for_a_voter_with_a_passkey(
    election: SmallElection, provider: Connection, tmp_path: Path
) -> None:
    world, people = election.world, election.parties.people
    enrolled, absent = people[0], people[-2]

    def ask(index: int, pin: str, mrz: Sequence[str]) -> str:
        own = tmp_path / str(time.monotonic_ns())
        own.mkdir()
        _, stored = wallet_of(election, own, index)
        assertions = signed(world.officers, challenge_of(stored, b""))
        with pytest.raises(ServiceRefused) as refused:
            ask_terminal_ticket(provider, VOTING.origin, stored, pin, mrz, assertions)
        return refused.value.code

    assert ask(0, enrolled.pin, enrolled.mrz) == "terminal-has-passkey"
    assert ask(0, absent.pin, absent.mrz) == "not-your-request"
    assert ask(-2, absent.pin, enrolled.mrz) == "identity-not-confirmed"
