"""The labelled transcript: exactly the bytes of the specification, and every message binds every later challenge."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import transcript as module
from crypto.errors import InvalidProof
from crypto.group.interface import ORDER
from crypto.hashing import frame
from crypto.transcript import Transcript


def test_the_absorbed_bytes_are_those_of_section_1_3() -> None:
    transcript = Transcript("evoting/v1/test")
    transcript.append("one", b"abc")
    state = frame(b"evoting/v1/transcript") + frame(b"evoting/v1/test") + frame(b"one") + frame(b"abc")
    state += frame(b"challenge") + frame(b"x")
    assert transcript.challenge("x") == int.from_bytes(hashlib.sha512(state).digest(), "little") % ORDER
    state += frame(b"stream") + frame(b"weights")
    seed = frame(b"evoting/v1/transcript-stream") + frame(hashlib.sha512(state).digest())
    assert transcript.stream("weights", 300) == hashlib.shake_256(seed).digest(300)
    state += frame(b"challenge") + frame(b"y")
    assert transcript.challenge("y") == int.from_bytes(hashlib.sha512(state).digest(), "little") % ORDER


MESSAGES = [("context", b"election"), ("statement", b"\x01\x02"), ("commitment", b"\x03")]


def final_challenge(messages: list[tuple[str, bytes]], domain: str = "evoting/v1/test") -> int:
    transcript = Transcript(domain)
    for label, data in messages:
        transcript.append(label, data)
    return transcript.challenge("e")


@pytest.mark.parametrize("index", range(len(MESSAGES)))
@pytest.mark.parametrize("change", ["dropped", "other label", "other data", "longer", "moved to the end"])
def test_B4_any_message_dropped_or_changed_changes_the_challenge(index: int, change: str) -> None:
    label, data = MESSAGES[index]
    others = MESSAGES[:index], MESSAGES[index + 1 :]
    changed = {
        "dropped": [*others[0], *others[1]],
        "other label": [*others[0], (label + "x", data), *others[1]],
        "other data": [*others[0], (label, data[:-1] + b"\xff"), *others[1]],
        "longer": [*others[0], (label, data + b"\0"), *others[1]],
        "moved to the end": [*others[0], *others[1], (label, data)],
    }[change]
    if changed != MESSAGES:
        assert final_challenge(changed) != final_challenge(MESSAGES)


def test_domains_and_labels_of_challenges_separate() -> None:
    assert final_challenge(MESSAGES) != final_challenge(MESSAGES, "evoting/v1/tes")
    first, second = Transcript("d"), Transcript("d")
    assert first.challenge("x") != second.challenge("y")
    # The request for the first challenge is itself absorbed.
    assert first.challenge("z") != second.challenge("z")


@given(st.binary(max_size=20), st.integers(0, 20))
def test_B5_splitting_a_message_changes_the_challenge(data: bytes, at: int) -> None:
    whole, split = Transcript("d"), Transcript("d")
    whole.append("m", data)
    split.append("m", data[:at])
    split.append("m", data[at:])
    assert whole.challenge("e") != split.challenge("e")


def test_streams_of_different_lengths_are_prefixes_and_advance_the_state_alike() -> None:
    first, second = Transcript("d"), Transcript("d")
    assert first.stream("s", 64).startswith(second.stream("s", 10))
    assert first.challenge("e") == second.challenge("e")
    untouched = Transcript("d")
    assert first.clone().challenge("e") != untouched.challenge("e")


def test_a_clone_is_independent() -> None:
    transcript = Transcript("d")
    transcript.append("a", b"1")
    copy = transcript.clone()
    copy.append("b", b"2")
    reference = Transcript("d")
    reference.append("a", b"1")
    assert transcript.challenge("e") == reference.challenge("e")
    assert copy.challenge("e") != Transcript("d").challenge("e")


def test_a_challenge_of_zero_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody finds one, so the group's order is replaced by 1: every challenge is then zero."""
    monkeypatch.setattr(module, "ORDER", 1)
    with pytest.raises(InvalidProof, match="is zero") as caught:
        Transcript("d").challenge("e")
    assert caught.value.check == "transcript.zero-challenge"
