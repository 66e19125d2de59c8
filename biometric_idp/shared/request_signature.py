"""Requests of the identity provider to the registrar, signed by its role key (docs/spec/05-credentials.md section 5.3).

TLS protects the connection; the signature says who asks, whatever stands in between, and stays as evidence.
"""

from __future__ import annotations

from hashlib import sha256

from nacl.signing import SigningKey

from biometric_idp.shared.fields import decode_base64url, encode_base64url
from biometric_idp.signatures import frames_signature_holds, sign_frames
from crypto.hashing import u64

REGISTRAR_REQUEST_DOMAIN = "evoting/v1/registrar-request"
SIGNATURE_HEADER = "evoting-signature"
TIME_HEADER = "evoting-time"
#: Seconds by which clocks may differ, and for which nonces are kept.
WINDOW = 120


def sign_request(key: SigningKey, method: str, path: str, body: bytes, time: int) -> dict[str, str]:
    """Headers that authenticate a request. ``path`` is as sent, without query: there is none."""
    signature = sign_frames(key, REGISTRAR_REQUEST_DOMAIN, *_parts(method, path, body, time))
    return {SIGNATURE_HEADER: encode_base64url(signature), TIME_HEADER: str(time)}


def verify_request(
    public_key: bytes, method: str, path: str, body: bytes, headers: dict[str, str], now: int
) -> tuple[bytes, int] | None:
    """Signature and time of a request that this key signed within the window; None for any other.

    Whether the signature was seen before is for the caller's database to say.
    """
    text = headers.get(TIME_HEADER, "")
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        return None
    try:
        signature = decode_base64url(headers.get(SIGNATURE_HEADER, ""))
    except ValueError:
        return None
    time = int(text)
    parts = _parts(method, path, body, time)
    if abs(now - time) > WINDOW or not frames_signature_holds(public_key, signature, REGISTRAR_REQUEST_DOMAIN, *parts):
        return None
    return signature, time


def _parts(method: str, path: str, body: bytes, time: int) -> tuple[bytes, ...]:
    return method.encode(), path.encode(), sha256(body).digest(), u64(time)
