"""Bodies of ballots and openings: counts and lengths are exactly those of the style."""

from __future__ import annotations

from typing import Any

import pytest

from tests.verifier.stream.test_templates import FINGERPRINT, STYLES, ballot
from verifier.record.ballots import decode_ballot, decode_opening, style_of
from verifier.record.cbor import Value, decode, encode
from verifier.record.entries import split_voter_entry
from verifier.record.errors import FormatError

EAST = STYLES["east"]


def body_of(raw: bytes) -> dict[str, Any]:
    entry = split_voter_entry(raw)
    assert entry is not None
    body: Any = decode(entry.body)
    return body  # type: ignore[no-any-return]


@pytest.mark.parametrize("count", [1, 3])
def test_a_ballot_has_as_many_contests_as_its_style(count: int) -> None:
    body = body_of(ballot(EAST, 0))
    decode_ballot(encode(body), FINGERPRINT, STYLES)
    body["contests"] = (body["contests"] * 2)[:count]
    with pytest.raises(FormatError, match="not the number of the style's contests"):
        decode_ballot(encode(body), FINGERPRINT, STYLES)


@pytest.mark.parametrize("field", ["ciphertexts", "commitments", "scalars"])
@pytest.mark.parametrize("contest", [0, 1])
def test_every_field_of_a_contest_has_its_length(contest: int, field: str) -> None:
    for change in (lambda data: data[:-32], lambda data: data + bytes(32), lambda data: b""):
        body = body_of(ballot(EAST, 0))
        body["contests"][contest][field] = change(body["contests"][contest][field])
        with pytest.raises(FormatError, match=f"{field} of another length"):
            decode_ballot(encode(body), FINGERPRINT, STYLES)


def test_a_ballot_of_another_election_or_style_is_malformed() -> None:
    body = body_of(ballot(EAST, 0))
    with pytest.raises(FormatError, match="another election"):
        decode_ballot(encode(body), bytes(32), STYLES)
    with pytest.raises(FormatError, match="no such ballot style"):
        decode_ballot(encode(body | {"style": "north"}), FINGERPRINT, STYLES)


_NO_STYLES: list[Value] = [7, "north", None, b"east", ["east"], {}]


@pytest.mark.parametrize("body", [b"\xff", encode(7), encode({}), *(encode({"style": name}) for name in _NO_STYLES)])
def test_a_malformed_body_may_name_no_style(body: bytes) -> None:
    assert style_of(body, STYLES) is None
    assert style_of(encode({"style": "east"}), STYLES) == "east"


def opening() -> dict[str, Any]:
    return {
        "contests": [
            {"selections": [0] * shape.ciphertexts, "randomizers": bytes(32 * shape.ciphertexts)}
            for shape in EAST.contests
        ]
    }


def test_an_opening_has_the_counts_of_its_style() -> None:
    assert len(decode_opening(encode(opening()), EAST)) == 2
    for count in (1, 3):
        value = opening()
        value["contests"] = (value["contests"] * 2)[:count]
        with pytest.raises(FormatError, match="not the number of the style's contests"):
            decode_opening(encode(value), EAST)


@pytest.mark.parametrize("contest", [0, 1])
@pytest.mark.parametrize("field", ["selections", "randomizers"])
@pytest.mark.parametrize("longer", [True, False])
def test_an_opening_has_one_selection_and_randomizer_for_each_ciphertext(
    contest: int, field: str, longer: bool
) -> None:
    value = opening()
    item = value["contests"][contest]
    item[field] = item[field] + item[field][:32] if longer else item[field][:-1]
    with pytest.raises(FormatError, match="not one selection and randomizer for each ciphertext"):
        decode_opening(encode(value), EAST)
