"""The client library among issuers that are dead, slow, absurd or malicious, all of them real processes."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from hashlib import sha256
from itertools import count
from pathlib import Path

import pytest

from biometric_idp.client.connection import Connection
from biometric_idp.client.issuance import IssuanceError, new_wallet, pseudonym_of
from biometric_idp.client.keys import IssuanceKeys, StyleKeys, load_key
from biometric_idp.client.obtain import Issuers
from biometric_idp.client.wallet import StoredWallet, WalletFile
from biometric_idp.enrolment.passkey import make_assertion
from biometric_idp.idp.ticket import sign_tickets
from biometric_idp.request import Answer, Assertion, Ticket
from crypto.blind_bls import encode_message, hash_credential_message, verify_partials
from crypto.group import BLS_ORDER
from tests.biometric_idp.issuer_service.hostile import KINDS
from tests.biometric_idp.issuer_service.places import answer_of, ask, make_place
from tests.biometric_idp.world import PARTY, World, passkey
from tests.support.running import start_service

pytestmark = pytest.mark.slow

DAY = 86_400
_NAMES = count()


class Voter:
    """One voter's device with its wallet, and the issuers at these addresses."""

    def __init__(self, world: World, position: int, urls: Sequence[str], stack: ExitStack, **options: object) -> None:
        self.world = world
        self.passkey = world.passkeys[position]
        connections = {
            index: stack.enter_context(Connection(url, tries=2, seconds=1.5, pause=lambda _: None))
            for index, url in enumerate(urls, start=1)
        }
        self.issuers = Issuers(world.group, world.pairing, world.keys, world.threshold, connections, os.urandom)
        style = world.roll.style_of(position)
        assert style is not None
        self.file = WalletFile(world.directory / f"device-{next(_NAMES)}", bytes(32), os.urandom)
        drawn = new_wallet(world.group, world.pairing, world.fingerprint, style, position, os.urandom)
        self.stored = self.file.create(drawn)

    def sign(self, challenge: bytes) -> Sequence[Assertion]:
        return [make_assertion(self.passkey, PARTY, challenge)]

    def ticket(self, stored: StoredWallet, credential: bytes) -> Ticket:
        hash_ = self.world.hash_of(stored, credential)
        return sign_tickets(self.world.idp, self.world.fingerprint, [hash_], self.world.now // DAY)[0]

    def obtain(self, order: Sequence[int] | None = None) -> StoredWallet:
        return self.issuers.obtain(
            self.file, self.stored, self.passkey.public.credential, self.sign, self.ticket, order
        )


def require_valid(world: World, stored: StoredWallet) -> None:
    """The credential verifies under the key of the opening, and is on disk."""
    wallet = stored.wallet
    assert wallet.credential is not None
    message = encode_message(world.fingerprint, wallet.style, pseudonym_of(world.group, wallet))
    hashed = hash_credential_message(world.pairing, [message])
    key = load_key(world.pairing, world.keys.of_style(wallet.style).key)
    verify_partials(world.pairing, hashed, world.pairing.g1_decode(wallet.credential), key, os.urandom)


def tagged(world: World) -> World:
    """The same election with other shares, made for one voter: all keys fit together, and none is the opening's."""
    copy = World(world.directory, world.fingerprint, now=world.now)
    generator = copy.pairing.g2_generator()
    styles: list[StyleKeys] = []
    for item in world.keys.styles:
        for shares in copy.shares.values():
            shares[item.style] = shares[item.style] * 5 % BLS_ORDER
        key = copy.pairing.g2_decode(item.key).mul([5]).encode()
        shares_keys = tuple(generator.mul([shares[item.style]]).encode() for shares in copy.shares.values())
        styles.append(StyleKeys(item.style, key, shares_keys))
    copy.keys = IssuanceKeys(tuple(styles))
    return copy


@pytest.fixture(name="tagging")
def fixture_tagging(election: World) -> Iterator[tuple[list[str], dict[int, World]]]:
    """Four issuers as processes: 1 and 3 are honest, 2 tags; 4 is honest and asked last."""
    other = tagged(election)
    places = [make_place(other if index == 2 else election, index) for index in range(1, 5)]
    try:
        yield [place.start().url for place in places], {place.index: place.world for place in places}
    finally:
        for place in places:
            place.stop()
        other.close()


def test_C4_the_client_refuses_a_tagged_partial_signature_and_asks_the_next_issuer(
    election: World, tagging: tuple[list[str], dict[int, World]]
) -> None:
    urls, worlds = tagging
    with ExitStack() as stack:
        voter = Voter(election, 0, urls, stack)
        done = voter.obtain([2, 1, 3, 4])
        require_valid(election, done)
        assert voter.file.load() == done
        # The tagging issuer did answer, with a signature of its own, and its ledger says so.
        for index, world in worlds.items():
            with world.store(index).snapshot() as ledger:
                assert list(ledger.hashes()) == [0]


def test_C4_a_tagging_majority_gets_no_voter_to_use_a_marked_credential(election: World) -> None:
    """Three colluding issuers tag alike, so that their credential verifies under a key of their own making."""
    other = tagged(election)
    places = [make_place(other if index < 4 else election, index) for index in range(1, 5)]
    try:
        urls = [place.start().url for place in places]
        with ExitStack() as stack:
            voter = Voter(election, 1, urls, stack)
            with pytest.raises(IssuanceError) as caught:
                voter.obtain()
            assert sorted(caught.value.invalid) == [1, 2, 3]
            assert voter.file.load().wallet.credential is None
            # With keys that an issuer serves, the client would have taken it: only the opening's keys protect.
            deceived = Issuers(election.group, election.pairing, other.keys, 3, voter.issuers._connections, os.urandom)
            taken = deceived.obtain(voter.file, voter.stored, voter.passkey.public.credential, voter.sign, voter.ticket)
            assert taken.wallet.credential is not None
    finally:
        for place in places:
            place.stop()
        other.close()


def closed_port() -> str:
    """An address where nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture(name="six")
def fixture_six(tmp_path: Path) -> Iterator[tuple[World, dict[int, str]]]:
    """Five issuers, of which three are real processes (2, 4, 5); three make a credential."""
    world = World(tmp_path, now=int(time.time()), issuers=5, threshold=3)
    places = {index: make_place(world, index) for index in (2, 4, 5)}
    yield world, {index: place.start().url for index, place in places.items()}
    for place in places.values():
        place.stop()
    world.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_dead_issuer_and_one_that_misbehaves_keep_nobody_from_a_credential(
    six: tuple[World, dict[int, str]], kind: str
) -> None:
    world, urls = six
    with start_service("tests.biometric_idp.issuer_service.hostile", kind) as hostile, ExitStack() as stack:
        addresses = [closed_port(), urls[2], hostile.url, urls[4], urls[5]]
        voter = Voter(world, 0, addresses, stack)
        began = time.monotonic()
        require_valid(world, voter.obtain([1, 3, 2, 4, 5]))
        # Two attempts at a time each, of a second and a half.
        assert time.monotonic() - began < 15


def test_too_few_issuers_leave_the_wallet_for_another_attempt_with_the_same_request(
    six: tuple[World, dict[int, str]],
) -> None:
    world, urls = six
    with ExitStack() as stack:
        voter = Voter(world, 1, [closed_port(), urls[2], closed_port(), urls[4], closed_port()], stack)
        with pytest.raises(IssuanceError, match="2 of 3 issuers"):
            voter.obtain()
        again = Voter(world, 1, [closed_port(), urls[2], closed_port(), urls[4], urls[5]], stack)
        again.file, again.stored = voter.file, voter.file.load()
        assert again.stored == voter.stored
        done = again.obtain()
        require_valid(world, done)
        # The issuers that had answered gave the same once more: their ledgers hold one entry.
        for index in (2, 4, 5):
            with world.store(index).snapshot() as ledger:
                assert ledger.size == 1
        assert again.issuers.obtain(again.file, done, b"", again.sign, again.ticket) == done


def test_C5_a_credential_for_another_style_or_election_is_not_to_be_had(election: World) -> None:
    """Everything is signed anew for what is asked; what the roll and the ticket say decides."""
    place = make_place(election, 1)
    (election.directory / "elsewhere").mkdir()
    elsewhere = World(election.directory / "elsewhere", sha256(b"another election").digest(), now=election.now)
    try:
        service = place.start()
        stored = election.wallet(0)
        other_style = StoredWallet(replace(stored.wallet, style="bishkek"))
        of_other_election = elsewhere.request(elsewhere.wallet(0))
        codes = [
            getattr(answer_of(ask(service, request.encode())), "code", None)
            for request in (election.request(other_style), of_other_election)
        ]
        assert codes == ["roll", "challenge"]
        # The passkey signs for this election, and the identity provider's word is for the other one.
        honest = election.request(stored)
        word = elsewhere.request_with(stored, honest.credential, []).ticket
        other_word = replace(honest, ticket=word)
        assert getattr(answer_of(ask(service, other_word.encode())), "code", None) == "ticket"
        assert isinstance(answer_of(ask(service, election.request(stored).encode())), Answer)
    finally:
        place.stop()
        elsewhere.close()


def test_C6_an_authorisation_that_is_kept_authorises_nothing_else(election: World) -> None:
    place = make_place(election, 1)
    try:
        service = place.start()
        honest = election.request(election.wallet(0))
        swapped = election.wallet(0)
        stolen = replace(honest, blinded=swapped.wallet.blinded)
        fresh = election.request_with(swapped, honest.credential, []).ticket
        attempts = {
            "the point": (stolen, "challenge"),
            "the point, with a new ticket": (replace(stolen, ticket=fresh), "challenge"),
            "the position": (replace(honest, position=2), "enrolment"),
            "the credential": (replace(honest, credential=election.passkeys[1].public.credential), "enrolment"),
        }
        for what, (request, code) in attempts.items():
            answer = answer_of(ask(service, request.encode()))
            assert getattr(answer, "code", None) == code, what
        with election.store(1).snapshot() as ledger:
            assert ledger.size == 0
        assert isinstance(answer_of(ask(service, honest.encode())), Answer)
    finally:
        place.stop()


def test_C14_the_identity_provider_alone_mints_nothing_at_a_running_issuer(election: World) -> None:
    """It signs any ticket, has a passkey of its own, and knows every sign-in assertion of the abstainer."""
    place = make_place(election, 1)
    try:
        service = place.start()
        stored, victim = election.wallet(2), election.passkeys[2]
        own = passkey("of the identity provider")
        id_ = victim.public.credential
        hash_ = election.hash_of(stored, id_)
        id_host = replace(PARTY, rp_id="id.example", origin="https://id.example")
        sign_in = make_assertion(victim, id_host, hash_)
        honest_data = make_assertion(own, PARTY, hash_)
        attempts = {
            "a key of its own": (
                election.request_with(
                    stored,
                    own.public.credential,
                    [make_assertion(own, PARTY, election.hash_of(stored, own.public.credential))],
                ),
                "enrolment",
            ),
            "its key under the voter's id": (
                election.request_with(stored, id_, [replace(honest_data, credential=id_)]),
                "assertion",
            ),
            "the hash as a sign-in challenge": (election.request_with(stored, id_, [sign_in]), "client-data"),
            "with the voting host's client data": (
                election.request_with(stored, id_, [replace(sign_in, client_data=honest_data.client_data)]),
                "rp-id",
            ),
            "an old assertion": (
                election.request_with(stored, id_, election.request(election.wallet(2)).assertions),
                "challenge",
            ),
        }
        for what, (request, code) in attempts.items():
            assert getattr(answer_of(ask(service, request.encode())), "code", None) == code, what
        with election.store(1).snapshot() as ledger:
            assert ledger.size == 0
    finally:
        place.stop()
