"""Ed25519 as section 1.6 of the specification wants it."""

from __future__ import annotations

import json
import secrets
from hashlib import sha512
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from verifier.record.ed25519 import verify

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_VECTORS = json.loads((Path(__file__).parents[2] / "vectors/wycheproof-ed25519.json").read_text())
_CASES = [
    (group["publicKey"]["pk"], test["msg"], test["sig"], test["result"] == "valid", test["tcId"])
    for group in _VECTORS["testGroups"]
    for test in group["tests"]
]


@pytest.mark.parametrize(("key", "message", "signature", "valid", "number"), _CASES)
def test_wycheproof(key: str, message: str, signature: str, valid: bool, number: int) -> None:
    assert verify(bytes.fromhex(key), bytes.fromhex(message), bytes.fromhex(signature)) == valid


Point = tuple[int, int]


def _add(left: Point, right: Point) -> Point:
    (x1, y1), (x2, y2) = left, right
    product = _D * x1 * x2 * y1 * y2 % _P
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, _P) % _P
    return x, (y1 * y2 + x1 * x2) * pow(1 - product, -1, _P) % _P


def _multiply(scalar: int, point: Point) -> Point:
    result = (0, 1)
    while scalar:
        if scalar & 1:
            result = _add(result, point)
        point, scalar = _add(point, point), scalar >> 1
    return result


def _point(y: int) -> Point:
    """The point of this y whose x is even."""
    u, v = (y * y - 1) % _P, (_D * y * y + 1) % _P
    x = u * pow(v, 3, _P) * pow(u * pow(v, 7, _P), (_P - 5) // 8, _P) % _P
    if (v * x * x - u) % _P:
        x = x * pow(2, (_P - 1) // 4, _P) % _P
    return (x if x % 2 == 0 else _P - x), y


def _encode(point: Point) -> bytes:
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


_BASE = _point(4 * pow(5, -1, _P) % _P)
_ORDER_8 = _point(
    int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little")
)


def _sign(secret: int, public: bytes, nonce: int, first: bytes, message: bytes) -> bytes:
    challenge = int.from_bytes(sha512(first + public + message).digest(), "little") % _L
    return first + ((nonce + challenge * secret) % _L).to_bytes(32, "little")


def test_the_helper_signs_validly() -> None:
    secret, nonce = secrets.randbelow(_L), secrets.randbelow(_L)
    public, first = _encode(_multiply(secret, _BASE)), _encode(_multiply(nonce, _BASE))
    assert verify(public, b"message", _sign(secret, public, nonce, first, b"message"))


def test_a_nonce_with_a_part_of_small_order_is_refused_so_the_equation_is_cofactorless() -> None:
    secret, nonce = secrets.randbelow(_L), secrets.randbelow(_L)
    public = _encode(_multiply(secret, _BASE))
    first = _encode(_add(_multiply(nonce, _BASE), _ORDER_8))
    assert not verify(public, b"message", _sign(secret, public, nonce, first, b"message"))


@pytest.mark.parametrize("multiple", range(8))
def test_keys_and_nonces_of_small_order_are_refused(multiple: int) -> None:
    small = _encode(_multiply(multiple, _ORDER_8))
    # With A of order dividing 8 and R = S*B - k*A, the equation holds for R = S*B whenever 8 divides k.
    for counter in range(200):
        message, nonce = bytes([counter]), counter + 1
        first = _encode(_multiply(nonce, _BASE))
        assert not verify(small, message, first + nonce.to_bytes(32, "little"))
    key = SigningKey.generate()
    assert not verify(bytes(key.verify_key), b"", small + bytes(32))


def test_scalar_plus_order_is_refused() -> None:
    key = SigningKey.generate()
    signature = key.sign(b"message").signature
    larger = int.from_bytes(signature[32:], "little") + _L
    assert verify(bytes(key.verify_key), b"message", signature)
    assert not verify(bytes(key.verify_key), b"message", signature[:32] + larger.to_bytes(32, "little"))


@pytest.mark.parametrize(("key", "length"), [(32, 63), (32, 65), (32, 0), (31, 64), (33, 64), (0, 64)])
def test_other_lengths_are_refused(key: int, length: int) -> None:
    assert not verify(bytes(key), b"", bytes(length))
