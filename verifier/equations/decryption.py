"""Decryption factors and published plaintexts; docs/spec/09-decryption.md."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from crypto.errors import DecodeError
from crypto.group import ORDER
from verifier.equations.combination import WEIGHT_BYTES
from verifier.failure import Failure
from verifier.hashing import scalar, stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from crypto.group import ElementVector, Group
    from verifier.equations.interface import Buffer, PostedFactors, Randomness

WEIGHTS_DOMAIN = "evoting/v1/decryption-weights"
PROOF_DOMAIN = "evoting/v1/decryption-proof"
#: Index of a plaintext that is in no code book.
NO_CODE = 2**32 - 1
#: Elements that are copied out of a list and multiplied at a time.
CHUNK = 1 << 16


def _failure(name: str, sentence: str) -> Failure:
    return Failure(sentence, equation=f"decryption.{name}")


# Factors (9.2, 9.4).


def verify_factors(
    posted: PostedFactors, *, fingerprint: bytes, contest: str, group_id: str, ciphertexts: Buffer, group: Group
) -> list[Failure]:
    """Everything that makes a decryption entry not valid (9.4). An entry without a failure is valid.

    Cost: for each ciphertext two decodings and two 128-bit terms. Variable time; everything is public.
    """
    count = len(ciphertexts) // 64
    failures = []
    if not list_matches(posted, ciphertexts):
        failures.append(_failure("list", "the entry names another list than the one to decrypt"))
    if not has_key(posted):
        failures.append(_failure("key", f"trustee {posted.trustee} holds no key"))
    if not factor_count(posted, count):
        failures.append(_failure("factors", f"{len(posted.factors)} bytes of factors for {count} ciphertexts"))
    if failures:
        return failures
    binding = (
        fingerprint,
        contest,
        group_id,
        posted.trustee,
        posted.list_hash,
        hashlib.sha256(posted.factors).digest(),
    )
    weights = stream(WEIGHTS_DOMAIN, *binding, posted.verification_key, length=WEIGHT_BYTES * count)
    try:
        pads = _weighted_sum(weights, ciphertexts, 64, 0, group)
        factors = _weighted_sum(weights, posted.factors, 32, 0, group)
    except DecodeError as error:
        return [_failure("factors", f"a list or a factor holds something that is no element: {error}")]
    if not factor_proof(posted, binding, pads, factors, group):
        return [_failure("proof", "the proof of the factors does not hold")]
    return []


def list_matches(posted: PostedFactors, ciphertexts: Buffer) -> bool:
    """``list`` is the SHA-256 of the list bytes."""
    return posted.list_hash == hashlib.sha256(ciphertexts).digest()


def has_key(posted: PostedFactors) -> bool:
    """The trustee has a verification key: not the zero bytes that stand for none (4.6)."""
    return any(posted.verification_key)


def factor_count(posted: PostedFactors, count: int) -> bool:
    """There are exactly 32 bytes for each ciphertext."""
    return len(posted.factors) == 32 * count


def factor_proof(
    posted: PostedFactors,
    binding: tuple[bytes, str, str, int, bytes, bytes],
    pads: ElementVector,
    factors: ElementVector,
    group: Group,
) -> bool:
    """The hash over ``T1 = z*G - c*V_j`` and ``T2 = z*P - c*Q`` is c; c and z are canonical, c is not zero."""
    try:
        c, z = group.scalars_decode(posted.proof).to_ints()
        key = group.elements_decode(posted.verification_key, allow_identity=False)
    except (DecodeError, ValueError):
        return False
    scalars = group.scalars([z, -c])
    t1 = group.msm(scalars, group.concat_elements([group.generator(), key]))
    t2 = group.msm(scalars, group.concat_elements([pads, factors]))
    points = (element.encode() for element in (pads, factors, t1, t2))
    return c != 0 and c == scalar(PROOF_DOMAIN, *binding, posted.verification_key, *points)


def _weighted_sum(weights: bytes, data: Buffer, stride: int, offset: int, group: Group) -> ElementVector:
    """Sum of w_i times the element at ``offset`` of item i, items being ``stride`` bytes long.

    Raises:
        DecodeError: names the first item whose element is not canonical. The identity is allowed.
    """
    count = len(data) // stride
    items = np.frombuffer(data, dtype=np.uint8).reshape(count, stride)[:, offset : offset + 32]
    total = group.identity()
    for first in range(0, count, CHUNK):
        end = min(first + CHUNK, count)
        part = group.scalars_short(weights[WEIGHT_BYTES * first : WEIGHT_BYTES * end])
        try:
            total = total + group.msm_decode(part, items[first:end].tobytes(), allow_identity=True)
        except DecodeError as error:
            index = None if error.index is None else error.index + first
            raise DecodeError(f"item {index}", index) from None
    return total


# Combining (9.4, 9.6).


def lagrange_at_zero(indices: Sequence[int]) -> list[int]:
    """``lambda_j`` for every j of different, non-zero indices: the product of i / (i - j) over the others, mod L."""
    coefficients = []
    for j in indices:
        numerator = denominator = 1
        for i in indices:
            if i != j:
                numerator = numerator * i % ORDER
                denominator = denominator * (i - j) % ORDER
        coefficients.append(numerator * pow(denominator, -1, ORDER) % ORDER)
    return coefficients


def _decrypted_sum(ciphertexts: Buffer, used: Sequence[PostedFactors], weights: bytes, group: Group) -> ElementVector:
    """Sum of r_i * M_i: of r_i * B_i, less the combined factors over exactly the used set."""
    total = _weighted_sum(weights, ciphertexts, 64, 32, group)
    for posted, coefficient in zip(used, lagrange_at_zero([posted.trustee for posted in used]), strict=True):
        factors = _weighted_sum(weights, posted.factors, 32, 0, group)
        total = total - factors.mul_vartime(group.scalars([coefficient]))
    return total


def _usable(used: Sequence[PostedFactors], count: int) -> bool:
    """Different trustees, with as many factors as there are ciphertexts (the framework relies on valid entries)."""
    indices = {posted.trustee for posted in used}
    return bool(used) and len(indices) == len(used) and all(factor_count(posted, count) for posted in used)


# Plaintexts of mixed contests (9.5, 9.6).


def decode_indices(count: int, plaintexts: Buffer) -> NDArray[np.uint32]:
    """The code indices at the head of a plaintexts blob."""
    return np.frombuffer(plaintexts, dtype=">u4", count=count).astype(np.uint32)


def check_plaintext_codes(*, count: int, plaintexts: Buffer, code_book: bytes, group: Group) -> list[Failure]:
    """Length, indices and invalid elements of a plaintexts blob (9.6)."""
    if not plaintext_length(count, plaintexts):
        return [_failure("plaintext-length", "the blob has not 4 bytes for each plaintext and 32 for each invalid one")]
    failures = []
    if not indices_known(decode_indices(count, plaintexts), len(code_book) // 32):
        failures.append(_failure("plaintext-index", "a plaintext's index is that of no code"))
    invalid = bytes(plaintexts[4 * count :])
    if not invalid_canonical(invalid, group):
        failures.append(_failure("plaintext-encoding", "an invalid plaintext is not canonical"))
    if not invalid_in_no_book(invalid, code_book):
        failures.append(_failure("plaintext-code", "a plaintext that is listed as invalid is the element of a code"))
    return failures


def plaintext_length(count: int, plaintexts: Buffer) -> bool:
    """4*M + 32*u bytes, u being the number of plaintexts in no code book."""
    if len(plaintexts) < 4 * count:
        return False
    invalid = int((decode_indices(count, plaintexts) == NO_CODE).sum())
    return len(plaintexts) == 4 * count + 32 * invalid


def indices_known(indices: NDArray[np.uint32], codes: int) -> bool:
    """Every index is below the number of codes, or stands for none."""
    return bool(((indices < codes) | (indices == NO_CODE)).all())


def invalid_canonical(invalid: bytes, group: Group) -> bool:
    """Every E is canonical; the identity is allowed."""
    try:
        group.elements_decode(invalid, allow_identity=True)
    except DecodeError:
        return False
    return True


def invalid_in_no_book(invalid: bytes, code_book: bytes) -> bool:
    """No E is the element of a code."""
    codes = {code_book[at : at + 32] for at in range(0, len(code_book), 32)}
    return all(invalid[at : at + 32] not in codes for at in range(0, len(invalid), 32))


def verify_plaintexts(
    *,
    ciphertexts: Buffer,
    used: Sequence[PostedFactors],
    plaintexts: Buffer,
    code_book: bytes,
    group: Group,
    randomness: Randomness,
) -> list[Failure]:
    """The first equation of 9.6, by one random linear combination; the blob passed ``check_plaintext_codes``.

    Cost: one decoding and one 128-bit term for each ciphertext and for each of its factors.
    """
    count = len(ciphertexts) // 64
    if not _usable(used, count):
        return [_failure("used", "the used trustees are not different ones with a factor for every ciphertext")]
    if not plaintext_length(count, plaintexts):
        return [_failure("plaintext-length", "the blob of plaintexts has another length")]
    if not plaintext_equation(ciphertexts, used, plaintexts, code_book, group, randomness):
        return [_failure("plaintexts", "the published plaintexts are not what the factors give")]
    return []


def plaintext_equation(
    ciphertexts: Buffer,
    used: Sequence[PostedFactors],
    plaintexts: Buffer,
    code_book: bytes,
    group: Group,
    randomness: Randomness,
) -> bool:
    """Sum of r_i * M_i is the sum over codes and invalid elements of what the blob says."""
    count = len(ciphertexts) // 64
    weights = randomness(WEIGHT_BYTES * count)
    indices = decode_indices(count, plaintexts)
    present, by_code = _weights_by_code(indices, weights)
    if present and present[-1] >= len(code_book) // 32:
        return False
    invalid = b"".join([weights[WEIGHT_BYTES * int(i) :][:WEIGHT_BYTES] for i in np.flatnonzero(indices == NO_CODE)])
    codes = b"".join([code_book[32 * code : 32 * code + 32] for code in present])
    try:
        total = _decrypted_sum(ciphertexts, used, weights, group)
        total = total - group.msm_decode(group.scalars(by_code), codes, allow_identity=True)
        total = total - _weighted_sum(invalid, bytes(plaintexts[4 * count :]), 32, 0, group)
    except DecodeError:
        return False
    return bool(total.identity_mask()[0])


def _weights_by_code(indices: NDArray[np.uint32], weights: bytes) -> tuple[list[int], list[int]]:
    """The codes that occur, and for each the exact sum of the 128-bit weights of its rows."""
    limbs = np.frombuffer(weights, dtype="<u4").reshape(-1, 4).astype(np.uint64)
    order = np.argsort(indices, kind="stable")
    order = order[indices[order] != NO_CODE]
    if not len(order):
        return [], []
    present, starts = np.unique(indices[order], return_index=True)
    sums = np.add.reduceat(limbs[order], starts, axis=0)  # 32-bit limbs: no overflow below 2^32 rows
    exact = [sum(int(limb) << (32 * place) for place, limb in enumerate(row)) for row in sums]
    return [int(code) for code in present], exact


# Totals of homomorphic contests (9.5, 9.6).


def verify_totals(
    *,
    ciphertexts: bytes,
    used: Sequence[PostedFactors],
    totals: Sequence[int],
    ballots: int,
    group: Group,
    randomness: Randomness,
) -> list[Failure]:
    """Bounds of the totals, and the second equation of 9.6."""
    count = len(ciphertexts) // 64
    if len(totals) != count or not _usable(used, count):
        return [_failure("used", "totals or factors are not one for every option, of different trustees")]
    failures = []
    if not totals_bounded(totals, ballots):
        failures.append(_failure("total-bounds", f"a total is not within 0..{ballots}"))
    if not totals_equation(ciphertexts, used, totals, group, randomness):
        failures.append(_failure("totals", "the published totals are not what the factors give"))
    return failures


def totals_bounded(totals: Sequence[int], ballots: int) -> bool:
    """0 <= v_i <= the group's counted ballots."""
    return all(0 <= total <= ballots for total in totals)


def totals_equation(
    ciphertexts: bytes, used: Sequence[PostedFactors], totals: Sequence[int], group: Group, randomness: Randomness
) -> bool:
    """Sum of r_i * M_i is (sum of r_i * v_i) * G."""
    weights = randomness(WEIGHT_BYTES * len(totals))
    expected = sum(
        int.from_bytes(weights[WEIGHT_BYTES * i : WEIGHT_BYTES * (i + 1)], "little") * total
        for i, total in enumerate(totals)
    )
    try:
        total = _decrypted_sum(ciphertexts, used, weights, group)
    except DecodeError:
        return False
    return bool((total - group.generator().mul_vartime(group.scalars([expected]))).identity_mask()[0])
