"""Proof of knowledge of a discrete logarithm (Schnorr, Crypto 1989), non-interactive with strong Fiat-Shamir.

docs/spec/04-ceremonies.md section 4.3. The statement may carry more elements than the one whose logarithm is proved;
all of them are hashed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crypto.errors import DecodeError, InvalidProof
from crypto.hashing import wide

if TYPE_CHECKING:
    from crypto.dkg.key_group import KeyGroup

PROOF_BYTES = 64


def _challenge(group: KeyGroup, domain: str, context: tuple[bytes, ...], statement: bytes, commitment: bytes) -> int:
    digest = wide(domain, *context, statement, commitment)
    return int.from_bytes(digest, "little") % group.order


def prove_possession(
    group: KeyGroup, domain: str, context: tuple[bytes, ...], statement: bytes, secret: int, nonce: int
) -> bytes:
    """Prove knowledge of the logarithm of the first element of ``statement``.

    Args:
        context: frames that bind the proof to its place; their number is fixed by the domain.
        statement: encoded elements, the first one secret*G.
        nonce: uniform below the order, never used for anything else.

    Returns:
        64 bytes, challenge || response.

    Raises:
        InvalidProof: the challenge came out zero (probability 2^-252); start again with another nonce.
    """
    commitment = group.generate([nonce]).encode()
    challenge = _challenge(group, domain, context, statement, commitment)
    if challenge == 0:
        raise InvalidProof("schnorr.zero-challenge", "the challenge is zero")
    return group.encode_scalars([challenge, (nonce + challenge * secret) % group.order])


def verify_possession(group: KeyGroup, domain: str, context: tuple[bytes, ...], statement: bytes, proof: bytes) -> None:
    """Check that somebody knows the logarithm of the first element of ``statement``.

    Raises:
        DecodeError: the proof or the element is not canonical, or the challenge is zero.
        InvalidProof: the equation does not hold.

    Cost: two multiplications.
    """
    challenge, response = decode_proof(group, proof)
    element = group.decode(statement[: group.element_bytes])
    commitment = group.generate([response]) + group.multiply(element, [group.order - challenge])
    if _challenge(group, domain, context, statement, commitment.encode()) != challenge:
        raise InvalidProof("schnorr.equation", "the proof of possession does not hold")


def decode_proof(group: KeyGroup, proof: bytes) -> tuple[int, int]:
    """Challenge and response of a proof.

    Raises:
        DecodeError: another length, a scalar that is not canonical, or a zero challenge.
    """
    if len(proof) != PROOF_BYTES:
        raise DecodeError(f"a proof has {PROOF_BYTES} bytes, not {len(proof)}")
    challenge, response = group.decode_scalars(proof)
    if challenge == 0:
        raise DecodeError("the challenge of a proof is zero")
    return challenge, response
