"""C14 against processes of an issuer: an identity provider that acts alone opens no election and gets no credential."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from biometric_idp.client.wallet import StoredWallet
from biometric_idp.enrolment.log import encode_enrolments, encode_entry, sign_enrolments
from biometric_idp.enrolment.passkey import Ed25519Passkey, make_assertion
from biometric_idp.idp.ticket import sign_tickets
from biometric_idp.issuer.keys import IssuerDirectory
from biometric_idp.request import Refusal, Request, request_hash
from crypto import cbor
from tests.biometric_idp.issuer_service.places import (
    TOOL,
    IssuerPlace,
    answer_of,
    ask,
    code_of,
    make_directory,
    opening_arguments,
    write_config,
)
from tests.biometric_idp.world import ORIGIN, PARTY, World, key, passkey
from tests.support.running import Service, run_tool

pytestmark = pytest.mark.slow

DAY = 86_400
#: Has a style and no passkey: an abstainer.
ABSTAINER = 4
OWN = passkey("of the identity provider")


def run_open(world: World, directory: IssuerDirectory, entries: Sequence[bytes]) -> subprocess.CompletedProcess[str]:
    """``evoting-issuer open`` with a log whose checkpoint the identity provider signed."""
    place = world.directory / "issuer-1"
    return run_tool(TOOL, "--threads", "1", "open", "--dir", place, *opening_arguments(world, entries))


def forged_entries(world: World) -> dict[str, bytes]:
    """Entries with the identity provider's own key, which the registrar never saw."""
    own = world.enrolment(ABSTAINER, OWN)
    body = encode_enrolments([own])
    signature = sign_enrolments(world.idp, ORIGIN, body)
    honest = cbor.decode(world.entries[0])
    assert isinstance(honest, dict)
    return {
        "by itself": world.enrolment_entry([own], registrar=world.idp),
        "by somebody else": world.enrolment_entry([own], registrar=key("somebody else")),
        "empty": encode_entry(body, signature, bytes(64)),
        "none": cbor.encode({"body": body, "identity-provider": signature}),
        "of an honest entry": encode_entry(body, signature, honest["registrar"]),
    }


def test_C14_an_enrolment_log_with_a_key_that_the_registrar_did_not_sign_opens_no_issuer(election: World) -> None:
    directory = make_directory(election, 1)
    for name, forged in forged_entries(election).items():
        for entries in ([*election.entries, forged], [forged, *election.entries]):
            done = run_open(election, directory, entries)
            assert done.returncode == 2, name
            (line,) = done.stderr.strip().splitlines()
            assert "enrolment log entry" in line, (name, line)
            assert name == "none" or "signature of registrar" in line, (name, line)
            assert not directory.policy.exists()
            assert not directory.roll.exists()
            assert not Path(str(directory.database)).exists()
    assert run_open(election, directory, election.entries).returncode == 0


@pytest.fixture(name="service")
def fixture_service(election: World) -> Iterator[Service]:
    """Issuer 1, opened by its own command with the honest log."""
    directory = make_directory(election, 1)
    done = run_open(election, directory, election.entries)
    assert done.returncode == 0, done.stderr
    config = election.directory / "issuer-1" / "issuer.toml"
    write_config(config, None)
    place = IssuerPlace(election, 1, directory, config)
    yield place.start()
    place.stop()


def with_ticket(world: World, stored: StoredWallet, own: Ed25519Passkey, hash_: bytes | None = None) -> Request:
    """All that an identity provider can make alone: its own passkey, and a ticket for what it asks."""
    asked = world.hash_of(stored, own.public.credential)
    assertion = make_assertion(own, PARTY, asked if hash_ is None else hash_)
    return world.request_with(stored, own.public.credential, [assertion])


def test_C14_a_key_that_is_not_in_the_log_gets_no_credential(election: World, service: Service) -> None:
    enrolled = election.passkeys[0].public
    seed = sha256(b"identity provider").digest()
    attempts = {
        # For somebody who never came, and for somebody who has a passkey of their own.
        "abstainer": (with_ticket(election, election.wallet(ABSTAINER), Ed25519Passkey(seed, b"own id")), "enrolment"),
        "another id": (with_ticket(election, election.wallet(0), Ed25519Passkey(seed, b"own id")), "enrolment"),
        "same id": (with_ticket(election, election.wallet(0), Ed25519Passkey(seed, enrolled.credential)), "assertion"),
    }
    for name, (request, code) in attempts.items():
        answer = answer_of(ask(service, request.encode()))
        assert isinstance(answer, Refusal), name
        assert answer.code == code, name
        assert answer.holds(election.fingerprint, bytes(election.signing[0].verify_key)), name
    with election.store(1).snapshot() as ledger:
        assert ledger.size == 0
    assert code_of(answer_of(ask(service, election.request(election.wallet(0)).encode()))) is None


Old = Callable[[World, StoredWallet], Request]


def _earlier_request(world: World, stored: StoredWallet) -> Request:
    """The assertion that the voter made for an earlier wallet, with a fresh ticket for this one."""
    earlier = world.request(world.wallet(stored.wallet.position))
    return replace(world.request(stored), assertions=earlier.assertions)


def _earlier_election(world: World, stored: StoredWallet) -> Request:
    """The assertion over all the same, but in an election before: same passkey, voting host, position, point."""
    own, wallet = world.passkeys[stored.wallet.position], stored.wallet
    before = sha256(b"the election before").digest()
    hash_ = request_hash(before, wallet.style, wallet.position, own.public.credential, wallet.blinded)
    return replace(world.request(stored), assertions=(make_assertion(own, PARTY, hash_),))


def _whole_earlier_election(world: World, stored: StoredWallet) -> Request:
    """A request that was answered in the election before, byte for byte, ticket and all."""
    own, wallet = world.passkeys[stored.wallet.position], stored.wallet
    before = sha256(b"the election before").digest()
    hash_ = request_hash(before, wallet.style, wallet.position, own.public.credential, wallet.blinded)
    ticket = sign_tickets(world.idp, before, [hash_], int(time.time()) // DAY)[0]
    return replace(_earlier_election(world, stored), ticket=ticket)


def _sign_in(world: World, stored: StoredWallet) -> Request:
    """An assertion over a challenge of 32 random bytes, as a sign-in has."""
    own = world.passkeys[stored.wallet.position]
    return replace(world.request(stored), assertions=(make_assertion(own, PARTY, sha256(b"sign-in").digest()),))


def _without_the_point(world: World, stored: StoredWallet) -> Request:
    """Signed for this voter and election, the blinded point swapped for the identity provider's."""
    mine = world.wallet(stored.wallet.position)
    honest = world.request(stored)
    hash_ = world.hash_of(mine, honest.credential)
    ticket = sign_tickets(world.idp, world.fingerprint, [hash_], int(time.time()) // DAY)[0]
    return replace(honest, blinded=mine.wallet.blinded, ticket=ticket)


@pytest.mark.parametrize(
    "old", [_earlier_request, _earlier_election, _whole_earlier_election, _sign_in, _without_the_point]
)
def test_C14_an_old_assertion_is_refused_whatever_the_identity_provider_signs(
    election: World, service: Service, old: Old
) -> None:
    for position in (0, 1):
        answer = answer_of(ask(service, old(election, election.wallet(position)).encode()))
        assert isinstance(answer, Refusal)
        assert answer.code == "challenge"
        assert answer.holds(election.fingerprint, bytes(election.signing[0].verify_key))
    with election.store(1).snapshot() as ledger:
        assert ledger.size == 0
