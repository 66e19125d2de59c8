"""The specification's worked examples, which other hands wrote (docs/spec/vectors)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crypto.group import Group, PairingGroup
from tests.verifier.equations.provers import Randomness
from verifier.equations import parameters
from verifier.equations.ceremonies import check_ceremony
from verifier.equations.credentials import credential_messages, credential_pairing
from verifier.equations.decryption import (
    check_plaintext_codes,
    lagrange_at_zero,
    verify_factors,
    verify_plaintexts,
    verify_totals,
)
from verifier.equations.interface import PostedFactors
from verifier.equations.outcome import check_outcome
from verifier.equations.shuffle import verify_shuffle
from verifier.equations.shuffle_equations import Shuffle
from verifier.equations.shuffle_proof import (
    ShuffleStatement,
    context_transcript,
    decode_proof,
    shape_of,
    shuffle_challenges,
)
from verifier.equations.tally import check_totals

VECTORS = Path(__file__).parents[3] / "docs" / "spec" / "vectors"
SHUFFLES = sorted(path.stem for path in VECTORS.glob("shuffle-*.json"))
CEREMONIES = ["ceremony-trustees", "ceremony-issuers"]
DECRYPTIONS = ["decryption-mixed", "decryption-totals"]


def read(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_text("utf-8"))


def octets(text: str) -> bytes:
    return bytes.fromhex(text)


# Shuffles.


def test_there_are_shuffle_vectors() -> None:
    assert len(SHUFFLES) >= 20


@pytest.mark.parametrize("name", SHUFFLES)
def test_shuffle(group: Group, name: str) -> None:
    vector = read(name)
    context = vector["context"]
    failures = verify_shuffle(
        fingerprint=octets(context["fingerprint"]),
        contest=context["contest"],
        group_id=context["group"],
        stage=context["stage"],
        mixer=context["mixer"],
        public_key=octets(vector["public_key"]),
        width=vector["width"],
        inputs=octets(vector["inputs"]),
        outputs=octets(vector["outputs"]),
        proof=octets(vector["proof"]),
        group=group,
        randomness=Randomness("weights"),
    )
    names = {failure.equation for failure in failures}
    if vector["valid"]:
        assert not names
    elif vector["check"] is None:
        assert names
    else:
        assert names == {f"shuffle.{vector['check']}"}


@pytest.mark.parametrize("name", [name for name in SHUFFLES if "invalid" not in name and "000" not in name])
def test_challenges_and_the_product_of_a_shuffle(group: Group, name: str) -> None:
    vector = read(name)
    context = vector["context"]
    shape = shape_of(vector["count"], vector["width"])
    assert (shape.m, shape.n) == (vector["rows"], vector["columns"])
    statement = ShuffleStatement(
        shape, octets(vector["public_key"]), octets(vector["inputs"]), octets(vector["outputs"])
    )
    proof = decode_proof(shape, octets(vector["proof"]), group)
    transcript = context_transcript(
        octets(context["fingerprint"]), context["contest"], context["group"], context["stage"], context["mixer"]
    )
    challenges = shuffle_challenges(transcript, statement, proof, group)
    assert {label: value.to_bytes(32, "little").hex() for label, value in challenges.items()} == vector["challenges"]
    assert Shuffle(statement, proof, challenges, group).product.to_bytes(32, "little").hex() == vector["b"]


# Ceremonies.


def ceremony_cases() -> Iterator[Any]:
    for name in CEREMONIES:
        for case in read(name)["cases"]:
            yield pytest.param(case, id=f"{name}: {case['what']}")


@pytest.mark.parametrize("case", list(ceremony_cases()))
def test_ceremony(group: Group, pairing: PairingGroup, case: dict[str, Any]) -> None:
    result = check_ceremony(
        octets(case["transcript"]),
        kind=case["kind"],
        manifest_hash=octets(case["manifest"]),
        roles=[(role["id"], octets(role["key"])) for role in case["roles"]],
        threshold=case["threshold"],
        labels=case["labels"],
        group=group,
        pairing=pairing,
    )
    rules = {(failure.equation or "").removeprefix("ceremony.") for failure in result.failures}
    if not case["valid"]:
        # Confirmations in some vectors were not renewed after the change.
        assert case["rule"] in rules
        assert rules <= {case["rule"], "transcript"}
        if case["culprit"] is not None and rules == {case["rule"]}:
            assert {failure.role for failure in result.failures} == {case["roles"][case["culprit"] - 1]["id"]}
        return
    assert rules == set()
    assert result.holders == set(case["participants"])
    size = len(octets(case["keys"][0]["joint-key"]))
    for keys in case["keys"]:
        assert result.joint_keys is not None
        assert result.verification_keys is not None
        assert result.joint_keys[keys["label"]].hex() == keys["joint-key"]
        expected = [octets(key) if key else bytes(size) for key in keys["verification-keys"]]
        assert result.verification_keys[keys["label"]] == b"".join(expected)


# Credentials.


def test_credential(pairing: PairingGroup) -> None:
    vector = read("credential-issuance")
    messages = credential_messages(octets(vector["fingerprint"]), vector["style"], octets(vector["pseudonym"]))
    assert [message.hex() for message in messages] == [vector["message"]]
    credential, key = octets(vector["credential"]), octets(vector["issuance_key"])
    assert credential_pairing(credential, messages, key, pairing, Randomness("weights"))
    for index, share_key in vector["share_keys"].items():
        partial = octets(vector["partials"][index])
        assert not credential_pairing(partial, messages, key, pairing, Randomness("weights"))
        assert not credential_pairing(credential, messages, octets(share_key), pairing, Randomness("weights"))


# Decryption.


def posted(vector: dict[str, Any], entry: dict[str, Any]) -> PostedFactors:
    trustee = entry.get("trustee", 1)
    key = octets(vector["verification-keys"][trustee - 1])
    list_hash = hashlib.sha256(octets(vector["list"])).digest()
    return PostedFactors(trustee, key, list_hash, octets(entry["factors"]), octets(entry["proof"]))


def failures_of(vector: dict[str, Any], entry: dict[str, Any], group: Group) -> bool:
    context = {"fingerprint": octets(vector["fingerprint"]), "contest": vector["contest"], "group_id": vector["group"]}
    return bool(verify_factors(posted(vector, entry), ciphertexts=octets(vector["list"]), group=group, **context))


@pytest.mark.parametrize("name", DECRYPTIONS)
def test_decryption_entries(each_group: Group, name: str) -> None:
    vector = read(name)
    for entry in vector["entries"]:
        assert failures_of(vector, entry, each_group) != entry["valid"]
    for entry in vector["invalid"]:
        assert failures_of(vector, entry, each_group), entry["what"]


@pytest.mark.parametrize("name", DECRYPTIONS)
def test_plaintexts_and_totals(group: Group, name: str) -> None:
    vector = read(name)
    ciphertexts = octets(vector["list"])
    used = [posted(vector, entry) for entry in vector["entries"] if entry["valid"]]
    coefficients = [value.to_bytes(32, "little").hex() for value in lagrange_at_zero([u.trustee for u in used])]
    assert coefficients == vector["lagrange"]
    if "totals" in vector:
        common: dict[str, Any] = {
            "ciphertexts": ciphertexts,
            "used": used,
            "group": group,
            "randomness": Randomness("weights"),
        }
        assert verify_totals(totals=vector["totals"], ballots=max(vector["totals"]), **common) == []
        changed = [vector["totals"][0] - 1, *vector["totals"][1:]]
        assert verify_totals(totals=changed, ballots=max(vector["totals"]), **common)
        return
    book, plaintexts = octets(vector["code-book"]), octets(vector["plaintexts"])
    derived = parameters.code_elements(group, octets(vector["manifest"]), vector["contest"], vector["codes"])
    assert derived == book
    count = len(ciphertexts) // 64
    assert check_plaintext_codes(count=count, plaintexts=plaintexts, code_book=book, group=group) == []
    assert not verify_plaintexts(
        ciphertexts=ciphertexts,
        used=used,
        plaintexts=plaintexts,
        code_book=book,
        group=group,
        randomness=Randomness("weights"),
    )


# Outcomes.


def outcome_cases() -> Iterator[Any]:
    for case in read("outcomes")["cases"]:
        yield pytest.param(case, id=case["name"])


@pytest.mark.parametrize("case", list(outcome_cases()))
def test_outcome(case: dict[str, Any]) -> None:
    manifest = {key: case[key] for key in ("styles", "units")} | {"regions": [{"id": r} for r in case["regions"]]}
    result = {key: case[key] for key in ("groups", "totals", "withdrawn", "outcome")}
    assert check_outcome(manifest, case["contest"], result, octets(case["fingerprint"])) == []
    assert check_totals(case["contest"], result, {style["id"]: style["roll"] for style in case["styles"]}) == []
