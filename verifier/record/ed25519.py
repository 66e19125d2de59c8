"""Ed25519 as docs/spec/01-encoding.md section 1.6 wants it: cofactorless, canonical, no small orders."""

from __future__ import annotations

from nacl import bindings
from nacl.exceptions import CryptoError

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
#: y coordinate of one pair of points of order 8; the other pair has its negative.
_Y8 = int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little")
#: y coordinates of the eight points whose order divides 8: identity, order 2, order 4, order 8.
_SMALL_ORDER_Y = frozenset({1, _P - 1, 0, _Y8, _P - _Y8})


def is_acceptable_point(encoding: bytes) -> bool:
    """Whether an encoding is canonical and not of small order (that it lies on the curve, libsodium checks)."""
    y = int.from_bytes(encoding, "little") & ((1 << 255) - 1)
    return len(encoding) == 32 and y < _P and y not in _SMALL_ORDER_Y


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature holds. Variable time; everything is public."""
    if len(signature) != 64 or not is_acceptable_point(public_key) or not is_acceptable_point(signature[:32]):
        return False
    if int.from_bytes(signature[32:], "little") >= _L:
        return False
    try:
        bindings.crypto_sign_open(signature + message, public_key)
    except (CryptoError, ValueError, TypeError):
        return False
    return True
