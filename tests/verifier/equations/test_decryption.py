"""Decryption: factors, plaintexts and totals, with one planted defect for each check."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.group import ORDER, Group
from tests.verifier.equations.provers import (
    Randomness,
    components,
    encode_scalars,
    encrypt,
    generator,
    linear,
    times_generator,
)
from verifier.equations import decryption
from verifier.equations.decryption import (
    NO_CODE,
    check_plaintext_codes,
    decode_indices,
    lagrange_at_zero,
    verify_factors,
    verify_plaintexts,
    verify_totals,
)
from verifier.equations.interface import PostedFactors
from verifier.equations.parameters import code_elements
from verifier.hashing import scalar, stream

THRESHOLD, TRUSTEES = 2, 4


@dataclass
class Tally:
    """A list of ciphertexts and trustees that can decrypt it."""

    group: Group
    messages: list[bytes]
    rng: Randomness = field(default_factory=lambda: Randomness("tally"))
    fingerprint: bytes = bytes(32)
    contest: str = "list"
    group_id: str = "north"

    def __post_init__(self) -> None:
        polynomial = self.rng.scalars(THRESHOLD)
        self.shares = [sum(a * j**k for k, a in enumerate(polynomial)) % ORDER for j in range(1, TRUSTEES + 1)]
        self.keys = [times_generator(self.group, share) for share in self.shares]
        self.public_key = times_generator(self.group, polynomial[0])
        pairs = [encrypt(self.group, self.public_key, message, self.rng.scalar()) for message in self.messages]
        self.ciphertexts = b"".join(pairs)

    def post(self, j: int, *, secret: int | None = None, ciphertexts: bytes | None = None) -> PostedFactors:
        """Trustee j's entry, possibly with another secret or for another list."""
        listed = self.ciphertexts if ciphertexts is None else ciphertexts
        share = self.shares[j - 1] if secret is None else secret
        factors = b"".join(linear(self.group, (share, pad)) for pad, _ in components(listed))
        return self.prove(j, factors, share, listed)

    def prove(self, j: int, factors: bytes, share: int, listed: bytes, key: bytes | None = None) -> PostedFactors:
        """A proof by a trustee who claims these factors."""
        group, verification_key = self.group, key or self.keys[j - 1]
        list_hash = hashlib.sha256(listed).digest()
        binding = (self.fingerprint, self.contest, self.group_id, j, list_hash, hashlib.sha256(factors).digest())
        count = len(listed) // 64
        raw = stream("evoting/v1/decryption-weights", *binding, verification_key, length=16 * count)
        weights = [int.from_bytes(raw[16 * i : 16 * i + 16], "little") for i in range(count)]
        p = linear(group, *zip(weights, (pad for pad, _ in components(listed)), strict=True))
        q = linear(group, *zip(weights, (factors[32 * i : 32 * i + 32] for i in range(count)), strict=True))
        k = self.rng.scalar()
        points = (p, q, times_generator(group, k), linear(group, (k, p)))
        c = scalar("evoting/v1/decryption-proof", *binding, verification_key, *points)
        proof = encode_scalars([c, k + c * share])
        return PostedFactors(j, verification_key, list_hash, factors, proof)

    def check(self, posted: PostedFactors, **changes: Any) -> set[str]:
        arguments: dict[str, Any] = {
            "fingerprint": self.fingerprint,
            "contest": self.contest,
            "group_id": self.group_id,
            "ciphertexts": self.ciphertexts,
            "group": self.group,
        }
        return {failure.equation or "" for failure in verify_factors(posted, **(arguments | changes))}


@pytest.fixture(scope="module")
def book(group: Group) -> bytes:
    return code_elements(group, bytes(32), "list", ["a", "b", "c", "blank"])


@pytest.fixture(scope="module")
def tally(group: Group, book: bytes) -> Tally:
    """Codes 2, 0, 0, an element of no code, 3, and the identity."""
    stray = times_generator(group, 77)
    return Tally(group, [book[64:96], book[:32], book[:32], stray, book[96:], bytes(32)])


INDICES = [2, 0, 0, NO_CODE, 3, NO_CODE]


# Factors.


def test_both_arithmetics_accept_an_honest_entry(each_group: Group) -> None:
    small = Tally(each_group, [times_generator(each_group, 3), times_generator(each_group, 0)])
    assert small.check(small.post(1)) == set()
    assert small.check(replace(small.post(1), verification_key=small.keys[1])) == {"decryption.proof"}


def test_a_proof_under_the_identity_as_key_does_not_hold(tally: Tally, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody can make it. That such a trustee holds no key is said first, and the proof would say so again."""
    factors = bytes(32 * (len(tally.ciphertexts) // 64))
    posted = tally.prove(1, factors, 0, tally.ciphertexts, bytes(32))
    assert tally.check(posted) == {"decryption.key"}
    monkeypatch.setattr(decryption, "has_key", lambda *_: True)
    assert tally.check(posted) == {"decryption.proof"}


def test_the_identity_is_allowed_in_an_aggregate(tally: Tally) -> None:
    cancelled = bytes(64) + tally.ciphertexts
    posted = tally.post(2, ciphertexts=cancelled)
    assert posted.factors[:32] == bytes(32)
    assert tally.check(posted, ciphertexts=cancelled) == set()


def wrong_factor(tally: Tally) -> PostedFactors:
    """One factor off; the proof is by the rules, over the factors as they are."""
    honest = tally.post(1)
    last = linear(tally.group, (1, bytes(honest.factors)[-32:]), (1, generator(tally.group)))
    return tally.prove(1, bytes(honest.factors)[:-32] + last, tally.shares[0], tally.ciphertexts)


def scalar_plus_order(tally: Tally) -> PostedFactors:
    honest = tally.post(1)
    larger = int.from_bytes(honest.proof[32:], "little") + ORDER
    return replace(honest, proof=honest.proof[:32] + larger.to_bytes(32, "little"))


def no_key(tally: Tally) -> PostedFactors:
    """An excluded trustee proves with the secret 0, for which every equation holds."""
    factors = bytes(32 * len(tally.messages))
    return tally.prove(1, factors, 0, tally.ciphertexts, key=bytes(32))


def one_more_factor(tally: Tally) -> PostedFactors:
    honest = tally.post(1)
    return tally.prove(1, bytes(honest.factors) + bytes(honest.factors)[:32], tally.shares[0], tally.ciphertexts)


def other_list(tally: Tally) -> PostedFactors:
    """All is true for another list than the one at hand."""
    other = tally.ciphertexts[64:] + tally.ciphertexts[:64]
    return tally.post(1, ciphertexts=other)


FACTOR_DEFECTS: dict[str, tuple[Callable[[Tally], PostedFactors], str]] = {
    "D1 a wrong factor": (wrong_factor, "proof"),
    "D2 another key": (lambda tally: tally.post(1, secret=tally.shares[1]), "proof"),
    "D2 another trustee's entry": (lambda tally: replace(tally.post(2), trustee=1), "proof"),
    "the response plus the order": (scalar_plus_order, "proof"),
    "a challenge of zero": (lambda tally: replace(tally.post(1), proof=bytes(64)), "proof"),
    "a trustee without a key": (no_key, "key"),
    "one factor too many": (one_more_factor, "factors"),
    "a factor that is not canonical": (
        lambda tally: replace(tally.post(1), factors=b"\xff" * 32 + bytes(tally.post(1).factors)[32:]),
        "factors",
    ),
    "D2 D6 another list": (other_list, "list"),
}


@pytest.mark.parametrize("name", FACTOR_DEFECTS)
def test_only_the_violated_check_of_an_entry_is_named(tally: Tally, name: str) -> None:
    make, expected = FACTOR_DEFECTS[name]
    assert tally.check(make(tally)) == {f"decryption.{expected}"}


@pytest.mark.parametrize("name", ["D1 a wrong factor", "D2 another key", "the response plus the order"])
def test_D9_the_proof_replaced_by_pass_is_noticed(tally: Tally, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decryption, "factor_proof", lambda *_: True)
    assert tally.check(FACTOR_DEFECTS[name][0](tally)) == set()


@pytest.mark.parametrize("function", ["list_matches", "has_key", "factor_count"])
def test_D9_a_check_of_form_replaced_by_pass_is_noticed(
    tally: Tally, function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something later may still fail, but the check's own name is gone."""
    make, expected = {
        "list_matches": FACTOR_DEFECTS["D2 D6 another list"],
        "has_key": FACTOR_DEFECTS["a trustee without a key"],
        "factor_count": FACTOR_DEFECTS["one factor too many"],
    }[function]
    assert f"decryption.{expected}" in tally.check(make(tally))
    monkeypatch.setattr(decryption, function, lambda *_: True)
    if function == "factor_count":
        with pytest.raises((ValueError, AssertionError)):
            tally.check(make(tally))
    else:
        assert f"decryption.{expected}" not in tally.check(make(tally))


@pytest.mark.parametrize(
    ("field_name", "value"), [("fingerprint", b"1" * 32), ("contest", "other"), ("group_id", "south")]
)
def test_a_proof_is_bound_to_its_context(tally: Tally, field_name: str, value: object) -> None:
    assert tally.check(tally.post(1), **{field_name: value}) == {"decryption.proof"}


def test_a_proof_is_bound_to_its_trustee_and_factors(tally: Tally) -> None:
    """The key of trustee 1 under the index 3, and errors in two factors that cancel in their plain sum."""
    assert tally.check(replace(tally.post(1), trustee=3)) == {"decryption.proof"}
    honest, base = tally.post(1), generator(tally.group)
    first = linear(tally.group, (1, bytes(honest.factors)[:32]), (1, base))
    second = linear(tally.group, (1, bytes(honest.factors)[32:64]), (-1, base))
    forged = tally.prove(1, first + second + bytes(honest.factors)[64:], tally.shares[0], tally.ciphertexts)
    assert tally.check(forged) == {"decryption.proof"}


def test_lists_are_read_in_chunks(tally: Tally, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decryption, "CHUNK", 4)
    assert tally.check(tally.post(1)) == set()
    broken = replace(tally.post(1), factors=bytes(tally.post(1).factors)[:-32] + b"\xff" * 32)
    failure = verify_factors(
        broken,
        fingerprint=bytes(32),
        contest="list",
        group_id="north",
        ciphertexts=tally.ciphertexts,
        group=tally.group,
    )[0]
    assert "item 5" in failure.sentence


# Coefficients.


@given(st.sets(st.integers(1, 255), min_size=3, max_size=9), st.integers(0, ORDER - 1))
@settings(max_examples=30, deadline=None)
def test_any_set_of_indices_interpolates_a_polynomial_at_zero(indices: set[int], seed: int) -> None:
    coefficients = [pow(seed, k + 1, ORDER) for k in range(3)]
    ordered = sorted(indices)
    values = [sum(a * j**k for k, a in enumerate(coefficients)) % ORDER for j in ordered]
    total = sum(c * v for c, v in zip(lagrange_at_zero(ordered), values, strict=True))
    assert total % ORDER == coefficients[0]


# Plaintexts.


def blob(tally: Tally, indices: list[int]) -> bytes:
    invalid = [m for m, index in zip(tally.messages, indices, strict=True) if index == NO_CODE]
    return b"".join(index.to_bytes(4, "big") for index in indices) + b"".join(invalid)


def check_plaintexts(tally: Tally, book: bytes, data: bytes, used: list[PostedFactors] | None = None) -> set[str]:
    entries = [tally.post(j) for j in (1, 3, 4)] if used is None else used
    count = len(tally.messages)
    failures = check_plaintext_codes(count=count, plaintexts=data, code_book=book, group=tally.group)
    failures = failures or verify_plaintexts(
        ciphertexts=tally.ciphertexts,
        used=entries,
        plaintexts=data,
        code_book=book,
        group=tally.group,
        randomness=Randomness("weights"),
    )
    return {failure.equation or "" for failure in failures}


def test_true_plaintexts_are_accepted(tally: Tally, book: bytes) -> None:
    data = blob(tally, INDICES)
    assert check_plaintexts(tally, book, data) == set()
    assert decode_indices(6, data).tolist() == INDICES
    assert check_plaintexts(tally, book, data, [tally.post(2), tally.post(4)]) == set()


@pytest.mark.parametrize("indices", [[2, 0, 1, NO_CODE, 3, NO_CODE], [0, 2, 0, NO_CODE, 3, NO_CODE]])
def test_D1_a_wrong_or_exchanged_code_is_refused(
    tally: Tally, book: bytes, indices: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second case keeps every count: only the order differs."""
    assert check_plaintexts(tally, book, blob(tally, indices)) == {"decryption.plaintexts"}
    monkeypatch.setattr(decryption, "plaintext_equation", lambda *_: True)
    assert check_plaintexts(tally, book, blob(tally, indices)) == set()


def test_D3_coefficients_over_another_set_are_refused(tally: Tally, book: bytes) -> None:
    entries = [tally.post(j) for j in (1, 3)]
    shifted = [entries[0], replace(entries[1], trustee=4)]
    assert check_plaintexts(tally, book, blob(tally, INDICES), shifted) == {"decryption.plaintexts"}


def test_D4_too_few_trustees_or_one_twice(tally: Tally, book: bytes) -> None:
    one = tally.post(1)
    assert check_plaintexts(tally, book, blob(tally, INDICES), [one]) == {"decryption.plaintexts"}
    assert check_plaintexts(tally, book, blob(tally, INDICES), [one, one]) == {"decryption.used"}
    assert check_plaintexts(tally, book, blob(tally, INDICES), []) == {"decryption.used"}


def as_invalid(tally: Tally) -> bytes:
    """A vote for a code, listed as invalid with its true element."""
    return blob(tally, [2, 0, NO_CODE, NO_CODE, 3, NO_CODE])


#: Blob, name of the only check that knows, and its function.
BLOBS: dict[str, tuple[Callable[[Tally], bytes], str, str]] = {
    "D8 a code listed as invalid": (as_invalid, "plaintext-code", "invalid_in_no_book"),
    "a trailing byte": (lambda t: blob(t, INDICES) + b"\0", "plaintext-length", "plaintext_length"),
    "D8 an index beyond the book": (
        lambda t: blob(t, [2, 0, 0, NO_CODE, 4, NO_CODE]),
        "plaintext-index",
        "indices_known",
    ),
    "an invalid element that is no element": (
        lambda t: blob(t, INDICES)[:-32] + b"\xff" * 32,
        "plaintext-encoding",
        "invalid_canonical",
    ),
}


@pytest.mark.parametrize("name", BLOBS)
def test_only_the_violated_check_of_a_blob_is_named(
    tally: Tally, book: bytes, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, expected, function = BLOBS[name]
    assert check_plaintexts(tally, book, make(tally)) == {f"decryption.{expected}"}
    monkeypatch.setattr(decryption, function, lambda *_: True)
    assert f"decryption.{expected}" not in check_plaintexts(tally, book, make(tally))


def test_D8_a_listed_code_is_caught_by_its_check_alone(
    tally: Tally, book: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All equations hold for it: the vote would simply be lost."""
    monkeypatch.setattr(decryption, "invalid_in_no_book", lambda *_: True)
    assert check_plaintexts(tally, book, as_invalid(tally)) == set()


def test_empty_and_short_blobs_are_refused(tally: Tally, book: bytes) -> None:
    for data in (b"", blob(tally, INDICES)[:23], blob(tally, INDICES)[:-1]):
        assert check_plaintexts(tally, book, data) == {"decryption.plaintext-length"}
    nothing = Tally(tally.group, [])
    assert check_plaintext_codes(count=0, plaintexts=b"", code_book=book, group=nothing.group) == []


@given(st.lists(st.sampled_from([0, 1, 2, 5, NO_CODE]), max_size=60), st.binary(min_size=960, max_size=960))
@settings(max_examples=50, deadline=None)
def test_weights_are_summed_exactly(indices: list[int], weights: bytes) -> None:
    import numpy as np

    given_weights = weights[: 16 * len(indices)]
    present, sums = decryption._weights_by_code(np.array(indices, dtype=np.uint32), given_weights)
    expected: dict[int, int] = {}
    for i, index in enumerate(indices):
        if index != NO_CODE:
            expected[index] = expected.get(index, 0) + int.from_bytes(given_weights[16 * i : 16 * i + 16], "little")
    assert dict(zip(present, sums, strict=True)) == expected


def test_a_blob_of_another_length_is_refused_without_the_check_of_codes(tally: Tally, book: bytes) -> None:
    """The framework may ask for the equation although the form does not hold."""
    good = blob(tally, INDICES)
    for data in (b"", good[:10], good[:-1], good + bytes(32), blob(tally, [2, 0, 0, NO_CODE, 4, NO_CODE])):
        assert verify_plaintexts(
            ciphertexts=tally.ciphertexts,
            used=[tally.post(1), tally.post(2)],
            plaintexts=data,
            code_book=book,
            group=tally.group,
            randomness=Randomness("weights"),
        )


# Totals.


@pytest.fixture(scope="module")
def totals(group: Group) -> tuple[Tally, list[int]]:
    values = [12, 0, 30]
    return Tally(group, [times_generator(group, value) for value in values]), values


def check_totals(tally: Tally, values: list[int], ballots: int = 30) -> set[str]:
    failures = verify_totals(
        ciphertexts=tally.ciphertexts,
        used=[tally.post(2), tally.post(3)],
        totals=values,
        ballots=ballots,
        group=tally.group,
        randomness=Randomness("weights"),
    )
    return {failure.equation or "" for failure in failures}


def test_true_totals_are_accepted(totals: tuple[Tally, list[int]]) -> None:
    assert check_totals(*totals) == set()


@pytest.mark.parametrize("wrong", [[13, 0, 30], [11, 1, 30], [12, 30, 0]])
def test_D7_totals_that_differ_are_refused(
    totals: tuple[Tally, list[int]], wrong: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Off by one; a vote moved, so that the sum stays; two options exchanged."""
    assert check_totals(totals[0], wrong) == {"decryption.totals"}
    monkeypatch.setattr(decryption, "totals_equation", lambda *_: True)
    assert check_totals(totals[0], wrong) == set()


@pytest.mark.parametrize("shift", [-ORDER, ORDER])
def test_D7_totals_out_of_bounds_are_refused_though_their_equation_holds(
    totals: tuple[Tally, list[int]], shift: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    tally, values = totals
    shifted = [values[0] + shift, *values[1:]]
    assert check_totals(tally, shifted) == {"decryption.total-bounds"}
    assert check_totals(tally, values, ballots=29) == {"decryption.total-bounds"}
    monkeypatch.setattr(decryption, "totals_bounded", lambda *_: True)
    assert check_totals(tally, shifted) == set()


def test_a_missing_total_is_refused(totals: tuple[Tally, list[int]]) -> None:
    assert check_totals(totals[0], totals[1][:2]) == {"decryption.used"}
