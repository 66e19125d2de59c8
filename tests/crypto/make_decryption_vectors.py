"""Writes docs/spec/vectors/decryption-*.json: ``python -m tests.crypto.make_decryption_vectors``.

Deterministic, from fixed seeds; ``test_decryption_vectors.py`` checks that the files are what this writes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from crypto.decryption import combine_list, generate_factors, lagrange_coefficients, look_up_codes, prove_factors
from crypto.dkg.shamir import evaluate_polynomial
from crypto.elgamal import EncryptionKey, encrypt
from crypto.group import load_group
from crypto.group.interface import ORDER, ElementVector
from crypto.hashing import frame, hash_to_group, scalar, stream, u64

DIRECTORY = Path(__file__).parents[2] / "docs" / "spec" / "vectors"
FINGERPRINT = hashlib.sha256(b"an opening entry").digest()
MANIFEST_HASH = hashlib.sha256(b"a manifest").digest()
CODES = ("red", "red/1", "red/2", "blue", "against-all", "blank")
CONTEST = {"mixed": "list", "totals": "question"}
GROUP_ID = "city"
TRUSTEES, THRESHOLD = 4, 2

GROUP = load_group()


def seeded(label: str, count: int) -> bytes:
    return hashlib.shake_256(label.encode()).digest(count)


COEFFICIENTS = GROUP.scalars_wide(seeded("polynomial", 64 * THRESHOLD)).to_ints()
SHARES = [evaluate_polynomial(COEFFICIENTS, j, ORDER) for j in range(1, TRUSTEES + 1)]
KEYS = [GROUP.generator().mul(GROUP.scalars([share])).encode() for share in SHARES]
KEY = EncryptionKey.from_element(GROUP, GROUP.generator().mul(GROUP.scalars(COEFFICIENTS[:1])))


def code_book() -> bytes:
    prefix = frame(MANIFEST_HASH) + frame(CONTEST["mixed"].encode())
    return hash_to_group(GROUP, "evoting/v1/code", *[prefix + frame(code.encode()) for code in CODES]).encode()


def ciphertexts_of(messages: ElementVector, label: str) -> bytes:
    return encrypt(KEY, messages, GROUP.scalars_wide(seeded(label, 64 * len(messages)))).encode(GROUP)


def entry(kind: str, ciphertexts: bytes, trustee: int) -> dict[str, object]:
    """What a trustee posts."""
    share = SHARES[trustee - 1].to_bytes(32, "little")
    factors = generate_factors(GROUP, ciphertexts, share)
    entropy = seeded(f"{kind} {trustee}", 64)
    proof = prove_factors(
        GROUP, FINGERPRINT, CONTEST[kind], GROUP_ID, trustee, KEYS[trustee - 1], ciphertexts, factors, share, entropy
    )
    return {"trustee": trustee, "factors": factors.hex(), "proof": proof.hex(), "valid": True}


def worked(kind: str, ciphertexts: bytes, posted: dict[str, object]) -> dict[str, object]:
    """The intermediate values of a proof's verification."""
    trustee = posted["trustee"]
    assert isinstance(trustee, int)
    factors, proof = bytes.fromhex(str(posted["factors"])), bytes.fromhex(str(posted["proof"]))
    key = KEYS[trustee - 1]
    binding = (
        FINGERPRINT,
        CONTEST[kind].encode(),
        GROUP_ID.encode(),
        u64(trustee),
        hashlib.sha256(ciphertexts).digest(),
        hashlib.sha256(factors).digest(),
    )
    count = len(ciphertexts) // 64
    raw = stream("evoting/v1/decryption-weights", *binding, key, length=16 * count)
    weights = GROUP.scalars_short(raw)
    columns = np.frombuffer(ciphertexts, dtype=np.uint8).reshape(-1, 2, 32)
    base = GROUP.msm_decode(weights, columns[:, 0].tobytes(), allow_identity=True)
    image = GROUP.msm_decode(weights, factors, allow_identity=True)
    challenge, response = GROUP.scalars_decode(proof).to_ints()
    minus, z = GROUP.scalars([-challenge]), GROUP.scalars([response])
    public = GROUP.elements_decode(key, allow_identity=False)
    first = GROUP.generator().mul(z) + public.mul(minus)
    second = base.mul(z) + image.mul(minus)
    statement = (key, base.encode(), image.encode(), first.encode(), second.encode())
    assert scalar("evoting/v1/decryption-proof", *binding, *statement) == challenge
    return {
        "trustee": trustee,
        "binding": [part.hex() for part in binding],
        "weights": raw.hex(),
        "P": statement[1].hex(),
        "Q": statement[2].hex(),
        "T1": statement[3].hex(),
        "T2": statement[4].hex(),
        "c": proof[:32].hex(),
        "z": proof[32:].hex(),
    }


def defects(kind: str, ciphertexts: bytes, posted: dict[str, object]) -> list[dict[str, object]]:
    """Entries of trustee 1 that are not valid."""
    factors, proof = str(posted["factors"]), str(posted["proof"])
    shifted = str(entry(kind, ciphertexts[64:] + ciphertexts[:64], 1)["factors"])
    other = entry(kind, ciphertexts, 2)
    return [
        {"what": "D1: challenge zero", "factors": factors, "proof": "00" * 32 + proof[64:]},
        {"what": "D1: response off by one", "factors": factors, "proof": proof[:64] + _plus_one(proof[64:])},
        {"what": "D2: factors in another order", "factors": shifted, "proof": proof},
        {"what": "D2: factors and proof of trustee 2", "factors": other["factors"], "proof": other["proof"]},
        {"what": "one factor missing", "factors": factors[:-64], "proof": proof},
        {"what": "a factor that is not canonical", "factors": "ff" * 32 + factors[64:], "proof": proof},
        {"what": "the response plus the order", "factors": factors, "proof": proof[:64] + _plus_order(proof[64:])},
    ]


def _plus_one(data: str) -> str:
    return ((int.from_bytes(bytes.fromhex(data), "little") + 1) % ORDER).to_bytes(32, "little").hex()


def _plus_order(data: str) -> str:
    return (int.from_bytes(bytes.fromhex(data), "little") + ORDER).to_bytes(32, "little").hex()


def document(kind: str) -> str:
    book = code_book()
    if kind == "mixed":
        messages = GROUP.concat_elements(
            [
                GROUP.elements_decode(book, allow_identity=False).gather(np.array([3, 0, 5, 3], dtype=np.uint32)),
                hash_to_group(GROUP, "evoting/v1/code", b"something else"),
                GROUP.identity(),
            ]
        )
    else:
        messages = GROUP.generator().mul(GROUP.scalars([1234, 0, 77]))
    ciphertexts = ciphertexts_of(messages, kind)
    posted = [entry(kind, ciphertexts, trustee) for trustee in (1, 3, 4)]
    used = {int(str(one["trustee"])): bytes.fromhex(str(one["factors"])) for one in posted}
    elements = combine_list(GROUP, ciphertexts, used)
    result: dict[str, object] = {
        "format": "evoting-vectors/v1",
        "section": "9",
        "what": f"decryption of a list of a {'mixed' if kind == 'mixed' else 'homomorphic'} contest",
        "fingerprint": FINGERPRINT.hex(),
        "contest": CONTEST[kind],
        "group": GROUP_ID,
        "threshold": THRESHOLD,
        "joint-key": KEY.element.encode().hex(),
        "verification-keys": [key.hex() for key in KEYS],
        "shares": [share.to_bytes(32, "little").hex() for share in SHARES],
        "list": ciphertexts.hex(),
        "entries": posted,
        "worked": worked(kind, ciphertexts, posted[0]),
        "invalid": defects(kind, ciphertexts, posted[0]),
        "lagrange": [value.to_bytes(32, "little").hex() for value in lagrange_coefficients(list(used))],
        "elements": elements.hex(),
    }
    if kind == "mixed":
        result |= {
            "manifest": MANIFEST_HASH.hex(),
            "codes": list(CODES),
            "code-book": book.hex(),
            "plaintexts": look_up_codes(elements, book).encode().hex(),
        }
    else:
        result |= {"totals": [1234, 0, 77]}
    return json.dumps(result, indent=1) + "\n"


def documents(kinds: Sequence[str] = ("mixed", "totals")) -> dict[str, str]:
    """File name and content."""
    return {f"decryption-{kind}.json": document(kind) for kind in kinds}


def main() -> None:
    for name, content in documents().items():
        (DIRECTORY / name).write_text(content)


if __name__ == "__main__":
    main()
