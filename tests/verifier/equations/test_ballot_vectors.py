"""The specification's worked encodings and ballots (docs/spec/vectors), which the product's own code wrote."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from crypto.group import Group, PairingGroup
from tests.verifier.equations.provers import Randomness, encrypt, linear, times_generator
from verifier import hashing
from verifier.equations import parameters
from verifier.equations.ballots import verify_ballots
from verifier.equations.challenges import verify_openings
from verifier.equations.interface import BallotBatch, ContestColumns, ContestShape, Election, StyleShape
from verifier.equations.statements import contest_challenges
from verifier.record import cbor
from verifier.record.ballots import decode_ballot, decode_opening
from verifier.record.ed25519 import verify as verify_ed25519
from verifier.record.entries import RoleEntry, VoterEntry, decode_entry, split_voter_entry
from verifier.record.errors import FormatError
from verifier.stream.scan import order_hash

VECTORS = Path(__file__).parents[3] / "docs" / "spec" / "vectors"


def read(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_text("utf-8"))


def octets(text: str) -> bytes:
    return bytes.fromhex(text)


@pytest.fixture(scope="module")
def encoding() -> Any:
    return read("encoding")


# Encoding.


def test_frames_and_hashes(encoding: Any) -> None:
    for item in encoding["frames"]:
        assert hashing.frame(octets(item["data"])) == octets(item["frame"])
    assert hashing.u64(encoding["u64"]["value"]) == octets(encoding["u64"]["bytes"])
    vector = encoding["hash"]
    parts = [octets(part) for part in vector["parts"]]
    assert hashing.sha(vector["domain"], *parts).hex() == vector["sha"]
    assert hashing.wide(vector["domain"], *parts).hex() == vector["wide"]
    assert hashing.scalar(vector["domain"], *parts).to_bytes(32, "little").hex() == vector["scalar"]
    length = vector["stream"]["length"]
    assert hashing.stream(vector["domain"], *parts, length=length).hex() == vector["stream"]["bytes"]


def test_transcript(encoding: Any) -> None:
    transcript = hashing.Transcript(encoding["transcript"]["domain"])
    for step in encoding["transcript"]["steps"]:
        if "append" in step:
            transcript.append(step["append"], octets(step["data"]))
        elif "challenge" in step:
            assert transcript.challenge(step["challenge"]).to_bytes(32, "little").hex() == step["value"]
        else:
            assert transcript.stream(step["stream"], step["length"]).hex() == step["value"]


def test_generators_and_parameters(each_group: Group, encoding: Any) -> None:
    vector = encoding["hash-to-group"]
    parts = [octets(part) for part in vector["parts"]]
    assert parameters.hash_to_group(each_group, vector["domain"], [parts]).encode().hex() == vector["element"]
    made = parameters.commitment_generators(each_group, 3)
    assert each_group.generator().encode().hex() == encoding["generators"]["G"]
    named = [encoding["generators"][name] for name in ("H", "G_1", "G_2", "G_3")]
    assert [made[at : at + 32].hex() for at in range(0, 128, 32)] == named
    assert parameters.parameters_hash(each_group).hex() == encoding["parameters"]


def test_cbor(encoding: Any) -> None:
    vector = encoding["cbor"]
    value: Any = {"z": [0, -1, 2**53 - 1], "aa": None, "b": {"": True, "y": b"\x01"}, "title": "Шайлоо"}
    assert cbor.decode(octets(vector["encoding"])) == value
    assert cbor.encode(value) == octets(vector["encoding"])
    cbor.decode(octets(vector["deepest"]))
    for item in vector["refused"]:
        with pytest.raises(FormatError):
            cbor.decode(octets(item["encoding"]))


def test_role_signature(encoding: Any) -> None:
    vector = encoding["role-signature"]
    raw = octets(vector["entry"])
    entry = decode_entry(raw, 0)
    assert isinstance(entry, RoleEntry)
    assert (entry.type, entry.body.hex()) == (vector["type"], vector["body"])
    message = hashing.frames(["evoting/v1/entry", octets(vector["fingerprint"]), entry.type, entry.body])
    assert message.hex() == vector["message"]
    ((role, signature),) = entry.signatures
    assert role == "officer-1"
    assert verify_ed25519(octets(vector["public-key"]), message, signature)
    assert hashing.sha("evoting/v1/entry-hash", raw).hex() == vector["entry-hash"]


# Ballots.


def style_of(vector: Any, group: Group) -> StyleShape:
    shapes = []
    for position, contest in enumerate(vector["contests"]):
        if contest["kind"] == "homomorphic":
            sizes = (contest["options"], contest["min"], contest["max"])
            shapes.append(ContestShape(contest["id"], "homomorphic", position, *sizes))
        else:
            book = parameters.code_elements(group, octets(vector["manifest"]), contest["id"], contest["codes"])
            assert book.hex() == contest["code-book"]
            shapes.append(ContestShape(contest["id"], "mixed", position, width=contest["width"], code_book=book))
    return StyleShape(vector["style"], tuple(shapes), octets(vector["issuance-key"]))


def election_of(vector: Any) -> Election:
    return Election(octets(vector["fingerprint"]), octets(vector["manifest"]), octets(vector["key"]))


def batch_of(entry: VoterEntry, vector: Any, style: StyleShape) -> BallotBatch:
    """One row; raises where its form is malformed."""
    body = decode_ballot(entry.body, octets(vector["fingerprint"]), {style.id: style})
    message = entry.body if entry.opening is None else hashing.frame(entry.body) + hashing.frame(entry.opening)
    return BallotBatch(
        "ballot" if entry.opening is None else "challenge",
        style,
        body.pseudonym,
        body.credential,
        entry.signature,
        [message],
        tuple(ContestColumns(*parts) for parts in body.contests),
    )


def voter_entry(item: Any) -> VoterEntry:
    entry = split_voter_entry(octets(item["entry"]))
    assert entry is not None
    return entry


def cases() -> list[Any]:
    return [
        pytest.param(name, number, id=f"{name} {number}")
        for name, key in (("ballot-cast", "ballots"), ("ballot-challenge", "challenges"))
        for number in range(len(read(name)[key]))
    ]


@pytest.mark.parametrize(("name", "number"), cases())
def test_a_valid_ballot_step_by_step(
    each_group: Group, pairing: PairingGroup, name: str, number: int, randomness: Randomness
) -> None:
    vector = read(name)
    item = (vector.get("ballots") or vector["challenges"])[number]
    group, style, election = each_group, style_of(vector, each_group), election_of(vector)
    entry = voter_entry(item)
    assert (entry.body.hex(), entry.signature.hex()) == (item["body"], item["signature"])
    batch = batch_of(entry, vector, style)
    assert times_generator(group, int.from_bytes(octets(item["pseudonym-secret"]), "little")) == batch.pseudonyms
    assert times_generator(group, int.from_bytes(octets(vector["election-secret"]), "little")) == election.public_key
    for shape, columns, contest in zip(style.contests, batch.contests, item["contests"], strict=True):
        challenge = contest_challenges(batch, shape, columns, election, group)
        assert challenge.encode().hex() == contest["challenge"]
        assert opened(group, election, shape, contest) == [
            columns.ciphertexts[at : at + 64] if known else None
            for at, known in zip(range(0, len(columns.ciphertexts), 64), known_codes(contest), strict=True)
        ]
    assert verify_ballots(batch, election, group, pairing, randomness) == []
    digest = hashing.sha("evoting/v1/tracking", entry.body)
    assert digest.hex() == item["tracking-hash"]
    code = base64.b32encode(digest[:20]).decode().lower()
    assert "-".join(code[at : at + 4] for at in range(0, 32, 4)) == item["tracking-code"]
    assert order_hash(octets(item["entry"])).hex() == item["ballot-order"]
    if entry.opening is not None:
        assert entry.opening.hex() == item["opening"]
        assert verify_openings(batch, [decode_opening(entry.opening, style)], election, group, randomness) == []


def known_codes(contest: Any) -> list[bool]:
    return [selection != 2**32 - 1 for selection in contest["selections"]]


def opened(group: Group, election: Election, shape: ContestShape, contest: Any) -> list[bytes | None]:
    """The ciphertexts that selections and randomizers give; None for a message in no code book."""
    made: list[bytes | None] = []
    for place, selection in enumerate(contest["selections"]):
        randomizer = int.from_bytes(octets(contest["randomizers"])[32 * place : 32 * place + 32], "little")
        if shape.kind == "homomorphic":
            message = linear(group, (selection, group.generator().encode()))
            made.append(encrypt(group, election.public_key, message, randomizer))
        elif selection == 2**32 - 1:
            made.append(None)
        else:
            message = shape.code_book[32 * selection : 32 * selection + 32]
            made.append(encrypt(group, election.public_key, message, randomizer))
    return made


@pytest.mark.parametrize("number", range(len(read("ballot-invalid")["ballots"])))
def test_an_invalid_ballot_is_rejected_with_its_reason(
    group: Group, pairing: PairingGroup, number: int, randomness: Randomness
) -> None:
    vector = read("ballot-invalid")
    item, style = vector["ballots"][number], style_of(vector, group)
    try:
        batch = batch_of(voter_entry(item), vector, style)
    except FormatError:
        assert item["reason"] == "malformed"
        return
    failures = verify_ballots(batch, election_of(vector), group, pairing, randomness)
    assert [failure.reason for failure in failures] == [item["reason"]]
