"""The audit of key ceremonies, with one planted defect for each rule of docs/spec/04-ceremonies.md section 4.7."""

from __future__ import annotations

import pytest

from crypto.group import Group, PairingGroup
from tests.verifier.equations.ceremony_cases import DEFECTS, audit, drop, garbage, rules
from tests.verifier.equations.ceremony_prover import Ceremony, Script
from tests.verifier.equations.provers import linear, times_generator
from verifier.equations import ceremony_rules
from verifier.equations.decryption import lagrange_at_zero


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
