"""Decryption factors and one proof for a whole list (docs/spec/09-decryption.md section 9.2).

Chaum-Pedersen (Crypto 1992) for a random linear combination of all factors; the small-exponent batching is that of
Bellare, Garay and Rabin (Eurocrypt 1998), with weights hashed after list and factors are fixed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from crypto.errors import DecodeError, InvalidProof
from crypto.group.interface import ELEMENT_BYTES, Group, ScalarVector
from crypto.hashing import stream, u64, wide
from crypto.proofs.chaum_pedersen import EqualityStatement, prove_equality, verify_equality

CIPHERTEXT_BYTES = 64
_WEIGHT_BYTES = 16
#: Ciphertexts handled at once, so that memory does not grow with the list.
CHUNK = 1 << 14


@dataclass(frozen=True)
class DecryptionList:
    """The ciphertexts of one contest and tallied group, as bytes: M times pad || data.

    Attributes:
        fingerprint: the election's.
        encoded: the list bytes; canonical elements, but nothing here relies on it.
    """

    fingerprint: bytes
    contest: str
    group_id: str
    encoded: bytes

    def __post_init__(self) -> None:
        if not self.encoded or len(self.encoded) % CIPHERTEXT_BYTES:
            raise DecodeError("a list to decrypt is one or more ciphertexts of 64 bytes")

    def __len__(self) -> int:
        return len(self.encoded) // CIPHERTEXT_BYTES

    @cached_property
    def hash(self) -> bytes:
        """SHA-256 of the list bytes, as entries name it."""
        return hashlib.sha256(self.encoded).digest()

    def pads(self, start: int = 0, stop: int | None = None) -> bytes:
        """The pads of a range of ciphertexts, 32 bytes each."""
        return self._column(0, start, stop)

    def data(self, start: int = 0, stop: int | None = None) -> bytes:
        """The data elements of a range of ciphertexts, 32 bytes each."""
        return self._column(1, start, stop)

    def _column(self, column: int, start: int, stop: int | None) -> bytes:
        halves = np.frombuffer(self.encoded, dtype=np.uint8).reshape(-1, 2, ELEMENT_BYTES)
        return halves[start:stop, column].tobytes()


@dataclass(frozen=True)
class Trustee:
    """A holder of a key share as the ceremony made it public."""

    index: int
    verification_key: bytes


def generate_factors(group: Group, ciphertexts: DecryptionList, share: bytes) -> bytes:
    """x_j * P_i for every pad: 32 bytes each. Constant time in the share; one multiplication each.

    Raises:
        DecodeError: a pad, or the share, is not canonical.
    """
    secret = group.scalars_decode(share)
    return b"".join(
        [
            group.elements_decode(ciphertexts.pads(start, start + CHUNK), allow_identity=True).mul(secret).encode()
            for start in range(0, len(ciphertexts), CHUNK)
        ]
    )


def _binding(ciphertexts: DecryptionList, trustee: Trustee, factors: bytes) -> tuple[bytes, ...]:
    return (
        ciphertexts.fingerprint,
        ciphertexts.contest.encode(),
        ciphertexts.group_id.encode(),
        u64(trustee.index),
        ciphertexts.hash,
        hashlib.sha256(factors).digest(),
    )


def _weights(group: Group, binding: tuple[bytes, ...], trustee: Trustee, count: int) -> ScalarVector:
    length = _WEIGHT_BYTES * count
    return group.scalars_short(
        stream("evoting/v1/decryption-weights", *binding, trustee.verification_key, length=length)
    )


def _statement(
    group: Group, ciphertexts: DecryptionList, trustee: Trustee, factors: bytes, binding: tuple[bytes, ...]
) -> EqualityStatement:
    weights = _weights(group, binding, trustee, len(ciphertexts))
    return EqualityStatement(
        public=group.elements_decode(trustee.verification_key, allow_identity=False),
        base=group.msm_decode(weights, ciphertexts.pads(), allow_identity=True),
        image=group.msm_decode(weights, factors, allow_identity=True),
    )


def prove_factors(
    group: Group, ciphertexts: DecryptionList, trustee: Trustee, factors: bytes, share: bytes, entropy: bytes
) -> bytes:
    """Prove that all factors are the pads times this trustee's share: 64 bytes.

    Args:
        entropy: 64 fresh random bytes; hashed with the share and the whole statement, so that a broken generator alone
            does not repeat a nonce.

    Cost: two multi-scalar multiplications with 128-bit weights. Constant time in the share.

    Raises:
        InvalidProof: the share does not belong to the verification key.
    """
    secret = group.scalars_decode(share)
    if group.generator().mul(secret).encode() != trustee.verification_key:
        raise InvalidProof("decryption.key", f"the share is not that of trustee {trustee.index}")
    binding = _binding(ciphertexts, trustee, factors)
    statement = _statement(group, ciphertexts, trustee, factors, binding)
    nonce = group.scalars_wide(wide("evoting/v1/decryption-nonce", entropy, share, *binding, *statement.frames()))
    return prove_equality(group, "evoting/v1/decryption-proof", binding, statement, secret, nonce)


def verify_factors(group: Group, ciphertexts: DecryptionList, trustee: Trustee, factors: bytes, proof: bytes) -> None:
    """Check a trustee's factors for a list.

    Raises:
        DecodeError: factors or proof have another length or are not canonical.
        InvalidProof: the proof does not hold.

    Cost: two multi-scalar multiplications with 128-bit weights and 2M decodings. Variable time; everything is public.
    """
    if len(factors) != ELEMENT_BYTES * len(ciphertexts):
        raise DecodeError(
            f"{len(ciphertexts)} factors have {ELEMENT_BYTES * len(ciphertexts)} bytes, not {len(factors)}"
        )
    binding = _binding(ciphertexts, trustee, factors)
    statement = _statement(group, ciphertexts, trustee, factors, binding)
    verify_equality(group, "evoting/v1/decryption-proof", binding, statement, proof)
