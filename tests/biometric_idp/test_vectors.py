"""The published vectors: made by one arithmetic, computed again by the other, and by plain code from the specification.

``plain_*`` below share nothing with the packages but the standard library: they are what a stranger would write.
"""

from __future__ import annotations

import hmac
import json
from hashlib import sha256

import cbor2
import pytest

from biometric_idp.idp.ticket import TicketVerifier
from biometric_idp.request import Refusal, decode_answer, decode_request
from crypto.group import load_group, load_pairing_group
from tests.biometric_idp.make_vectors import DIRECTORY, Vector, vectors

NAMES = ("credential-issuance", "credential-request", "credential-ledger")


def load(name: str) -> Vector:
    value: Vector = json.loads((DIRECTORY / f"{name}.json").read_text())
    return value


def hex_of(vector: Vector, name: str) -> bytes:
    value = vector[name]
    assert isinstance(value, str)
    return bytes.fromhex(value)


@pytest.fixture(scope="module", name="portable")
def fixture_portable() -> dict[str, Vector]:
    return vectors(load_group("portable"), load_pairing_group("portable"))


@pytest.mark.parametrize("name", NAMES)
def test_the_portable_arithmetic_gives_the_published_vectors(name: str, portable: dict[str, Vector]) -> None:
    assert portable[name] == load(name)


def plain_frame(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(8, "big") + part for part in parts)


def plain_root(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + plain_root(leaves[:split]) + plain_root(leaves[split:])).digest()


def test_roll_and_ledger_tree_follow_from_the_text_of_the_specification() -> None:
    vector = load("credential-ledger")
    voters, hashes = vector["voters"], vector["request_hashes"]
    assert isinstance(voters, list)
    assert isinstance(hashes, dict)
    roll, tree = [], []
    for position, voter in enumerate(voters):
        place = position.to_bytes(8, "big")
        salt = hmac.digest(hex_of(vector, "roll_secret"), plain_frame(b"evoting/v1/roll-salt", place), "sha256")
        fields = (b"evoting/v1/roll-leaf", salt, place, voter["style"].encode(), voter["person"].encode())
        roll.append(sha256(plain_frame(*fields)).digest())
        fingerprint, size = hex_of(vector, "fingerprint"), (2).to_bytes(8, "big")
        keyed = plain_frame(b"evoting/v1/ledger-salt", fingerprint, size, place)
        tree_salt = hmac.digest(hex_of(vector, "ledger_secret"), keyed, "sha256")
        value = bytes.fromhex(hashes[str(position)]) if str(position) in hashes else b"none"
        tree.append(sha256(plain_frame(b"evoting/v1/ledger-leaf", fingerprint, place, tree_salt, value)).digest())
    assert [leaf.hex() for leaf in roll] == vector["roll_leaves"]
    assert plain_root(roll) == hex_of(vector, "roll_commitment")
    assert [leaf.hex() for leaf in tree] == vector["tree_leaves"]
    assert plain_root(tree) == hex_of(vector, "tree_root")


def test_the_request_hash_follows_from_the_text_of_the_specification() -> None:
    vector = load("credential-request")
    fields = ["issue-v1", hex_of(vector, "fingerprint"), vector["style"], vector["position"]]
    fields += [hex_of(vector, "credential_id"), hex_of(vector, "blinded")]
    assert sha256(cbor2.dumps(fields, canonical=True)).digest() == hex_of(vector, "request_hash")


def test_the_published_request_is_read_back() -> None:
    vector = load("credential-request")
    request = decode_request(hex_of(vector, "request"))
    assert request.encode() == hex_of(vector, "request")
    public_keys = vector["public_keys"]
    hashes = vector["ticket_hashes"]
    assert isinstance(public_keys, dict)
    assert isinstance(hashes, list)
    provider = bytes.fromhex(public_keys["identity-provider"])
    fingerprint = hex_of(vector, "fingerprint")
    verdicts = [TicketVerifier(provider, fingerprint).holds(request.ticket, bytes.fromhex(value)) for value in hashes]
    assert verdicts == [False, True, False]
    refusal = decode_answer(hex_of(vector, "refusal"))
    assert isinstance(refusal, Refusal)
    assert refusal.holds(fingerprint, bytes.fromhex(public_keys["issuer-2"]))
