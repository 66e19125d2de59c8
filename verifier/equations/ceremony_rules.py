"""The reasons for which a participant is a culprit; docs/spec/04-ceremonies.md section 4.4, one function each.

``f(attempt, i)`` says whether all is well with participant i: the reason does *not* apply. The functions of a round are
asked in the order of the table, and each may rely on those before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from nacl import bindings
from nacl.exceptions import CryptoError

from crypto.errors import DecodeError
from verifier.equations.ceremony_groups import proves_equality, proves_logarithm
from verifier.equations.ceremony_messages import Attempt, decode_body
from verifier.hashing import sha

COMMIT, REVEAL, SHARES, ANSWER = range(4)

Rule = tuple[str, Callable[[Attempt, int], bool]]


def judge_round(attempt: Attempt, number: int) -> dict[int, str]:
    """Culprits of a round (from 0) with their reasons. Rounds before it had none."""
    messages = attempt.messages[number]
    attempt.bodies.append({})
    for participant in attempt.participants:
        said = messages.get(participant, [])
        bodies = [decode_body(attempt, participant, kind, body) for kind, body in said]
        if bodies and bodies[0] is not None:
            attempt.bodies[number][participant] = bodies[0] | {"type": said[0][0], "bytes": said[0][1]}
    first, second = _rules(number)
    culprits = _apply(attempt, first, attempt.participants)
    attempt.bodies[number] = {i: body for i, body in attempt.bodies[number].items() if i not in culprits}
    return culprits | _apply(attempt, second, [i for i in attempt.participants if i not in culprits])


def _apply(attempt: Attempt, rules: list[Rule], participants: list[int]) -> dict[int, str]:
    culprits: dict[int, str] = {}
    for participant in participants:
        for reason, holds in rules:
            if not holds(attempt, participant):
                culprits[participant] = reason
                break
    return culprits


def _rules(number: int) -> tuple[list[Rule], list[Rule]]:
    """Rules looked at for everybody, and those looked at afterwards among the others (round 4: complaints)."""
    general: list[Rule] = [
        ("missing", lambda attempt, i: is_there(attempt, number, i)),
        ("equivocation", lambda attempt, i: says_one_thing(attempt, number, i)),
        ("malformed", lambda attempt, i: is_well_formed(attempt, number, i)),
    ]
    special: dict[int, list[Rule]] = {
        COMMIT: [("receiver-key", knows_receiver_secret)],
        REVEAL: [
            ("degree", has_degree),
            ("commitment", opens_commitment),
            ("possession", possesses_constant_terms),
        ],
        SHARES: [],
        ANSWER: [("transcript", confirms_transcript)],
    }
    complaints: list[Rule] = [("false-complaint", complains_truly), ("bad-share", dealt_well)]
    return general + special[number], complaints if number == ANSWER else []


def is_there(attempt: Attempt, number: int, i: int) -> bool:
    """Not ``missing``: there is a message of i."""
    return bool(attempt.messages[number].get(i))


def says_one_thing(attempt: Attempt, number: int, i: int) -> bool:
    """No ``equivocation``: there are no two messages of i with different bodies."""
    return len(attempt.messages[number].get(i, [])) <= 1


def is_well_formed(attempt: Attempt, number: int, i: int) -> bool:
    """Not ``malformed``: the body has its schema, with canonical elements and scalars (``decode_body``)."""
    return i in attempt.bodies[number]


def knows_receiver_secret(attempt: Attempt, i: int) -> bool:
    """``receiver-key``: the proof for E_i holds."""
    body, group = attempt.bodies[COMMIT][i], attempt.ceremony.receivers
    key = body["receiver-key"]
    domain = "evoting/v1/ceremony-receiver-key"
    return proves_logarithm(group, key, body["possession"], domain, *attempt.context, i, key)


def has_degree(attempt: Attempt, i: int) -> bool:
    """``degree``: every instance has exactly t commitments."""
    size = attempt.ceremony.threshold * attempt.ceremony.group.element_bytes
    return all(len(instance["commitments"]) == size for instance in attempt.bodies[REVEAL][i]["instances"])


def opens_commitment(attempt: Attempt, i: int) -> bool:
    """``commitment``: the reveal is what i committed to."""
    opened = sha("evoting/v1/ceremony-commitment", attempt.ceremony.manifest_hash, attempt.bodies[REVEAL][i]["bytes"])
    return bool(opened == attempt.bodies[COMMIT][i]["commitment"])


def possesses_constant_terms(attempt: Attempt, i: int) -> bool:
    """``possession``: the proof for A_(i,0) of every instance holds."""
    group, domain = attempt.ceremony.group, "evoting/v1/ceremony-possession"
    for instance in attempt.bodies[REVEAL][i]["instances"]:
        commitments, proof = instance["commitments"], instance["possession"]
        constant = commitments[: group.element_bytes]
        parts = (*attempt.context, instance["label"], i, commitments)
        if not proves_logarithm(group, constant, proof, domain, *parts):
            return False
    return True


def confirms_transcript(attempt: Attempt, i: int) -> bool:
    """``transcript``: what i confirmed, if it did, is the hash of everything before the round."""
    body = attempt.bodies[ANSWER][i]
    return bool(body["type"] != "confirm" or body["transcript"] == attempt.before)


def complains_truly(attempt: Attempt, i: int) -> bool:
    """No ``false-complaint``: for every complaint of i the proof holds and the share is bad."""
    return all(_is_upheld(attempt, i, complaint) for complaint in _complaints_of(attempt, i))


def dealt_well(attempt: Attempt, i: int) -> bool:
    """No ``bad-share``: no complaint against i has a proof that holds and a share that is bad."""
    return not any(
        complaint["dealer"] == i and _is_upheld(attempt, receiver, complaint)
        for receiver in attempt.bodies[ANSWER]
        for complaint in _complaints_of(attempt, receiver)
    )


def _is_upheld(attempt: Attempt, receiver: int, complaint: dict[str, Any]) -> bool:
    """Whether a complaint's proof holds and the share is bad; looked at once for both parties."""
    key = receiver, complaint["dealer"]
    if key not in attempt.upheld:
        proven = complaint_proven(attempt, receiver, complaint)
        attempt.upheld[key] = proven and not share_is_good(attempt, receiver, complaint)
    return attempt.upheld[key]


def _complaints_of(attempt: Attempt, receiver: int) -> Iterator[dict[str, Any]]:
    """Complaints by and against participants to whom none of the earlier reasons applies."""
    answers = attempt.bodies[ANSWER]
    for complaint in answers[receiver].get("complaints", ()):
        if complaint["dealer"] in answers:
            yield complaint


def _share_of(attempt: Attempt, dealer: int, receiver: int) -> dict[str, Any]:
    shares: list[dict[str, Any]] = attempt.bodies[SHARES][dealer]["shares"]
    return next(share for share in shares if share["receiver"] == receiver)


def complaint_proven(attempt: Attempt, receiver: int, complaint: dict[str, Any]) -> bool:
    """log_G E_j = log_R S for the point S of a complaint by receiver j."""
    dealer, shared = complaint["dealer"], complaint["point"]
    key = attempt.bodies[COMMIT][receiver]["receiver-key"]
    point = _share_of(attempt, dealer, receiver)["point"]
    domain = "evoting/v1/ceremony-equality"
    parts = (*attempt.context, dealer, receiver, key, point, shared)
    return proves_equality(attempt.ceremony.receivers, key, point, shared, complaint["proof"], domain, *parts)


def share_is_good(attempt: Attempt, receiver: int, complaint: dict[str, Any]) -> bool:
    """The box opens to canonical scalars that fulfil the share equation in every instance."""
    dealer, shared = complaint["dealer"], complaint["point"]
    share = _share_of(attempt, dealer, receiver)
    key = sha(
        "evoting/v1/ceremony-share-key",
        *attempt.context,
        dealer,
        receiver,
        share["point"],
        attempt.bodies[COMMIT][receiver]["receiver-key"],
        shared,
    )
    try:
        plain = bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(share["box"], None, bytes(24), key)
        scalars = attempt.ceremony.group.decode_scalars(plain)
    except (CryptoError, DecodeError):
        return False
    instances = attempt.bodies[REVEAL][dealer]["instances"]
    return all(
        share_equation(attempt, value, receiver, instance["commitments"])
        for value, instance in zip(scalars, instances, strict=True)
    )


def share_equation(attempt: Attempt, value: int, receiver: int, commitments: bytes) -> bool:
    """``f_i(j)*G = sum over k of j^k * A_(i,k)``."""
    group = attempt.ceremony.group
    powers = [pow(receiver, k, group.order) for k in range(len(commitments) // group.element_bytes)]
    return group.linear([value], group.generator) == group.linear(powers, commitments)
