"""Proof that two discrete logarithms are equal (Chaum-Pedersen, Crypto 1992) over ristretto255, strong Fiat-Shamir.

docs/spec/04-ceremonies.md section 4.3 and 09-decryption.md section 9.2. Symbols: A = x*G and B = x*P.
"""

from __future__ import annotations

from dataclasses import dataclass

from crypto.errors import DecodeError, InvalidProof
from crypto.group.interface import ElementVector, Group, ScalarVector
from crypto.hashing import scalar

PROOF_BYTES = 64


@dataclass(frozen=True)
class EqualityStatement:
    """log_G ``public`` = log_``base`` ``image``; each a vector of length one."""

    public: ElementVector
    base: ElementVector
    image: ElementVector

    def frames(self) -> tuple[bytes, bytes, bytes]:
        """The statement as it is hashed."""
        return self.public.encode(), self.base.encode(), self.image.encode()


def prove_equality(
    group: Group,
    domain: str,
    context: tuple[bytes, ...],
    statement: EqualityStatement,
    secret: ScalarVector,
    nonce: ScalarVector,
) -> bytes:
    """Prove that ``secret`` is both logarithms; constant time in secret and nonce (vectors of length one).

    Returns:
        64 bytes, challenge || response.

    Raises:
        InvalidProof: the challenge came out zero (probability 2^-252); start again with another nonce.
    """
    first = group.generator().mul(nonce).encode()
    second = statement.base.mul(nonce).encode()
    challenge = scalar(domain, *context, *statement.frames(), first, second)
    if challenge == 0:
        raise InvalidProof("chaum-pedersen.zero-challenge", "the challenge is zero")
    response = nonce + secret * challenge
    return challenge.to_bytes(32, "little") + response.encode()


def verify_equality(
    group: Group, domain: str, context: tuple[bytes, ...], statement: EqualityStatement, proof: bytes
) -> None:
    """Check that the two logarithms are equal.

    Raises:
        DecodeError: the proof is not canonical, or its challenge is zero.
        InvalidProof: the equation does not hold.

    Cost: four multiplications. Variable time: everything is public.
    """
    challenge, response = decode_proof(group, proof)
    minus_challenge = -group.scalars([challenge])
    first = group.generator().mul_vartime(response) + statement.public.mul_vartime(minus_challenge)
    second = statement.base.mul_vartime(response) + statement.image.mul_vartime(minus_challenge)
    if scalar(domain, *context, *statement.frames(), first.encode(), second.encode()) != challenge:
        raise InvalidProof("chaum-pedersen.equation", "the proof of equal logarithms does not hold")


def decode_proof(group: Group, proof: bytes) -> tuple[int, ScalarVector]:
    """Challenge and response of a proof.

    Raises:
        DecodeError: another length, a scalar that is not canonical, or a zero challenge.
    """
    if len(proof) != PROOF_BYTES:
        raise DecodeError(f"a proof has {PROOF_BYTES} bytes, not {len(proof)}")
    scalars = group.scalars_decode(proof)
    challenge = int.from_bytes(proof[:32], "little")
    if challenge == 0:
        raise DecodeError("the challenge of a proof is zero")
    return challenge, scalars[1:2]
