"""Which addresses a configuration may name: https, or plain http that does not leave this machine."""

from __future__ import annotations

from urllib.parse import urlsplit

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def is_https(address: str) -> bool:
    """Whether it begins with https:// and names a host, without user and password."""
    return _host(address, "https") is not None


def is_private(address: str) -> bool:
    """Whether nobody on the way reads along: https, or http to this machine."""
    host = _host(address, "http")
    return is_https(address) or (host is not None and (host in _LOOPBACK or host.endswith(".localhost")))


def _host(address: str, scheme: str) -> str | None:
    try:
        parts = urlsplit(address)
        # Reading the port checks it: with a wrong one the host may not be what it looks like.
        _ = parts.port
    except ValueError:
        return None
    if parts.scheme != scheme or parts.username is not None or parts.password is not None:
        return None
    return parts.hostname or None
