"""The published ceremony vectors are current, and an audit says of each what it is said to say."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import nacl.bindings
import pytest

from crypto.dkg.audit import audit_ceremony
from crypto.dkg.errors import InvalidCeremony
from crypto.dkg.parameters import CeremonyParameters, Role, issuer_ceremony, trustee_ceremony
from crypto.group import load_group, load_pairing_group
from crypto.group.interface import ORDER
from tests.crypto.dkg.make_vectors import DIRECTORY, documents

FILES = ("ceremony-trustees.json", "ceremony-issuers.json")
CASES = [case for name in FILES for case in json.loads((DIRECTORY / name).read_text())["cases"]]


def parameters_of(case: dict[str, Any]) -> CeremonyParameters:
    manifest = bytes.fromhex(case["manifest"])
    roles = [Role(role["id"], bytes.fromhex(role["key"])) for role in case["roles"]]
    if case["kind"] == "trustees":
        return trustee_ceremony(load_group(), manifest, roles, case["threshold"])
    return issuer_ceremony(load_group(), load_pairing_group(), manifest, roles, case["threshold"], case["labels"])


def test_the_files_are_current() -> None:
    assert {name: (DIRECTORY / name).read_text() for name in FILES} == documents()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['kind']}: {case['what']}")
def test_vector(case: dict[str, Any]) -> None:
    parameters = parameters_of(case)
    transcript = bytes.fromhex(case["transcript"])
    if not case["valid"]:
        with pytest.raises(InvalidCeremony) as caught:
            audit_ceremony(parameters, transcript)
        assert (caught.value.rule, caught.value.culprit) == (case["rule"], case["culprit"])
        return
    outcome = audit_ceremony(parameters, transcript)
    assert list(outcome.participants) == case["participants"]
    assert [{"participant": one.participant, "reason": one.reason} for one in outcome.excluded] == case["excluded"]
    for key, expected in zip(outcome.keys, case["keys"], strict=True):
        assert key.label == expected["label"]
        assert key.joint_key.hex() == expected["joint-key"]
        assert [one.hex() for one in key.verification_keys] == expected["verification-keys"]


def frame(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(8, "big") + part for part in parts)


@pytest.mark.parametrize("case", [case for case in CASES if "worked" in case], ids=lambda case: case["kind"])
def test_worked_values_follow_from_the_text_of_the_specification(case: dict[str, Any]) -> None:
    """Computed here once more from section 4 with hash functions and libsodium alone."""
    work, box = case["worked"], case["worked"]["box"]
    context = [bytes.fromhex(case["manifest"]), case["kind"].encode(), (1).to_bytes(8, "big")]
    assert [part.hex() for part in context] == work["context"]
    commit, reveal = work["messages"][:2]
    for message in work["messages"]:
        signed = frame(b"evoting/v1/ceremony", context[0], message["type"].encode(), bytes.fromhex(message["body"]))
        assert signed.hex() == message["signed"]
        key = bytes.fromhex(case["roles"][0]["key"])
        nacl.bindings.crypto_sign_open(bytes.fromhex(message["signature"]) + signed, key)
    commitment = hashlib.sha256(
        frame(b"evoting/v1/ceremony-commitment", context[0], bytes.fromhex(reveal["body"]))
    ).hexdigest()
    assert commitment in commit["body"]
    parts = [bytes.fromhex(value) for value in (box["point"], work["receiver-keys"][1], box["shared"])]
    pair = [(1).to_bytes(8, "big"), (2).to_bytes(8, "big")]
    share_key = hashlib.sha256(frame(b"evoting/v1/ceremony-share-key", *context, *pair, *parts)).digest()
    assert share_key.hex() == box["key"]
    plaintext = nacl.bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
        bytes.fromhex(box["box"]), None, bytes(24), share_key
    )
    assert plaintext.hex() == box["plaintext"]
    if case["kind"] == "trustees":
        a, b = (int.from_bytes(bytes.fromhex(value), "little") for value in work["coefficients"]["election-key"])
        assert ((a + 2 * b) % ORDER).to_bytes(32, "little") == plaintext
