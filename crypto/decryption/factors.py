"""Decryption factors and one proof for a whole list (docs/spec/09-decryption.md section 9.2).

Chaum-Pedersen (Crypto 1992) for a random linear combination of all factors; the small-exponent batching is that of
Bellare, Garay and Rabin (Eurocrypt 1998), with weights hashed after list and factors are fixed.
"""

from __future__ import annotations

import hashlib

from crypto.decryption.lists import CHUNK, count_ciphertexts, pads
from crypto.errors import DecodeError, InvalidProof
from crypto.group.interface import ELEMENT_BYTES, ElementVector, Group, ScalarVector
from crypto.hashing import stream, u64, wide
from crypto.proofs.chaum_pedersen import EqualityStatement, prove_equality, verify_equality

_PROOF_DOMAIN = "evoting/v1/decryption-proof"
_WEIGHT_BYTES = 16


def generate_factors(group: Group, ciphertexts: bytes, share: bytes) -> bytes:
    """x_j * P_i for every pad: 32 bytes each. Constant time in the share; one multiplication each.

    Raises:
        DecodeError: the list has another length, or a pad or the share is not canonical.
    """
    secret = group.scalars_decode(share)
    return b"".join(
        [
            group.elements_decode(pads(ciphertexts, start, start + CHUNK), allow_identity=True).mul_encode(secret)
            for start in range(0, count_ciphertexts(ciphertexts), CHUNK)
        ]
    )


def _binding(
    fingerprint: bytes, contest: str, group_id: str, trustee: int, ciphertexts: bytes, factors: bytes
) -> tuple[bytes, ...]:
    return (
        fingerprint,
        contest.encode(),
        group_id.encode(),
        u64(trustee),
        hashlib.sha256(ciphertexts).digest(),
        hashlib.sha256(factors).digest(),
    )


def _weights(group: Group, binding: tuple[bytes, ...], verification_key: bytes, count: int) -> ScalarVector:
    length = _WEIGHT_BYTES * count
    return group.scalars_short(stream("evoting/v1/decryption-weights", *binding, verification_key, length=length))


def prove_factors(
    group: Group,
    fingerprint: bytes,
    contest: str,
    group_id: str,
    trustee: int,
    verification_key: bytes,
    ciphertexts: bytes,
    factors: bytes,
    share: bytes,
    entropy: bytes,
) -> bytes:
    """Prove that all factors are the pads times this trustee's share: 64 bytes.

    Args:
        trustee: index from the ceremony.
        entropy: 64 fresh random bytes; hashed with the share and the whole statement, so that a broken generator alone
            does not repeat a nonce.

    Cost: two multi-scalar multiplications with 128-bit weights. Constant time in the share.

    Raises:
        DecodeError: something is not canonical.
        InvalidProof: the share does not belong to the verification key.
    """
    secret = group.scalars_decode(share)
    public = group.generator().mul(secret)
    if public.encode() != verification_key:
        raise InvalidProof(
            "decryption.proof", f"the share does not belong to the verification key of trustee {trustee}"
        )
    binding = _binding(fingerprint, contest, group_id, trustee, ciphertexts, factors)
    weights = _weights(group, binding, verification_key, count_ciphertexts(ciphertexts))
    statement = EqualityStatement(
        public,
        group.msm_decode(weights, pads(ciphertexts), allow_identity=True),
        group.msm_decode(weights, factors, allow_identity=True),
    )
    nonce = group.scalars_wide(wide("evoting/v1/decryption-nonce", entropy, share, *binding, *statement.frames()))
    return prove_equality(group, _PROOF_DOMAIN, binding, statement, secret, nonce)


def verify_factors(
    group: Group,
    fingerprint: bytes,
    contest: str,
    group_id: str,
    trustee: int,
    verification_key: bytes,
    ciphertexts: bytes,
    factors: bytes,
    proof: bytes,
) -> ElementVector:
    """Check a trustee's factors for a list.

    Args:
        verification_key: as the ceremony made it public; 32 zero bytes, an excluded trustee's, is refused.

    Returns:
        the factors, decoded.

    Raises:
        DecodeError: key, factors or proof have another length or are not canonical.
        InvalidProof: the proof does not hold.

    Cost: two multi-scalar multiplications with 128-bit weights and 2M decodings. Variable time; everything is public.
    """
    count = count_ciphertexts(ciphertexts)
    if len(verification_key) != ELEMENT_BYTES:
        raise DecodeError(f"trustee {trustee} has no verification key")
    if len(factors) != ELEMENT_BYTES * count:
        raise DecodeError(f"{count} factors have {ELEMENT_BYTES * count} bytes, not {len(factors)}")
    elements = group.elements_decode(factors, allow_identity=True)
    binding = _binding(fingerprint, contest, group_id, trustee, ciphertexts, factors)
    weights = _weights(group, binding, verification_key, count)
    statement = EqualityStatement(
        group.elements_decode(verification_key, allow_identity=False),
        group.msm_decode(weights, pads(ciphertexts), allow_identity=True),
        group.msm(weights, elements),
    )
    verify_equality(group, _PROOF_DOMAIN, binding, statement, proof)
    return elements
