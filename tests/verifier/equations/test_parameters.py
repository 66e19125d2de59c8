"""Generators and code books against RFC 9380's and RFC 9496's own vectors and against a plain recomputation."""

from __future__ import annotations

import hashlib

import pytest

from crypto.group import Group
from verifier.equations.parameters import (
    code_elements,
    commitment_generators,
    expand_message,
    hash_to_group,
    parameters_hash,
)
from verifier.hashing import Transcript, scalar, sha, stream, wide

#: RFC 9380 has no vector for 64 bytes, so its section 5.3.1 is transcribed below and checked against those it has.
DOMAIN = b"QUUX-V01-CS02-with-expander-SHA512-256"


def expand_message_xmd(message: bytes, domain: bytes, length: int) -> bytes:
    """RFC 9380 section 5.3.1, line by line."""
    ell = -(-length // 64)
    dst_prime = domain + len(domain).to_bytes(1, "big")
    b0 = hashlib.sha512(bytes(128) + message + length.to_bytes(2, "big") + b"\0" + dst_prime).digest()
    blocks = [hashlib.sha512(b0 + b"\1" + dst_prime).digest()]
    for i in range(2, ell + 1):
        mixed = bytes(a ^ b for a, b in zip(b0, blocks[-1], strict=True))
        blocks.append(hashlib.sha512(mixed + i.to_bytes(1, "big") + dst_prime).digest())
    return b"".join(blocks)[:length]


#: RFC 9380 appendix K.6: SHA-512, DST as above, 0x20 bytes.
RFC_9380_K6 = {
    b"": "6b9a7312411d92f921c6f68ca0b6380730a1a4d982c507211a90964c394179ba",
    b"abc": "0da749f12fbe5483eb066a5f595055679b976e93abe9be6f0f6318bce7aca8dc",
}


@pytest.mark.parametrize("message", RFC_9380_K6)
def test_the_transcription_gives_the_vectors_of_rfc_9380(message: bytes) -> None:
    assert expand_message_xmd(message, DOMAIN, 32).hex() == RFC_9380_K6[message]


@pytest.mark.parametrize("message", [b"", b"abc", b"q" * 300])
def test_the_single_block_form_is_the_general_one(message: bytes) -> None:
    assert expand_message(message, DOMAIN) == expand_message_xmd(message, DOMAIN, 64)


def test_a_domain_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="255"):
        expand_message(b"", bytes(256))


def test_generators_are_hashes_of_their_labels(each_group: Group) -> None:
    generators = commitment_generators(each_group, 5)
    assert len(generators) == 32 * 6
    blinding = hash_to_group(each_group, "evoting/v1/generator", [("blinding",)]).encode()
    third = hash_to_group(each_group, "evoting/v1/generator", [("message", 3)]).encode()
    assert generators[:32] == blinding
    assert generators[96:128] == third
    assert commitment_generators(each_group, 9)[: 32 * 6] == generators
    assert commitment_generators(each_group, 2) == generators[:96]


def test_both_arithmetics_give_the_same_parameters(each_group: Group, group: Group) -> None:
    assert parameters_hash(each_group) == parameters_hash(group)
    assert code_elements(each_group, bytes(32), "c", ["a", "b"]) == code_elements(group, bytes(32), "c", ["a", "b"])


def test_S6_S7_other_generators_or_another_group_change_the_parameters(group: Group) -> None:
    generators = group.generator().encode() + commitment_generators(group, 64)
    items = [generators[at : at + 32] for at in range(0, len(generators), 32)]
    assert len(items) == 66
    assert sha("evoting/v1/parameters", "ristretto255", *items) == parameters_hash(group)
    assert sha("evoting/v1/parameters", "ristretto255", *items[:-1], items[0]) != parameters_hash(group)
    assert sha("evoting/v1/parameters", "p256", *items) != parameters_hash(group)


def test_code_elements_depend_on_manifest_contest_and_code(group: Group) -> None:
    book = code_elements(group, bytes(32), "list", ["a", "b", "a/b"])
    assert len({book[at : at + 32] for at in range(0, 96, 32)}) == 3
    assert book[:32] == code_elements(group, bytes(32), "list", ["a"])
    assert book[:32] not in (
        code_elements(group, bytes(32), "other", ["a"]),
        code_elements(group, b"1" * 32, "list", ["a"]),
    )


def test_hashes_are_framed_as_section_1_2_says() -> None:
    def framed(*parts: bytes) -> bytes:
        return b"".join(len(part).to_bytes(8, "big") + part for part in parts)

    data = framed(b"d", b"x", (7).to_bytes(8, "big"), b"text")
    digest = hashlib.sha512(data).digest()
    order = 2**252 + 27742317777372353535851937790883648493
    assert sha("d", b"x", 7, "text") == hashlib.sha256(data).digest()
    assert wide("d", b"x", 7, "text") == digest
    assert scalar("d", b"x", 7, "text") == int.from_bytes(digest, "little") % order
    assert stream("d", b"x", 7, "text", length=99) == hashlib.shake_256(data).digest(99)
    assert sha("d", b"ab", b"c") != sha("d", b"a", b"bc")


def test_a_transcript_is_a_running_hash_as_section_1_3_says() -> None:
    def framed(*parts: bytes) -> bytes:
        return b"".join(len(part).to_bytes(8, "big") + part for part in parts)

    transcript = Transcript("d")
    transcript.append("label", b"data")
    absorbed = framed(b"evoting/v1/transcript", b"d", b"label", b"data", b"challenge", b"x")
    order = 2**252 + 27742317777372353535851937790883648493
    assert transcript.challenge("x") == int.from_bytes(hashlib.sha512(absorbed).digest(), "little") % order
    absorbed += framed(b"stream", b"w")
    seed = framed(b"evoting/v1/transcript-stream", hashlib.sha512(absorbed).digest())
    assert transcript.stream("w", 50) == hashlib.shake_256(seed).digest(50)
    absorbed += framed(b"challenge", b"y")
    assert transcript.challenge("y") == int.from_bytes(hashlib.sha512(absorbed).digest(), "little") % order
