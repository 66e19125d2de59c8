"""Threshold blind BLS signatures over BLS12-381: anonymous credentials (docs/spec/05-credentials.md).

Boldyreva, "Threshold Signatures, Multisignatures and Blind Signatures Based on the Gap-Diffie-Hellman-Group Signature
Scheme" (PKC 2003), with signatures in G1 and keys in G2. Every function works on a vector of n credentials at once.

Symbols: r randomizer, H(msg) hashed message, M' = r * H(msg) blinded message, s_i share of issuer i, P_i = s_i * M'
partial signature.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from crypto.batch import find_failures
from crypto.errors import DecodeError, InvalidProof
from crypto.group.interface import BLS_ORDER, G1_BYTES, G1Vector, G2Vector, PairingGroup
from crypto.hashing import frame

#: Domain separation tag of the hash to G1 (RFC 9380).
DST = b"evoting/v1/credential"
#: Fresh bytes behind each randomizer: 64, so that reduction modulo the order leaves no measurable bias.
RANDOMIZER_ENTROPY_BYTES = 64
#: Bytes of each weight of batch verification.
WEIGHT_BYTES = 16

Entropy = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class StyleCredentials:
    """Credentials of one ballot style for batch verification.

    Attributes:
        key: issuance key of the style, one point.
        messages: n messages as made by ``encode_message``.
        credentials: n encoded signatures, 48 bytes each, not yet checked in any way.
    """

    key: G2Vector
    messages: Sequence[bytes]
    credentials: bytes

    def __post_init__(self) -> None:
        if len(self.credentials) != G1_BYTES * len(self.messages):
            raise ValueError(f"{len(self.credentials)} bytes are not {len(self.messages)} credentials")


def encode_message(fingerprint: bytes, style: str, pseudonym: bytes) -> bytes:
    """The signed message: framed election fingerprint, ballot style and pseudonym (section 5.1)."""
    return frame(fingerprint) + frame(style.encode("ascii")) + frame(pseudonym)


def hash_credential_message(group: PairingGroup, messages: Sequence[bytes]) -> G1Vector:
    """H(msg) for each message. Cost: one hash to the curve each; variable time in the message."""
    return group.hash_to_g1(messages, DST)


def generate_randomizers(count: int, entropy: Entropy) -> list[int]:
    """Uniform non-zero randomizers from 64 fresh bytes each.

    Raises:
        ValueError: the source of entropy is broken: it returned too few bytes, or a block that reduces to zero again.
    """
    randomizers: list[int] = []
    size = RANDOMIZER_ENTROPY_BYTES
    fresh = entropy(size * count)
    if len(fresh) != size * count:
        raise ValueError("entropy source returned another number of bytes than asked for")
    for index in range(count):
        value = int.from_bytes(fresh[size * index : size * (index + 1)], "big") % BLS_ORDER
        if value == 0:
            value = int.from_bytes(entropy(size), "big") % BLS_ORDER
        if value == 0:
            raise ValueError("entropy source returned zeroes twice")
        randomizers.append(value)
    return randomizers


def blind(points: G1Vector, randomizers: Sequence[int]) -> G1Vector:
    """Blinded messages M' = r * H(msg). Cost: one constant-time multiplication each."""
    _require_one_each(len(points), len(randomizers))
    return points.mul(randomizers)


def sign_partial(blinded: G1Vector, share: int) -> G1Vector:
    """Partial signatures P_i = s_i * M' on points that ``g1_decode`` has accepted.

    Cost: one multiplication each, constant-time in the share.
    """
    if not 0 < share < BLS_ORDER:
        raise ValueError("a share is a scalar between 1 and the order")
    return blinded.mul([share])


def find_invalid_partials(
    group: PairingGroup,
    blinded: G1Vector,
    partials: Mapping[int, G1Vector],
    share_keys: Mapping[int, G2Vector],
    entropy: Entropy,
) -> dict[int, list[int]]:
    """For each issuer the positions of its partial signatures that do not verify; issuers without any are left out.

    Each issuer's n equations e(P, g2) = e(M', S_i) are one batch. The weights are the same for all issuers, whose
    equations are never added to each other, so that M' is summed once.

    Cost: (issuers + 1) multi-scalar multiplications of n 128-bit terms and one product of two pairings for each issuer.
    """
    count = len(blinded)
    weights = entropy(WEIGHT_BYTES * count)
    sums: dict[tuple[int, int], G1Vector] = {}

    def weighted(start: int, stop: int) -> G1Vector:
        if (start, stop) not in sums:
            sums[start, stop] = group.g1_msm(weights[WEIGHT_BYTES * start : WEIGHT_BYTES * stop], blinded[start:stop])
        return sums[start, stop]

    minus_g2 = -group.g2_generator()
    invalid: dict[int, list[int]] = {}
    for issuer, points in partials.items():
        _require_one_each(count, len(points))
        keys = _join_g2(group, [minus_g2, share_keys[issuer]])

        def holds(rows: Sequence[int], points: G1Vector = points, keys: G2Vector = keys) -> bool:
            start, stop = rows[0], rows[-1] + 1
            left = group.g1_msm(weights[WEIGHT_BYTES * start : WEIGHT_BYTES * stop], points[start:stop])
            return _product_is_one(group, [left, weighted(start, stop)], keys)

        failures = find_failures(range(count), holds)
        if failures:
            invalid[issuer] = failures
    return invalid


def verify_partials(
    group: PairingGroup, blinded: G1Vector, partials: G1Vector, share_key: G2Vector, entropy: Entropy
) -> None:
    """Check one issuer's partial signatures against its share key.

    Raises:
        InvalidProof: ``credential.partial``, with the first position that fails.
    """
    invalid = find_invalid_partials(group, blinded, {0: partials}, {0: share_key}, entropy)
    if invalid:
        index = invalid[0][0]
        raise InvalidProof("credential.partial", f"partial signature {index} does not verify", index)


def lagrange_at_zero(indices: Sequence[int]) -> list[Fraction]:
    """Rational Lagrange coefficients at zero over exactly these indices.

    Raises:
        ValueError: no index, a repeated one, or one below 1.
    """
    if not indices or len(set(indices)) != len(indices) or min(indices) < 1:
        raise ValueError(f"indices must be different and positive: {list(indices)}")
    coefficients: list[Fraction] = []
    for i in indices:
        value = Fraction(1)
        for j in indices:
            if j != i:
                value *= Fraction(j, j - i)
        coefficients.append(value)
    return coefficients


def combine_partials(partials: Mapping[int, G1Vector]) -> tuple[G1Vector, int]:
    """Combine the partial signatures of exactly k issuers, by issuer index, each already verified.

    Returns:
        d * s * M' for each credential, and the common denominator d of the Lagrange coefficients; ``unblind`` takes
        both. Multiplying by d makes all coefficients small integers, so this costs some additions instead of k
        full multiplications.
    """
    indices = sorted(partials)
    coefficients = lagrange_at_zero(indices)
    denominator = lcm(*[value.denominator for value in coefficients])
    factors = [int(value * denominator) for value in coefficients]
    points = [partials[i] if factor > 0 else -partials[i] for i, factor in zip(indices, factors, strict=True)]
    total: G1Vector | None = None
    for bit in reversed(range(max(abs(factor) for factor in factors).bit_length())):
        if total is not None:
            total = total + total
        for factor, point in zip(factors, points, strict=True):
            if abs(factor) >> bit & 1:
                total = point if total is None else total + point
    assert total is not None  # some factor has the top bit
    return total, denominator


def unblind(combined: G1Vector, denominator: int, randomizers: Sequence[int]) -> G1Vector:
    """Credentials (r * d)^-1 * combined. Cost: one constant-time multiplication each, one inversion in all."""
    _require_one_each(len(combined), len(randomizers))
    return combined.mul(_invert_all([value * denominator % BLS_ORDER for value in randomizers]))


def verify_credentials_batch(group: PairingGroup, batches: Sequence[StyleCredentials], entropy: Entropy) -> None:
    """Check credentials of any number of styles in one product of pairings (section 5.9).

    Positions count through the batches in order.

    Raises:
        InvalidProof: ``credential.point`` for a point that is not canonical, outside the subgroup or the identity;
            ``credential.signature`` for one that does not verify; with the first culprit's position.

    Cost: two multi-scalar multiplications of n 128-bit terms, n decodings and n hashes; one Miller loop for each style
    and one, one final exponentiation. Variable time.
    """
    failures = find_invalid_credentials(group, batches, entropy, first_only=True)
    if failures:
        index, check = failures[0]
        reason = "is no valid point" if check == "credential.point" else "does not verify"
        raise InvalidProof(check, f"credential {index} {reason}", index)


def find_invalid_credentials(
    group: PairingGroup, batches: Sequence[StyleCredentials], entropy: Entropy, *, first_only: bool = False
) -> list[tuple[int, str]]:
    """Position and failed check of every invalid credential, in order; nothing where all hold."""
    try:
        points = [group.g1_decode(batch.credentials) if batch.messages else None for batch in batches]
    except DecodeError:
        bad = _undecodable(group, batches)
        if first_only:
            return [(bad[0], "credential.point")]
        return _without(group, batches, bad, entropy)
    hashed = [hash_credential_message(group, batch.messages) if batch.messages else None for batch in batches]
    weights = [entropy(WEIGHT_BYTES * len(batch.messages)) for batch in batches]
    minus_g2 = -group.g2_generator()
    offsets = [0]
    for batch in batches:
        offsets.append(offsets[-1] + len(batch.messages))

    def holds(rows: Sequence[int]) -> bool:
        signatures: list[G1Vector] = []
        messages: list[G1Vector] = []
        keys: list[G2Vector] = [minus_g2]
        for index, batch in enumerate(batches):
            start = max(rows[0] - offsets[index], 0)
            stop = min(rows[-1] + 1 - offsets[index], len(batch.messages))
            point, hash_ = points[index], hashed[index]
            if start >= stop or point is None or hash_ is None:
                continue
            part = weights[index][WEIGHT_BYTES * start : WEIGHT_BYTES * stop]
            signatures.append(group.g1_msm(part, point[start:stop]))
            messages.append(group.g1_msm(part, hash_[start:stop]))
            keys.append(batch.key)
        total = signatures[0]
        for signature in signatures[1:]:
            total = total + signature
        return _product_is_one(group, [total, *messages], _join_g2(group, keys))

    return [(index, "credential.signature") for index in find_failures(range(offsets[-1]), holds)]


def _without(
    group: PairingGroup, batches: Sequence[StyleCredentials], bad: list[int], entropy: Entropy
) -> list[tuple[int, str]]:
    """Failures among the decodable credentials, merged with the undecodable ones."""
    excluded = set(bad)
    kept: list[StyleCredentials] = []
    positions: list[int] = []
    offset = 0
    for batch in batches:
        rows = [row for row in range(len(batch.messages)) if offset + row not in excluded]
        data = b"".join([batch.credentials[G1_BYTES * row : G1_BYTES * (row + 1)] for row in rows])
        kept.append(StyleCredentials(batch.key, [batch.messages[row] for row in rows], data))
        positions.extend(offset + row for row in rows)
        offset += len(batch.messages)
    failures = [(positions[index], check) for index, check in find_invalid_credentials(group, kept, entropy)]
    return sorted(failures + [(index, "credential.point") for index in bad])


def _undecodable(group: PairingGroup, batches: Sequence[StyleCredentials]) -> list[int]:
    """Positions that do not decode: one decoding each, since a batch of many bad points must not cost a square."""
    bad: list[int] = []
    offset = 0
    for batch in batches:
        bad.extend(offset + row for row in undecodable_points(group, batch.credentials))
        offset += len(batch.messages)
    return bad


def undecodable_points(group: PairingGroup, data: bytes) -> list[int]:
    """Positions of the G1 points that are not canonical, not on the curve, outside the subgroup, or the identity."""
    bad: list[int] = []
    for at in range(0, len(data), G1_BYTES):
        try:
            group.g1_decode(data[at : at + G1_BYTES])
        except DecodeError:
            bad.append(at // G1_BYTES)
    return bad


def _product_is_one(group: PairingGroup, points: Sequence[G1Vector], keys: G2Vector) -> bool:
    """Whether the product of pairings is one, for sums of which one may be the identity.

    Random weights give the identity with negligible probability, except where all terms cancel because of a defect; an
    encoded identity is refused by decoding, so it is met here and not passed on.
    """
    encoded = b"".join([point.encode() for point in points])
    try:
        return group.pairing_product_is_one(group.g1_decode(encoded), keys)
    except DecodeError:
        return False


def _join_g2(group: PairingGroup, points: Sequence[G2Vector]) -> G2Vector:
    return group.g2_decode(b"".join([point.encode() for point in points]))


def _invert_all(values: Sequence[int]) -> list[int]:
    """Inverses modulo the order by one inversion (Montgomery's trick); none of the values is zero."""
    products = [1]
    for value in values:
        products.append(products[-1] * value % BLS_ORDER)
    inverse = pow(products[-1], -1, BLS_ORDER)
    inverses = [0] * len(values)
    for index in range(len(values) - 1, -1, -1):
        inverses[index] = inverse * products[index] % BLS_ORDER
        inverse = inverse * values[index] % BLS_ORDER
    return inverses


def _require_one_each(first: int, second: int) -> None:
    if first != second:
        raise ValueError(f"{first} points and {second} values do not belong together")
