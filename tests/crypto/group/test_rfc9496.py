"""ristretto255 against the vectors of RFC 9496 appendix A (tests/vectors/rfc9496-ristretto255.json)."""

from __future__ import annotations

from typing import Any

import pytest

from crypto.errors import DecodeError
from crypto.group import ORDER, Group

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P


def reason_to_refuse(encoding: bytes) -> str | None:
    """RFC 9496 section 4.3.1 in plain integers: a third opinion, and a check that the vectors are copied right."""
    s = int.from_bytes(encoding, "little")
    if s >= P:
        return "non-canonical field encoding"
    if s % 2:
        return "negative field element"
    u1, u2 = (1 - s * s) % P, (1 + s * s) % P
    v = (-D * u1 * u1 - u2 * u2) % P
    square = v * u2 * u2 % P
    if pow(square, (P - 1) // 2, P) not in (0, 1):
        return "non-square x^2"
    root = pow(square, (P + 3) // 8, P)
    if root * root % P != square:
        root = root * pow(2, (P - 1) // 4, P) % P
    inverse_root = pow(root, -1, P) if root else 0
    den_x, den_y = inverse_root * u2 % P, inverse_root * inverse_root * u2 * v % P
    x = 2 * s * den_x % P
    x = P - x if x % 2 else x
    y = u1 * den_y % P
    if x * y % P % 2:
        return "negative xy value"
    return "y = 0" if y == 0 else None


def test_multiples_of_generator(group: Group, rfc9496: Any) -> None:
    multiples = rfc9496["multiples_of_generator"]
    expected = b"".join(map(bytes.fromhex, multiples))
    scalars = group.scalars(range(len(multiples)))
    generator = group.generator()
    tables = group.fixed_base(generator)
    assert generator.encode().hex() == multiples[1]
    assert generator.mul(scalars).encode() == expected
    assert generator.mul_vartime(scalars).encode() == expected
    assert generator.mul_encode(scalars) == expected
    assert tables.mul(scalars).encode() == expected
    assert tables.mul_encode(scalars) == expected
    assert tables.mul_encode_vartime(scalars) == expected
    decoded = group.elements_decode(expected, allow_identity=True)
    assert decoded.encode() == expected
    assert (decoded[:-1] + generator).encode() == expected[32:]


def test_vectors_are_copied_right(rfc9496: Any) -> None:
    for vector in rfc9496["invalid_encodings"]:
        reason = reason_to_refuse(bytes.fromhex(vector["encoding"]))
        # s = -1 is odd, so this order of checks names it before y = 0 is seen.
        assert reason == vector["reason"] or (vector["reason"].startswith("s = -1") and reason is not None), vector
    assert all(reason_to_refuse(bytes.fromhex(encoding)) is None for encoding in rfc9496["multiples_of_generator"])


@pytest.mark.parametrize("number", range(29))
def test_invalid_encoding_refused(group: Group, rfc9496: Any, number: int) -> None:
    vectors = rfc9496["invalid_encodings"]
    assert len(vectors) == 29
    bad = bytes.fromhex(vectors[number]["encoding"])
    with pytest.raises(DecodeError, match="element 0 is not a canonical encoding") as caught:
        group.elements_decode(bad, allow_identity=True)
    assert caught.value.index == 0
    data = group.generator().encode() * 2 + bad
    with pytest.raises(DecodeError) as caught:
        group.msm_decode(group.scalars([1, 2, 3]), data, allow_identity=True)
    assert caught.value.index == 2


def test_one_way_map(group: Group, rfc9496: Any) -> None:
    vectors = rfc9496["from_uniform"]
    uniform = b"".join(bytes.fromhex(vector["input"]) for vector in vectors)
    expected = b"".join(bytes.fromhex(vector["output"]) for vector in vectors)
    assert group.elements_from_uniform(uniform).encode() == expected


def test_element_plus_field_prime_refused(group: Group, rfc9496: Any) -> None:
    """Every small enough valid encoding has a second representation, s + p, which must not decode."""
    for value in range(0, 19, 2):
        data = (value + P).to_bytes(32, "little")
        with pytest.raises(DecodeError):
            group.elements_decode(data, allow_identity=True)


def test_highest_bit_refused(group: Group, rfc9496: Any) -> None:
    """libsodium 1.0.18 masks it; two encodings of one element would let a ballot be copied under another hash."""
    for multiple in rfc9496["multiples_of_generator"]:
        data = bytearray.fromhex(multiple)
        data[31] |= 0x80
        with pytest.raises(DecodeError, match="not a canonical encoding"):
            group.elements_decode(bytes(data), allow_identity=True)


def test_order_of_generator(group: Group) -> None:
    generator = group.generator()
    last = generator.mul(group.scalars([ORDER - 1]))
    assert last == -generator
    assert (last + generator).identity_mask().tolist() == [True]
