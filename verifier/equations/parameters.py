"""Generators and code books, derived again; docs/spec/01-encoding.md section 1.4, 02-record.md section 2.5."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from verifier.hashing import Part, frames, sha

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crypto.group import ElementVector, Group

GENERATOR_DOMAIN = "evoting/v1/generator"
CODE_DOMAIN = "evoting/v1/code"
PARAMETERS_DOMAIN = "evoting/v1/parameters"
#: Message generators that the opening pins.
PINNED_GENERATORS = 64

_BLOCK_BYTES = 128
_UNIFORM_BYTES = 64


def expand_message(message: bytes, domain: bytes) -> bytes:
    """``expand_message_xmd`` of RFC 9380 section 5.3.1 with SHA-512, 64 bytes: exactly one block of output."""
    if len(domain) > 255:
        raise ValueError("a domain has at most 255 bytes")
    domain_prime = domain + bytes([len(domain)])
    length = _UNIFORM_BYTES.to_bytes(2, "big")
    first = hashlib.sha512(bytes(_BLOCK_BYTES) + message + length + b"\0" + domain_prime).digest()
    return hashlib.sha512(first + b"\1" + domain_prime).digest()


def hash_to_group(group: Group, domain: str, inputs: Iterable[Sequence[Part]]) -> ElementVector:
    """``hash_to_group`` of section 1.4 for many inputs under one domain."""
    tag = domain.encode()
    return group.elements_from_uniform(b"".join([expand_message(frames(parts), tag) for parts in inputs]))


#: The longest list made so far, by arithmetic; shorter ones are its beginning.
_generators: dict[str, bytes] = {}


def commitment_generators(group: Group, count: int) -> bytes:
    """``H, G_1, ..., G_count``, encoded."""
    encodings = _generators.get(group.name, b"")
    if len(encodings) < 32 * (count + 1):
        encodings = _generators[group.name] = _derive_generators(group, count)
    return encodings[: 32 * (count + 1)]


def _derive_generators(group: Group, count: int) -> bytes:
    labels: list[Sequence[Part]] = [("blinding",), *[("message", i) for i in range(1, count + 1)]]
    return hash_to_group(group, GENERATOR_DOMAIN, labels).encode()


def parameters_hash(group: Group) -> bytes:
    """``parameters`` of the opening body."""
    encodings = group.generator().encode() + commitment_generators(group, PINNED_GENERATORS)
    return sha(PARAMETERS_DOMAIN, "ristretto255", *[encodings[at : at + 32] for at in range(0, len(encodings), 32)])


def code_elements(group: Group, manifest_hash: bytes, contest_id: str, codes: Sequence[str]) -> bytes:
    """The code book of a mixed contest: ``element(code)`` for every code in order."""
    return hash_to_group(group, CODE_DOMAIN, [(manifest_hash, contest_id, code) for code in codes]).encode()
