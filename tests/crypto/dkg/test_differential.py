"""The published vectors and mutated transcripts, judged by this package and by the independent verifier alike.

The verifier was written from docs/spec/04-ceremonies.md without this package; the two share the group arithmetic only.
"""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from crypto import cbor
from crypto.dkg.audit import CeremonyOutcome, audit_ceremony
from crypto.dkg.errors import InvalidCeremony
from crypto.group import load_group, load_pairing_group
from tests.crypto.dkg.make_vectors import DIRECTORY
from tests.crypto.dkg.test_vectors import CASES, FILES, parameters_of
from verifier.equations.ceremonies import check_ceremony
from verifier.equations.interface import CeremonyResult


def verifier_says(case: dict[str, Any], transcript: bytes) -> CeremonyResult:
    return check_ceremony(
        transcript,
        kind=case["kind"],
        manifest_hash=bytes.fromhex(case["manifest"]),
        roles=[(role["id"], bytes.fromhex(role["key"])) for role in case["roles"]],
        threshold=case["threshold"],
        labels=case["labels"],
        group=load_group(),
        pairing=load_pairing_group(),
    )


def we_say(case: dict[str, Any], transcript: bytes) -> CeremonyOutcome | InvalidCeremony:
    try:
        return audit_ceremony(parameters_of(case), transcript)
    except InvalidCeremony as error:
        return error


def require_agreement(case: dict[str, Any], transcript: bytes) -> bool:
    """Both accept with the same keys, or both refuse and the verifier names our rule among its own."""
    ours, theirs = we_say(case, transcript), verifier_says(case, transcript)
    rules = {failure.equation for failure in theirs.failures}
    if isinstance(ours, InvalidCeremony):
        assert f"ceremony.{ours.rule}" in rules, (str(ours), rules)
        return False
    assert not theirs.failures
    assert theirs.holders == frozenset(ours.participants)
    for key in ours.keys:
        assert theirs.joint_keys is not None
        assert theirs.verification_keys is not None
        assert theirs.joint_keys[key.label] == key.joint_key
        assert theirs.verification_keys[key.label] == b"".join(key.verification_keys)
    return True


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['kind']}: {case['what']}")
def test_vectors(case: dict[str, Any]) -> None:
    assert require_agreement(case, bytes.fromhex(case["transcript"])) == case["valid"]


@pytest.mark.parametrize("name", FILES)
def test_B13_like_mutated_transcripts_get_the_same_verdict(name: str) -> None:
    """One bit, or one member, of a valid transcript is changed; both notice, if not by the same rule."""
    generator = random.Random(20211128)
    valid = [case for case in json.loads((DIRECTORY / name).read_text())["cases"] if case["valid"]]
    for _ in range(60):
        case = generator.choice(valid)
        data = bytearray.fromhex(case["transcript"])
        data[generator.randrange(len(data))] ^= 1 << generator.randrange(8)
        refused_by_both(case, bytes(data))
    for _ in range(60):
        case = generator.choice(valid)
        value = cbor.decode(bytes.fromhex(case["transcript"]))
        mutate(value, generator)
        refused_by_both(case, cbor.encode(value))


def refused_by_both(case: dict[str, Any], transcript: bytes) -> None:
    if transcript.hex() == case["transcript"]:
        return
    ours, theirs = we_say(case, transcript), verifier_says(case, transcript)
    assert isinstance(ours, InvalidCeremony) == bool(theirs.failures), (ours, theirs.failures)
    assert isinstance(ours, InvalidCeremony)


def mutate(value: Any, generator: random.Random) -> None:
    """Drop, double, swap or change something at a random place in a decoded value."""
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        for key in node if isinstance(node, dict) else range(len(node)):
            places.append((node, key))
            if isinstance(node[key], dict | list):
                walk(node[key])

    walk(value)
    node, key = generator.choice(places)
    action = generator.randrange(3)
    if isinstance(node, list) and action == 0:
        del node[key]
    elif isinstance(node, list) and action == 1:
        node.insert(key, node[key])
    elif isinstance(node[key], int):
        node[key] += generator.choice([-1, 1])
    elif isinstance(node[key], str):
        node[key] = node[key][::-1] + "x"
    elif isinstance(node[key], bytes):
        node[key] = node[key][:-1] + bytes([node[key][-1] ^ 1])
    else:
        node[key] = 0
