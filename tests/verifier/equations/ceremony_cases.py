"""Ceremonies in which exactly one reason of docs/spec/04-ceremonies.md section 4.4 applies to one participant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from crypto.group import ORDER, PairingGroup
from tests.verifier.equations.ceremony_prover import MANIFEST, Body, Ceremony, Script
from tests.verifier.equations.provers import times_generator
from verifier.equations.ceremonies import check_ceremony
from verifier.equations.interface import CeremonyResult
from verifier.record import cbor


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
    "malformed/the identity as point of a share": Defect(
        of(Script(body=change_item(2, 2, "shares", point=bytes(32)))), 2, "is_well_formed", alone=False
    ),
    "malformed/a point of a share that is no element": Defect(
        of(Script(body=change_item(2, 2, "shares", point=b"\xff" * 32))), 2, "is_well_formed", alone=False
    ),
    "malformed/the identity as point of a complaint": Defect(
        of(Script(body=change_item(3, 2, "complaints", point=bytes(32)), complaints={2: [1]})),
        2,
        "is_well_formed",
        alone=False,
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
