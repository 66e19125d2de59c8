"""The audit of key ceremonies, with one planted defect for each rule of docs/spec/04-ceremonies.md section 4.7."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from crypto.group import ORDER, Group, PairingGroup
from tests.verifier.equations.ceremony_prover import MANIFEST, Body, Ceremony, Script, sum_to
from tests.verifier.equations.provers import linear, times_generator
from verifier.equations import ceremonies, ceremony_rules
from verifier.equations.ceremonies import check_ceremony
from verifier.equations.decryption import lagrange_at_zero
from verifier.equations.interface import CeremonyResult
from verifier.record import cbor


@pytest.fixture
def ceremony(group: Group) -> Ceremony:
    return Ceremony(group)


def audit(ceremony: Ceremony, pairing: PairingGroup, transcript: Body | bytes, **changes: Any) -> CeremonyResult:
    arguments: dict[str, Any] = {
        "kind": "trustees",
        "manifest_hash": MANIFEST,
        "roles": ceremony.roles,
        "threshold": ceremony.t,
        "labels": ["election-key"],
        "group": ceremony.group,
        "pairing": pairing,
    }
    data = transcript if isinstance(transcript, bytes) else cbor.encode(transcript)
    return check_ceremony(data, **(arguments | changes))


def rules(result: CeremonyResult) -> set[str]:
    return {(failure.equation or "").removeprefix("ceremony.") for failure in result.failures}


def test_an_honest_ceremony_gives_the_keys(ceremony: Ceremony, pairing: PairingGroup) -> None:
    secrets: dict[int, list[int]] = {}
    result = audit(ceremony, pairing, ceremony.transcript(Script(polynomials=secrets.update)))
    assert result.failures == ()
    joint = sum(coefficients[0] for coefficients in secrets.values())
    assert result.joint_keys == {"election-key": times_generator(ceremony.group, joint)}
    assert result.holders == {1, 2, 3}
    assert result.verification_keys is not None
    keys = result.verification_keys["election-key"]
    for j in (1, 2, 3):
        share = sum(a * j**k for coefficients in secrets.values() for k, a in enumerate(coefficients))
        assert keys[32 * (j - 1) : 32 * j] == times_generator(ceremony.group, share)
    pairs = zip(lagrange_at_zero([1, 3]), (keys[:32], keys[64:]), strict=True)
    assert linear(ceremony.group, *pairs) == result.joint_keys["election-key"]


def test_both_arithmetics_agree(each_group: Group, pairing: PairingGroup) -> None:
    ceremony = Ceremony(each_group)
    assert rules(audit(ceremony, pairing, ceremony.transcript(Script()))) == set()


# One defect for each reason of 4.4. Nobody is named in the transcript, so the audit must name the culprit.


def change_body(number: int, sender: int, **fields: Any) -> Callable[[int, int, Body], None]:
    """Set fields of a body; a callable gets the old value."""

    def hook(at: int, who: int, body: Body) -> None:
        if (at, who) == (number, sender):
            for name, value in fields.items():
                key = name.replace("_", "-")
                body[key] = value(body[key]) if callable(value) else value

    return hook


def change_item(number: int, sender: int, array: str, **fields: Any) -> Callable[[int, int, Body], None]:
    """Set fields of the first item of a body's array."""

    def hook(at: int, who: int, body: Body) -> None:
        if (at, who) == (number, sender):
            for name, value in fields.items():
                old = body[array][0][name]
                body[array][0][name] = value(old) if callable(value) else value

    return hook


def drop(number: int, sender: int) -> Callable[[int, list[Body]], None]:
    def hook(at: int, envelopes: list[Body]) -> None:
        if at == number:
            del envelopes[sender - 1]

    return hook


def off_by_one(proof: bytes) -> bytes:
    """The response of a proof plus one."""
    return proof[:32] + ((int.from_bytes(proof[32:], "little") + 1) % ORDER).to_bytes(32, "little")


def plus_order(proof: bytes) -> bytes:
    return proof[:32] + (int.from_bytes(proof[32:], "little") + ORDER).to_bytes(32, "little")


def one_degree_more(polynomials: dict[int, list[int]]) -> None:
    polynomials[2].append(5)


def garbage(dealer: int, receiver: int, plain: bytes) -> bytes:
    return bytes(32) if (dealer, receiver) == (2, 1) else plain


def share_plus_order(dealer: int, receiver: int, plain: bytes) -> bytes:
    return (int.from_bytes(plain, "little") + ORDER).to_bytes(32, "little") if (dealer, receiver) == (2, 1) else plain


def second_commit(ceremony: Ceremony) -> Script:
    """Two commits of participant 2 that differ in the proof's nonce only, both of them true."""

    def hook(number: int, envelopes: list[Body]) -> None:
        if number == 0:
            body: Any = cbor.decode(envelopes[1]["body"])
            body["commitment"] = bytes(32)
            second = ceremony.envelope("commit", 2, body)
            pair = sorted([envelopes[1], second], key=lambda envelope: envelope["body"])
            envelopes[1:2] = pair

    return Script(envelopes=hook)


def confirm_and_complain(ceremony: Ceremony) -> Script:
    def hook(number: int, envelopes: list[Body]) -> None:
        if number == 3:
            body = ceremony.header({"number": 1}, 2) | {"transcript": bytes(32)}
            envelopes[1:2] = sorted([envelopes[1], ceremony.envelope("confirm", 2, body)], key=lambda e: e["body"])

    return Script(envelopes=hook)


@dataclass(frozen=True)
class Defect:
    script: Callable[[Ceremony], Script]
    culprit: int
    #: Function of ceremony_rules that knows; and whether without it the transcript would pass.
    function: str
    alone: bool = True


def of(script: Script) -> Callable[[Ceremony], Script]:
    return lambda _: replace(script)


def adapt(ceremony: Ceremony) -> Script:
    """S2: the last mover reveals another true polynomial than it committed to."""

    def late(i: int, body: Body) -> None:
        if i == 2:
            coefficients = ceremony.rng.scalars(2)
            commitments = b"".join(times_generator(ceremony.group, a) for a in coefficients)
            parts = (MANIFEST, "trustees", 1, "election-key", 2, commitments)
            proof = ceremony.prove_logarithm(coefficients[0], "evoting/v1/ceremony-possession", *parts)
            body["instances"][0].update(commitments=commitments, possession=proof)

    return Script(late=late)


DEFECTS: dict[str, Defect] = {
    "missing/a commit": Defect(of(Script(envelopes=drop(0, 3))), 3, "is_there", alone=False),
    "missing/a reveal": Defect(of(Script(envelopes=drop(1, 3))), 3, "is_there", alone=False),
    "missing/shares": Defect(of(Script(envelopes=drop(2, 3))), 3, "is_there", alone=False),
    "missing/a confirmation": Defect(of(Script(envelopes=drop(3, 1))), 1, "is_there", alone=False),
    "equivocation/two commits": Defect(second_commit, 2, "says_one_thing", alone=False),
    "equivocation/two confirmations": Defect(confirm_and_complain, 2, "says_one_thing", alone=False),
    "malformed/S8 the identity as receiver key": Defect(
        of(Script(body=change_body(0, 2, receiver_key=bytes(32)))), 2, "is_well_formed", alone=False
    ),
    "malformed/an unknown key": Defect(of(Script(body=change_body(0, 2, extra=1))), 2, "is_well_formed", alone=False),
    "malformed/a challenge of zero": Defect(
        of(Script(body=change_body(0, 2, possession=bytes(64)))), 2, "is_well_formed", alone=False
    ),
    "malformed/a response plus the order": Defect(
        of(Script(body=change_body(0, 2, possession=plus_order))), 2, "is_well_formed", alone=False
    ),
    "malformed/S8 the identity as commitment": Defect(
        of(Script(polynomials=lambda p: p[2].__setitem__(1, 0))), 2, "is_well_formed", alone=False
    ),
    "malformed/half an element": Defect(
        of(Script(body=change_item(1, 2, "instances", commitments=lambda c: c[:-1]))), 2, "is_well_formed", alone=False
    ),
    "malformed/another label": Defect(
        of(Script(body=change_item(1, 2, "instances", label="other"))), 2, "is_well_formed", alone=False
    ),
    "malformed/a short box": Defect(
        of(Script(body=change_item(2, 2, "shares", box=lambda box: box[:-1]))), 2, "is_well_formed", alone=False
    ),
    "malformed/S4 a share for oneself": Defect(
        of(Script(body=change_item(2, 2, "shares", receiver=2))), 2, "is_well_formed", alone=False
    ),
    "malformed/a complaint about oneself": Defect(
        of(Script(complaints={2: [1]}, complaint=lambda i, item: item.__setitem__("dealer", i))),
        2,
        "is_well_formed",
        alone=False,
    ),
    "degree/S4 one more": Defect(of(Script(polynomials=one_degree_more)), 2, "has_degree"),
    "degree/S4 one less": Defect(of(Script(polynomials=lambda p: p[2].pop())), 2, "has_degree"),
    "commitment/S2 the last mover adapts": Defect(adapt, 2, "opens_commitment"),
    "receiver-key/a response off by one": Defect(
        of(Script(body=change_body(0, 2, possession=off_by_one))), 2, "knows_receiver_secret"
    ),
    "possession/a response off by one": Defect(
        of(Script(body=change_item(1, 2, "instances", possession=off_by_one))), 2, "possesses_constant_terms"
    ),
    "transcript/another hash": Defect(
        of(Script(body=change_body(3, 2, transcript=bytes(32)))), 2, "confirms_transcript"
    ),
    "false-complaint/S5 S11 a good share": Defect(of(Script(complaints={2: [1]})), 2, "complains_truly"),
    "bad-share/S5 a wrong scalar": Defect(of(Script(plain=garbage, complaints={1: [2]})), 2, "dealt_well"),
    "bad-share/a scalar plus the order": Defect(
        of(Script(plain=share_plus_order, complaints={1: [2]})), 2, "dealt_well"
    ),
    "bad-share/S11 a box that does not open": Defect(
        of(
            Script(
                body=change_item(2, 2, "shares", box=lambda box: bytes(len(box))),
                complaints={1: [2]},
            )
        ),
        2,
        "dealt_well",
    ),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_the_culprit_and_the_reason_are_named(ceremony: Ceremony, pairing: PairingGroup, name: str) -> None:
    defect = DEFECTS[name]
    result = audit(ceremony, pairing, ceremony.transcript(defect.script(ceremony)))
    assert rules(result) == {name.split("/")[0]}
    assert [failure.role for failure in result.failures] == [f"trustee-{defect.culprit}"]


@pytest.mark.parametrize("name", DEFECTS)
def test_D9_a_reason_replaced_by_pass_is_noticed(
    ceremony: Ceremony, pairing: PairingGroup, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the reason's function the transcript passes, or what relied on it breaks."""
    defect = DEFECTS[name]
    transcript = ceremony.transcript(defect.script(ceremony))
    monkeypatch.setattr(ceremony_rules, defect.function, lambda *_: True)
    try:
        found = rules(audit(ceremony, pairing, transcript))
    except KeyError:
        assert not defect.alone
    else:
        assert found == set() if defect.alone else found != {name.split("/")[0]}


@pytest.mark.parametrize("name", DEFECTS)
def test_the_ceremony_goes_on_without_the_culprit(ceremony: Ceremony, pairing: PairingGroup, name: str) -> None:
    """With the culprit named, and the attempt ended there, the next attempt succeeds."""
    defect = DEFECTS[name]
    script = defect.script(ceremony)
    script.rounds = 1 + next(
        number
        for number in range(4)
        if rules(audit(ceremony, pairing, ceremony.transcript(_shortened(defect.script(ceremony), number + 1))))
        - {"attempts"}
    )
    script.culprits = [(defect.culprit, name.split("/")[0])]
    result = audit(ceremony, pairing, ceremony.transcript(script, Script()))
    assert result.failures == ()
    assert result.holders == {1, 2, 3} - {defect.culprit}
    assert result.verification_keys is not None
    excluded = 32 * (defect.culprit - 1)
    assert result.verification_keys["election-key"][excluded : excluded + 32] == bytes(32)


def _shortened(script: Script, rounds: int) -> Script:
    script.rounds = rounds
    return script


# Complaints.


def test_a_complaint_with_a_false_proof_blames_the_complainer(
    ceremony: Ceremony, pairing: PairingGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S11: the receiver shows another point than the true one, with which the good box does not open."""
    script = Script(
        complaints={1: [2]}, complaint=lambda _, item: item.update(point=times_generator(ceremony.group, 5))
    )
    transcript = ceremony.transcript(script)
    result = audit(ceremony, pairing, transcript)
    assert [(failure.equation, failure.role) for failure in result.failures] == [
        ("ceremony.false-complaint", "trustee-1")
    ]
    monkeypatch.setattr(ceremony_rules, "complaint_proven", lambda *_: True)
    assert rules(audit(ceremony, pairing, transcript)) == {"bad-share"}


def test_the_share_equation_replaced_by_pass_blames_the_wrong_party(
    ceremony: Ceremony, pairing: PairingGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    transcript = ceremony.transcript(DEFECTS["bad-share/S5 a wrong scalar"].script(ceremony))
    monkeypatch.setattr(ceremony_rules, "share_equation", lambda *_: True)
    assert rules(audit(ceremony, pairing, transcript)) == {"false-complaint"}


def test_a_complaint_against_somebody_who_sent_nothing_is_not_judged(ceremony: Ceremony, pairing: PairingGroup) -> None:
    script = Script(complaints={1: [2]}, envelopes=drop(3, 2), culprits=[(2, "missing")])
    assert audit(ceremony, pairing, ceremony.transcript(script, Script())).failures == ()


def test_two_culprits_of_one_round_are_both_named(group: Group, pairing: PairingGroup) -> None:
    ceremony = Ceremony(group, 5, 2)
    script = Script(plain=garbage, complaints={1: [2, 3]})
    transcript = ceremony.transcript(script)
    result = audit(ceremony, pairing, transcript)
    assert {(failure.equation, failure.role) for failure in result.failures} == {
        ("ceremony.bad-share", "trustee-2"),
        ("ceremony.false-complaint", "trustee-1"),
    }


# Rules beside the reasons.


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
