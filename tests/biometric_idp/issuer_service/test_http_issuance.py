"""Issuance over HTTP, against real processes: C1, C3, every row of the checks (C8, C13, C15, C16), A4, A5."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from biometric_idp.client.wallet import StoredWallet
from biometric_idp.enrolment.passkey import make_assertion
from biometric_idp.issuer.http.app import issuer_catalogue
from biometric_idp.request import Answer, Refusal, Request
from crypto import cbor
from tests.biometric_idp.issuer_service.places import (
    IssuerPlace,
    answer_of,
    ask,
    ask_many,
    code_of,
    make_place,
)
from tests.biometric_idp.world import PARTY, World, with_ticket
from tests.biometric_idp.world import key as role_key
from tests.crypto.test_blind_bls import bad_points

pytestmark = pytest.mark.slow

DAY = 86_400


@pytest.fixture(name="many", params=["sqlite", "postgresql"])
def fixture_many(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[IssuerPlace]:
    """Issuer 1 of an election with 258 voters, in two processes on one database."""
    world = World(tmp_path, now=int(time.time()), voters=258)
    if request.param == "postgresql":
        world.databases[1] = request.getfixturevalue("postgres").database()
    place = make_place(world, 1)
    place.start()
    place.start()
    yield place
    place.stop()
    world.close()


def test_C1_256_concurrent_requests_for_one_voter_have_one_success(many: IssuerPlace) -> None:
    requests = [many.world.request(many.world.wallet(0)).encode() for _ in range(256)]
    answers = ask_many(many.services, requests)
    codes = [code_of(answer) for answer in answers]
    assert codes.count(None) == 1
    assert codes.count("already-issued") == 255
    with many.world.store(1).snapshot() as ledger:
        assert (ledger.size, list(ledger.hashes())) == (1, [0])
    assert len(many.world.store(1).refusals()) == 255


def test_C3_256_concurrent_sessions_give_256_signatures_and_no_more(many: IssuerPlace) -> None:
    """Every voter asks twice, in between one another: no answer is for another message than the one asked."""
    world = many.world
    wallets = [world.wallet(position) for position in range(256)]
    requests = [world.request(stored).encode() for stored in wallets]
    answers = ask_many(many.services, [*requests, *requests])
    assert all(isinstance(answer, Answer) for answer in answers)
    partials = {answer.partial for answer in answers if isinstance(answer, Answer)}
    assert len(partials) == 256
    assert answers[:256] == answers[256:]
    # Each is the share's signature of exactly the blinded point that was sent.
    for stored, answer in list(zip(wallets, answers, strict=False))[::37]:
        assert isinstance(answer, Answer)
        point = world.pairing.g1_decode(stored.wallet.blinded).mul([world.shares[1][stored.wallet.style]])
        assert point.encode() == answer.partial
    with world.store(1).snapshot() as ledger:
        assert ledger.size == 256
        assert sum(count for count, _ in ledger.counts().values()) == 256


def test_A4_the_same_request_gets_the_same_answer_and_another_is_a_conflict(place_on_both: IssuerPlace) -> None:
    world, service = place_on_both.world, place_on_both.start()
    stored = world.wallet(0)
    first = world.request(stored, counter=5)
    answer = ask(service, first.encode())
    assert ask(service, first.encode()).content == answer.content
    # Fresh assertions over the same hash: a device that lost the answer.
    assert ask(service, world.request(stored, counter=6).encode()).content == answer.content
    refusal = answer_of(ask(service, world.request(world.wallet(0), counter=7).encode()))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "already-issued"
    assert refusal.holds(world.fingerprint, bytes(world.signing[0].verify_key))
    # Also after a restart, and when the process was killed.
    service.kill()
    assert ask(place_on_both.start(), first.encode()).content == answer.content


Attempt = Callable[[World, StoredWallet], Request]


def _client_data(**changes: object) -> Attempt:
    def make(world: World, stored: StoredWallet) -> Request:
        party = replace(PARTY, **{name: str(value) for name, value in changes.items()})
        own = world.passkeys[stored.wallet.position]
        hash_ = world.hash_of(stored, own.public.credential)
        return world.request_with(stored, own.public.credential, [make_assertion(own, party, hash_)])

    return make


def _not_verified(world: World, stored: StoredWallet) -> Request:
    honest = world.request(stored)
    assertion = honest.assertions[0]
    data = bytearray(assertion.authenticator_data)
    data[32] &= ~0x04
    return replace(honest, assertions=(replace(assertion, authenticator_data=bytes(data)),))


def _other_wallets_challenge(world: World, stored: StoredWallet) -> Request:
    return replace(world.request(stored), assertions=world.request(world.wallet(stored.wallet.position)).assertions)


def _another_voters_key(world: World, stored: StoredWallet) -> Request:
    own, other = world.passkeys[stored.wallet.position], world.passkeys[1]
    assertion = make_assertion(other, PARTY, world.hash_of(stored, own.public.credential))
    disguised = replace(assertion, credential=own.public.credential)
    return world.request_with(stored, own.public.credential, [disguised])


def _another_voters_credential(world: World, stored: StoredWallet) -> Request:
    other = world.passkeys[1]
    hash_ = world.hash_of(stored, other.public.credential)
    return world.request_with(stored, other.public.credential, [make_assertion(other, PARTY, hash_)])


def _swapped_point(world: World, stored: StoredWallet) -> Request:
    """C6: an authorisation is kept, the request below it changed."""
    return replace(world.request(stored), blinded=world.wallet(stored.wallet.position).wallet.blinded)


def _forged_ticket(world: World, stored: StoredWallet) -> Request:
    honest = world.request(stored)
    return with_ticket(world, honest, world.hash_of(stored, honest.credential), role_key("somebody else"))


def _old_ticket(world: World, stored: StoredWallet) -> Request:
    world.now -= 2 * DAY
    try:
        return world.request(stored)
    finally:
        world.now += 2 * DAY


def _off_the_roll(world: World, stored: StoredWallet) -> Request:
    return replace(world.request(stored), position=99)


def _other_style(world: World, stored: StoredWallet) -> Request:
    return replace(world.request(stored), style="bishkek")


ATTEMPTS: dict[str, tuple[Attempt, str]] = {
    "C8 wrong origin": (_client_data(origin="https://evil.example"), "client-data"),
    "C8 wrong RP ID": (_client_data(rp_id="id.example"), "rp-id"),
    "C8 no user verification": (_not_verified, "user-verified"),
    "C8 replayed challenge": (_other_wallets_challenge, "challenge"),
    "C8 another user's key": (_another_voters_key, "assertion"),
    "C8 another user's credential": (_another_voters_credential, "enrolment"),
    "C6 swapped request": (_swapped_point, "challenge"),
    "forged ticket": (_forged_ticket, "ticket"),
    "old ticket": (_old_ticket, "ticket"),
    "off the roll": (_off_the_roll, "roll"),
    "C5 other style": (_other_style, "roll"),
}


def test_C8_every_row_refuses_over_http_with_a_signature_and_a_sentence(place: IssuerPlace) -> None:
    world, service = place.world, place.start()
    catalogue = httpx.get(f"{service.url}/v1/problems").json()
    for name, (attempt, code) in ATTEMPTS.items():
        answer = answer_of(ask(service, attempt(world, world.wallet(0)).encode()))
        assert isinstance(answer, Refusal), name
        assert answer.code == code, name
        assert answer.holds(world.fingerprint, bytes(world.signing[0].verify_key)), name
        assert set(catalogue[code]["message"]) == set(catalogue[code]["next"]) == {"ky", "ru", "en"}
    assert code_of(answer_of(ask(service, world.request(world.wallet(0)).encode()))) is None
    # The public log of the process holds no position, hash or credential.
    written = service.errors.read_text()
    assert world.passkeys[0].public.credential.hex() not in written
    assert "position" not in written


def test_C8_a_counter_that_goes_back_is_refused(place: IssuerPlace) -> None:
    world, service = place.world, place.start()
    stored = world.wallet(0)
    assert code_of(answer_of(ask(service, world.request(stored, counter=9).encode()))) is None
    for counter in (9, 8, 0):
        other = world.request(world.wallet(0), counter=counter).encode()
        assert code_of(answer_of(ask(service, other))) == "counter"


def test_C15_bad_points_are_refused_and_leave_nothing(place: IssuerPlace) -> None:
    world, service = place.world, place.start()
    for defect, point in bad_points():
        bad = StoredWallet(replace(world.wallet(0).wallet, blinded=point))
        answer = answer_of(ask(service, world.request(bad).encode()))
        assert code_of(answer) == "blinded", defect
    with world.store(1).snapshot() as ledger:
        assert ledger.size == 0


def test_C16_an_officer_alone_cannot_issue_to_a_terminal_voter(place: IssuerPlace) -> None:
    world, service = place.world, place.start()
    first, second = world.officers
    position = world.voters - 1
    for officers in ([first], [first, first], [second, world.passkeys[0]]):
        request = world.terminal_request(world.wallet(position), officers).encode()
        assert code_of(answer_of(ask(service, request))) == "enrolment"
    both = world.terminal_request(world.wallet(position)).encode()
    assert code_of(answer_of(ask(service, both))) is None
    # Two officers cannot stand in for a voter who has a passkey.
    assert code_of(answer_of(ask(service, world.terminal_request(world.wallet(0)).encode()))) == "enrolment"


def test_C13_two_requests_to_two_groups_of_issuers_give_one_credential_at_most(election: World) -> None:
    """Issuer 4 is corrupt and signs anything; with three more processes no second group of three exists."""
    places = [make_place(election, index) for index in (1, 2, 3)]
    try:
        services = [place.start() for place in places]
        first, second = (election.request(election.wallet(0)) for _ in range(2))
        to_first = [code_of(answer_of(ask(services[at], first.encode()))) for at in (0, 1)]
        to_second = [code_of(answer_of(ask(services[at], second.encode()))) for at in (2, 1, 0)]
        assert to_first == [None, None]
        # With the corrupt fourth: three answers for the first, and only two for the second.
        assert to_second == [None, "already-issued", "already-issued"]
    finally:
        for place in places:
            place.stop()


def test_A5_uniqueness_holds_between_processes_that_have_not_seen_each_others_rows(
    place_on_both: IssuerPlace,
) -> None:
    """There is no cache and no replica to ask: each process is shown the other's row by the one database."""
    world = place_on_both.world
    left, right = place_on_both.start(), place_on_both.start()
    for position in range(4):
        first, second = (world.request(world.wallet(position)).encode() for _ in range(2))
        assert code_of(answer_of(ask(left, first))) is None
        assert code_of(answer_of(ask(right, second))) == "already-issued"
        assert ask(right, first).content == ask(left, first).content


def test_malformed_requests_are_refused_with_a_signature(place: IssuerPlace) -> None:
    world, service = place.world, place.start()
    good = world.request(world.wallet(0)).encode()
    hostile = [b"", b"\xff" * 100, good + b"\0", good[:-1], b"\x9f" * 16_000, b"\xa1" * 16_384, cbor.encode({"a": 1})]
    for body in hostile:
        answer = answer_of(ask(service, body))
        assert code_of(answer) == "malformed"
    assert ask(service, good, **{"content-type": "application/json"}).status_code == 415
    assert code_of(answer_of(ask(service, good))) is None


def test_every_code_of_a_refusal_is_in_the_catalogue_with_its_status() -> None:
    entries = issuer_catalogue().entries
    spec = (Path(__file__).parents[3] / "docs/spec/05-credentials.md").read_text()
    rows = [line.split("|")[2].strip() for line in spec.splitlines() if line.startswith("| ") and line[2].isdigit()]
    codes = {row.strip("`") for row in rows if row.startswith("`")}
    assert len(codes) == 13
    for code in codes:
        assert entries[code].status == {"malformed": 400, "already-issued": 409}.get(code, 403)
