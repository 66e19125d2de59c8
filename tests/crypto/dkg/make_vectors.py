"""Writes docs/spec/vectors/ceremony-*.json: ``python -m tests.crypto.dkg.make_vectors``.

Deterministic, from fixed seeds; ``test_vectors.py`` checks that the files are what this writes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from crypto import cbor
from crypto.dkg.audit import audit_ceremony
from crypto.dkg.boxes import shared_point
from crypto.dkg.messages import signing_input
from crypto.dkg.parameters import CeremonyParameters
from crypto.dkg.shamir import evaluate_polynomial
from crypto.dkg.transcript import Attempt
from crypto.dkg.verdict import Culprit
from crypto.hashing import sha
from tests.crypto.dkg.ceremony_support import (
    Actor,
    actors_of,
    issuers,
    play,
    sealed_for,
    transcript_of,
    trustees,
)

DIRECTORY = Path(__file__).parents[3] / "docs" / "spec" / "vectors"
LABEL = "election-key"
_Case = dict[str, object]


def ceremony(parameters: CeremonyParameters) -> _Case:
    """What the manifest says."""
    return {
        "kind": parameters.kind,
        "manifest": parameters.manifest_hash.hex(),
        "roles": [{"id": role.id, "key": role.key.hex()} for role in parameters.roles],
        "threshold": parameters.threshold,
        "labels": list(parameters.labels),
    }


def valid(what: str, parameters: CeremonyParameters, *attempts: Attempt) -> _Case:
    transcript = transcript_of(parameters, *attempts)
    outcome = audit_ceremony(parameters, transcript)
    return {
        "what": what,
        **ceremony(parameters),
        "transcript": transcript.hex(),
        "valid": True,
        "participants": list(outcome.participants),
        "excluded": [{"participant": one.participant, "reason": one.reason} for one in outcome.excluded],
        "keys": [
            {
                "label": key.label,
                "joint-key": key.joint_key.hex(),
                "verification-keys": [one.hex() for one in key.verification_keys],
            }
            for key in outcome.keys
        ],
    }


def invalid(what: str, rule: str, culprit: int | None, parameters: CeremonyParameters, *attempts: Attempt) -> _Case:
    transcript = transcript_of(parameters, *attempts)
    return {
        "what": what,
        **ceremony(parameters),
        "transcript": transcript.hex(),
        "valid": False,
        "rule": rule,
        "culprit": culprit,
    }


def worked(parameters: CeremonyParameters) -> _Case:
    """Every intermediate value of participant 1's messages, of its box for participant 2, and of the key shares."""
    actors = actors_of(parameters)
    attempt = play(actors)
    one, two = actors[:2]
    group, transport = parameters.group, parameters.transport
    sealed = sealed_for(attempt.rounds[2][0], 2)
    box = one.box(1, two)
    point = shared_point(box, sealed, two.secrets.receiver_secret())
    key = sha("evoting/v1/ceremony-share-key", *box.frames(), sealed.point, two.receiver_key, point)

    def shares(label: str) -> list[int]:
        return [
            sum(evaluate_polynomial(actor.coefficients[label], j, group.order) for actor in actors) % group.order
            for j in parameters.indices
        ]

    return {
        "context": [part.hex() for part in parameters.context(1)],
        "coefficients": {
            label: [group.encode_scalars([value]).hex() for value in one.coefficients[label]]
            for label in parameters.labels
        },
        "receiver-secrets": [transport.encode_scalars([actor.secrets.receiver_secret()]).hex() for actor in actors],
        "receiver-keys": [actor.receiver_key.hex() for actor in actors],
        "messages": [
            {
                "type": envelopes[0].type,
                "body": envelopes[0].body.hex(),
                "signed": signing_input(parameters, envelopes[0].type, envelopes[0].body).hex(),
                "signature": envelopes[0].signature.hex(),
            }
            for envelopes in attempt.rounds
        ],
        "box": {
            "dealer": 1,
            "receiver": 2,
            "ephemeral": transport.encode_scalars([one.secrets.ephemeral(2, two.receiver_key)]).hex(),
            "point": sealed.point.hex(),
            "shared": point.hex(),
            "key": key.hex(),
            "plaintext": group.encode_scalars(
                [evaluate_polynomial(one.coefficients[label], 2, group.order) for label in parameters.labels]
            ).hex(),
            "box": sealed.box.hex(),
        },
        "key-shares": {
            label: [group.encode_scalars([value]).hex() for value in shares(label)] for label in parameters.labels
        },
    }


def off_by_one(receiver: int, shares: list[int]) -> list[int]:
    return [share + 1 for share in shares] if receiver == 1 else shares


def trustee_cases() -> list[_Case]:
    small, wide = trustees(3, 2), trustees(5, 3)
    missing = play(actors_of(wide), alter={(2, 4): lambda _: None}, rounds=2, culprits=[Culprit(4, "missing")])
    dealing = actors_of(wide, 2, without=[4])
    dealing[1].deal = off_by_one
    complained = play(dealing, [missing], complaints={1: [2]}, culprits=[Culprit(2, "bad-share")])
    restarted = play(actors_of(wide, 3, without=[2, 4]), [missing, complained])
    liar = play(actors_of(small), complaints={3: [1]}, culprits=[Culprit(3, "false-complaint")])
    return [
        {**valid("an honest ceremony", small, play(actors_of(small))), "worked": worked(small)},
        valid("a missing reveal, then an upheld complaint, then success", wide, missing, complained, restarted),
        valid("a false complaint, then success", small, liar, play(actors_of(small, 2, without=[3]), [liar])),
        *trustee_defects(small),
    ]


def trustee_defects(parameters: CeremonyParameters) -> list[_Case]:
    honest = play(actors_of(parameters))

    def changed(**attributes: object) -> list[Actor]:
        actors = actors_of(parameters)
        for name, value in attributes.items():
            setattr(actors[1], name, value)
        return actors

    rogue = changed(possession={LABEL: _possession(honest, 0)})
    rogue[1].coefficients = rogue[0].coefficients
    adapted = changed()
    adapted[1].coefficients[LABEL][0] += 1
    late = play(adapted)
    long = changed()
    long[1].coefficients[LABEL].append(5)
    dealt = changed(deal=off_by_one)
    zero = trustees(2, 2)
    zeros = actors_of(zero)
    zeros[1].coefficients[LABEL] = [zero.group.order - value for value in zeros[0].coefficients[LABEL]]
    zeros[1].coefficients[LABEL][1] += 1
    signature = replace(honest.rounds[0][0], signature=honest.rounds[0][1].signature)
    return [
        invalid("S1, S3: contribution and proof of participant 1 copied", "possession", 2, parameters, play(rogue)),
        invalid(
            "S2: the reveal is not the one committed to",
            "commitment",
            2,
            parameters,
            replace(late, rounds=(honest.rounds[0], *late.rounds[1:])),
        ),
        invalid("S4: one commitment too many", "degree", 2, parameters, play(long)),
        invalid("S4: participants 0, 1, 2", "attempts", None, parameters, replace(honest, participants=(0, 1, 2))),
        invalid("S5: upheld complaint, nobody named", "bad-share", 2, parameters, play(dealt, complaints={1: [2]})),
        invalid(
            "S11: false complaint, nobody named",
            "false-complaint",
            1,
            parameters,
            play(actors_of(parameters), complaints={1: [2]}),
        ),
        invalid(
            "a commit is missing, nobody named",
            "missing",
            3,
            parameters,
            play(actors_of(parameters), alter={(1, 3): lambda _: None}),
        ),
        invalid(
            "another hash confirmed",
            "transcript",
            3,
            parameters,
            play(actors_of(parameters), alter={(4, 3): lambda _: {"transcript": bytes(32)}}),
        ),
        invalid(
            "the receiver key is the identity",
            "malformed",
            3,
            parameters,
            play(actors_of(parameters), alter={(1, 3): lambda body: {**body, "receiver-key": bytes(32)}}),
        ),
        invalid(
            "S8: a signature of somebody else",
            "signature",
            None,
            parameters,
            replace(honest, rounds=((signature, *honest.rounds[0][1:]), *honest.rounds[1:])),
        ),
        invalid(
            "messages out of order",
            "envelope",
            None,
            parameters,
            replace(honest, rounds=(honest.rounds[0][::-1], *honest.rounds[1:])),
        ),
        invalid("S8: the joint key is the identity", "joint-key", None, zero, play(zeros)),
        invalid(
            "somebody excluded without reason",
            "verdict",
            None,
            parameters,
            replace(honest, culprits=(Culprit(3, "missing"),)),
            play(actors_of(parameters, 2, without=[3]), [replace(honest, culprits=(Culprit(3, "missing"),))]),
        ),
    ]


def _possession(attempt: Attempt, sender: int) -> bytes:
    body = cbor.decode(attempt.rounds[1][sender].body)
    assert isinstance(body, dict)
    return bytes(body["instances"][0]["possession"])


def issuer_cases() -> list[_Case]:
    parameters = issuers(4, 3)
    dealing = actors_of(parameters)
    dealing[2].deal = lambda receiver, shares: [shares[0], shares[1] + 1] if receiver == 4 else shares
    failed = play(dealing, complaints={4: [3]}, culprits=[Culprit(3, "bad-share")])
    swapped = actors_of(parameters)
    first, second = parameters.labels
    swapped[1].coefficients[second] = swapped[1].coefficients[first]
    own = Actor(parameters, 2)
    proof = _possession(play([own]), 0)
    swapped[1].possession = {second: proof}
    short = actors_of(parameters)
    short[1].coefficients[second].pop()
    return [
        {
            **valid("an honest ceremony of two styles", parameters, play(actors_of(parameters))),
            "worked": worked(parameters),
        },
        valid(
            "a share of one style is bad, then success",
            parameters,
            failed,
            play(actors_of(parameters, 2, without=[3]), [failed]),
        ),
        invalid("S3: the proof of another style", "possession", 2, parameters, play(swapped)),
        invalid("S4: one commitment too few in one style", "degree", 2, parameters, play(short)),
    ]


def documents() -> dict[str, str]:
    """File name and content."""
    return {
        f"ceremony-{kind}.json": _document(f"ceremonies of {kind} and what a verifier says of them", cases)
        for kind, cases in (("trustees", trustee_cases()), ("issuers", issuer_cases()))
    }


def _document(what: str, cases: Sequence[_Case]) -> str:
    head = json.dumps({"format": "evoting-vectors/v1", "section": "4", "what": what})[:-1]
    return head + ', "cases": [\n' + ",\n".join(json.dumps(case) for case in cases) + "\n]}\n"


def main() -> None:
    for name, content in documents().items():
        (DIRECTORY / name).write_text(content)


if __name__ == "__main__":
    main()
