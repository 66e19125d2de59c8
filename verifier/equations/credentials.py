"""Credentials of a batch: one multi-scalar multiplication on each side; docs/spec/05-credentials.md section 5.9."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crypto.errors import DecodeError
from crypto.group import G1_BYTES
from verifier.equations.combination import WEIGHT_BYTES
from verifier.hashing import frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crypto.group import PairingGroup
    from verifier.equations.interface import Randomness

CREDENTIAL_DST = b"evoting/v1/credential"


def credential_messages(fingerprint: bytes, style: str, pseudonyms: bytes) -> list[bytes]:
    """``msg`` of section 5.1 for every pseudonym of 32 bytes."""
    prefix = frame(fingerprint) + frame(style) + (32).to_bytes(8, "big")
    return [prefix + pseudonyms[at : at + 32] for at in range(0, len(pseudonyms), 32)]


def credential_points(credentials: bytes, pairing: PairingGroup) -> bool:
    """Whether every credential is a canonical point of the subgroup and not the identity (5.1)."""
    try:
        pairing.g1_decode(credentials)
    except DecodeError:
        return False
    return True


def credential_pairing(
    credentials: bytes, messages: Sequence[bytes], issuance_key: bytes, pairing: PairingGroup, randomness: Randomness
) -> bool:
    """Whether ``e(sum w_j C_j, -g2) * e(sum w_j H(msg_j), S) = 1`` for fresh weights, all points being canonical.

    A batch with a wrong credential passes with probability at most 2^-128. Cost: one decoding, one hash to the curve
    and two 128-bit terms of a multi-scalar multiplication for each credential; two Miller loops and one final
    exponentiation.
    """
    if len(credentials) != G1_BYTES * len(messages):
        raise ValueError("one credential for each message")
    weights = randomness(WEIGHT_BYTES * len(messages))
    try:
        key = pairing.g2_decode(issuance_key)
        # A list of two G1 points can be made in one way only: by decoding their encodings. A sum may be the identity.
        left = pairing.g1_msm_decode(weights, credentials)
        right = pairing.g1_msm_hash(weights, messages, CREDENTIAL_DST)
        sums = pairing.g1_decode(left.encode() + right.encode())
        keys = pairing.g2_decode((-pairing.g2_generator()).encode() + key.encode())
    except DecodeError:
        return False
    return pairing.pairing_product_is_one(sums, keys)
