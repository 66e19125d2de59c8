"""Published plaintexts of a mixed contest (docs/spec/09-decryption.md sections 9.5 and 9.6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crypto.decryption.combine import lagrange_coefficients
from crypto.decryption.lists import count_ciphertexts, data_elements
from crypto.errors import DecodeError, InvalidProof
from crypto.group.interface import ELEMENT_BYTES, ElementVector, Group, ScalarVector

#: Stands for an element that is no code.
INVALID = 0xFFFFFFFF


@dataclass(frozen=True)
class Plaintexts:
    """For every ciphertext the number of its code, or ``INVALID``; and the elements of the invalid ones in order."""

    indices: NDArray[np.uint32]
    invalid: bytes

    def encode(self) -> bytes:
        """The plaintexts blob."""
        return self.indices.astype(">u4").tobytes() + self.invalid


def _elements(data: bytes) -> list[bytes]:
    return [data[at : at + ELEMENT_BYTES] for at in range(0, len(data), ELEMENT_BYTES)]


def look_up_codes(elements: bytes, code_book: bytes) -> Plaintexts:
    """Find the code of every plaintext element; what is none is kept as it is."""
    numbers = {element: number for number, element in enumerate(_elements(code_book))}
    pieces = _elements(elements)
    indices = np.array([numbers.get(piece, INVALID) for piece in pieces], dtype=np.uint32)
    return Plaintexts(indices, b"".join([pieces[at] for at in np.flatnonzero(indices == INVALID)]))


def decode_plaintexts(data: bytes, count: int, code_book: bytes) -> Plaintexts:
    """The content of a plaintexts blob for ``count`` ciphertexts.

    Raises:
        DecodeError: another length, a number beyond the code book, or an element listed as invalid that is a code.
    """
    indices = np.frombuffer(data[: len(data) // 4 * 4], dtype=">u4")[:count].astype(np.uint32)
    invalid = data[4 * count :]
    if len(indices) != count or len(invalid) != ELEMENT_BYTES * int(np.count_nonzero(indices == INVALID)):
        raise DecodeError("the plaintexts blob has another length than its contents ask for")
    beyond = np.flatnonzero((indices != INVALID) & (indices >= len(code_book) // ELEMENT_BYTES))
    if len(beyond):
        raise DecodeError("a plaintext is a number beyond the code book", int(beyond[0]))
    codes = set(_elements(code_book))
    for position, element in enumerate(_elements(invalid)):
        if element in codes:
            at = int(np.flatnonzero(indices == INVALID)[position])
            raise DecodeError("a plaintext listed as invalid is a code", at)
    return Plaintexts(indices, invalid)


def verify_plaintexts(
    group: Group,
    ciphertexts: bytes,
    factors: Mapping[int, bytes],
    plaintexts: Plaintexts,
    code_book: bytes,
    entropy: Callable[[int], bytes],
) -> None:
    """Check that the plaintexts are what the factors of exactly these trustees give.

    Args:
        factors: valid factors by trustee index.
        entropy: the checker's own randomness, drawn after everything else is fixed.

    Raises:
        DecodeError: an element is not canonical.
        InvalidProof: check ``plaintexts.codes``: some plaintext is wrong.

    Cost: (1 + number of trustees) M terms of a multi-scalar multiplication with 128-bit weights.
    """
    raw = entropy(16 * count_ciphertexts(ciphertexts))
    weights = group.scalars_short(raw)
    total = decrypted_combination(group, ciphertexts, factors, weights)
    sums = group.scalars(sum_by_code(raw, plaintexts.indices, len(code_book) // ELEMENT_BYTES))
    claimed = group.msm_decode(sums, code_book, allow_identity=False)
    if plaintexts.invalid:
        chosen = np.frombuffer(raw, dtype=np.uint8).reshape(-1, 16)[plaintexts.indices == INVALID].tobytes()
        claimed = claimed + group.msm_decode(group.scalars_short(chosen), plaintexts.invalid, allow_identity=True)
    if not (total - claimed).identity_mask()[0]:
        raise InvalidProof("plaintexts.codes", "some published plaintext is not what the factors give")


def decrypted_combination(
    group: Group, ciphertexts: bytes, factors: Mapping[int, bytes], weights: ScalarVector
) -> ElementVector:
    """The weighted sum of all plaintext elements, without computing any of them."""
    total = group.msm_decode(weights, data_elements(ciphertexts), allow_identity=True)
    parts = [group.msm_decode(weights, blob, allow_identity=True) for blob in factors.values()]
    lambdas = group.scalars(lagrange_coefficients(list(factors)))
    return total - group.msm(lambdas, group.concat_elements(parts))


def sum_by_code(weights: bytes, indices: NDArray[np.uint32], codes: int) -> list[int]:
    """For every code the sum of the 16-byte little-endian weights of the ciphertexts that are claimed to hold it."""
    valid = indices != INVALID
    limbs = np.frombuffer(weights, dtype="<u2").reshape(-1, 8)[valid].astype(np.float64)
    numbers = indices[valid].astype(np.int64)
    sums = [0] * codes
    for limb in range(8):
        # Exact: sums of fewer than 2^37 limbs of 16 bits stay below 2^53.
        column = np.bincount(numbers, weights=limbs[:, limb], minlength=codes)
        for code, value in enumerate(column):
            sums[code] += int(value) << (16 * limb)
    return sums
