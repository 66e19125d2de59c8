"""Totals of a homomorphic aggregate: small discrete logarithms (docs/spec/09-decryption.md sections 9.5 and 9.6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isqrt

from crypto.decryption.lists import count_ciphertexts
from crypto.decryption.plaintexts import decrypted_combination
from crypto.errors import CryptoError, InvalidProof
from crypto.group.interface import ELEMENT_BYTES, ElementVector, Group

#: Baby steps kept in memory at most, about 100 bytes each.
_MAX_TABLE = 1 << 20


class ExponentOutOfRange(CryptoError):
    """An element is no multiple v*G of the generator with 0 <= v <= bound.

    Attributes:
        index: which one.
    """

    def __init__(self, index: int, bound: int) -> None:
        super().__init__(f"element {index} encrypts no number from 0 to {bound}")
        self.index = index


def _multiples(group: Group, step: int, count: int) -> ElementVector:
    """0, step*G, 2*step*G, ... by doubling the vector: one addition each."""
    multiples = group.identity()
    while len(multiples) < count:
        shift = group.generator().mul_vartime(group.scalars([len(multiples) * step]))
        multiples = group.concat_elements([multiples, multiples + shift])
    return multiples[:count]


def decode_exponents(group: Group, targets: ElementVector, bound: int) -> list[int]:
    """The v with v*G for each of n elements, 0 <= v <= bound, by baby-step giant-step with one table for all.

    Cost: about 2 sqrt(n * bound) additions and encodings, most of them only where values are large.

    Raises:
        ExponentOutOfRange: there is none.
    """
    if not len(targets):
        return []
    size = min(isqrt(bound * len(targets)) + 1, bound + 1, _MAX_TABLE)
    encoded = _multiples(group, 1, size).encode()
    table = {encoded[32 * j : 32 * j + 32]: j for j in range(size)}
    giants = -_multiples(group, size, bound // size + 1)

    elements = targets.encode()
    values = [table.get(elements[ELEMENT_BYTES * i : ELEMENT_BYTES * (i + 1)]) for i in range(len(targets))]
    for index, value in enumerate(values):
        if value is None:
            values[index] = _search(targets[index : index + 1], giants, table, size)
    for index, value in enumerate(values):
        if value is None or value > bound:
            raise ExponentOutOfRange(index, bound)
    return [value for value in values if value is not None]


def _search(target: ElementVector, giants: ElementVector, table: Mapping[bytes, int], size: int) -> int | None:
    """Giant steps in growing blocks, so that small values are found early."""
    start, block = 1, 64
    while start < len(giants):
        encoded = (giants[start : start + block] + target).encode()
        for offset in range(len(encoded) // ELEMENT_BYTES):
            baby = table.get(encoded[ELEMENT_BYTES * offset : ELEMENT_BYTES * (offset + 1)])
            if baby is not None:
                return (start + offset) * size + baby
        start += block
        block = min(2 * block, 1 << 14)
    return None


def verify_totals(
    group: Group,
    ciphertexts: bytes,
    factors: Mapping[int, bytes],
    totals: Sequence[int],
    bound: int,
    entropy: Callable[[int], bytes],
) -> None:
    """Check that the totals are what the factors of exactly these trustees give.

    Args:
        bound: the number of counted ballots of the group that carry the contest.
        entropy: the checker's own randomness.

    Raises:
        DecodeError: an element is not canonical.
        InvalidProof: check ``tally.totals``.
    """
    if len(totals) != count_ciphertexts(ciphertexts):
        raise InvalidProof("tally.totals", f"{len(totals)} totals for {count_ciphertexts(ciphertexts)} options")
    for index, total in enumerate(totals):
        if not 0 <= total <= bound:
            raise InvalidProof("tally.totals", f"total {total} is not from 0 to {bound}", index)
    weights = group.scalars_short(entropy(16 * count_ciphertexts(ciphertexts)))
    combination = decrypted_combination(group, ciphertexts, factors, weights)
    exponent = weights.inner(group.scalars(list(totals)))
    if not (combination - group.generator().mul_vartime(group.scalars([exponent]))).identity_mask()[0]:
        raise InvalidProof("tally.totals", "the totals are not what the factors give")
