"""From factors to plaintext elements (docs/spec/09-decryption.md section 9.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crypto.decryption.factors import CHUNK, DecryptionList, Trustee, verify_factors
from crypto.dkg.shamir import lagrange_at_zero
from crypto.errors import CryptoError, InvalidProof
from crypto.group.interface import ELEMENT_BYTES, ORDER, ElementVector, Group


@dataclass(frozen=True)
class PostedFactors:
    """What a trustee's decryption entry brings: the index it is signed for, factors and proof."""

    trustee: int
    factors: bytes
    proof: bytes


@dataclass(frozen=True)
class LeftOut:
    """An entry that is not valid, and why."""

    trustee: int
    reason: str


@dataclass(frozen=True)
class UsedFactors:
    """The used set and its factors by index, ascending, and everybody who posted something that is not valid."""

    factors: Mapping[int, bytes]
    left_out: tuple[LeftOut, ...]

    @property
    def used(self) -> tuple[int, ...]:
        return tuple(self.factors)


def select_factors(
    group: Group,
    ciphertexts: DecryptionList,
    posted: Sequence[PostedFactors],
    verification_keys: Sequence[bytes],
    threshold: int,
) -> UsedFactors:
    """Verify every posted entry; those that hold are used, the others are named and left out.

    Args:
        verification_keys: by index from 1; zero bytes where somebody was excluded from the ceremony.

    Raises:
        InvalidProof: check ``decryption.trustees``: a trustee has two entries, or fewer than the threshold are valid.
    """
    if len({entry.trustee for entry in posted}) != len(posted):
        raise InvalidProof("decryption.trustees", "a trustee has two entries for one list")
    factors: dict[int, bytes] = {}
    left_out: list[LeftOut] = []
    for entry in sorted(posted, key=lambda item: item.trustee):
        try:
            key = _verification_key(verification_keys, entry.trustee)
            verify_factors(group, ciphertexts, Trustee(entry.trustee, key), entry.factors, entry.proof)
        except CryptoError as error:
            left_out.append(LeftOut(entry.trustee, str(error)))
        else:
            factors[entry.trustee] = entry.factors
    if len(factors) < threshold:
        names = "".join(f"; trustee {item.trustee}: {item.reason}" for item in left_out)
        raise InvalidProof(
            "decryption.trustees", f"{len(factors)} trustees have valid factors and it takes {threshold}{names}"
        )
    return UsedFactors(factors, tuple(left_out))


def _verification_key(keys: Sequence[bytes], index: int) -> bytes:
    if not 1 <= index <= len(keys) or keys[index - 1] == bytes(ELEMENT_BYTES):
        raise InvalidProof("decryption.trustees", f"trustee {index} has no verification key")
    return keys[index - 1]


def lagrange_coefficients(indices: Sequence[int]) -> list[int]:
    """Coefficients over exactly these trustees; errors as ``lagrange_at_zero``."""
    return lagrange_at_zero(indices, ORDER)


def combine_factors(group: Group, ciphertexts: DecryptionList, factors: Mapping[int, bytes]) -> bytes:
    """The plaintext elements, 32 bytes each, from valid factors by trustee index.

    Cost: one multiplication for each factor. Variable time: plaintexts are published.

    Raises:
        DecodeError: an element is not canonical.
    """
    lambdas = group.scalars(lagrange_coefficients(list(factors)))
    pieces = []
    for start in range(0, len(ciphertexts), CHUNK):
        stop = min(start + CHUNK, len(ciphertexts))
        elements = group.elements_decode(ciphertexts.data(start, stop), allow_identity=True)
        for position, blob in enumerate(factors.values()):
            chunk = blob[ELEMENT_BYTES * start : ELEMENT_BYTES * stop]
            decoded: ElementVector = group.elements_decode(chunk, allow_identity=True)
            elements = elements - decoded.mul_vartime(lambdas[position : position + 1])
        pieces.append(elements.encode())
    return b"".join(pieces)
