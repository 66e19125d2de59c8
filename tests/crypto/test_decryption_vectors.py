"""The published decryption vectors are current, and both kinds of entries are judged as they say."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

import pytest

from crypto.decryption import combine_list, decode_exponents, decode_plaintexts, verify_factors, verify_plaintexts
from crypto.decryption import verify_totals as check_totals
from crypto.errors import CryptoError
from crypto.group import load_group, native_available
from tests.crypto.make_decryption_vectors import DIRECTORY, documents
from verifier.equations.decryption import verify_factors as verifier_verify_factors
from verifier.equations.interface import PostedFactors
from verifier.failure import Failure

FILES = ("decryption-mixed.json", "decryption-totals.json")
VECTORS = [json.loads((DIRECTORY / name).read_text()) for name in FILES]
ARITHMETICS = ["native", "portable"] if native_available() else ["portable"]


def test_the_files_are_current() -> None:
    assert {name: (DIRECTORY / name).read_text() for name in FILES} == documents()


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
@pytest.mark.parametrize("vector", VECTORS, ids=FILES)
def test_entries(vector: dict[str, Any], arithmetic: str) -> None:
    group = load_group(arithmetic)
    data = bytes.fromhex(vector["list"])

    def verify(trustee: int, factors: str, proof: str) -> None:
        key = bytes.fromhex(vector["verification-keys"][trustee - 1])
        place = (bytes.fromhex(vector["fingerprint"]), vector["contest"], vector["group"])
        verify_factors(group, *place, trustee, key, data, bytes.fromhex(factors), bytes.fromhex(proof))

    for entry in vector["entries"]:
        verify(entry["trustee"], entry["factors"], entry["proof"])
    for entry in vector["invalid"]:
        with pytest.raises(CryptoError):
            verify(1, entry["factors"], entry["proof"])


@pytest.mark.parametrize("vector", VECTORS, ids=FILES)
def test_plaintexts(vector: dict[str, Any]) -> None:
    group = load_group()
    data = bytes.fromhex(vector["list"])
    factors = {entry["trustee"]: bytes.fromhex(entry["factors"]) for entry in vector["entries"]}
    elements = combine_list(group, data, factors)
    assert elements.hex() == vector["elements"]
    for without in factors:
        fewer = {trustee: blob for trustee, blob in factors.items() if trustee != without}
        assert combine_list(group, data, fewer) == elements
    if "totals" in vector:
        decoded = group.elements_decode(elements, allow_identity=True)
        assert decode_exponents(group, decoded, 5000) == vector["totals"]
        check_totals(group, data, factors, vector["totals"], 5000, os.urandom)
    else:
        book = bytes.fromhex(vector["code-book"])
        plaintexts = decode_plaintexts(bytes.fromhex(vector["plaintexts"]), len(data) // 64, book)
        verify_plaintexts(group, data, factors, plaintexts, book, os.urandom)


@pytest.mark.parametrize("vector", VECTORS, ids=FILES)
def test_entries_as_the_independent_verifier_judges_them(vector: dict[str, Any]) -> None:
    data = bytes.fromhex(vector["list"])

    def failures(trustee: int, factors: str, proof: str) -> list[Failure]:
        key = bytes.fromhex(vector["verification-keys"][trustee - 1])
        digest = hashlib.sha256(data).digest()
        return verifier_verify_factors(
            PostedFactors(trustee, key, digest, bytes.fromhex(factors), bytes.fromhex(proof)),
            fingerprint=bytes.fromhex(vector["fingerprint"]),
            contest=vector["contest"],
            group_id=vector["group"],
            ciphertexts=data,
            group=load_group(),
        )

    for entry in vector["entries"]:
        assert not failures(entry["trustee"], entry["factors"], entry["proof"])
    for entry in vector["invalid"]:
        assert failures(1, entry["factors"], entry["proof"]), entry["what"]
