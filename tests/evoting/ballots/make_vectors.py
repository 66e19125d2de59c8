"""Writes docs/spec/vectors/encoding.json and ballot-*.json: ``python -m tests.evoting.ballots.make_vectors``.

Deterministic, from fixed seeds; ``test_vectors.py`` checks that the files are what this writes, and the verifier's
tests that they are what the specification says.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from crypto import cbor
from crypto.blind_bls import encode_message, hash_credential_message
from crypto.elgamal import EncryptionKey
from crypto.entry import Binding, ballot_order, entry_hash, sign_entry, signed_message
from crypto.group import load_group, load_pairing_group
from crypto.group.interface import BLS_ORDER, ORDER
from crypto.hashing import frame, generators, hash_to_group, scalar, sha, stream, u64, wide
from crypto.proofs.disjunctive import ChoiceLayout
from crypto.proofs.plaintext_knowledge import KnowledgeLayout
from crypto.schnorr_signature import sign_many
from crypto.transcript import Transcript
from evoting.ballots.ballot import (
    BALLOT_SIGNATURE,
    CHALLENGE_SIGNATURE,
    contest_challenges,
    decode_ballot,
    encode_ballot_entry,
    encode_challenge_entry,
    tracking_code,
    tracking_hash,
)
from evoting.ballots.build import NO_CODE, BuiltBallots, Wallets, build_ballots, encode_opening
from evoting.ballots.shape import ContestShape, StyleShape
from evoting.office.opening import group_parameters
from tests.support.arithmetics import deterministic_entropy

DIRECTORY = Path(__file__).parents[3] / "docs" / "spec" / "vectors"
GROUP, PAIRING = load_group(), load_pairing_group()
FINGERPRINT = hashlib.sha256(b"an opening entry").digest()
MANIFEST_HASH = hashlib.sha256(b"a manifest").digest()
STYLE = StyleShape(
    "city",
    (
        ContestShape("question", ChoiceLayout(3, 0, 1)),
        ContestShape("council", ChoiceLayout(4, 1, 3)),
        ContestShape("list", KnowledgeLayout(1)),
        ContestShape("mayor", KnowledgeLayout(2)),
    ),
)
CODES = {"list": ("red", "red/1", "blue", "against-all", "blank"), "mayor": ("ann", "bob", "cyd", "none")}


def seeded(label: str) -> int:
    return int.from_bytes(hashlib.shake_256(label.encode()).digest(64), "little")


ELECTION_SECRET = seeded("election key") % ORDER
ISSUANCE_SECRET = seeded("issuance key") % BLS_ORDER
KEY = EncryptionKey.from_element(GROUP, GROUP.generator().mul(GROUP.scalars([ELECTION_SECRET])))
BOOKS = {
    contest: hash_to_group(
        GROUP,
        "evoting/v1/code",
        *[frame(MANIFEST_HASH) + frame(contest.encode()) + frame(code.encode()) for code in codes],
    )
    for contest, codes in CODES.items()
}


@dataclass(frozen=True)
class Made:
    """A ballot before it is signed."""

    secret: int
    wallets: Wallets
    built: BuiltBallots

    @property
    def body(self) -> bytes:
        return self.built.bodies[0]

    def sign(self, message: bytes, domain: str) -> bytes:
        entropy = deterministic_entropy("signature")
        (signature,) = sign_many(
            GROUP, KEY.generator_table, domain, self.wallets.secrets, self.wallets.pseudonyms, [message], entropy
        )
        return signature


def make(label: str, sequence: int, selections: list[list[int]]) -> Made:
    """A ballot with these selections; a voter of its own for every label."""
    secret = seeded(f"pseudonym {label}") % ORDER
    secrets = GROUP.scalars([secret])
    pseudonym = GROUP.generator().mul(secrets).encode()
    point = hash_credential_message(PAIRING, [encode_message(FINGERPRINT, STYLE.id, pseudonym)])
    wallets = Wallets(secrets, [pseudonym], [point.mul([ISSUANCE_SECRET]).encode()])
    rows: list[Any] = [
        np.array([row], dtype=np.uint8 if isinstance(contest.layout, ChoiceLayout) else np.uint32)
        for contest, row in zip(STYLE.contests, selections, strict=True)
    ]
    built = build_ballots(
        KEY, FINGERPRINT, STYLE, wallets, [sequence], rows, BOOKS, deterministic_entropy(f"randomness {label}")
    )
    return Made(secret, wallets, built)


def contests() -> list[dict[str, Any]]:
    described = []
    for contest in STYLE.contests:
        layout = contest.layout
        if isinstance(layout, ChoiceLayout):
            described.append(
                {
                    "id": contest.id,
                    "kind": "homomorphic",
                    "options": layout.options,
                    "min": layout.minimum,
                    "max": layout.maximum,
                }
            )
        else:
            described.append(
                {
                    "id": contest.id,
                    "kind": "mixed",
                    "width": layout.width,
                    "codes": list(CODES[contest.id]),
                    "code-book": BOOKS[contest.id].encode().hex(),
                }
            )
    return described


def election() -> dict[str, Any]:
    """What every ballot is judged against."""
    return {
        "fingerprint": FINGERPRINT.hex(),
        "manifest": MANIFEST_HASH.hex(),
        "election-secret": ELECTION_SECRET.to_bytes(32, "little").hex(),
        "key": KEY.element.encode().hex(),
        "issuance-key": PAIRING.g2_generator().mul([ISSUANCE_SECRET]).encode().hex(),
        "style": STYLE.id,
        "contests": contests(),
    }


def challenge_of(body: bytes, position: int) -> str:
    ballot = decode_ballot(body, FINGERPRINT, {STYLE.id: STYLE})
    part = ballot.contests[position]
    return (
        contest_challenges(
            GROUP, FINGERPRINT, STYLE, position, KEY.element.encode(), [ballot.pseudonym], [part.ciphertexts],
            [part.commitments],
        )
        .encode()
        .hex()
    )  # fmt: skip


def described(made: Made, entry: bytes, signature: bytes) -> dict[str, Any]:
    """A ballot with everything that a maker of ballots needs to compare, step by step."""
    opening = cbor.decode(encode_opening(made.built, 0, 1))
    assert isinstance(opening, dict)
    return {
        "pseudonym-secret": made.secret.to_bytes(32, "little").hex(),
        "pseudonym": made.wallets.pseudonyms[0].hex(),
        "credential": made.wallets.credentials[0].hex(),
        "contests": [
            {
                "selections": contest["selections"],
                "randomizers": contest["randomizers"].hex(),
                "challenge": challenge_of(made.body, position),
            }
            for position, contest in enumerate(opening["contests"])
        ],
        "body": made.body.hex(),
        "signature": signature.hex(),
        "entry": entry.hex(),
        "tracking-hash": tracking_hash(made.body).hex(),
        "tracking-code": tracking_code(made.body),
        "ballot-order": ballot_order(entry).hex(),
    }


FIRST = [[0, 1, 0], [1, 0, 1, 1], [2], [1, 0]]
BLANK = [[0, 0, 0], [0, 0, 0, 1], [4], [3, 3]]
NOT_A_CODE = [[1, 0, 0], [1, 1, 0, 0], [NO_CODE], [NO_CODE, 2]]


def cast_vector() -> dict[str, Any]:
    ballots = []
    for label, sequence, selections in (("first", 0, FIRST), ("blank", 1, BLANK), ("late", 2**40, NOT_A_CODE)):
        made = make(label, sequence, selections)
        signature = made.sign(made.body, BALLOT_SIGNATURE)
        entry = encode_ballot_entry(made.body, signature)
        ballots.append({"sequence": sequence, **described(made, entry, signature)})
    about = "Valid ballots of one style (06-ballots.md); all secrets are given, so that a maker of ballots can compare."
    return {"what": about, **election(), "ballots": ballots}


def challenge_vector() -> dict[str, Any]:
    challenges = []
    for label, selections in (("challenge", FIRST), ("challenge of no code", NOT_A_CODE)):
        made = make(label, 0, selections)
        opening = encode_opening(made.built, 0, 1)
        signature = made.sign(frame(made.body) + frame(opening), CHALLENGE_SIGNATURE)
        entry = encode_challenge_entry(made.body, signature, opening)
        challenges.append({**described(made, entry, signature), "opening": opening.hex()})
    return {"what": "Valid published challenges (06-ballots.md section 6.6).", **election(), "challenges": challenges}


Edit = Callable[[dict[str, Any]], None]


def _replace(contest: int, part: str, at: int, new: bytes) -> Edit:
    def edit(body: dict[str, Any]) -> None:
        data = body["contests"][contest][part]
        body["contests"][contest][part] = data[:at] + new + data[at + len(new) :]

    return edit


def _plus_one(contest: int, at: int) -> Edit:
    def edit(body: dict[str, Any]) -> None:
        data = body["contests"][contest]["scalars"]
        value = (int.from_bytes(data[at : at + 32], "little") + 1) % ORDER
        _replace(contest, "scalars", at, value.to_bytes(32, "little"))(body)

    return edit


def _swap_contests(body: dict[str, Any]) -> None:
    body["contests"][0], body["contests"][1] = body["contests"][1], body["contests"][0]


#: What is wrong, the reason of rejection, and the change before signing.
INVALID: tuple[tuple[str, str, Edit], ...] = (
    ("another election", "malformed", lambda body: body.update(election=bytes(32))),
    ("contests in another order", "malformed", _swap_contests),
    ("a pad that is the identity", "malformed", _replace(0, "ciphertexts", 0, bytes(32))),
    ("a commitment that is no canonical element", "malformed", _replace(2, "commitments", 0, b"\xff" * 32)),
    ("a scalar that is the group's order", "malformed", _replace(1, "scalars", 0, ORDER.to_bytes(32, "little"))),
    ("a credential that is the identity", "credential", lambda body: body.update(credential=b"\xc0" + bytes(47))),
    ("the first response of an option", "proof", _plus_one(0, 32)),
    ("the last response of the sum", "proof", _plus_one(1, 32 * (3 * 4 + 4))),
    ("the response of a mixed contest", "proof", _plus_one(3, 32)),
)


def invalid_vector() -> dict[str, Any]:
    made = make("first", 0, FIRST)
    ballots = []
    for what, reason, edit in INVALID:
        value = cbor.decode(made.body)
        assert isinstance(value, dict)
        edit(value)
        body = cbor.encode(value)
        entry = encode_ballot_entry(body, made.sign(body, BALLOT_SIGNATURE))
        ballots.append({"what": what, "reason": reason, "entry": entry.hex()})
    for what, body in (
        ("a byte after the body", made.body + b"\0"),
        ("keys of the body in another order", b"\xa6" + made.body[12:] + made.body[1:12]),
        ("a key of the body twice", b"\xa7" + made.body[1:12] + made.body[1:]),
    ):
        entry = encode_ballot_entry(body, made.sign(body, BALLOT_SIGNATURE))
        ballots.append({"what": what, "reason": "malformed", "entry": entry.hex()})
    for what, signature in (
        ("signed as a challenge is", made.sign(made.body, CHALLENGE_SIGNATURE)),
        ("a signature of zeros", bytes(64)),
    ):
        entry = encode_ballot_entry(made.body, signature)
        ballots.append({"what": what, "reason": "signature", "entry": entry.hex()})
    about = "Ballots with one defect each, signed after it was made, and the reason of rejection (06-ballots.md 6.5)."
    return {"what": about, **election(), "ballots": ballots}


def encoding_vector() -> dict[str, Any]:
    """Section 1 of the specification."""
    parts = [b"", b"abc", bytes(range(256))]
    domain = "evoting/v1/example"
    transcript = Transcript(domain)
    steps: list[dict[str, str | int]] = []
    for label, data in (("statement", b"statement"), ("empty", b"")):
        transcript.append(label, data)
        steps.append({"append": label, "data": data.hex()})
    steps.append({"challenge": "e", "value": transcript.challenge("e").to_bytes(32, "little").hex()})
    steps.append({"stream": "weights", "length": 40, "value": transcript.stream("weights", 40).hex()})
    transcript.append("answer", bytes(32))
    steps.append({"append": "answer", "data": bytes(32).hex()})
    steps.append({"challenge": "f", "value": transcript.challenge("f").to_bytes(32, "little").hex()})
    blinding, message = generators(GROUP, 3)
    code = frame(MANIFEST_HASH) + frame(b"list") + frame(b"red/1")
    binding = Binding(MANIFEST_HASH, FINGERPRINT)
    return {
        "what": "Encoding, hashing and generators (01-encoding.md); scalars are 32 bytes little-endian.",
        "frames": [{"data": data.hex(), "frame": frame(data).hex()} for data in parts],
        "u64": {"value": 258, "bytes": u64(258).hex()},
        "hash": {
            "domain": domain,
            "parts": [part.hex() for part in parts],
            "sha": sha(domain, *parts).hex(),
            "wide": wide(domain, *parts).hex(),
            "scalar": scalar(domain, *parts).to_bytes(32, "little").hex(),
            "stream": {"length": 100, "bytes": stream(domain, *parts, length=100).hex()},
        },
        "transcript": {"domain": domain, "steps": steps},
        "hash-to-group": {
            "domain": "evoting/v1/code",
            "parts": [MANIFEST_HASH.hex(), b"list".hex(), b"red/1".hex()],
            "element": hash_to_group(GROUP, "evoting/v1/code", code).encode().hex(),
        },
        "generators": {
            "G": GROUP.generator().encode().hex(),
            "H": blinding.encode().hex(),
            **{f"G_{i + 1}": message[i : i + 1].encode().hex() for i in range(3)},
        },
        "parameters": group_parameters(GROUP).hex(),
        "cbor": _cbor(),
        "role-signature": _role_signature(binding),
    }


def _cbor() -> dict[str, Any]:
    value = {"z": [0, -1, 2**53 - 1], "aa": None, "b": {"": True, "y": b"\x01"}, "title": "Шайлоо"}
    refused = {
        "keys in another order": "a2616200616100",
        "a key twice": "a2616100616100",
        "an integer that is not shortest": "1817",
        "an integer of 2^53": "1b0020000000000000",
        "a float": "f93c00",
        "a tag": "c100",
        "undefined": "f7",
        "an indefinite length": "9fff",
        "a key that is no text": "a10001",
        "text that is not UTF-8": "62c328",
        "bytes after the end": "0000",
        "nesting of seventeen": "81" * 16 + "80",
    }
    return {
        "described": "{z: [0, -1, 2^53 - 1], aa: null, b: {'': true, y: h'01'}, title: 'Шайлоо'}",
        "encoding": cbor.encode(value).hex(),
        "deepest": ("81" * 15 + "80"),
        "refused": [{"what": what, "encoding": data} for what, data in refused.items()],
    }


def _role_signature(binding: Binding) -> dict[str, Any]:
    from nacl.signing import SigningKey

    seed = hashlib.sha256(b"officer-1").digest()
    body: dict[str, object] = {"ballots": 2, "challenges": 1, "epochs": 1, "time": 1_700_000_000}
    entry = sign_entry("close", body, binding, {"officer-1": SigningKey(seed)})
    return {
        "seed": seed.hex(),
        "public-key": bytes(SigningKey(seed).verify_key).hex(),
        "fingerprint": FINGERPRINT.hex(),
        "type": "close",
        "body": cbor.encode(body).hex(),
        "message": signed_message(binding, "close", cbor.encode(body)).hex(),
        "entry": entry.hex(),
        "entry-hash": entry_hash(entry).hex(),
    }


VECTORS: dict[str, Callable[[], dict[str, Any]]] = {
    "encoding": encoding_vector,
    "ballot-cast": cast_vector,
    "ballot-challenge": challenge_vector,
    "ballot-invalid": invalid_vector,
}


def encode(vector: dict[str, Any]) -> str:
    return json.dumps(vector, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    for name, make_vector in VECTORS.items():
        (DIRECTORY / f"{name}.json").write_text(encode(make_vector()), "utf-8")


if __name__ == "__main__":
    main()
