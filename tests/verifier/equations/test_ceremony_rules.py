"""The rules of docs/spec/04-ceremonies.md section 4.7 beside the reasons: form, signatures, attempts, verdict, keys."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crypto.group import Group, PairingGroup
from tests.verifier.equations.ceremony_cases import audit, drop, rules
from tests.verifier.equations.ceremony_prover import MANIFEST, Body, Ceremony, Script, sum_to
from tests.verifier.equations.provers import linear, times_generator
from verifier.equations import ceremonies
from verifier.record import cbor


def test_S3_the_possession_of_another_participant(ceremony: Ceremony, pairing: PairingGroup) -> None:
    """Participant 2 copies the first one's commitments and proof."""
    copied: Body = {}

    def hook(number: int, who: int, body: Body) -> None:
        if number == 1 and who == 1:
            copied.update(body["instances"][0])
        if number == 1 and who == 2:
            body["instances"][0] = dict(copied)

    assert rules(audit(ceremony, pairing, ceremony.transcript(Script(body=hook)))) == {"possession"}


def test_S1_a_rogue_key_has_no_possession(ceremony: Ceremony, pairing: PairingGroup) -> None:
    """The last participant publishes X - (the others' sum), whose logarithm it does not know."""
    sums: list[bytes] = []

    def hook(number: int, who: int, body: Body) -> None:
        if number != 1:
            return
        instance = body["instances"][0]
        if who < 3:
            sums.append(instance["commitments"][:32])
        else:
            mine = times_generator(ceremony.group, 9)
            rogue = linear(ceremony.group, (1, mine), *((-1, other) for other in sums))
            commitments = rogue + instance["commitments"][32:]
            parts = (MANIFEST, "trustees", 1, "election-key", 3, commitments)
            proof = ceremony.prove_logarithm(9, "evoting/v1/ceremony-possession", *parts)
            instance.update(commitments=commitments, possession=proof)

    assert rules(audit(ceremony, pairing, ceremony.transcript(Script(body=hook)))) == {"possession"}


def test_S8_a_joint_key_that_is_the_identity(
    ceremony: Ceremony, pairing: PairingGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    transcript = ceremony.transcript(Script(polynomials=lambda p: sum_to(p, 0)))
    assert rules(audit(ceremony, pairing, transcript)) == {"joint-key"}
    monkeypatch.setattr(ceremonies, "joint_key_failures", lambda *_: [])
    assert rules(audit(ceremony, pairing, transcript)) == set()


def test_a_verification_key_that_is_the_identity(
    ceremony: Ceremony, pairing: PairingGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    transcript = ceremony.transcript(Script(polynomials=lambda p: sum_to(p, 2)))
    result = audit(ceremony, pairing, transcript)
    assert [(failure.equation, failure.role) for failure in result.failures] == [
        ("ceremony.verification-keys", "trustee-2")
    ]
    monkeypatch.setattr(ceremonies, "verification_key_failures", lambda *_: [])
    assert rules(audit(ceremony, pairing, transcript)) == set()


def test_a_signature_of_somebody_else(
    ceremony: Ceremony, pairing: PairingGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hook(number: int, envelopes: list[Body]) -> None:
        if number == 3:
            envelopes[1]["signature"] = envelopes[0]["signature"]

    transcript = ceremony.transcript(Script(envelopes=hook))
    assert rules(audit(ceremony, pairing, transcript)) == {"signature"}
    monkeypatch.setattr(ceremonies, "envelope_signature", lambda *_: True)
    assert rules(audit(ceremony, pairing, transcript)) == set()


def reversed_order(number: int, envelopes: list[Body]) -> None:
    if number == 3:
        envelopes.reverse()


def repeated(number: int, envelopes: list[Body]) -> None:
    if number == 3:
        envelopes.insert(1, envelopes[1])


@pytest.mark.parametrize("hook", [reversed_order, repeated])
def test_envelopes_stand_in_order_without_repetition(
    ceremony: Ceremony, pairing: PairingGroup, hook: Callable[[int, list[Body]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    transcript = ceremony.transcript(Script(envelopes=hook))
    assert "envelope" in rules(audit(ceremony, pairing, transcript))
    monkeypatch.setattr(ceremonies, "envelope_failures", lambda *_: [])
    assert "envelope" not in rules(audit(ceremony, pairing, transcript))


@pytest.mark.parametrize(
    ("field", "value"), [("kind", "issuers"), ("attempt", 2), ("sender", 0), ("sender", 4), ("sender", True)]
)
def test_S4_an_envelope_that_is_nobodys_message(
    ceremony: Ceremony, pairing: PairingGroup, field: str, value: object
) -> None:
    """A fourth envelope in round 4, signed by participant 1, beside the three that are right."""

    def hook(number: int, envelopes: list[Body]) -> None:
        if number == 3:
            body = ceremony.header({"number": 1}, 1) | {"transcript": bytes(32)} | {field: value}
            envelopes.append(ceremony.envelope("confirm", 1, body))

    assert rules(audit(ceremony, pairing, ceremony.transcript(Script(envelopes=hook)))) == {"envelope"}


def test_an_envelope_of_another_round(ceremony: Ceremony, pairing: PairingGroup) -> None:
    def hook(number: int, envelopes: list[Body]) -> None:
        if number == 3:
            envelopes.append(ceremony.envelope("commit", 1, ceremony.header({"number": 1}, 1)))

    assert rules(audit(ceremony, pairing, ceremony.transcript(Script(envelopes=hook)))) == {"envelope"}


def test_somebody_excluded_without_reason(
    ceremony: Ceremony, pairing: PairingGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    transcript = ceremony.transcript(Script(rounds=1, culprits=[(3, "missing")]), Script())
    assert rules(audit(ceremony, pairing, transcript)) == {"verdict"}
    monkeypatch.setattr(ceremonies, "verdict_failures", lambda *_: [])
    assert rules(audit(ceremony, pairing, transcript)) == set()


def test_a_culprit_with_the_wrong_reason(ceremony: Ceremony, pairing: PairingGroup) -> None:
    first = Script(rounds=1, envelopes=drop(0, 3), culprits=[(3, "malformed")])
    assert rules(audit(ceremony, pairing, ceremony.transcript(first, Script()))) == {"verdict"}


def renumbered(transcript: Body) -> None:
    transcript["attempts"][0]["number"] = 2


def without_third(transcript: Body) -> None:
    transcript["attempts"][0]["participants"] = [1, 2]


def index_zero(transcript: Body) -> None:
    transcript["attempts"][0]["participants"] = [0, 1, 2]


def index_twice(transcript: Body) -> None:
    transcript["attempts"][0]["participants"] = [1, 2, 2, 3]


def three_rounds(transcript: Body) -> None:
    del transcript["attempts"][0]["rounds"][3]


def culprit_in_the_last(transcript: Body) -> None:
    transcript["attempts"][0]["culprits"] = [{"participant": 3, "reason": "missing"}]


@pytest.mark.parametrize(
    "change", [renumbered, without_third, index_zero, index_twice, three_rounds, culprit_in_the_last]
)
def test_S4_attempts_that_break_the_rules(
    ceremony: Ceremony, pairing: PairingGroup, change: Callable[[Body], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    transcript = ceremony.transcript(Script())
    change(transcript)
    assert "attempts" in rules(audit(ceremony, pairing, transcript))
    monkeypatch.setattr(ceremonies, "attempts_failures", lambda *_: [])
    assert "attempts" not in rules(audit(ceremony, pairing, transcript))


def test_an_attempt_that_goes_on_after_its_culprit(ceremony: Ceremony, pairing: PairingGroup) -> None:
    first = Script(rounds=2, envelopes=drop(0, 3), culprits=[(3, "missing")])
    assert rules(audit(ceremony, pairing, ceremony.transcript(first, Script()))) == {"attempts"}


def test_fewer_than_the_threshold_cannot_go_on(group: Group, pairing: PairingGroup) -> None:
    ceremony = Ceremony(group, 3, 3)
    first = Script(rounds=1, envelopes=drop(0, 3), culprits=[(3, "missing")])
    assert rules(audit(ceremony, pairing, ceremony.transcript(first, Script()))) == {"attempts"}


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.update(kind="issuers"),
        lambda t: t.update(manifest=bytes(32)),
        lambda t: t.update(format="evoting-ceremony/v2"),
        lambda t: t.update(more=1),
        lambda t: t.update(attempts=[]),
    ],
)
def test_a_transcript_of_another_kind_manifest_or_form(
    ceremony: Ceremony, pairing: PairingGroup, change: Callable[[Body], None]
) -> None:
    transcript = ceremony.transcript(Script())
    change(transcript)
    result = audit(ceremony, pairing, transcript)
    assert rules(result) == {"format"}
    assert result.joint_keys is None


def test_bytes_that_are_no_transcript(ceremony: Ceremony, pairing: PairingGroup) -> None:
    good = cbor.encode(ceremony.transcript(Script()))
    for data in (b"", good + b"\0", good[:-1], b"\xa1" * 100):
        assert rules(audit(ceremony, pairing, data)) == {"format"}


def test_the_manifest_and_other_parameters_bind(ceremony: Ceremony, pairing: PairingGroup) -> None:
    """The same transcript under another threshold, other roles or another label."""
    transcript = ceremony.transcript(Script())
    assert rules(audit(ceremony, pairing, transcript, threshold=3)) == {"degree"}
    assert rules(audit(ceremony, pairing, transcript, labels=["other"])) == {"malformed"}
    swapped = [ceremony.roles[1], ceremony.roles[0], ceremony.roles[2]]
    assert "envelope" in rules(audit(ceremony, pairing, transcript, roles=swapped))


def test_a_transcript_with_endless_attempts_is_refused_at_once(ceremony: Ceremony, pairing: PairingGroup) -> None:
    """What an attempt confirms contains all attempts before it, so that reading on would take quadratic time."""
    transcript = ceremony.transcript(Script())
    nobody: Body = {"number": 1, "participants": [1], "rounds": [[], [], [], []], "culprits": []}
    transcript["attempts"] = [nobody] * 20_000
    result = audit(ceremony, pairing, transcript)
    assert rules(result) == {"attempts"}
    assert len(result.failures) < 10


def _excluded_twice(culprits: list[Body]) -> None:
    culprits.append(culprits[0])


def _excluded_stranger(culprits: list[Body]) -> None:
    culprits.append({"participant": 9, "reason": "missing"})


def _out_of_order(culprits: list[Body]) -> None:
    culprits.reverse()


@pytest.mark.parametrize("change", [_excluded_twice, _excluded_stranger, _out_of_order])
def test_culprits_are_different_participants_in_order(
    group: Group, pairing: PairingGroup, change: Callable[[list[Body]], None]
) -> None:
    """Two who sent nothing are excluded; only the list that names them is changed, and the next attempt hashes it."""
    ceremony = Ceremony(group, 5, 2)

    def drop_two(number: int, envelopes: list[Body]) -> None:
        if number == 0:
            del envelopes[3:]

    first = Script(rounds=1, envelopes=drop_two, culprits=[(4, "missing"), (5, "missing")])
    assert audit(ceremony, pairing, ceremony.transcript(first, Script())).failures == ()
    value = ceremony.transcript(first)
    change(value["attempts"][0]["culprits"])
    attempt: Body = {"number": 2, "participants": [1, 2, 3], "rounds": [], "culprits": []}
    value["attempts"].append(attempt)
    ceremony.run(value, attempt, Script())
    assert "attempts" in rules(audit(ceremony, pairing, value))


@pytest.mark.parametrize("body", [cbor.encode(7), cbor.encode([]), cbor.encode(None), b"", b"\xff"])
def test_an_envelope_whose_body_is_no_map(ceremony: Ceremony, pairing: PairingGroup, body: bytes) -> None:
    def hook(number: int, envelopes: list[Body]) -> None:
        if number == 3:
            envelopes.append(ceremony.envelope("confirm", 1, body))

    assert rules(audit(ceremony, pairing, ceremony.transcript(Script(envelopes=hook)))) == {"envelope"}
