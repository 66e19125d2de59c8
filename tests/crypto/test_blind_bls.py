"""Threshold blind BLS: round trips on both kernels, py_ecc as independent oracle, and the attacks on signatures."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from hashlib import sha256, shake_256
from itertools import combinations, count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.blind_bls import (
    DST,
    StyleCredentials,
    blind,
    combine_partials,
    encode_message,
    find_invalid_credentials,
    find_invalid_partials,
    generate_randomizers,
    hash_credential_message,
    lagrange_at_zero,
    sign_partial,
    unblind,
    verify_credentials_batch,
    verify_partials,
)
from crypto.dkg.shamir import lagrange_at_zero as lagrange_modulo
from crypto.errors import DecodeError, InvalidProof
from crypto.group import BLS_ORDER, G1Vector, G2Vector, PairingGroup, load_pairing_group, native_available

# py_ecc exports its names without saying so, hence Any.
oracle: Any = importlib.import_module("py_ecc.optimized_bls12_381")
oracle_hash: Any = importlib.import_module("py_ecc.bls.hash_to_curve")
oracle_points: Any = importlib.import_module("py_ecc.bls.point_compression")

FINGERPRINT = bytes(range(32))
NATIVE = pytest.param("native", marks=pytest.mark.skipif(not native_available(), reason="native kernel not built"))


def compress(point: Any) -> bytes:
    encoded: bytes = oracle_points.compress_G1(point).to_bytes(48, "big")
    return encoded


def seeded(label: str) -> Callable[[int], bytes]:
    """Deterministic entropy; no two calls give the same."""
    calls = count(1)
    return lambda length: shake_256(f"{label}/{next(calls)}".encode()).digest(length)


class Style:
    """Shares of one style by plain Shamir sharing."""

    def __init__(self, group: PairingGroup, threshold: int, issuers: int, seed: str = "style") -> None:
        draw = seeded(seed)
        coefficients = [int.from_bytes(draw(64), "big") % BLS_ORDER for _ in range(threshold)]
        self.secret = coefficients[0]
        self.shares = {i: sum(c * i**e for e, c in enumerate(coefficients)) % BLS_ORDER for i in range(1, issuers + 1)}
        self.key = group.g2_generator().mul([self.secret])
        self.share_keys: dict[int, G2Vector] = {i: group.g2_generator().mul([s]) for i, s in self.shares.items()}


def messages_of(number: int, style: str = "abroad") -> list[bytes]:
    return [encode_message(FINGERPRINT, style, sha256(f"pseudonym {i}".encode()).digest()) for i in range(number)]


def issue(group: PairingGroup, style: Style, messages: list[bytes], issuers: tuple[int, ...]) -> G1Vector:
    randomizers = generate_randomizers(len(messages), os.urandom)
    blinded = blind(hash_credential_message(group, messages), randomizers)
    partials = {i: sign_partial(blinded, style.shares[i]) for i in issuers}
    keys = {i: style.share_keys[i] for i in issuers}
    assert find_invalid_partials(group, blinded, partials, keys, os.urandom) == {}
    return unblind(*combine_partials(partials), randomizers)


@pytest.fixture(scope="module", name="group")
def fixture_group() -> PairingGroup:
    return load_pairing_group()


@pytest.mark.parametrize("kernel", [NATIVE, "portable"])
def test_round_trip_gives_one_signature_whichever_issuers_sign(kernel: str) -> None:
    group = load_pairing_group(kernel)
    style = Style(group, 3, 4)
    messages = messages_of(1)
    direct = hash_credential_message(group, messages).mul([style.secret]).encode()
    groups = [(1, 2, 3), (1, 2, 4)] if kernel == "portable" else list(combinations(range(1, 5), 3))
    assert {issue(group, style, messages, chosen).encode() for chosen in groups} == {direct}
    verify_credentials_batch(group, [StyleCredentials(style.key, messages, direct)], os.urandom)


def test_hash_partial_and_credential_agree_with_py_ecc(group: PairingGroup) -> None:
    style = Style(group, 2, 3)
    message = messages_of(1)[0]
    expected_hash = oracle_hash.hash_to_G1(message, DST, sha256)
    hashed = hash_credential_message(group, [message])
    assert hashed.encode() == compress(expected_hash)
    partial = sign_partial(hashed, style.shares[3])
    assert partial.encode() == compress(oracle.multiply(expected_hash, style.shares[3]))
    credential = issue(group, style, [message], (1, 3)).encode()
    point = oracle_points.decompress_G1(int.from_bytes(credential, "big"))
    assert oracle.pairing(oracle.G2, point) == oracle.pairing(oracle.multiply(oracle.G2, style.secret), expected_hash)


def test_blinding_hides_the_message_and_another_randomizer_blinds_otherwise(group: PairingGroup) -> None:
    hashed = hash_credential_message(group, messages_of(1))
    first, second = generate_randomizers(2, os.urandom)
    assert first != second
    encodings = {hashed.encode(), blind(hashed, [first]).encode(), blind(hashed, [second]).encode()}
    assert len(encodings) == 3


def test_every_message_can_have_led_to_a_blinded_point(group: PairingGroup) -> None:
    """Perfect blindness: for M' and any other message there is exactly one randomizer that explains it."""
    secret_a, secret_b = 1234567, 7654321
    base = group.g1_generator()
    point_a, point_b = base.mul([secret_a]), base.mul([secret_b])
    randomizer = generate_randomizers(1, os.urandom)[0]
    explanation = randomizer * secret_a * pow(secret_b, -1, BLS_ORDER) % BLS_ORDER
    assert blind(point_a, [randomizer]) == blind(point_b, [explanation])


def test_zero_randomizer_is_drawn_again_and_a_broken_source_is_refused() -> None:
    drawn = iter([bytes(64), b"\x07" * 64])
    assert generate_randomizers(1, lambda _: next(drawn)) == [int.from_bytes(b"\x07" * 64, "big") % BLS_ORDER]
    with pytest.raises(ValueError, match="zeroes"):
        generate_randomizers(1, bytes)
    with pytest.raises(ValueError, match="number of bytes"):
        generate_randomizers(1, lambda _: b"short")


@pytest.mark.parametrize("bad", [[5], [0, 15], [7, 8, 12]])
def test_bisection_names_every_wrong_credential(group: PairingGroup, bad: list[int]) -> None:
    style, other = Style(group, 2, 3), Style(group, 2, 3, "other")
    messages = messages_of(16)
    credentials = bytearray(issue(group, style, messages, (1, 2)).encode())
    wrong = hash_credential_message(group, messages).mul([other.secret]).encode()
    for index in bad:
        credentials[48 * index : 48 * index + 48] = wrong[48 * index : 48 * index + 48]
    batch = [StyleCredentials(style.key, messages, bytes(credentials))]
    assert find_invalid_credentials(group, batch, os.urandom) == [(i, "credential.signature") for i in bad]
    with pytest.raises(InvalidProof) as caught:
        verify_credentials_batch(group, batch, os.urandom)
    assert (caught.value.check, caught.value.index) == ("credential.signature", bad[0])


def test_B11_errors_that_cancel_in_a_plain_sum_are_found(group: PairingGroup) -> None:
    style = Style(group, 2, 3)
    messages = messages_of(4)
    good = issue(group, style, messages, (1, 3))
    error = group.g1_generator().mul([42])
    tampered = good[0:1].encode() + (good[1:2] + error).encode() + (good[2:3] + -error).encode() + good[3:4].encode()
    # In an unweighted sum nothing shows:
    assert group.g1_decode(tampered).sum() == good.sum()
    batch = [StyleCredentials(style.key, messages, tampered)]
    assert [index for index, _ in find_invalid_credentials(group, batch, os.urandom)] == [1, 2]


def test_swapped_credentials_of_two_voters_are_found(group: PairingGroup) -> None:
    style = Style(group, 2, 3)
    messages = messages_of(3)
    good = issue(group, style, messages, (1, 3)).encode()
    swapped = good[48:96] + good[:48] + good[96:]
    batch = [StyleCredentials(style.key, messages, swapped)]
    assert [index for index, _ in find_invalid_credentials(group, batch, os.urandom)] == [0, 1]


def test_several_styles_verify_together_and_positions_run_through(group: PairingGroup) -> None:
    first, second = Style(group, 2, 3, "one"), Style(group, 2, 3, "two")
    messages_a, messages_b = messages_of(3, "one"), messages_of(2, "two")
    batches = [
        StyleCredentials(first.key, messages_a, issue(group, first, messages_a, (1, 2)).encode()),
        StyleCredentials(second.key, [], b""),
        StyleCredentials(second.key, messages_b, issue(group, second, messages_b, (2, 3)).encode()),
    ]
    verify_credentials_batch(group, batches, os.urandom)
    verify_credentials_batch(group, [], os.urandom)
    exchanged = [batches[0], StyleCredentials(first.key, messages_b, batches[2].credentials)]
    assert [index for index, _ in find_invalid_credentials(group, exchanged, os.urandom)] == [3, 4]


def test_C5_credential_of_another_election_or_style_is_refused(group: PairingGroup) -> None:
    style = Style(group, 2, 3)
    pseudonym = sha256(b"pseudonym").digest()
    message = encode_message(FINGERPRINT, "abroad", pseudonym)
    credential = issue(group, style, [message], (1, 2)).encode()
    verify_credentials_batch(group, [StyleCredentials(style.key, [message], credential)], os.urandom)
    elsewhere = encode_message(bytes(32), "abroad", pseudonym)
    other_style = encode_message(FINGERPRINT, "bishkek", pseudonym)
    other_key = Style(group, 2, 3, "bishkek").key
    for key, claimed in ((style.key, elsewhere), (style.key, other_style), (other_key, message)):
        with pytest.raises(InvalidProof) as caught:
            verify_credentials_batch(group, [StyleCredentials(key, [claimed], credential)], os.urandom)
        assert (caught.value.check, caught.value.index) == ("credential.signature", 0)


def test_messages_are_framed_so_that_no_two_share_bytes() -> None:
    assert encode_message(FINGERPRINT, "a", b"bc") != encode_message(FINGERPRINT, "ab", b"c")


def test_C3_256_interleaved_sessions_give_no_257th_signature(group: PairingGroup) -> None:
    """Products of answers are signatures on products of points, none of which hashes from a message."""
    style = Style(group, 3, 4)
    sessions = 256 if native_available() else 4
    messages = messages_of(sessions + 1)
    randomizers = generate_randomizers(sessions, os.urandom)
    blinded = blind(hash_credential_message(group, messages[:-1]), randomizers)
    partials: dict[int, G1Vector] = {}
    for issuer in (4, 2, 1):  # all sessions are open at every issuer at once
        partials[issuer] = sign_partial(blinded, style.shares[issuer])
    credentials = unblind(*combine_partials(partials), randomizers)
    verify_credentials_batch(group, [StyleCredentials(style.key, messages[:-1], credentials.encode())], os.urandom)
    total = credentials.sum()
    half = credentials[0 : sessions // 2].sum()
    for forged in (total, half, total + -half, credentials[0:1] + credentials[1:2], -credentials[0:1]):
        with pytest.raises(InvalidProof):
            verify_partials(group, hash_credential_message(group, messages[-1:]), forged, style.key, os.urandom)


def test_C13_groups_that_overlap_in_one_corrupt_issuer_cannot_both_be_complete(group: PairingGroup) -> None:
    """Issuer 4 signs both requests; honest 1, 2, 3 sign one each. With k = 3 of 4, only one request gets k partials."""
    style = Style(group, 3, 4)
    first, second = messages_of(2)
    randomizers = generate_randomizers(2, os.urandom)
    blinded = blind(hash_credential_message(group, [first, second]), randomizers)
    served = {1: [0], 2: [0], 3: [1], 4: [0, 1]}
    complete = 0
    for index, message in enumerate((first, second)):
        mine = blinded[index : index + 1]
        partials = {i: sign_partial(mine, style.shares[i]) for i, rows in served.items() if index in rows}
        credential = unblind(*combine_partials(partials), randomizers[index : index + 1])
        try:
            batch = StyleCredentials(style.key, [message], credential.encode())
            verify_credentials_batch(group, [batch], os.urandom)
        except InvalidProof:
            assert len(partials) < 3
        else:
            complete += 1
    assert complete == 1


def point_outside_the_subgroup() -> bytes:
    """A point on the curve whose order is not q, found by trying x = 1, 2, ..."""
    for x in range(1, 100):
        square = oracle.FQ(x) ** 3 + oracle.b
        root = square ** ((oracle.field_modulus + 1) // 4)
        if root * root == square:
            point = (oracle.FQ(x), root, oracle.FQ(1))
            assert oracle.is_on_curve(point, oracle.b)
            if oracle.multiply(point, BLS_ORDER)[2] != oracle.Z1[2]:
                return compress(point)
    raise AssertionError("no such point found")


def bad_points() -> list[tuple[str, bytes]]:
    generator = load_pairing_group().g1_generator().encode()
    not_on_curve = next(
        candidate for x in range(1, 50) if (candidate := bytes([0x80]) + x.to_bytes(47, "big")) and not _has_root(x)
    )
    too_large = bytearray((oracle.field_modulus + 1).to_bytes(48, "big"))
    too_large[0] |= 0x80
    return [
        ("identity", bytes([0xC0]) + bytes(47)),
        ("identity with a sign", bytes([0xE0]) + bytes(47)),
        ("identity with content", bytes([0xC0]) + bytes(46) + b"\x01"),
        ("uncompressed flag", bytes([generator[0] & 0x7F]) + generator[1:]),
        ("x not below the modulus", bytes(too_large)),
        ("not on the curve", not_on_curve),
        ("outside the subgroup", point_outside_the_subgroup()),
        ("outside the subgroup, shifted", _shifted(generator)),
    ]


def _has_root(x: int) -> bool:
    square = oracle.FQ(x) ** 3 + oracle.b
    root = square ** ((oracle.field_modulus + 1) // 4)
    return bool(root * root == square)


def _shifted(good: bytes) -> bytes:
    """A good point plus one outside the subgroup: what a subgroup check of sums alone might miss."""
    outside = oracle_points.decompress_G1(int.from_bytes(point_outside_the_subgroup(), "big"))
    total = oracle.add(oracle_points.decompress_G1(int.from_bytes(good, "big")), outside)
    return compress(total)


@pytest.mark.parametrize("kernel", [NATIVE, "portable"])
@pytest.mark.parametrize(("defect", "point"), bad_points(), ids=[name for name, _ in bad_points()])
def test_C15_bad_points_are_refused_wherever_a_point_comes_in(kernel: str, defect: str, point: bytes) -> None:
    group = load_pairing_group(kernel)
    with pytest.raises(DecodeError) as caught:
        group.g1_decode(group.g1_generator().encode() + point)
    assert caught.value.index == 1
    if kernel == "native":
        style = Style(group, 2, 3)
        messages = messages_of(3)
        good = issue(group, style, messages, (1, 2)).encode()
        batch = [StyleCredentials(style.key, messages, good[:48] + point + good[96:])]
        with pytest.raises(InvalidProof) as proof:
            verify_credentials_batch(group, batch, os.urandom)
        assert (proof.value.check, proof.value.index) == ("credential.point", 1), defect


def test_undecodable_and_wrong_credentials_are_all_reported(group: PairingGroup) -> None:
    style = Style(group, 2, 3)
    messages = messages_of(5)
    data = bytearray(issue(group, style, messages, (1, 2)).encode())
    data[48:96] = bytes([0xC0]) + bytes(47)
    data[144:192] = data[192:240]
    found = find_invalid_credentials(group, [StyleCredentials(style.key, messages, bytes(data))], os.urandom)
    assert found == [(1, "credential.point"), (3, "credential.signature")]


def test_wrong_partial_is_named_by_issuer_and_position(group: PairingGroup) -> None:
    style = Style(group, 3, 4)
    blinded = hash_credential_message(group, messages_of(8))
    partials = {i: sign_partial(blinded, style.shares[i]) for i in (1, 2, 4)}
    corrupt = bytearray(partials[2].encode())
    corrupt[48 * 6 : 48 * 7] = partials[1].encode()[48 * 6 : 48 * 7]
    partials[2] = group.g1_decode(bytes(corrupt))
    assert find_invalid_partials(group, blinded, partials, style.share_keys, os.urandom) == {2: [6]}
    with pytest.raises(InvalidProof) as caught:
        verify_partials(group, blinded, partials[2], style.share_keys[2], os.urandom)
    assert (caught.value.check, caught.value.index) == ("credential.partial", 6)


@given(st.sets(st.integers(1, 13), min_size=1, max_size=9))
def test_rational_lagrange_coefficients_are_those_modulo_the_order(indices: set[int]) -> None:
    ordered = sorted(indices)
    rational = [
        value.numerator * pow(value.denominator, -1, BLS_ORDER) % BLS_ORDER for value in lagrange_at_zero(ordered)
    ]
    assert rational == lagrange_modulo(ordered, BLS_ORDER)


@pytest.mark.parametrize("indices", [[], [0, 1], [1, 1], [-1, 2]])
def test_lagrange_refuses_impossible_indices(indices: list[int]) -> None:
    with pytest.raises(ValueError, match="indices"):
        lagrange_at_zero(indices)


@pytest.mark.skipif(not native_available(), reason="native kernel not built")
@settings(max_examples=15, deadline=None)
@given(st.data())
def test_property_any_k_issuers_of_any_ceremony_give_the_signature(data: st.DataObject) -> None:
    group = load_pairing_group("native")
    issuers = data.draw(st.integers(1, 13))
    threshold = data.draw(st.integers(issuers // 2 + 1, issuers))
    chosen = tuple(sorted(data.draw(st.permutations(range(1, issuers + 1)))[:threshold]))
    style = Style(group, threshold, issuers, f"{issuers}/{threshold}")
    messages = [encode_message(FINGERPRINT, "s", data.draw(st.binary(min_size=32, max_size=32)))]
    credential = issue(group, style, messages, chosen)
    assert credential == hash_credential_message(group, messages).mul([style.secret])


def test_a_share_outside_its_range_is_refused(group: PairingGroup) -> None:
    for share in (0, BLS_ORDER, -1):
        with pytest.raises(ValueError, match="share"):
            sign_partial(group.g1_generator(), share)
