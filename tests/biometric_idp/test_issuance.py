"""Issuance from wallet to credential, and the attacks C1 to C6, C13 to C16 on it."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from threading import Barrier

import pytest

from biometric_idp.client.issuance import IssuanceError, combine_answers, pseudonym_of
from biometric_idp.client.keys import IssuanceKeys, StyleKeys, keys_from_opening
from biometric_idp.client.wallet import StoredWallet
from biometric_idp.enrolment.passkey import make_assertion
from biometric_idp.errors import FormatError
from biometric_idp.idp.ticket import sign_tickets
from biometric_idp.issuer.checks import DAY
from biometric_idp.request import Answer, Refusal, Request, decode_answer, request_hash
from crypto import cbor
from crypto.blind_bls import StyleCredentials, encode_message, sign_partial, verify_credentials_batch
from crypto.group import BLS_ORDER
from crypto.hashing import sha
from tests.biometric_idp.world import NOW, PARTY, World, key, passkey, refused, with_ticket
from tests.crypto.test_blind_bls import bad_points


def collect(world: World, request: Request, issuers: tuple[int, ...]) -> list[Answer | Refusal]:
    return [world.issuer(index).answer([request.encode()], NOW)[0] for index in issuers]


def credential_of(world: World, stored: StoredWallet, request: Request, answers: list[Answer | Refusal]) -> bytes:
    hash_ = world.hash_of(stored, request.credential)
    return combine_answers(world.group, world.pairing, world.keys, world.threshold, stored, hash_, answers, os.urandom)


def require_valid(world: World, stored: StoredWallet, credential: bytes) -> None:
    wallet = stored.wallet
    style_key = world.pairing.g2_decode(world.keys.of_style(wallet.style).key)
    message = encode_message(world.fingerprint, wallet.style, pseudonym_of(world.group, wallet))
    verify_credentials_batch(world.pairing, [StyleCredentials(style_key, [message], credential)], os.urandom)


@pytest.mark.parametrize("position", [0, 1])
def test_a_voter_obtains_a_credential_from_any_three_issuers(world: World, position: int) -> None:
    stored = world.wallet(position)
    request = world.request(stored)
    answers = collect(world, request, (1, 2, 3, 4))
    first = credential_of(world, stored, request, answers[:3])
    assert credential_of(world, stored, request, answers[1:]) == first
    require_valid(world, stored, first)


def test_the_same_request_gets_the_same_answer_and_one_ledger_row(world: World) -> None:
    request = world.request(world.wallet(0), counter=7).encode()
    issuer = world.issuer(1)
    first = issuer.answer([request], NOW)
    assert issuer.answer([request, request], NOW + 5) == first * 2
    # Even when issuance is over and the counter no longer rises: the stored answer comes before all checks.
    assert world.issuer(1).answer([request], NOW + 9 * DAY) == first
    with world.store(1).snapshot() as ledger:
        assert ledger.size == 1


def test_the_same_request_twice_in_one_batch_is_one_request(world: World) -> None:
    request = world.request(world.wallet(0), counter=7).encode()
    answers = world.issuer(1).answer([request, request], NOW)
    assert refused(answers) == [None, None]
    assert answers[0] == answers[1]


def test_a_fresh_assertion_over_the_same_hash_gets_the_same_answer(world: World) -> None:
    stored = world.wallet(0)
    issuer = world.issuer(1)
    first = issuer.answer([world.request(stored, counter=1).encode()], NOW)
    again = issuer.answer([world.request(stored, counter=2).encode()], NOW)
    assert again == first
    assert not isinstance(again[0], Refusal)


def test_a_second_different_request_is_refused_and_recorded(world: World) -> None:
    issuer = world.issuer(2)
    one, two = (world.request(world.wallet(0)) for _ in range(2))
    answers = issuer.answer([one.encode(), two.encode()], NOW)
    assert refused(answers) == [None, "already-issued"]
    refusal = answers[1]
    assert isinstance(refusal, Refusal)
    assert refusal.holds(world.fingerprint, bytes(world.signing[1].verify_key))
    assert not replace(refusal, code="roll").holds(world.fingerprint, bytes(world.signing[1].verify_key))
    assert decode_answer(refusal.encode()) == refusal
    assert [row[0::2] for row in world.store(2).refusals()] == [(0, "already-issued")]


def test_a_terminal_voter_needs_two_officers_and_is_counted_apart(world: World) -> None:
    stored = world.wallet(4)
    request = world.terminal_request(stored)
    answers = collect(world, request, (1, 2, 4))
    require_valid(world, stored, credential_of(world, stored, request, answers))
    with world.store(1).snapshot() as ledger:
        assert ledger.counts() == {"abroad": (1, 1)}


def test_C16_one_officer_alone_cannot_issue_at_a_terminal(world: World) -> None:
    stored = world.wallet(4)
    first, second = world.officers
    stranger = passkey("no officer")
    attempts = [
        world.terminal_request(stored, [first]),
        world.terminal_request(stored, [first, first]),
        world.terminal_request(stored, [first, stranger]),
        world.terminal_request(stored, [stranger, second]),
    ]
    # The second officer signed something else: another voter's request.
    other = world.terminal_request(world.wallet(4))
    mixed = world.terminal_request(stored)
    attempts.append(replace(mixed, assertions=(mixed.assertions[0], other.assertions[1])))
    # The second assertion claims to be by the second officer, but the first one's passkey made it.
    forged = replace(mixed.assertions[0], credential=second.public.credential)
    attempts.append(replace(mixed, assertions=(mixed.assertions[0], forged)))
    codes = refused(world.issuer(1).answer([request.encode() for request in attempts], NOW))
    assert codes == ["enrolment"] * 4 + ["challenge", "assertion"]


def test_C16_officers_cannot_act_for_a_voter_with_a_passkey_nor_a_voter_for_the_terminal_class(world: World) -> None:
    with_passkey = world.wallet(0)
    attempt = world.terminal_request(with_passkey)
    without = world.wallet(5)
    own = passkey("unenrolled")
    assertion = make_assertion(own, PARTY, world.hash_of(without, own.public.credential))
    other = world.request_with(without, own.public.credential, [assertion])
    assert refused(world.issuer(1).answer([attempt.encode(), other.encode()], NOW)) == ["enrolment", "enrolment"]


def test_C1_256_parallel_requests_for_one_voter_have_one_success(world: World) -> None:
    requests = [world.request(world.wallet(1)).encode() for _ in range(256)]
    world.store(1).close()
    barrier = Barrier(16)

    def attack(part: int) -> list[str | None]:
        issuer = world.issuer(1)
        barrier.wait()
        return [code for data in requests[part::16] for code in refused(issuer.answer([data], NOW))]

    with ThreadPoolExecutor(16) as pool:
        codes = [code for part in pool.map(attack, range(16)) for code in part]
    assert sorted(codes, key=str) == [None] + ["already-issued"] * 255
    with world.store(1).snapshot() as ledger:
        assert ledger.size == 1


def _attack_from_a_process(directory: Path, requests: list[bytes]) -> list[str | None]:
    world = World(directory)
    try:
        issuer = world.issuer(1)
        return [code for data in requests for code in refused(issuer.answer([data], NOW))]
    finally:
        world.close()


def test_C1_parallel_processes_have_one_success(world: World) -> None:
    requests = [world.request(world.wallet(1)).encode() for _ in range(24)]
    world.store(1).close()
    with get_context("spawn").Pool(3) as pool:
        parts = pool.starmap(_attack_from_a_process, [(world.directory, requests[i::3]) for i in range(3)])
    assert sorted((code for part in parts for code in part), key=str) == [None] + ["already-issued"] * 23


def test_C1_a_batch_with_many_requests_of_one_voter_has_one_success(world: World) -> None:
    requests = [world.request(world.wallet(1)).encode() for _ in range(10)]
    codes = refused(world.issuer(3).answer(requests, NOW))
    assert codes == [None] + ["already-issued"] * 9


def test_C13_two_overlapping_groups_with_one_corrupt_issuer_give_one_credential(world: World) -> None:
    first, second = world.wallet(0), world.wallet(0)
    requests = [world.request(first), world.request(second)]
    # Issuer 4 is corrupt: it signs whatever it is given.
    answers: list[list[Answer | Refusal]] = []
    for request, honest in ((requests[0], (1, 2)), (requests[1], (2, 3))):
        point = world.pairing.g1_decode(request.blinded)
        partial = sign_partial(point, world.shares[4][request.style]).encode()
        hash_ = request_hash(world.fingerprint, request.style, 0, request.credential, request.blinded)
        answers.append([*collect(world, request, honest), Answer(4, hash_, partial)])
    assert [refused(part) for part in answers] == [[None] * 3, ["already-issued", None, None]]
    require_valid(world, first, credential_of(world, first, requests[0], answers[0]))
    with pytest.raises(IssuanceError) as caught:
        credential_of(world, second, requests[1], answers[1])
    assert caught.value.refusals == {2: "already-issued"}


def test_C6_an_authorisation_kept_for_another_request_is_refused(world: World) -> None:
    mine, swapped = world.wallet(0), world.wallet(0)
    honest = world.request(mine)
    stolen = replace(honest, blinded=swapped.wallet.blinded)
    also_ticket = with_ticket(world, stolen, world.hash_of(swapped, honest.credential), world.idp)
    other_position = replace(honest, position=2)
    other_style = replace(honest, style="bishkek")
    attempts = [stolen, also_ticket, other_position, other_style]
    codes = refused(world.issuer(1).answer([request.encode() for request in attempts], NOW))
    assert codes == ["challenge", "challenge", "enrolment", "roll"]


def test_C14_the_identity_provider_alone_cannot_mint(world: World) -> None:
    """It has its own key, so it can sign tickets and its half of the log, and knows every sign-in assertion."""
    issuer = world.issuer(1)
    own = passkey("of the identity provider")
    stored = world.wallet(2)
    hash_ = world.hash_of(stored, own.public.credential)
    by_own_key = world.request_with(stored, own.public.credential, [make_assertion(own, PARTY, hash_)])
    # Its key under the voter's credential id.
    victim = world.passkeys[2]
    victim_hash = world.hash_of(stored, victim.public.credential)
    disguised = replace(make_assertion(own, PARTY, victim_hash), credential=victim.public.credential)
    by_disguise = world.request_with(stored, victim.public.credential, [disguised])
    # The hash passed off as a sign-in challenge: the passkey signs, but on the identity provider's own host.
    id_host = replace(PARTY, rp_id="id.example", origin="https://id.example")
    sign_in = world.request_with(stored, victim.public.credential, [make_assertion(victim, id_host, victim_hash)])
    # Rewritten to look as if it came from the voting host.
    honest_data = make_assertion(own, PARTY, victim_hash)
    rewritten = replace(sign_in.assertions[0], client_data=honest_data.client_data)
    half = world.request_with(stored, victim.public.credential, [rewritten])
    full = world.request_with(
        stored,
        victim.public.credential,
        [replace(rewritten, authenticator_data=honest_data.authenticator_data)],
    )
    # An old assertion of the same voter, over an earlier wallet's request.
    old = world.request(world.wallet(2))
    replayed = world.request_with(stored, victim.public.credential, old.assertions)
    attempts = [by_own_key, by_disguise, sign_in, half, full, replayed]
    codes = refused(issuer.answer([request.encode() for request in attempts], NOW))
    assert codes == ["enrolment", "assertion", "client-data", "rp-id", "assertion", "challenge"]


def test_a_ticket_is_necessary(world: World) -> None:
    stored = world.wallet(0)
    honest = world.request(stored)
    hash_ = world.hash_of(stored, honest.credential)
    attempts = [
        with_ticket(world, honest, hash_, key("somebody else")),
        with_ticket(world, honest, world.hash_of(world.wallet(0), honest.credential), world.idp),
        replace(honest, ticket=sign_tickets(world.idp, bytes(32), [hash_], NOW // DAY)[0]),
        replace(honest, ticket=sign_tickets(world.idp, world.fingerprint, [hash_], NOW // DAY - 2)[0]),
        replace(honest, ticket=replace(honest.ticket, date=NOW // DAY + 1)),
        replace(honest, ticket=replace(honest.ticket, size=2)),
        replace(honest, ticket=replace(honest.ticket, index=1)),
        replace(honest, ticket=replace(honest.ticket, path=bytes(32))),
    ]
    codes = refused(world.issuer(1).answer([request.encode() for request in attempts], NOW))
    assert codes == ["ticket"] * len(attempts)
    # One after the other, so that no remembered root helps a forgery.
    assert refused(world.issuer(1).answer([honest.encode(), attempts[4].encode()], NOW)) == [None, "ticket"]


@pytest.mark.parametrize(("defect", "point"), bad_points(), ids=[name for name, _ in bad_points()])
def test_C15_a_bad_point_at_an_issuer_is_refused_and_leaves_nothing(world: World, defect: str, point: bytes) -> None:
    good = world.wallet(1)
    bad = StoredWallet(replace(world.wallet(0).wallet, blinded=point))
    answers = world.issuer(1).answer([world.request(bad).encode(), world.request(good).encode()], NOW)
    assert refused(answers) == ["blinded", None], defect
    assert not hasattr(answers[0], "partial")
    with world.store(1).snapshot() as ledger:
        assert set(ledger.hashes()) == {1}


def test_a_wrong_answer_is_left_out_and_its_issuer_named(world: World) -> None:
    stored = world.wallet(0)
    request = world.request(stored)
    answers = collect(world, request, (1, 2, 3, 4))
    wrong = answers[1]
    assert isinstance(wrong, Answer)
    generator = world.pairing.g1_generator().encode()
    answers[1] = replace(wrong, partial=generator)
    require_valid(world, stored, credential_of(world, stored, request, answers))
    with pytest.raises(IssuanceError) as caught:
        credential_of(world, stored, request, [*answers[:3], replace(wrong, partial=bytes(48))])
    assert caught.value.invalid == [2, 2]
    with pytest.raises(IssuanceError) as caught:
        # One issuer's answer given three times is still one.
        credential_of(world, stored, request, [answers[0]] * 3)
    assert "1 of 3" in str(caught.value)


def test_C4_a_voter_specific_issuer_key_is_refused_by_the_client(world: World) -> None:
    """A group of issuers that uses tagged shares for one voter, and even serves keys that fit them."""
    tag = 5

    def tagged(point: bytes) -> bytes:
        return world.pairing.g2_decode(point).mul([tag]).encode()

    tagged_keys = IssuanceKeys(
        tuple(
            StyleKeys(style.style, tagged(style.key), tuple(tagged(share) for share in style.shares))
            for style in world.keys.styles
        )
    )
    blob, tagged_blob = world.keys.encode(), tagged_keys.encode()
    opening = opening_entry(blob)
    fingerprint = sha("evoting/v1/fingerprint", opening)
    assert keys_from_opening(fingerprint, opening, blob, 4) == world.keys
    with pytest.raises(FormatError, match="not the ones that the opening entry names"):
        keys_from_opening(fingerprint, opening, tagged_blob, 4)
    with pytest.raises(FormatError, match="not the one of the election's fingerprint"):
        keys_from_opening(fingerprint, opening_entry(tagged_blob), tagged_blob, 4)
    # With the true keys, the tagged answers fail.
    stored = world.wallet(0)
    request = world.request(stored)
    for shares in world.shares.values():
        shares["abroad"] = shares["abroad"] * tag % BLS_ORDER
    answers = collect(world, request, (1, 2, 3))
    with pytest.raises(IssuanceError) as caught:
        credential_of(world, stored, request, answers)
    assert caught.value.invalid == [1, 2, 3]


def opening_entry(keys_blob: bytes) -> bytes:
    """An opening entry as far as a device reads it."""
    named = {"hash": sha256(keys_blob).digest(), "length": len(keys_blob)}
    return cbor.encode({"type": "opening", "body": cbor.encode({"issuers": {"keys": named}}), "signatures": []})


def test_requests_outside_the_period_or_off_the_roll_are_refused(world: World) -> None:
    request = world.request(world.wallet(0))
    issuer = world.issuer(1)
    assert refused(issuer.answer([request.encode()], NOW - 2 * DAY)) == ["period"]
    assert refused(issuer.answer([request.encode()], NOW + DAY)) == ["period"]
    off = [replace(request, position=6), replace(request, position=2**52), replace(request, style="elsewhere")]
    assert refused(issuer.answer([item.encode() for item in off], NOW)) == ["roll"] * 3


def test_malformed_requests_are_refused_by_name_and_hurt_nobody(world: World) -> None:
    request = world.request(world.wallet(0))
    good = request.encode()
    extra = cbor.encode({**_decoded(good), "extra": 1})
    short = cbor.encode({**_decoded(good), "blinded": bytes(47)})
    negative = cbor.encode({**_decoded(good), "position": -1})
    text = cbor.encode({**_decoded(good), "credential": "abc"})
    three = replace(request, assertions=request.assertions * 3).encode()
    hostile = [b"", b"\xff" * 100, good + b"\0", good[:-1], extra, short, negative, text, three, b"\x9f" * 20_000]
    answers = world.issuer(1).answer([*hostile, good], NOW)
    assert refused(answers) == ["malformed"] * len(hostile) + [None]
    # Nobody can fill the audit log with what never was a voter's request.
    assert world.store(1).refusals() == []


def _decoded(data: bytes) -> dict[str, object]:
    value = cbor.decode(data)
    assert isinstance(value, dict)
    return value
