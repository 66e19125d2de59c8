"""B13: the server's code and the verifier's judge mutated ballots alike, verdict and reason.

Hypothesis draws a few entries, changes them in ways that a hostile device or office might, signs some of them again,
and lets both judge what comes out. A disagreement is an attack: a ballot that is counted and then breaks the record.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crypto import cbor
from crypto.errors import DecodeError
from crypto.group.interface import ORDER
from evoting.ballots.ballot import decode_voter_entry, encode_ballot_entry, encode_challenge_entry
from evoting.record.election import is_challenge_entry, is_voter_entry
from tests.evoting.ballots.polling import STYLES, OpenElection
from tests.evoting.ballots.second_judge import objections
from verifier.record.entries import split_voter_entry

pytestmark = pytest.mark.slow

Body = dict[str, Any]
Draw = Callable[[st.SearchStrategy[Any]], Any]

#: Encodings at the edge of what is canonical, and elements that are not of anybody's choosing.
ELEMENTS = [
    bytes(32),
    (2**255 - 19).to_bytes(32, "little"),
    (2**255 - 18).to_bytes(32, "little"),
    b"\xff" * 32,
    b"\1" + bytes(31),
    bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76"),
]
SCALARS = [bytes(32), b"\1" + bytes(31), ORDER.to_bytes(32, "little"), (ORDER - 1).to_bytes(32, "little"), b"\xff" * 32]
CREDENTIALS = [bytes(48), b"\xc0" + bytes(47), b"\xff" * 48, b"\x80" + bytes(46) + b"\x04"]
ODD_VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 2**32, 2**53 - 1, "", "east", "west", b"", bytes(32), [], {}, [[]]]
)


def change_part(body: Body, draw: Draw) -> None:
    """Another element, scalar or byte in a contest."""
    contest = draw(st.sampled_from(body["contests"]))
    name = draw(st.sampled_from(["ciphertexts", "commitments", "scalars"]))
    data = contest[name]
    at = 32 * draw(st.integers(0, len(data) // 32 - 1))
    other = 32 * draw(st.integers(0, len(data) // 32 - 1))
    new = draw(st.sampled_from([data[other : other + 32], *(SCALARS if name == "scalars" else ELEMENTS)]))
    contest[name] = data[:at] + new + data[at + 32 :]


def change_field(body: Body, draw: Draw) -> None:
    """Another value of some field."""
    name = draw(st.sampled_from(["election", "style", "pseudonym", "credential", "sequence", "contests", "more"]))
    body[name] = draw(ODD_VALUES)


def change_number(body: Body, draw: Draw) -> None:
    body["sequence"] = draw(st.sampled_from([0, 1, 2, 23, 24, 255, 256, 2**16, 2**32 - 1, 2**32, 2**53 - 1]))


def change_credential(body: Body, draw: Draw) -> None:
    body["credential"] = draw(st.sampled_from(CREDENTIALS))


def change_style(body: Body, draw: Draw) -> None:
    body["style"] = draw(st.sampled_from([*STYLES, "north", "East", ""]))


def change_shape(body: Body, draw: Draw) -> None:
    """Contests or their parts missing, doubled, swapped or of another length."""
    contests = body["contests"]
    match draw(st.integers(0, 4)):
        case 0:
            contests.pop(draw(st.integers(0, len(contests) - 1)))
        case 1:
            contests.reverse()
        case 2:
            contests.append(contests[0])
        case 3:
            contests[0]["scalars"] = contests[0]["scalars"][: 32 * draw(st.integers(0, 3))]
        case _:
            contests[1] = draw(ODD_VALUES)


CHANGES = [change_part, change_field, change_number, change_credential, change_style, change_shape]


def change_bytes(data: bytes, draw: Draw) -> bytes:
    """Some bytes changed, removed or put in, as they lie."""
    at: int = draw(st.integers(0, max(len(data) - 1, 0)))
    removed: int = draw(st.integers(0, 3))
    inserted: bytes = draw(st.binary(max_size=3))
    return data[:at] + inserted + data[at + removed :]


def mutated_body(body: bytes, draw: Draw) -> bytes:
    """A body with up to three changes."""
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        try:
            value = cbor.decode(body)
            assert isinstance(value, dict)
            draw(st.sampled_from(CHANGES))(value, draw)
            body = cbor.encode(value)
        except (DecodeError, ValueError, KeyError, TypeError, AttributeError, AssertionError, IndexError):
            return body  # an earlier change took away what this one would change
    return change_bytes(body, draw) if draw(st.integers(0, 8)) == 0 else body


def mutated_opening(opening: bytes, draw: Draw) -> bytes:
    """An opening with a change, or none."""
    match draw(st.integers(0, 5)):
        case 0:
            return change_bytes(opening, draw)
        case 1:
            value = cbor.decode(opening)
            assert isinstance(value, dict)
            contest = draw(st.sampled_from(value["contests"]))
            values = st.sampled_from([0, 1, 2, -1, 3, 2**32 - 1, 2**53 - 1, True, "x"])
            contest["selections"][draw(st.integers(0, len(contest["selections"]) - 1))] = draw(values)
            return cbor.encode(value)
        case 2:
            value = cbor.decode(opening)
            assert isinstance(value, dict)
            value["contests"][draw(st.integers(0, 2))] = draw(ODD_VALUES)
            return cbor.encode(value)
        case _:
            return opening


#: A ballot that was made: its voter's style and row, body and opening.
Made = tuple[str, int, bytes, bytes]


def drawn_entry(polling: OpenElection, pool: list[Made], draw: Draw) -> bytes:
    """One entry: of the pool or freshly made, changed or not, signed by its voter, by another one, or not again."""
    if pool and draw(st.booleans()):
        style, row, body, opening = draw(st.sampled_from(pool))
    else:
        style, row = draw(st.sampled_from(STYLES)), draw(st.integers(0, 1))
        body, opening = polling.body(style, row, draw(st.integers(0, 2)))
        pool.append((style, row, body, opening))
    body = mutated_body(body, draw)
    signer = row if draw(st.integers(0, 8)) else 1 - row
    unsigned = draw(st.integers(0, 9)) == 9
    if draw(st.booleans()):
        return encode_ballot_entry(body, bytes(64)) if unsigned else polling.sign_ballot(style, signer, body)
    opening = mutated_opening(opening, draw)
    if unsigned:
        return encode_challenge_entry(body, b"\xff" * 64, opening)
    return polling.sign_challenge(style, signer, body, opening)


def judge_drawn(polling: OpenElection, data: st.DataObject) -> None:
    """Draw some entries and compare the two judgements."""
    pool: list[Made] = []
    entries = [drawn_entry(polling, pool, data.draw) for _ in range(data.draw(st.integers(1, 5)))]
    selection = polling.judge(entries)
    assert objections(polling, entries, selection.dispositions) == {}
    # Every other disposition of one of them is objected to, so the verifier's reason is the same one.
    place = data.draw(st.integers(0, len(entries) - 1))
    other = data.draw(st.sampled_from(sorted({0, 1, 2, *range(16, 24)} - {selection.dispositions[place]})))
    changed = bytearray(selection.dispositions)
    changed[place] = other
    assert objections(polling, entries, bytes(changed))


SETTINGS = settings(deadline=None, suppress_health_check=list(HealthCheck))


@given(data=st.data())
@settings(SETTINGS, max_examples=100)
def test_B13_server_and_verifier_judge_mutated_entries_alike(polling: OpenElection, data: st.DataObject) -> None:
    judge_drawn(polling, data)


@pytest.mark.full
@given(data=st.data())
@settings(SETTINGS, max_examples=5000)
def test_B13_at_length(polling: OpenElection, data: st.DataObject) -> None:
    judge_drawn(polling, data)


@given(data=st.data())
@settings(SETTINGS, max_examples=200)
def test_B13_what_is_a_ballot_or_challenge_at_all(polling: OpenElection, data: st.DataObject) -> None:
    """The outer form: the server takes in exactly what the verifier sees, and the quick look never misses it."""
    opening = polling.body()[1]
    entry = data.draw(st.sampled_from([polling.ballot(), polling.sign_challenge("east", 0, b"body", opening)]))
    value: Any = cbor.decode(entry)
    match data.draw(st.integers(0, 4)):
        case 0:
            value[data.draw(st.sampled_from(["type", "body", "signature", "opening", "x"]))] = data.draw(ODD_VALUES)
            entry = cbor.encode(value)
        case 1:
            value.pop(data.draw(st.sampled_from(sorted(value))))
            entry = cbor.encode(value)
        case 2:
            value["type"] = data.draw(st.sampled_from(["ballot", "challenge", "epoch", "ballots"]))
            entry = cbor.encode(value)
        case 3:
            edge = data.draw(st.sampled_from([entry[:7], entry[-70:]]))
            entry = entry.replace(edge, change_bytes(edge, data.draw), 1)
        case _:
            entry = change_bytes(entry, data.draw)
    try:
        outer = decode_voter_entry(entry)
    except DecodeError:
        assert split_voter_entry(entry) is None
        return
    second = split_voter_entry(entry)
    assert second is not None
    assert (outer.body, outer.signature) == (second.body, second.signature)
    assert (outer.opening if outer.challenge else None) == second.opening
    assert is_voter_entry(entry)
    assert is_challenge_entry(entry) == outer.challenge
