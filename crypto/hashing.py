"""Framed, domain-separated hashing (docs/spec/01-encoding.md sections 1.2 and 1.4)."""

from __future__ import annotations

import hashlib

from crypto.group.interface import ORDER, ElementVector, Group


def frame(data: bytes) -> bytes:
    """Length-prefixed bytes: eight bytes big-endian, then the bytes."""
    return len(data).to_bytes(8, "big") + data


def u64(value: int) -> bytes:
    """Eight bytes, big-endian."""
    return value.to_bytes(8, "big")


def frames(domain: str, parts: tuple[bytes, ...]) -> bytes:
    """The framed domain followed by the framed parts."""
    return frame(domain.encode()) + b"".join([len(part).to_bytes(8, "big") + part for part in parts])


def sha(domain: str, *parts: bytes) -> bytes:
    """SHA-256 of the framed domain and parts: 32 bytes."""
    return hashlib.sha256(frames(domain, parts)).digest()


def wide(domain: str, *parts: bytes) -> bytes:
    """SHA-512 of the framed domain and parts: 64 bytes, to be reduced to a scalar by the vector kernel."""
    return hashlib.sha512(frames(domain, parts)).digest()


def scalar(domain: str, *parts: bytes) -> int:
    """``wide`` as a little-endian integer modulo the group order."""
    return int.from_bytes(wide(domain, *parts), "little") % ORDER


def stream(domain: str, *parts: bytes, length: int) -> bytes:
    """The first ``length`` bytes of SHAKE256 over the framed domain and parts."""
    return hashlib.shake_256(frames(domain, parts)).digest(length)


def expand_message_xmd(message: bytes, dst: bytes, length: int) -> bytes:
    """``expand_message_xmd`` of RFC 9380 section 5.3.1 with SHA-512.

    Raises:
        ValueError: ``length`` or ``dst`` is beyond what the RFC allows.
    """
    blocks = -(-length // 64)
    if blocks > 255 or length > 65535:
        raise ValueError("expand_message_xmd: too many bytes requested")
    if len(dst) > 255:
        dst = hashlib.sha512(b"H2C-OVERSIZE-DST-" + dst).digest()
    suffix = dst + bytes([len(dst)])
    first = hashlib.sha512(bytes(128) + message + length.to_bytes(2, "big") + b"\0" + suffix).digest()
    block = hashlib.sha512(first + b"\1" + suffix).digest()
    output = [block]
    for index in range(2, blocks + 1):
        mixed = bytes(a ^ b for a, b in zip(first, block, strict=True))
        block = hashlib.sha512(mixed + bytes([index]) + suffix).digest()
        output.append(block)
    return b"".join(output)[:length]


def hash_to_group(group: Group, domain: str, *messages: bytes) -> ElementVector:
    """One element for each message, by ristretto255_XMD:SHA-512_R255MAP_RO_ of RFC 9380.

    Args:
        messages: complete messages; the caller frames their parts (``frame(x1) + frame(x2) + ...``).
    """
    dst = domain.encode()
    return group.elements_from_uniform(b"".join([expand_message_xmd(message, dst, 64) for message in messages]))


def generators(group: Group, count: int) -> tuple[ElementVector, ElementVector]:
    """The blinding generator H and the message generators G_1..G_count of docs/spec/01-encoding.md section 1.4."""
    domain = "evoting/v1/generator"
    blinding = hash_to_group(group, domain, frame(b"blinding"))
    return blinding, hash_to_group(
        group, domain, *[frame(b"message") + frame(u64(index)) for index in range(1, count + 1)]
    )
