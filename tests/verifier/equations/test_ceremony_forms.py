"""Forms of ceremony messages that a corrupt participant or coordinator could try, each refused by its own rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crypto.group import Group, PairingGroup
from tests.verifier.equations.ceremony_cases import audit, rules
from tests.verifier.equations.ceremony_prover import Body, Ceremony, Script
from verifier.equations import ceremonies
from verifier.record import cbor


def thrice(ceremony: Ceremony, envelopes: list[Body]) -> None:
    """Participant 2 commits to three different things."""
    bodies: Any = [cbor.decode(envelopes[1]["body"]) for _ in range(3)]
    for number, body in enumerate(bodies):
        body["commitment"] = bytes([number]) * 32
    made = [ceremony.envelope("commit", 2, body) for body in bodies]
    envelopes[1:2] = sorted(made, key=lambda envelope: envelope["body"])


def twice(ceremony: Ceremony, envelopes: list[Body]) -> None:
    thrice(ceremony, envelopes)
    del envelopes[3]


@pytest.mark.parametrize(("change", "expected"), [(twice, {"equivocation"}), (thrice, {"equivocation", "envelope"})])
def test_two_messages_prove_equivocation_and_a_third_is_too_many(
    ceremony: Ceremony, pairing: PairingGroup, change: Callable[[Ceremony, list[Body]], None], expected: set[str]
) -> None:
    def hook(number: int, envelopes: list[Body]) -> None:
        if number == 0:
            change(ceremony, envelopes)

    script = Script(rounds=1, envelopes=hook)
    assert expected <= rules(audit(ceremony, pairing, ceremony.transcript(script)))
    assert "envelope" not in rules(audit(ceremony, pairing, ceremony.transcript(script))) - expected


def test_an_envelope_beyond_its_size_is_nobodys_message(
    ceremony: Ceremony, pairing: PairingGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    transcript = ceremony.transcript(Script())
    sizes = [len(cbor.encode(e)) for attempt in transcript["attempts"] for part in attempt["rounds"] for e in part]
    monkeypatch.setattr(ceremonies, "MAX_ENVELOPE_BYTES", max(sizes))
    assert rules(audit(ceremony, pairing, transcript)) == set()
    monkeypatch.setattr(ceremonies, "MAX_ENVELOPE_BYTES", max(sizes) - 1)
    assert rules(audit(ceremony, pairing, transcript)) == {"envelope"}


def test_the_signature_of_a_role_that_takes_no_part(ceremony: Ceremony, pairing: PairingGroup) -> None:
    def hook(number: int, envelopes: list[Body]) -> None:
        if number == 3:
            envelopes[1]["role"] = "stranger"

    found = rules(audit(ceremony, pairing, ceremony.transcript(Script(envelopes=hook))))
    assert {"signature", "envelope", "missing"} <= found


def repeated(items: list[Body]) -> None:
    items.append(dict(items[-1]))


def reordered(items: list[Body]) -> None:
    items.reverse()


def about_a_stranger(items: list[Body]) -> None:
    items[-1]["dealer"] = 9


@pytest.mark.parametrize("change", [repeated, reordered, about_a_stranger])
def test_complaints_are_about_different_participants_in_order(
    group: Group, pairing: PairingGroup, change: Callable[[list[Body]], None]
) -> None:
    ceremony = Ceremony(group, 4, 2)

    def hook(number: int, sender: int, body: Body) -> None:
        if (number, sender) == (3, 1):
            change(body["complaints"])

    script = Script(complaints={1: [2, 3]}, body=hook, culprits=[(1, "malformed")])
    found = rules(audit(ceremony, pairing, ceremony.transcript(script, Script())))
    assert found == set(), "the complainer is named as malformed, and that is right"
    unnamed = Script(complaints={1: [2, 3]}, body=hook)
    assert "malformed" in rules(audit(ceremony, pairing, ceremony.transcript(unnamed)))
