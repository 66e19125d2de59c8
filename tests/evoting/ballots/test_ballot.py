"""The ballot as bytes: one encoding, the tracking code, and what a second device must compare."""

from __future__ import annotations

import base64
import hashlib

import pytest

from crypto import cbor
from crypto.errors import DecodeError
from crypto.hashing import frame, sha, u64
from evoting.ballots.ballot import (
    contest_challenges,
    decode_ballot,
    decode_voter_entry,
    encode_ballot_entry,
    encode_challenge_entry,
    tracking_code,
    tracking_hash,
)
from tests.evoting.ballots.polling import OpenElection


def test_a_body_decodes_to_what_encodes_to_it(polling: OpenElection) -> None:
    body, _ = polling.body("west", 1, 7)
    ballot = decode_ballot(body, polling.fingerprint, polling.shapes)
    assert (ballot.style, ballot.sequence) == ("west", 7)
    assert ballot.pseudonym == polling.wallets["west"].pseudonyms[1]
    assert ballot.encode() == body


def test_a_refusal_names_the_field(polling: OpenElection) -> None:
    value = cbor.decode(polling.body()[0])
    assert isinstance(value, dict)
    for changes, message in (
        ({"election": bytes(32)}, "another election"),
        ({"style": "north"}, "unknown style 'north'"),
        ({"pseudonym": b"x"}, "pseudonym is not 32 bytes"),
        ({"sequence": "1"}, "sequence is not an unsigned integer"),
        ({"contests": []}, "wrong number of contests"),
        ({"extra": 1}, "six fields"),
    ):
        with pytest.raises(DecodeError, match=message):
            decode_ballot(cbor.encode({**value, **changes}), polling.fingerprint, polling.shapes)


def test_entries_keep_their_parts(polling: OpenElection) -> None:
    outer = decode_voter_entry(encode_challenge_entry(b"body", bytes(64), b"opening"))
    assert (outer.challenge, outer.body, outer.opening) == (True, b"body", b"opening")
    assert not decode_voter_entry(encode_ballot_entry(b"body", bytes(64))).challenge
    for entry in (b"", b"\x80", cbor.encode({"type": "ballot"}), encode_ballot_entry(b"", bytes(63))):
        with pytest.raises(DecodeError, match=r"."):
            decode_voter_entry(entry)


def test_the_tracking_code_is_that_of_section_6_1(polling: OpenElection) -> None:
    body, _ = polling.body()
    digest = hashlib.sha256(frame(b"evoting/v1/tracking") + frame(body)).digest()
    assert tracking_hash(body) == digest == sha("evoting/v1/tracking", body)
    groups = tracking_code(body).split("-")
    assert [len(group) for group in groups] == [4] * 8
    assert base64.b32decode("".join(groups).upper()) == digest[:20]


def test_the_tracking_code_is_fixed_before_casting_or_challenging(polling: OpenElection) -> None:
    body, opening = polling.body()
    cast = decode_voter_entry(polling.sign_ballot("east", 0, body))
    challenged = decode_voter_entry(polling.sign_challenge("east", 0, body, opening))
    assert cast.signature != challenged.signature
    assert tracking_hash(cast.body) == tracking_hash(challenged.body)


def test_B16_two_ballots_with_one_short_tracking_code_differ_in_the_whole_hash(polling: OpenElection) -> None:
    """A device could show one ballot's code and cast another whose code begins alike; 32 bytes tell them apart.

    Finding a collision of 160 bits is out of reach, so people are fooled here over the first four letters (20 bits),
    which takes about a thousand ballots: the sequence number serves as counter.
    """
    value = cbor.decode(polling.body()[0])
    assert isinstance(value, dict)
    shown: dict[str, bytes] = {}
    for number in range(50_000):
        body = cbor.encode({**value, "sequence": number})
        prefix = tracking_code(body)[:4]
        if prefix in shown:
            break
        shown[prefix] = body
    else:
        raise AssertionError("fifty thousand codes of 20 bits collide almost certainly")
    first, second = shown[prefix], body
    assert first != second
    assert tracking_code(first)[:4] == tracking_code(second)[:4]
    assert tracking_hash(first) != tracking_hash(second)
    assert tracking_code(first) != tracking_code(second)
    # Both are ballots that the box would take, so only the comparison protects the voter.
    assert [decode_ballot(one, polling.fingerprint, polling.shapes).style for one in (first, second)] == ["east"] * 2


def test_the_challenge_is_that_of_section_6_4(polling: OpenElection) -> None:
    body, _ = polling.body("west", 2)
    ballot = decode_ballot(body, polling.fingerprint, polling.shapes)
    shape, key = polling.shapes["west"], polling.joint_key()
    for position, (contest, part) in enumerate(zip(shape.contests, ballot.contests, strict=True)):
        written = b"".join(
            frame(item)
            for item in (
                b"evoting/v1/ballot-proof", polling.fingerprint, b"west", u64(position), contest.id.encode(),
                ballot.pseudonym, key, part.ciphertexts, part.commitments,
            )
        )  # fmt: skip
        challenge = contest_challenges(
            polling.group, polling.fingerprint, shape, position, key, [ballot.pseudonym], [part.ciphertexts],
            [part.commitments],
        )  # fmt: skip
        assert challenge == polling.group.scalars_wide(hashlib.sha512(written).digest())
