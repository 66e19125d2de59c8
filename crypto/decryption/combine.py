"""From factors to plaintext elements (docs/spec/09-decryption.md section 9.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crypto.decryption.lists import CHUNK, count_ciphertexts, data_elements
from crypto.dkg.shamir import lagrange_at_zero
from crypto.group.interface import ELEMENT_BYTES, ORDER, ElementVector, Group


def lagrange_coefficients(trustees: Sequence[int]) -> list[int]:
    """Coefficients over exactly these trustees.

    Raises:
        ValueError: an index is below 1 or occurs twice, or there is none.
    """
    return lagrange_at_zero(trustees, ORDER)


def combine_factors(group: Group, data: ElementVector, factors: Mapping[int, ElementVector]) -> ElementVector:
    """The plaintext elements M_i = B_i - sum of lambda_j * D_ji.

    Args:
        data: the data elements B_i.
        factors: verified factors by trustee index; the coefficients are over exactly these trustees, and the caller has
            made sure that they are at least the threshold.

    Cost: one multiplication for each factor. Variable time: plaintexts are published.
    """
    lambdas = group.scalars(lagrange_coefficients(list(factors)))
    for position, elements in enumerate(factors.values()):
        data = data - elements.mul_vartime(lambdas[position : position + 1])
    return data


def combine_list(group: Group, ciphertexts: bytes, factors: Mapping[int, bytes]) -> bytes:
    """``combine_factors`` over list bytes and factor blobs, in chunks; 32 bytes for each plaintext element."""
    pieces = []
    for start in range(0, count_ciphertexts(ciphertexts), CHUNK):
        stop = start + CHUNK
        chunk = {
            trustee: group.elements_decode(blob[ELEMENT_BYTES * start : ELEMENT_BYTES * stop], allow_identity=True)
            for trustee, blob in factors.items()
        }
        data = group.elements_decode(data_elements(ciphertexts, start, stop), allow_identity=True)
        pieces.append(combine_factors(group, data, chunk).encode())
    return b"".join(pieces)
