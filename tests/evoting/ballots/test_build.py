"""Making ballots: what is encrypted is what was chosen, for any number of voters, and nothing is drawn twice."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crypto.elgamal import EncryptionKey, decode_ciphertexts
from crypto.group import load_group, native_available
from evoting.ballots.ballot import decode_ballot
from evoting.ballots.build import NO_CODE, Selections, Wallets, build_ballots, cast_ballots, challenge_ballots
from tests.evoting.ballots.polling import OpenElection
from tests.support.arithmetics import deterministic_entropy


def decrypt(polling: OpenElection, ciphertexts: bytes) -> list[bytes]:
    """Messages under the key that all trustees of the test together hold."""
    from crypto.dkg.shamir import lagrange_at_zero

    group, pairs = polling.group, decode_ciphertexts(polling.group, ciphertexts)
    indices = [1, 2]
    weights = lagrange_at_zero(indices, group_order())
    shares = [int.from_bytes(polling.share(index), "little") for index in indices]
    secret = sum(weight * share for weight, share in zip(weights, shares, strict=True)) % group_order()
    messages = (pairs.data - pairs.pads.mul(group.scalars([secret]))).encode()
    return [messages[at : at + 32] for at in range(0, len(messages), 32)]


def group_order() -> int:
    from crypto.group.interface import ORDER

    return ORDER


def test_what_is_encrypted_is_what_was_chosen(polling: OpenElection) -> None:
    choices = [np.array([[0, 1, 0]]), np.array([[4]], dtype=np.uint32), np.array([[2, 0]], dtype=np.uint32)]
    ballot = decode_ballot(polling.body("east", 0, 0, choices)[0], polling.fingerprint, polling.shapes)
    one, zero = polling.group.generator().encode(), bytes(32)
    assert decrypt(polling, ballot.contests[0].ciphertexts) == [zero, one, zero]
    books = {name: book.encode() for name, book in polling.books.items()}
    assert decrypt(polling, ballot.contests[1].ciphertexts) == [books["list"][32 * 4 : 32 * 5]]
    assert decrypt(polling, ballot.contests[2].ciphertexts) == [books["ranking"][64:96], books["ranking"][:32]]


def test_no_code_encrypts_an_element_of_no_code_book(polling: OpenElection) -> None:
    choices = [column[[0]] for column in polling.choices("east", 8)]
    choices[1] = np.array([[NO_CODE]], dtype=np.uint32)
    body, _ = polling.body("east", 0, 0, choices)
    (message,) = decrypt(polling, decode_ballot(body, polling.fingerprint, polling.shapes).contests[1].ciphertexts)
    codes = {book.encode()[at : at + 32] for book in polling.books.values() for at in range(0, 32 * len(book), 32)}
    assert message not in codes
    assert polling.fates([polling.sign_ballot("east", 0, body)]) == ["counted"]


@given(data=st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_allowed_choice_gives_valid_ballots_and_challenges(polling: OpenElection, data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.integers(0, 7), max_size=4, unique=True))
    marks = st.sampled_from([(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)])
    codes = st.integers(0, len(polling.books["list"]) - 1) | st.just(NO_CODE)
    ranks = st.integers(0, len(polling.books["ranking"]) - 1) | st.just(NO_CODE)
    choices: list[Selections] = [
        np.array([data.draw(marks) for _ in rows], dtype=np.uint8).reshape(-1, 3),
        np.array([data.draw(codes) for _ in rows], dtype=np.uint32).reshape(-1, 1),
        np.array([[data.draw(ranks), data.draw(ranks)] for _ in rows], dtype=np.uint32).reshape(-1, 2),
    ]
    every = polling.wallets["east"]
    wallets = Wallets(
        every.secrets.gather(np.array(rows, dtype=np.uint32)),
        [every.pseudonyms[row] for row in rows],
        [every.credentials[row] for row in rows],
    )
    for finish, fate in ((cast_ballots, "counted"), (challenge_ballots, "challenged")):
        built = build_ballots(
            polling.key, polling.fingerprint, polling.shapes["east"], wallets, [1] * len(rows), choices,
            polling.books, os.urandom,
        )  # fmt: skip
        assert polling.fates(finish(polling.key, wallets, built, os.urandom)) == [fate] * len(rows)


def test_no_component_repeats_among_ballots_of_the_same_choice(polling: OpenElection) -> None:
    seen: set[bytes] = set()
    total = 0
    for _ in range(3):
        for part in decode_ballot(polling.body()[0], polling.fingerprint, polling.shapes).contests:
            for data in (part.ciphertexts, part.commitments, part.scalars):
                items = [data[at : at + 32] for at in range(0, len(data), 32)]
                total += len(items)
                seen.update(items)
    assert len(seen) == total


def test_W6_length_and_form_do_not_show_the_choice(polling: OpenElection) -> None:
    lengths = set()
    for row in range(4):
        body, _ = polling.body("east", row, 0)
        lengths.add(len(polling.sign_ballot("east", row, body)))
    assert len(lengths) == 1


@pytest.mark.skipif(not native_available(), reason="the native arithmetic is not built here")
def test_both_arithmetics_make_the_same_ballots(polling: OpenElection) -> None:
    bodies = []
    for name in ("native", "portable"):
        group = load_group(name)
        wallet = polling.wallet("east", 0)
        wallets = Wallets(group.scalars_decode(wallet.secrets.encode()), wallet.pseudonyms, wallet.credentials)
        key = EncryptionKey.decode(group, polling.joint_key())
        books = {
            contest: group.elements_decode(book.encode(), allow_identity=False)
            for contest, book in polling.books.items()
        }
        choices = [column[[0]] for column in polling.choices("east", 8)]
        entropy = deterministic_entropy("ballots")
        built = build_ballots(key, polling.fingerprint, polling.shapes["east"], wallets, [0], choices, books, entropy)
        bodies.append((built.bodies, challenge_ballots(key, wallets, built, entropy)))
    assert bodies[0] == bodies[1]
