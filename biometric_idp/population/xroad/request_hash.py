"""The request hash of an answer (X-Road Message Protocol for REST 1.0, section 4.3).

The specification says SHA512(SHA512(headers) + SHA512(body)), or SHA512(headers) without a body, in base64. What
``headers`` are to the byte is in the reference security server (``RestRequest.toByteArray``): the method, the request
target, then every header as ``name:value``, each ended by CR LF; headers that a security server does not pass on are
left out, and the id that it gives to the exchange comes last as ``x-road-request-id``.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from hashlib import sha512

#: Headers that are not passed on (``RestMessage.SKIPPED_HEADERS``), and those that a security server sets itself.
_SKIPPED = frozenset(
    {
        "transfer-encoding", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "upgrade",
        "connection", "pragma", "user-agent", "host", "content-length", "server", "expect",
        "x-road-request-id", "x-road-request-hash",
    }
)  # fmt: skip


def request_hash(
    method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes | None, request_id: str
) -> str:
    """The value that ``X-Road-Request-Hash`` of the answer must have.

    Args:
        target: path and query as sent, percent-encoded.
        headers: names and values in the order in which they were sent.
        request_id: ``X-Road-Request-Id`` of the answer.
    """
    lines = [method, target]
    lines += [f"{name}:{value}" for name, value in headers if name.lower() not in _SKIPPED]
    lines.append(f"x-road-request-id:{request_id}")
    digest = sha512("".join(f"{line}\r\n" for line in lines).encode()).digest()
    if body:
        digest = sha512(digest + sha512(body).digest()).digest()
    return base64.b64encode(digest).decode()
