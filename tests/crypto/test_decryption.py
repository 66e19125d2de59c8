"""Threshold decryption: factors, their proof, the used set, plaintexts and totals."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.decryption import (
    INVALID,
    ExponentOutOfRange,
    Plaintexts,
    combine_factors,
    combine_list,
    decode_exponents,
    decode_plaintexts,
    generate_factors,
    lagrange_coefficients,
    look_up_codes,
    prove_factors,
    verify_factors,
    verify_plaintexts,
    verify_totals,
)
from crypto.decryption.lists import data_elements, pads
from crypto.decryption.plaintexts import sum_by_code
from crypto.dkg.shamir import evaluate_polynomial
from crypto.elgamal import EncryptionKey, encrypt
from crypto.errors import DecodeError, InvalidProof
from crypto.group import load_group, native_available
from crypto.group.interface import ORDER, ElementVector, Group
from crypto.hashing import scalar, stream, u64
from crypto.proofs.chaum_pedersen import EqualityStatement, prove_equality

ARITHMETICS = ["native", "portable"] if native_available() else ["portable"]
FINGERPRINT = hashlib.sha256(b"an election").digest()
THRESHOLD, TRUSTEES = 3, 5
CODES = 12


@dataclass(frozen=True)
class Election:
    """A key shared by five trustees, any three of whom decrypt."""

    group: Group
    key: EncryptionKey
    shares: tuple[bytes, ...]
    verification_keys: tuple[bytes, ...]
    code_book: bytes

    def encrypt(self, messages: ElementVector) -> bytes:
        randomizers = self.group.scalars_wide(os.urandom(64 * len(messages)))
        return encrypt(self.key, messages, randomizers).encode(self.group)

    def encrypt_codes(self, numbers: list[int]) -> bytes:
        book = self.group.elements_decode(self.code_book, allow_identity=False)
        return self.encrypt(book.gather(np.array(numbers, dtype=np.uint32)))

    def encrypt_numbers(self, values: list[int]) -> bytes:
        return self.encrypt(self.group.generator().mul(self.group.scalars(values)))

    def factors(self, ciphertexts: bytes, trustee: int) -> bytes:
        return generate_factors(self.group, ciphertexts, self.shares[trustee - 1])

    def prove(self, ciphertexts: bytes, factors: bytes, trustee: int, contest: str = "c", group_id: str = "g") -> bytes:
        return prove_factors(
            self.group,
            FINGERPRINT,
            contest,
            group_id,
            trustee,
            self.verification_keys[trustee - 1],
            ciphertexts,
            factors,
            self.shares[trustee - 1],
            os.urandom(64),
        )

    def verify(self, ciphertexts: bytes, factors: bytes, proof: bytes, trustee: int) -> None:
        key = self.verification_keys[trustee - 1]
        verify_factors(self.group, FINGERPRINT, "c", "g", trustee, key, ciphertexts, factors, proof)


@cache
def election(arithmetic: str = ARITHMETICS[0]) -> Election:
    group = load_group(arithmetic)
    coefficients = [int.from_bytes(hashlib.sha256(bytes([k])).digest(), "big") % ORDER for k in range(THRESHOLD)]
    shares = group.scalars([evaluate_polynomial(coefficients, j, ORDER) for j in range(1, TRUSTEES + 1)])
    keys = group.generator().mul(shares).encode()
    public = group.generator().mul(group.scalars(coefficients[:1]))
    book = group.elements_from_uniform(b"".join(hashlib.sha512(bytes([n])).digest() for n in range(CODES)))
    encoded = shares.encode()
    return Election(
        group,
        EncryptionKey.from_element(group, public),
        tuple(encoded[32 * i : 32 * i + 32] for i in range(TRUSTEES)),
        tuple(keys[32 * i : 32 * i + 32] for i in range(TRUSTEES)),
        book.encode(),
    )


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
@pytest.mark.parametrize("used", [(1, 2, 3), (2, 4, 5), (5, 1, 3), (1, 2, 3, 4, 5)])
def test_any_quorum_decrypts_a_mixed_list(arithmetic: str, used: tuple[int, ...]) -> None:
    e = election(arithmetic)
    numbers = [0, 3, 3, 11, 7]
    ciphertexts = e.encrypt_codes(numbers)
    factors = {j: e.factors(ciphertexts, j) for j in used}
    for j, blob in factors.items():
        e.verify(ciphertexts, blob, e.prove(ciphertexts, blob, j), j)
    plaintexts = look_up_codes(combine_list(e.group, ciphertexts, factors), e.code_book)
    assert plaintexts.indices.tolist() == numbers
    assert plaintexts.invalid == b""
    verify_plaintexts(e.group, ciphertexts, factors, plaintexts, e.code_book, os.urandom)


@pytest.mark.skipif(len(ARITHMETICS) < 2, reason="one arithmetic only")
def test_both_arithmetics_give_the_same_factors_and_accept_each_others_proofs() -> None:
    first, second = (election(name) for name in ARITHMETICS)
    ciphertexts = first.encrypt_codes([1, 2, 3])
    factors = first.factors(ciphertexts, 2)
    assert factors == second.factors(ciphertexts, 2)
    second.verify(ciphertexts, factors, first.prove(ciphertexts, factors, 2), 2)
    first.verify(ciphertexts, factors, second.prove(ciphertexts, factors, 2), 2)


def test_a_list_longer_than_one_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crypto.decryption.factors.CHUNK", 3)
    monkeypatch.setattr("crypto.decryption.combine.CHUNK", 3)
    e = election()
    numbers = [n % CODES for n in range(10)]
    ciphertexts = e.encrypt_codes(numbers)
    factors = {j: e.factors(ciphertexts, j) for j in (1, 2, 3)}
    e.verify(ciphertexts, factors[1], e.prove(ciphertexts, factors[1], 1), 1)
    assert look_up_codes(combine_list(e.group, ciphertexts, factors), e.code_book).indices.tolist() == numbers


def test_identity_components_decrypt_like_anything_else() -> None:
    """An aggregate of voters who conspire: pads, and even everything, may be the identity."""
    e = election()
    two = e.group.generator().mul(e.group.scalars([2])).encode()
    ciphertexts = bytes(32) + two + bytes(64) + bytes(32) + e.group.generator().encode()
    factors = {j: e.factors(ciphertexts, j) for j in (1, 2, 3)}
    assert factors[1] == bytes(96)
    for j, blob in factors.items():
        e.verify(ciphertexts, blob, e.prove(ciphertexts, blob, j), j)
    elements = e.group.elements_decode(combine_list(e.group, ciphertexts, factors), allow_identity=True)
    assert decode_exponents(e.group, elements, 5) == [2, 0, 1]
    shifted = bytes(64) + e.group.generator().encode()
    with pytest.raises(InvalidProof):
        e.verify(ciphertexts, shifted, e.prove(ciphertexts, shifted, 1), 1)


@pytest.mark.parametrize("length", [0, 63, 65, 96])
def test_a_list_of_another_length_or_an_empty_one_is_refused(length: int) -> None:
    e = election()
    with pytest.raises(DecodeError):
        generate_factors(e.group, bytes(length), e.shares[0])
    with pytest.raises(DecodeError):
        e.verify(bytes(length), b"", bytes(64), 1)


def test_a_share_of_another_trustee_proves_nothing() -> None:
    e = election()
    ciphertexts = e.encrypt_codes([1])
    factors = e.factors(ciphertexts, 2)
    with pytest.raises(InvalidProof, match="does not belong to the verification key of trustee 1"):
        prove_factors(
            e.group, FINGERPRINT, "c", "g", 1, e.verification_keys[0], ciphertexts, factors, e.shares[1], bytes(64)
        )


# Attacks


def nonsense(e: Election, ciphertexts: bytes, trustee: int) -> bytes:
    """True factors, the second one shifted by the generator."""
    elements = e.group.elements_decode(e.factors(ciphertexts, trustee), allow_identity=True)
    shifted = elements[1:2] + e.group.generator()
    return e.group.concat_elements([elements[:1], shifted, elements[2:]]).encode()


def test_D1_proof_with_a_chosen_challenge_for_nonsense_factors() -> None:
    """Pick challenge and response, and compute commitments that fit: the hash of them is another challenge."""
    e = election()
    ciphertexts = e.encrypt_codes([1, 2, 3])
    factors = nonsense(e, ciphertexts, 1)
    for challenge in (1, 2, ORDER - 1):
        proof = e.group.scalars([challenge, 99]).encode()
        with pytest.raises(InvalidProof, match="equal logarithms"):
            e.verify(ciphertexts, factors, proof, 1)


def test_D1_zero_challenge_is_refused() -> None:
    """With challenge zero the equations hold for commitments of any statement."""
    e = election()
    ciphertexts = e.encrypt_codes([1, 2, 3])
    with pytest.raises(DecodeError, match="zero"):
        e.verify(ciphertexts, nonsense(e, ciphertexts, 1), e.group.scalars([0, 5]).encode(), 1)


def test_D1_the_true_share_makes_no_proof_for_nonsense_factors() -> None:
    e = election()
    ciphertexts = e.encrypt_codes([1, 2, 3])
    factors = nonsense(e, ciphertexts, 1)
    with pytest.raises(InvalidProof):
        e.verify(ciphertexts, factors, e.prove(ciphertexts, factors, 1), 1)


def test_D1_errors_that_cancel_under_weights_of_other_factors() -> None:
    """A trustee that knew the weights beforehand could hide errors; they depend on its factors, so it cannot."""
    e = election()
    ciphertexts = e.encrypt_codes([1, 2])
    true = e.factors(ciphertexts, 1)
    key = e.verification_keys[0]
    digests = [hashlib.sha256(ciphertexts).digest(), hashlib.sha256(true).digest()]
    binding = (FINGERPRINT, b"c", b"g", u64(1), *digests)
    weights = e.group.scalars_short(stream("evoting/v1/decryption-weights", *binding, key, length=32))
    first, second = weights.to_ints()
    shifts = e.group.generator().mul(e.group.scalars([second, -first]))
    factors = (e.group.elements_decode(true, allow_identity=True) + shifts).encode()
    assert factors != true
    with pytest.raises(InvalidProof):
        e.verify(ciphertexts, factors, e.prove(ciphertexts, factors, 1), 1)
    # Under the weights of the true factors the errors do cancel, so that proof would have held.
    statement = EqualityStatement(
        e.group.elements_decode(key, allow_identity=False),
        e.group.msm_decode(weights, pads(ciphertexts), allow_identity=True),
        e.group.msm_decode(weights, factors, allow_identity=True),
    )
    share = e.group.scalars_decode(e.shares[0])
    assert statement.image == statement.base.mul(share)


def test_D1_proof_that_does_not_hash_the_statement() -> None:
    """Weak Fiat-Shamir: a proof whose challenge leaves out the image lets the prover choose it afterwards."""
    e = election()
    ciphertexts = e.encrypt_codes([1])
    base = e.group.elements_decode(pads(ciphertexts), allow_identity=False)
    first, second = e.group.scalars([11]), e.group.scalars([12])
    commitments = [e.group.generator().mul(first).encode(), base.mul(second).encode()]
    challenge = scalar("evoting/v1/decryption-proof", e.verification_keys[0], *commitments)
    response = first + e.group.scalars_decode(e.shares[0]) * challenge
    inverse = pow(challenge, -1, ORDER)
    image = (base.mul(response) - base.mul(second)).mul(e.group.scalars([inverse]))
    proof = e.group.scalars([challenge]).encode() + response.encode()
    with pytest.raises(InvalidProof):
        e.verify(ciphertexts, image.encode(), proof, 1)


def test_D2_factor_for_a_shifted_ciphertext() -> None:
    e = election()
    ciphertexts = e.encrypt_codes([1, 2, 3])
    shifted = ciphertexts[64:] + ciphertexts[:64]
    factors = e.factors(shifted, 1)
    with pytest.raises(InvalidProof):
        e.verify(ciphertexts, factors, e.prove(shifted, factors, 1), 1)
    with pytest.raises(InvalidProof):
        e.verify(ciphertexts, factors, e.prove(ciphertexts, factors, 1), 1)


def test_D2_factors_under_another_key() -> None:
    e = election()
    ciphertexts = e.encrypt_codes([1, 2, 3])
    factors = e.factors(ciphertexts, 2)
    with pytest.raises(InvalidProof):
        e.verify(ciphertexts, factors, e.prove(ciphertexts, factors, 2), 1)


@pytest.mark.parametrize("changed", ["fingerprint", "contest", "group", "trustee", "list", "factors", "key", "proof"])
def test_D2_the_proof_is_bound_to_everything(changed: str) -> None:
    e = election()
    ciphertexts = e.encrypt_codes([1, 2, 3])
    factors = e.factors(ciphertexts, 1)
    proof = e.prove(ciphertexts, factors, 1)
    # Equal pads but other data: the same factors are right for both lists.
    other = b"".join(ciphertexts[at : at + 32] + e.group.generator().encode() for at in range(0, len(ciphertexts), 64))
    good: dict[str, object] = {
        "fingerprint": FINGERPRINT,
        "contest": "c",
        "group": "g",
        "trustee": 1,
        "key": e.verification_keys[0],
        "list": ciphertexts,
        "factors": factors,
        "proof": proof,
    }
    bad = {
        "fingerprint": bytes(32),
        "contest": "d",
        "group": "h",
        "trustee": 2,
        "key": e.verification_keys[1],
        "list": other,
        "factors": factors[:64] + e.group.generator().encode(),
        "proof": proof[:32] + e.group.scalars([1]).encode(),
    }
    verify_factors(e.group, *good.values())  # type: ignore[arg-type]
    with pytest.raises(InvalidProof):
        verify_factors(e.group, *{**good, changed: bad[changed]}.values())  # type: ignore[arg-type]


def test_D2_contest_and_group_do_not_run_together() -> None:
    e = election()
    ciphertexts = e.encrypt_codes([1])
    factors = e.factors(ciphertexts, 1)
    proof = e.prove(ciphertexts, factors, 1, "ab", "c")
    with pytest.raises(InvalidProof):
        verify_factors(e.group, FINGERPRINT, "a", "bc", 1, e.verification_keys[0], ciphertexts, factors, proof)


@pytest.mark.parametrize(
    "damage",
    [
        lambda blob: blob[:-1],
        lambda blob: blob[:-32],
        lambda blob: blob + bytes(32),
        lambda blob: b"\xff" * 32 + blob[32:],
        lambda blob: b"",
    ],
)
def test_D2_factors_of_another_length_or_not_canonical(damage: object) -> None:
    e = election()
    ciphertexts = e.encrypt_codes([1, 2])
    factors = e.factors(ciphertexts, 1)
    with pytest.raises(DecodeError):
        e.verify(ciphertexts, damage(factors), e.prove(ciphertexts, factors, 1), 1)  # type: ignore[operator]


def test_D2_excluded_trustee_has_no_valid_factors() -> None:
    """Zero bytes stand for no key; as an element they would be the identity, and factors of zero would prove."""
    e = election()
    ciphertexts = e.encrypt_codes([1])
    public = e.group.identity()
    statement = EqualityStatement(public, public, public)
    proof = prove_equality(
        e.group, "evoting/v1/decryption-proof", (), statement, e.group.scalars([0]), e.group.scalars([3])
    )
    for key in (bytes(32), b""):
        with pytest.raises(DecodeError):
            verify_factors(e.group, FINGERPRINT, "c", "g", 1, key, ciphertexts, bytes(32), proof)


def test_D3_coefficients_over_another_set_give_other_plaintexts() -> None:
    e = election()
    ciphertexts = e.encrypt_codes([1, 2])
    factors = {j: e.factors(ciphertexts, j) for j in (1, 2, 3)}
    right = look_up_codes(combine_list(e.group, ciphertexts, factors), e.code_book)
    relabelled = {1: factors[1], 2: factors[2], 4: factors[3]}
    wrong = look_up_codes(combine_list(e.group, ciphertexts, relabelled), e.code_book)
    assert wrong.indices.tolist() == [INVALID, INVALID]
    verify_plaintexts(e.group, ciphertexts, factors, right, e.code_book, os.urandom)
    for posted, claimed in ((relabelled, right), (factors, wrong)):
        with pytest.raises(InvalidProof, match="not what the factors give"):
            verify_plaintexts(e.group, ciphertexts, posted, claimed, e.code_book, os.urandom)


def test_D4_one_trustee_less_than_the_threshold_gives_nothing() -> None:
    e = election()
    ciphertexts = e.encrypt_codes([1, 2])
    factors = {j: e.factors(ciphertexts, j) for j in (1, 2)}
    assert look_up_codes(combine_list(e.group, ciphertexts, factors), e.code_book).indices.tolist() == [INVALID] * 2
    plaintexts = Plaintexts(np.array([1, 2], dtype=np.uint32), b"")
    with pytest.raises(InvalidProof):
        verify_plaintexts(e.group, ciphertexts, factors, plaintexts, e.code_book, os.urandom)
    with pytest.raises(ValueError, match="different indices"):
        lagrange_coefficients([1, 2, 2])


def test_D5_a_bad_factor_beside_enough_good_ones_is_found_and_the_rest_decrypts() -> None:
    e = election()
    numbers = [4, 5, 6]
    ciphertexts = e.encrypt_codes(numbers)
    posted = {j: e.factors(ciphertexts, j) for j in (1, 2, 4, 5)}
    posted[2] = nonsense(e, ciphertexts, 2)
    used: dict[int, ElementVector] = {}
    left_out = []
    for j, blob in posted.items():
        proof = e.prove(ciphertexts, blob, j)
        key = e.verification_keys[j - 1]
        try:
            used[j] = verify_factors(e.group, FINGERPRINT, "c", "g", j, key, ciphertexts, blob, proof)
        except InvalidProof:
            left_out.append(j)
    assert left_out == [2]
    data = e.group.elements_decode(data_elements(ciphertexts), allow_identity=True)
    elements = combine_factors(e.group, data, used).encode()
    assert look_up_codes(elements, e.code_book).indices.tolist() == numbers


# Plaintexts


def test_D8_what_is_no_code_is_listed_as_it_is_and_checked() -> None:
    e = election()
    strange = e.group.generator().mul(e.group.scalars([5, 0]))
    codes = e.encrypt_codes([2, 7])
    odd = e.encrypt(strange)
    ciphertexts = codes[:64] + odd[:64] + codes[64:] + odd[64:]
    factors = {j: e.factors(ciphertexts, j) for j in (1, 3, 5)}
    plaintexts = look_up_codes(combine_list(e.group, ciphertexts, factors), e.code_book)
    assert plaintexts.indices.tolist() == [2, INVALID, 7, INVALID]
    assert plaintexts.invalid == strange.encode()
    blob = plaintexts.encode()
    assert blob == bytes.fromhex("00000002ffffffff00000007ffffffff") + strange.encode()
    again = decode_plaintexts(blob, 4, e.code_book)
    assert again.encode() == blob
    verify_plaintexts(e.group, ciphertexts, factors, again, e.code_book, os.urandom)
    claimed = Plaintexts(np.array([2, 0, 7, INVALID], dtype=np.uint32), bytes(32))
    with pytest.raises(InvalidProof):
        verify_plaintexts(e.group, ciphertexts, factors, claimed, e.code_book, os.urandom)


@pytest.mark.parametrize("claimed", [[1, 2, 4], [2, 1, 3], [1, 2, INVALID]])
def test_D8_plaintext_that_the_factors_do_not_give(claimed: list[int]) -> None:
    e = election()
    ciphertexts = e.encrypt_codes([1, 2, 3])
    factors = {j: e.factors(ciphertexts, j) for j in (1, 2, 3)}
    indices = np.array(claimed, dtype=np.uint32)
    invalid = e.group.generator().encode() * claimed.count(INVALID)
    with pytest.raises(InvalidProof, match="not what the factors give"):
        verify_plaintexts(e.group, ciphertexts, factors, Plaintexts(indices, invalid), e.code_book, os.urandom)


def test_D8_swapped_plaintexts_whose_sum_is_right() -> None:
    e = election()
    ciphertexts = e.encrypt_codes([1, 2])
    factors = {j: e.factors(ciphertexts, j) for j in (1, 2, 3)}
    swapped = Plaintexts(np.array([2, 1], dtype=np.uint32), b"")
    with pytest.raises(InvalidProof):
        verify_plaintexts(e.group, ciphertexts, factors, swapped, e.code_book, os.urandom)


@pytest.mark.parametrize(
    ("blob", "message"),
    [
        (b"", "another length"),
        (bytes(3), "another length"),
        (bytes(9), "another length"),
        (bytes(4), "another length"),
        (bytes(8) + bytes(32), "another length"),
        (bytes(4) + b"\xff" * 4, "another length"),
        (bytes(4) + bytes.fromhex("0000000c"), "beyond the code book"),
        (bytes(4) + bytes.fromhex("fffffffe"), "beyond the code book"),
    ],
)
def test_D8_malformed_plaintexts(blob: bytes, message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        decode_plaintexts(blob, 2, election().code_book)


def test_D8_a_code_listed_as_invalid() -> None:
    e = election()
    with pytest.raises(DecodeError, match="listed as invalid is a code") as caught:
        decode_plaintexts(bytes(4) + b"\xff" * 4 + e.code_book[64:96], 2, e.code_book)
    assert caught.value.index == 1


def test_an_empty_list_has_an_empty_blob() -> None:
    assert decode_plaintexts(b"", 0, election().code_book).encode() == b""
    with pytest.raises(DecodeError):
        decode_plaintexts(bytes(4), 0, election().code_book)


@given(numbers=st.lists(st.integers(0, 4), max_size=40), data=st.data())
@settings(max_examples=30, deadline=None)
def test_weights_are_summed_exactly(numbers: list[int], data: st.DataObject) -> None:
    raw = data.draw(st.binary(min_size=16 * len(numbers), max_size=16 * len(numbers)))
    indices = np.array([INVALID if n == 4 else n for n in numbers], dtype=np.uint32)
    expected = [0] * 4
    for at, number in enumerate(numbers):
        if number < 4:
            expected[number] += int.from_bytes(raw[16 * at : 16 * at + 16], "little")
    assert sum_by_code(raw, indices, 4) == expected


# Totals


@given(values=st.lists(st.integers(0, 5000), min_size=1, max_size=12))
@settings(max_examples=25, deadline=None)
def test_exponents_are_found(values: list[int]) -> None:
    group = load_group()
    elements = group.generator().mul(group.scalars(values))
    assert decode_exponents(group, elements, 5000) == values
    assert decode_exponents(group, elements, max(values)) == values


@pytest.mark.parametrize("bound", [0, 1, 2, 99, 100, 101, 4095, 4096])
def test_exponents_at_the_bounds(bound: int) -> None:
    group = load_group()
    wanted = sorted({0, bound // 2, bound})
    assert decode_exponents(group, group.generator().mul(group.scalars(wanted)), bound) == wanted
    for beyond in (bound + 1, -1, ORDER // 2):
        with pytest.raises(ExponentOutOfRange) as caught:
            decode_exponents(group, group.generator().mul(group.scalars([0, beyond])), bound)
        assert caught.value.index == 1


def test_large_totals_are_found_quickly() -> None:
    group = load_group()
    values = [5_000_000, 0, 1_394_218, 4_999_999]
    assert decode_exponents(group, group.generator().mul(group.scalars(values)), 5_000_000) == values
    assert decode_exponents(group, group.identity(0), 5) == []


def test_totals_are_what_the_factors_give() -> None:
    e = election()
    values = [17, 0, 3]
    ciphertexts = e.encrypt_numbers(values)
    factors = {j: e.factors(ciphertexts, j) for j in (2, 3, 5)}
    elements = e.group.elements_decode(combine_list(e.group, ciphertexts, factors), allow_identity=True)
    assert decode_exponents(e.group, elements, 20) == values
    verify_totals(e.group, ciphertexts, factors, values, 20, os.urandom)


@pytest.mark.parametrize(
    "claimed",
    [[16, 0, 3], [18, 0, 3], [0, 17, 3], [17, 0], [17, -1, 3], [21, 0, 3], [17, 0, 2**53], [17 - ORDER, 0, 3]],
)
def test_D7_totals_off_by_one_swapped_negative_or_beyond_the_bound(claimed: list[int]) -> None:
    e = election()
    ciphertexts = e.encrypt_numbers([17, 0, 3])
    factors = {j: e.factors(ciphertexts, j) for j in (1, 2, 3)}
    with pytest.raises(InvalidProof) as caught:
        verify_totals(e.group, ciphertexts, factors, claimed, 20, os.urandom)
    assert caught.value.check == "tally.totals"
