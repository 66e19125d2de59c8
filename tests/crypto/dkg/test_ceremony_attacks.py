"""Attacks on a ceremony: each planted in a complete transcript, signed and confirmed by everybody.

``skipping`` switches off the one rule that is to catch it; the same transcript then passes, which shows that nothing
else catches it, and that the test would notice if the rule went missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from crypto import cbor
from crypto.dkg import audit, verdict
from crypto.dkg.audit import CeremonyOutcome, audit_ceremony
from crypto.dkg.bodies import decode_reveal
from crypto.dkg.errors import InvalidCeremony
from crypto.dkg.messages import Envelope
from crypto.dkg.parameters import CeremonyParameters
from crypto.dkg.shamir import evaluate_polynomial
from crypto.dkg.transcript import Attempt
from crypto.dkg.verdict import Culprit
from crypto.hashing import u64
from crypto.proofs.schnorr import prove_possession
from tests.crypto.dkg.ceremony_support import (
    Actor,
    Alter,
    Body,
    actors_of,
    issuers,
    play,
    transcript_of,
    trustees,
)

LABEL = "election-key"


def refuse(parameters: CeremonyParameters, rule: str, culprit: int | None, *attempts: Attempt) -> InvalidCeremony:
    with pytest.raises(InvalidCeremony) as caught:
        audit_ceremony(parameters, transcript_of(parameters, *attempts))
    assert (caught.value.rule, caught.value.culprit) == (rule, culprit), str(caught.value)
    return caught.value


@contextmanager
def skipping(reason: str) -> Iterator[None]:
    """Audit as if one reason to name somebody did not exist."""
    original = verdict._culprits
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            verdict,
            "_culprits",
            lambda reasons: original({index: why for index, why in reasons.items() if why != reason}),
        )
        # A participant who is not named must have been read: its content is taken as if it were in order.
        judge = verdict._judge

        def lenient(context, messages, read):  # type: ignore[no-untyped-def]
            contents, reasons = judge(context, messages, read)
            for message in messages:
                if reasons.get(message.sender) == reason and message.envelope.type == "reveal":
                    contents[message.sender] = decode_reveal(context.parameters, message)
            return dict(sorted(contents.items())), {i: why for i, why in reasons.items() if why != reason}

        patch.setattr(verdict, "_judge", lenient)
        yield


def audited(parameters: CeremonyParameters, attempt: Attempt) -> CeremonyOutcome:
    return audit_ceremony(parameters, transcript_of(parameters, attempt))


# Rogue keys and adaptation


def test_S1_rogue_key_that_cancels_the_others() -> None:
    """Trustees 2 and 3 of a 2-of-3 know the secret of the joint key; trustee 1 noticed nothing."""
    parameters = trustees(3, 2)
    one, two, three = actors_of(parameters)
    group, order = parameters.group, parameters.group.order
    wanted = 424242
    # 2 cancels what 1 and 3 contributed, without knowing its own constant term, but knowing its polynomial at 1.
    others = group.generate([one.coefficients[LABEL][0]]) + group.generate([three.coefficients[LABEL][0]])
    rogue = group.generate([wanted]) + group.multiply(others, [order - 1])
    share_for_one = 777
    slope = group.generate([share_for_one]) + group.multiply(rogue, [order - 1])
    two.commitments[LABEL] = rogue.encode() + slope.encode()
    two.deal = lambda receiver, shares: [share_for_one] if receiver == 1 else shares
    attempt = play([one, two, three])

    refuse(parameters, "possession", 2, attempt)
    with skipping("possession"):
        outcome = audited(parameters, attempt)
    assert outcome.keys[0].joint_key == group.generate([wanted]).encode()


def test_S2_last_trustee_adapts_its_contribution_after_seeing_the_others() -> None:
    parameters = trustees()
    actors = actors_of(parameters)
    honest = play(actors)
    adapted = Actor(parameters, 3)
    adapted.coefficients[LABEL][0] += 1
    attempt = play([actors[0], actors[1], adapted], alter={(1, 3): lambda _: body_of(honest.rounds[0][2])})
    refuse(parameters, "commitment", 3, attempt)
    with skipping("commitment"):
        assert audited(parameters, attempt).keys[0].joint_key != audited(parameters, honest).keys[0].joint_key


def body_of(envelope: Envelope) -> Body:
    body = cbor.decode(envelope.body)
    assert isinstance(body, dict)
    return {name: value for name, value in body.items() if name not in ("kind", "attempt", "sender")}


def foreign_proof(
    actor: Actor,
    manifest: bytes | None = None,
    kind: str | None = None,
    attempt: int | None = None,
    label: str | None = None,
    index: int | None = None,
) -> bytes:
    """A proof that the actor really made for its own polynomial, but for another place."""
    parameters = actor.parameters
    own = parameters.labels[0]
    return prove_possession(
        parameters.group,
        "evoting/v1/ceremony-possession",
        (
            manifest or parameters.manifest_hash,
            (kind or parameters.kind).encode(),
            u64(attempt or actor.attempt),
            (label or own).encode(),
            u64(index or actor.index),
        ),
        parameters.group.generate(actor.coefficients[own]).encode(),
        actor.coefficients[own][0],
        99,
    )


@pytest.mark.parametrize(
    "place",
    [{"manifest": bytes(32)}, {"kind": "issuers"}, {"attempt": 2}, {"label": "other"}, {"index": 1}],
    ids=lambda place: next(iter(place)),
)
def test_S3_proof_of_possession_from_another_place(place: dict[str, Any]) -> None:
    parameters = trustees()
    actors = actors_of(parameters)
    actors[1].possession[LABEL] = foreign_proof(actors[1], **place)
    attempt = play(actors)
    refuse(parameters, "possession", 2, attempt)
    with skipping("possession"):
        audited(parameters, attempt)


def test_S3_contribution_and_proof_copied_from_another_trustee() -> None:
    parameters = trustees()
    actors = actors_of(parameters)
    # An accomplice of trustee 1 that knows its polynomial, so that even the shares are right.
    actors[1].coefficients = actors[0].coefficients
    actors[1].possession[LABEL] = body_of(play(actors[:1]).rounds[1][0])["instances"][0]["possession"]  # type: ignore[index]
    refuse(parameters, "possession", 2, play(actors))


def test_S3_proof_of_possession_of_another_ballot_style() -> None:
    parameters = issuers(3, 2)
    actors = actors_of(parameters)
    first, second = parameters.labels
    actors[2].coefficients[second] = actors[2].coefficients[first]
    proof = foreign_proof(actors[2])
    actors[2].possession = {first: proof, second: proof}
    refuse(parameters, "possession", 3, play(actors))


def test_S3_the_proof_covers_every_commitment() -> None:
    parameters = trustees()
    actors = actors_of(parameters)
    proof = foreign_proof(actors[1])
    actors[1].coefficients[LABEL][1] += 1
    actors[1].possession[LABEL] = proof
    refuse(parameters, "possession", 2, play(actors))


def test_S3_receiver_key_copied_from_another_trustee() -> None:
    parameters = trustees()
    actors = actors_of(parameters)
    body = body_of(play(actors).rounds[0][0])

    def copy(own: Body) -> Body:
        return {**body, "commitment": own["commitment"]}

    refuse(parameters, "receiver-key", 2, play(actors, alter={(1, 2): copy}))


# Indices and degrees


@pytest.mark.parametrize("extra", [-1, 1], ids=["too low", "too high"])
@pytest.mark.parametrize("make", [trustees, issuers])
def test_S4_polynomial_of_wrong_degree(make: object, extra: int) -> None:
    parameters = make()  # type: ignore[operator]
    actors = actors_of(parameters)
    for label in parameters.labels:
        coefficients = actors[1].coefficients[label]
        actors[1].coefficients[label] = coefficients[:-1] if extra < 0 else [*coefficients, 5]
    refuse(parameters, "degree", 2, play(actors))


def test_S4_higher_degree_hidden_behind_an_identity() -> None:
    parameters = trustees()
    actors = actors_of(parameters)
    actors[1].commitments[LABEL] = parameters.group.generate([actors[1].coefficients[LABEL][0]]).encode() + bytes(32)
    refuse(parameters, "malformed", 2, play(actors))


def renumber(attempt: Attempt, participants: Sequence[int]) -> Attempt:
    return replace(attempt, participants=tuple(participants))


@pytest.mark.parametrize("participants", [(0, 1, 2), (1, 1, 2), (1, 2), (1, 2, 4), (3, 2, 1)])
def test_S4_index_zero_duplicate_or_foreign_participants(participants: tuple[int, ...]) -> None:
    parameters = trustees()
    refuse(parameters, "attempts", None, renumber(play(actors_of(parameters)), participants))


@pytest.mark.parametrize("sender", [0, 1, 4])
def test_S4_message_signed_for_another_index(sender: int) -> None:
    parameters = trustees()
    attempt = play(actors_of(parameters), alter={(2, 3): lambda body: {**body, "sender": sender}})
    refuse(parameters, "envelope", None, attempt)


@pytest.mark.parametrize("receivers", [[0, 2], [2, 2], [3, 2], [2], [1, 2, 3], [2, 4]])
def test_S4_shares_for_index_zero_twice_or_not_for_everybody(receivers: list[int]) -> None:
    parameters = trustees()

    def change(body: Body) -> Body:
        item = body["shares"][0]  # type: ignore[index]
        return {"shares": [{**item, "receiver": receiver} for receiver in receivers]}

    refuse(parameters, "malformed", 1, play(actors_of(parameters), alter={(3, 1): change}))


# Shares and complaints


def bad_share(receiver: int, shares: list[int]) -> list[int]:
    return [share + 1 for share in shares] if receiver == 1 else shares


def flip_box(receiver: int) -> Alter:
    def change(body: Body) -> Body:
        items = body["shares"]
        assert isinstance(items, list)
        return {
            "shares": [
                {**item, "box": item["box"][:-1] + bytes([item["box"][-1] ^ 1])}
                if item["receiver"] == receiver
                else item
                for item in items
            ]
        }

    return change


@pytest.mark.parametrize("make", [trustees, issuers])
def test_S5_S11_upheld_complaint_names_the_dealer(make: object) -> None:
    parameters = make()  # type: ignore[operator]
    actors = actors_of(parameters)
    actors[1].deal = bad_share
    attempt = play(actors, complaints={1: [2]})
    refuse(parameters, "bad-share", 2, attempt)
    # With the verdict in it, the attempt is a valid part of a transcript, and the ceremony goes on without the dealer.
    failed = replace(attempt, culprits=(Culprit(2, "bad-share"),))
    second = play(actors_of(parameters, 2, without=[2]), [failed])
    outcome = audit_ceremony(parameters, transcript_of(parameters, failed, second))
    assert 2 not in outcome.participants


def test_S5_bad_share_in_a_single_instance_is_enough() -> None:
    parameters = issuers(3, 2)
    actors = actors_of(parameters)
    actors[1].deal = lambda _, shares: [shares[0], shares[1] + 1]
    refuse(parameters, "bad-share", 2, play(actors, complaints={1: [2]}))


def test_S11_box_that_does_not_open_names_the_dealer() -> None:
    parameters = trustees()
    attempt = play(actors_of(parameters), alter={(3, 2): flip_box(1)}, complaints={1: [2]})
    refuse(parameters, "bad-share", 2, attempt)


def test_S11_share_beyond_the_order_names_the_dealer() -> None:
    parameters = trustees()
    actors = actors_of(parameters)
    order = parameters.group.order
    actors[1].deal = lambda receiver, shares: [share + order for share in shares] if receiver == 1 else shares
    refuse(parameters, "bad-share", 2, play(actors, complaints={1: [2]}))


def test_S11_receiver_who_lies_about_a_good_share_is_named() -> None:
    parameters = trustees()
    attempt = play(actors_of(parameters), complaints={1: [2]})
    refuse(parameters, "false-complaint", 1, attempt)
    failed = replace(attempt, culprits=(Culprit(1, "false-complaint"),))
    second = play(actors_of(parameters, 2, without=[1]), [failed])
    assert audit_ceremony(parameters, transcript_of(parameters, failed, second)).participants == (2, 3)


def test_S11_receiver_who_discloses_another_point_is_named() -> None:
    """With another point the box does not open, but the proof then fails."""
    parameters = trustees()

    def change(body: Body) -> Body:
        item = body["complaints"][0]  # type: ignore[index]
        return {"complaints": [{**item, "point": parameters.transport.generate([5]).encode()}]}

    refuse(parameters, "false-complaint", 1, play(actors_of(parameters), alter={(4, 1): change}, complaints={1: [2]}))


def test_S11_proof_from_a_complaint_about_another_dealer_does_not_help() -> None:
    parameters = trustees()
    actors = actors_of(parameters)
    actors[1].deal = bad_share
    honest = play(actors, complaints={1: [2]})
    item = body_of(honest.rounds[3][0])["complaints"][0]  # type: ignore[index]

    def change(_: Body) -> Body:
        return {"complaints": [{**item, "dealer": 3}]}

    refuse(parameters, "false-complaint", 1, play(actors, alter={(4, 1): change}, complaints={1: [3]}))


def test_S5_two_culprits_in_one_attempt_are_both_excluded() -> None:
    parameters = trustees(5, 2)
    actors = actors_of(parameters)
    actors[1].deal = bad_share
    attempt = play(actors, complaints={1: [2], 4: [3]})
    refuse(parameters, "bad-share", 2, attempt)
    only_one = replace(attempt, culprits=(Culprit(2, "bad-share"),))
    refuse(parameters, "false-complaint", 4, only_one, play(actors_of(parameters, 2, without=[2]), [only_one]))
    both = replace(attempt, culprits=(Culprit(2, "bad-share"), Culprit(4, "false-complaint")))
    second = play(actors_of(parameters, 2, without=[2, 4]), [both])
    assert audit_ceremony(parameters, transcript_of(parameters, both, second)).participants == (1, 3, 5)


def test_S5_a_dealer_with_a_right_complaint_and_a_bad_share_of_its_own() -> None:
    parameters = trustees(4, 2)
    actors = actors_of(parameters)
    actors[1].deal = bad_share
    actors[0].deal = lambda receiver, shares: [share + 1 for share in shares] if receiver == 2 else shares
    attempt = play(actors, complaints={1: [2], 2: [1]})
    stated = replace(attempt, culprits=(Culprit(1, "bad-share"), Culprit(2, "bad-share")))
    second = play(actors_of(parameters, 2, without=[1, 2]), [stated])
    assert audit_ceremony(parameters, transcript_of(parameters, stated, second)).participants == (3, 4)


def test_S5_bad_share_that_nobody_complains_about_shows_when_shares_are_added_up() -> None:
    """Only the receiver can see it; what it confirms is its own loss. The public keys stay right."""
    parameters = trustees()
    actors = actors_of(parameters)
    actors[1].deal = bad_share
    outcome = audited(parameters, play(actors))
    order = parameters.group.order
    honest = sum(evaluate_polynomial(actor.coefficients[LABEL], 1, order) for actor in actors) % order
    assert outcome.keys[0].verification_keys[0] == parameters.group.generate([honest]).encode()


# Verdicts


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_S5_missing_message_names_its_sender(number: int) -> None:
    parameters = trustees()
    attempt = play(actors_of(parameters), alter={(number, 3): lambda _: None})
    refuse(parameters, "missing", 3, attempt)


def test_S5_somebody_excluded_without_reason() -> None:
    parameters = trustees(4, 2)
    attempt = play(actors_of(parameters), culprits=[Culprit(4, "missing")])
    refuse(parameters, "verdict", None, attempt, play(actors_of(parameters, 2, without=[4]), [attempt]))


def test_S5_culprit_named_for_another_reason() -> None:
    parameters = trustees(4, 2)
    attempt = play(actors_of(parameters), alter={(1, 4): lambda _: None}, rounds=1, culprits=[Culprit(4, "bad-share")])
    refuse(parameters, "verdict", None, attempt, play(actors_of(parameters, 2, without=[4]), [attempt]))


def test_S5_excluded_participant_takes_part_again() -> None:
    parameters = trustees(4, 2)
    attempt = play(actors_of(parameters), alter={(1, 4): lambda _: None}, rounds=1, culprits=[Culprit(4, "missing")])
    refuse(parameters, "attempts", None, attempt, play(actors_of(parameters, 2), [attempt]))


def test_S5_attempt_that_goes_on_after_somebody_was_named() -> None:
    parameters = trustees(4, 2)
    attempt = play(actors_of(parameters), alter={(1, 4): lambda _: None}, culprits=[Culprit(4, "missing")])
    refuse(parameters, "attempts", None, attempt, play(actors_of(parameters, 2, without=[4]), [attempt]))


def test_S5_attempt_cut_short_without_a_culprit() -> None:
    parameters = trustees()
    refuse(parameters, "attempts", None, play(actors_of(parameters), rounds=3))


def test_S5_transcript_that_goes_on_after_success() -> None:
    parameters = trustees()
    first = play(actors_of(parameters))
    refuse(parameters, "attempts", None, first, play(actors_of(parameters, 2), [first]))


def test_S5_messages_of_one_attempt_used_in_the_next() -> None:
    parameters = trustees(4, 2)
    failed = play(actors_of(parameters), alter={(1, 4): lambda _: None}, rounds=1, culprits=[Culprit(4, "missing")])
    replayed = replace(play(actors_of(parameters, 1, without=[4])), number=2)
    refuse(parameters, "envelope", None, failed, replayed)


def test_S5_equivocation_names_the_sender() -> None:
    parameters = trustees()
    honest = play(actors_of(parameters))
    other = Actor(parameters, 2)
    other.coefficients[LABEL][0] += 1
    second = play([Actor(parameters, 1), other, Actor(parameters, 3)]).rounds[0][1]
    commits = (honest.rounds[0][0], *sorted([honest.rounds[0][1], second], key=lambda e: e.body), honest.rounds[0][2])
    attempt = replace(honest, rounds=(commits, *honest.rounds[1:]))
    refuse(parameters, "equivocation", 2, attempt)


def test_S5_confirmation_of_another_transcript() -> None:
    parameters = trustees()
    attempt = play(actors_of(parameters), alter={(4, 2): lambda _: {"transcript": bytes(32)}})
    refuse(parameters, "transcript", 2, attempt)


def test_S5_exclusion_that_the_others_did_not_confirm() -> None:
    """The office drops a commit afterwards; the others had confirmed a history without that exclusion."""
    parameters = trustees(4, 2)
    invented = play(actors_of(parameters), alter={(1, 4): lambda _: None}, rounds=1, culprits=[Culprit(4, "missing")])
    seen = play(actors_of(parameters), alter={(1, 4): lambda _: {}}, rounds=1, culprits=[Culprit(4, "malformed")])
    second = play(actors_of(parameters, 2, without=[4]), [seen])
    refuse(parameters, "transcript", 1, invented, second)


def test_S8_joint_key_is_the_identity() -> None:
    """All participants conspire; each knows its own contribution."""
    parameters = trustees(2, 2)
    actors = actors_of(parameters)
    order = parameters.group.order
    actors[1].coefficients[LABEL] = [order - value for value in actors[0].coefficients[LABEL]]
    actors[1].coefficients[LABEL][1] += 1
    refuse(parameters, "joint-key", None, play(actors))


def test_S8_joint_issuance_key_of_one_style_is_the_identity() -> None:
    parameters = issuers(2, 2)
    actors = actors_of(parameters)
    label = parameters.labels[1]
    actors[1].coefficients[label] = [parameters.group.order - value for value in actors[0].coefficients[label]]
    actors[1].coefficients[label][1] += 1
    refuse(parameters, "joint-key", None, play(actors))


def test_S8_verification_key_is_the_identity() -> None:
    parameters = trustees(2, 2)
    actors = actors_of(parameters)
    order = parameters.group.order
    total = evaluate_polynomial(actors[0].coefficients[LABEL], 2, order)
    constant = actors[1].coefficients[LABEL][0]
    actors[1].coefficients[LABEL][1] = (-(total + constant) * pow(2, -1, order)) % order
    refuse(parameters, "verification-keys", 2, play(actors))


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_S8_badly_signed_message(number: int) -> None:
    parameters = trustees()
    attempt = play(actors_of(parameters))
    envelope = attempt.rounds[number - 1][1]
    forged = replace(envelope, signature=envelope.signature[:-1] + bytes([envelope.signature[-1] ^ 1]))
    rounds = list(attempt.rounds)
    rounds[number - 1] = (rounds[number - 1][0], forged, rounds[number - 1][2])
    refuse(parameters, "signature", None, replace(attempt, rounds=tuple(rounds)))


def test_S8_signature_of_another_message_type_or_manifest() -> None:
    parameters = trustees()
    attempt = play(actors_of(parameters))
    commit = attempt.rounds[0][0]
    as_reveal = replace(commit, type="reveal")
    rounds = (attempt.rounds[0], (as_reveal, *attempt.rounds[1][1:]), *attempt.rounds[2:])
    refuse(parameters, "signature", None, replace(attempt, rounds=rounds))
    other = trustees(manifest_hash=bytes(32))
    refuse(other, "signature", None, attempt)


# Encodings


def test_messages_out_of_order_or_twice() -> None:
    parameters = trustees()
    attempt = play(actors_of(parameters))
    commits = attempt.rounds[0]
    for changed in (commits[::-1], (*commits, commits[2]), (commits[0], *commits)):
        refuse(parameters, "envelope", None, replace(attempt, rounds=(changed, *attempt.rounds[1:])))


def test_message_of_somebody_who_takes_no_part() -> None:
    parameters = trustees(4, 2)
    attempt = play(actors_of(parameters), alter={(1, 4): lambda _: None}, rounds=1, culprits=[Culprit(4, "missing")])
    second = play(actors_of(parameters, 2, without=[4]), [attempt])
    intruder = play(actors_of(parameters, 2)).rounds[0][3]
    rounds = ((*second.rounds[0], intruder), *second.rounds[1:])
    refuse(parameters, "envelope", None, attempt, replace(second, rounds=rounds))


@pytest.mark.parametrize(
    ("number", "change"),
    [
        (1, lambda body: {**body, "extra": 1}),
        (1, lambda body: {"commitment": body["commitment"], "receiver-key": body["receiver-key"]}),
        (1, lambda body: {**body, "receiver-key": bytes(32)}),
        (1, lambda body: {**body, "receiver-key": b"\xff" * 32}),
        (1, lambda body: {**body, "commitment": bytes(31)}),
        (1, lambda body: {**body, "possession": bytes(64)}),
        (1, lambda body: {**body, "possession": body["possession"][:32] + b"\xff" * 32}),
        (2, lambda body: {"instances": []}),
        (2, lambda body: {"instances": [{**body["instances"][0], "label": "x"}]}),
        (2, lambda body: {"instances": [{**body["instances"][0], "commitments": b""}]}),
        (2, lambda body: {"instances": [{**body["instances"][0], "commitments": bytes(63)}]}),
        (2, lambda body: {"instances": body["instances"] * 2}),
        (3, lambda body: {"shares": [{**item, "point": bytes(32)} for item in body["shares"]]}),
        (3, lambda body: {"shares": [{**item, "box": item["box"] + b"\0"} for item in body["shares"]]}),
        (4, lambda body: {"transcript": b""}),
    ],
)
def test_malformed_content_names_its_sender(number: int, change: Alter) -> None:
    parameters = trustees()
    refuse(parameters, "malformed", 2, play(actors_of(parameters), alter={(number, 2): change}))


@pytest.mark.parametrize(
    "change",
    [
        lambda items: [],
        lambda items: items * 2,
        lambda items: [{**items[0], "dealer": 0}],
        lambda items: [{**items[0], "dealer": 1}],
        lambda items: [{**items[0], "dealer": 4}],
        lambda items: [{**items[0], "point": bytes(32)}],
        lambda items: [{**items[0], "proof": bytes(64)}],
    ],
)
def test_malformed_complaint_names_the_complainer(change: object) -> None:
    parameters = trustees()
    actors = actors_of(parameters)
    actors[1].deal = bad_share

    def alter(body: Body) -> Body:
        return {"complaints": change(body["complaints"])}  # type: ignore[operator]

    refuse(parameters, "malformed", 1, play(actors, alter={(4, 1): alter}, complaints={1: [2]}))


def test_transcript_in_another_encoding_or_of_another_ceremony() -> None:
    parameters = trustees()
    blob = transcript_of(parameters, play(actors_of(parameters)))
    value = cbor.decode(blob)
    assert isinstance(value, dict)
    changed = [
        blob + b"\0",
        blob[:-1],
        b"",
        b"\xbf" + blob[1:] + b"\xff",
        cbor.encode({**value, "kind": "issuers"}),
        cbor.encode({**value, "manifest": bytes(32)}),
        cbor.encode({**value, "format": "evoting-ceremony/v2"}),
        cbor.encode({**value, "attempts": []}),
        cbor.encode({**value, "more": 1}),
        cbor.encode([value]),
        cbor.encode({**value, "attempts": [{**value["attempts"][0], "number": -1}]}),
        cbor.encode({**value, "attempts": [{**value["attempts"][0], "rounds": []}]}),
        cbor.encode({**value, "attempts": [{**value["attempts"][0], "participants": [1, 2, "3"]}]}),
    ]
    for data in changed:
        with pytest.raises(InvalidCeremony) as caught:
            audit_ceremony(parameters, data)
        assert caught.value.rule == "format"
    assert audit.audit_ceremony(parameters, blob).participants == (1, 2, 3)
