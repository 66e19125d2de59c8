"""BLS12-381: RFC 9380 vectors, py_ecc as oracle, and refusals.

``rfc9380-bls12381g1-xmd-sha256-sswu-ro.json`` is from the public repository cfrg/draft-irtf-cfrg-hash-to-curve.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from py_ecc.bls import G2ProofOfPossession as scheme
from py_ecc.bls.g2_primitives import G1_to_pubkey, G2_to_signature
from py_ecc.bls.hash_to_curve import hash_to_G2
from py_ecc.optimized_bls12_381 import G1, G2, add, multiply, neg

from crypto.errors import DecodeError
from crypto.group import BLS_ORDER, PairingGroup

DST = b"group-tests-v1"
P = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB
IDENTITY_G1 = b"\xc0" + bytes(47)
IDENTITY_G2 = b"\xc0" + bytes(95)
#: x = 0 gives y^2 = 4: a point of the curve of order 3.
SMALL_ORDER_G1 = b"\x80" + bytes(47)

slow = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
scalars = st.one_of(st.sampled_from([0, 1, 2, BLS_ORDER - 1, BLS_ORDER, -1]), st.integers(0, BLS_ORDER))


def test_rfc9380_hash_to_g1(pairing: PairingGroup, rfc9380_g1: Any) -> None:
    vectors = rfc9380_g1["vectors"]
    messages = [vector["msg"].encode() for vector in vectors]
    encoded = pairing.hash_to_g1(messages, rfc9380_g1["dst"].encode()).encode()
    for i, vector in enumerate(vectors):
        x, y = int(vector["P"]["x"], 16), int(vector["P"]["y"], 16)
        flags = 0xA0 if 2 * y > P else 0x80
        expected = bytearray(x.to_bytes(48, "big"))
        expected[0] |= flags
        assert encoded[48 * i : 48 * (i + 1)] == bytes(expected), vector["msg"][:20]


@slow
@given(scalars, scalars)
def test_points_against_py_ecc(both_pairings: tuple[PairingGroup, PairingGroup], a: int, b: int) -> None:
    for group in both_pairings:
        g1, g2 = group.g1_generator(), group.g2_generator()
        first, second = multiply(G1, a % BLS_ORDER), multiply(G1, b % BLS_ORDER)
        assert g1.mul([a]).encode() == G1_to_pubkey(first)
        assert (g1.mul([a]) + g1.mul([b])).encode() == G1_to_pubkey(add(first, second))
        assert (-g1.mul([a])).encode() == G1_to_pubkey(neg(first))
        assert g1.mul([a, b]).sum().encode() == G1_to_pubkey(add(first, second))
        assert g2.mul([a]).encode() == G2_to_signature(multiply(G2, a % BLS_ORDER))
        assert (g2.mul([a]) + g2.mul([b])).encode() == G2_to_signature(multiply(G2, (a + b) % BLS_ORDER))


def test_signature_against_py_ecc_pairing(pairing: PairingGroup) -> None:
    """A key of py_ecc's own scheme: its public key is in G1, so the pairing equation uses both groups."""
    secret = 0x1234567890ABCDEF1234567890ABCDEF
    message = b"a message"
    public, signature = scheme.SkToPk(secret), scheme.Sign(secret, message)
    constructor: Any = sha256
    hashed = G2_to_signature(hash_to_G2(message, scheme.DST, constructor))
    minus = (-pairing.g1_generator()).encode()
    g2 = pairing.g2_decode(hashed + signature)
    assert pairing.pairing_product_is_one(pairing.g1_decode(public + minus), g2)
    assert not pairing.pairing_product_is_one(pairing.g1_decode(minus + public), g2)


@pytest.mark.parametrize("count", [1, 3])
def test_batch_signature_equation(pairing: PairingGroup, count: int) -> None:
    check_batch_signature_equation(pairing, count)


@pytest.mark.parametrize("count", [17, 200])
def test_long_batch_signature_equation(both_pairings: tuple[PairingGroup, PairingGroup], count: int) -> None:
    """More pairs and points than one native task takes; a minute in the portable arithmetic."""
    check_batch_signature_equation(both_pairings[0], count)


def check_batch_signature_equation(pairing: PairingGroup, count: int) -> None:
    secrets = [pow(7, i + 1, BLS_ORDER) for i in range(count)]
    hashed = pairing.hash_to_g1([b"%d" % i for i in range(count)], DST)
    keys = pairing.g2_generator().mul(secrets)
    signatures = hashed.mul(secrets)
    weights = bytes(range(1, 17)) * count
    # sum of w_i * sig_i against G, each w_i * H_i against its own key.
    weighted = [int.from_bytes(weights[16 * i : 16 * (i + 1)], "little") for i in range(count)]
    left = pairing.g1_msm(weights, signatures)
    right = (-hashed).mul(weighted)
    decoded = pairing.g1_decode(left.encode() + right.encode())
    g2 = pairing.g2_decode(pairing.g2_generator().encode() + keys.encode())
    assert pairing.pairing_product_is_one(decoded, g2)
    assert pairing.g1_msm_decode(weights, signatures.encode()) == left
    messages = [b"%d" % i for i in range(count)]
    assert pairing.g1_msm_hash(weights, messages, DST) == pairing.g1_msm(weights, hashed)
    forged = pairing.g1_decode((left + pairing.g1_generator()).encode() + right.encode())
    assert not pairing.pairing_product_is_one(forged, g2)


def test_identity_pairs_contribute_one(pairing: PairingGroup) -> None:
    zero1, zero2 = pairing.g1_generator().mul([0]), pairing.g2_generator().mul([0])
    assert zero1.encode() == IDENTITY_G1
    assert zero2.encode() == IDENTITY_G2
    assert pairing.pairing_product_is_one(zero1, pairing.g2_generator())
    assert pairing.pairing_product_is_one(pairing.g1_generator(), zero2)
    assert pairing.pairing_product_is_one(zero1[:0], zero2[:0])
    assert not pairing.pairing_product_is_one(pairing.g1_generator(), pairing.g2_generator())
    assert pairing.g1_msm(bytes(16), pairing.g1_generator()) == zero1
    assert pairing.g1_msm(b"", zero1[:0]) == zero1
    assert pairing.g1_msm(b"\x05" + bytes(15), zero1) == zero1
    assert zero1[:0].sum() == zero1


@slow
@given(st.lists(st.binary(min_size=16, max_size=16), max_size=6))
def test_msm_agrees(both_pairings: tuple[PairingGroup, PairingGroup], weights: list[bytes]) -> None:
    factors = [int.from_bytes(weight, "little") for weight in weights]
    results = []
    for group in both_pairings:
        # Equal and opposite points come up in the buckets.
        points = group.g1_generator().mul([(-1) ** i * (1 + i // 2) for i in range(len(weights))])
        total = group.g1_msm(b"".join(weights), points)
        assert total == points.mul(factors).sum()
        results.append(total.encode())
    assert results[0] == results[1]


def off_curve(count: int) -> bytes:
    x = next(x for x in range(1, 99) if pow(x**3 + 4, (P - 1) // 2, P) != 1)
    return b"\x80" + x.to_bytes(47, "big") + bytes(count - 48)


G1_DEFECTS = {
    "no compression flag": (bytes(48), "not a canonical encoding"),
    "uncompressed identity": (b"\x40" + bytes(47), "not a canonical encoding"),
    "identity": (IDENTITY_G1, "the identity"),
    "identity with sign": (b"\xe0" + bytes(47), "not a canonical encoding"),
    "identity with rest": (b"\xc0" + bytes(46) + b"\x01", "not a canonical encoding"),
    "x = p": (bytes([P >> 376 | 0x80]) + (P % 2**376).to_bytes(47, "big"), "not a canonical encoding"),
    "x above p": (b"\x9f" + b"\xff" * 47, "not a canonical encoding"),
    "not on the curve": (off_curve(48), "not on the curve"),
    "order 3": (SMALL_ORDER_G1, "not in the subgroup"),
}


@pytest.mark.parametrize("defect", G1_DEFECTS)
def test_C15_bad_g1_refused(pairing: PairingGroup, defect: str) -> None:
    bad, reason = G1_DEFECTS[defect]
    good = pairing.g1_generator().encode()
    with pytest.raises(DecodeError, match=f"^G1 point 1 is {reason}$") as caught:
        pairing.g1_decode(good + bad + bad)
    assert caught.value.index == 1
    with pytest.raises(DecodeError) as caught:
        pairing.g1_msm_decode(bytes(48), good + good + bad)
    assert caught.value.index == 2


def test_C15_points_outside_the_subgroup_refused(both_pairings: tuple[PairingGroup, PairingGroup]) -> None:
    """Random points of the curve are almost never in the subgroup."""
    found = 0
    for x in range(1, 12):
        if pow(x**3 + 4, (P - 1) // 2, P) == 1:
            found += 1
            for group in both_pairings:
                with pytest.raises(DecodeError, match="not in the subgroup"):
                    group.g1_decode(b"\x80" + x.to_bytes(47, "big"))
    assert found >= 3


def test_bad_g2_refused_alike(both_pairings: tuple[PairingGroup, PairingGroup]) -> None:
    p = P.to_bytes(48, "big")
    encodings = [b"\x80" + bytes(47) + x.to_bytes(48, "big") for x in range(1, 8)]
    encodings += [IDENTITY_G2, b"\xe0" + bytes(95), b"\xc0" + bytes(94) + b"\x01", bytes(96), b"\x80" + bytes(47) + p]
    encodings.append(bytes([p[0] | 0x80]) + p[1:] + bytes(48))
    encodings.append(b"\x80" + bytes(47) + b"\x80" + bytes(46) + b"\x01")
    reasons = set()
    for encoding in encodings:
        messages = []
        for group in both_pairings:
            with pytest.raises(DecodeError) as caught:
                group.g2_decode(encoding)
            messages.append(str(caught.value))
        assert messages[0] == messages[1], encoding.hex()
        reasons.add(messages[0])
    assert {reason.removeprefix("G2 point 0 is ") for reason in reasons} == {
        "not a canonical encoding",
        "not in the subgroup",
        "not on the curve",
        "the identity",
    }


def test_decoding_inverts_encoding(pairing: PairingGroup) -> None:
    g1, g2 = pairing.g1_generator().mul([5, BLS_ORDER - 5]), pairing.g2_generator().mul([5, BLS_ORDER - 5])
    assert pairing.g1_decode(g1.encode()) == g1
    assert pairing.g2_decode(g2.encode()) == g2
    assert g1[::-1] == -g1
    assert g2[::-1] == -g2


def test_misuse_fails_alike(both_pairings: tuple[PairingGroup, PairingGroup]) -> None:
    for group in both_pairings:
        one, two = group.g1_generator(), group.g1_generator().mul([1, 2])
        for dst in (b"", bytes(256)):
            with pytest.raises(ValueError, match=f"^a domain separation tag has 1 to 255 bytes, got {len(dst)}$"):
                group.hash_to_g1([b"x"], dst)
        with pytest.raises(ValueError, match="^lengths differ: 1 and 2$"):
            group.g1_msm(bytes(16), two)
        with pytest.raises(ValueError, match="^lengths differ: 2 and 1$"):
            group.pairing_product_is_one(two, group.g2_generator())
        with pytest.raises(ValueError, match="^lengths differ: 2 and 3$"):
            two.mul([1, 2, 3])
        with pytest.raises(DecodeError, match="^weights take a multiple of 16 bytes, got 17$"):
            group.g1_msm(bytes(17), one)
        with pytest.raises(TypeError, match="^vectors take slices only$"):
            one[0]  # type: ignore[index]
