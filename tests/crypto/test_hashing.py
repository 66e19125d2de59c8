"""Framed hashes, ``expand_message_xmd`` and hashing to the group, against published vectors and plain hashlib."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.group import Group
from crypto.group.interface import ORDER
from crypto.hashing import (
    expand_message_xmd,
    frame,
    frames,
    generators,
    hash_to_group,
    scalar,
    sha,
    stream,
    u64,
    wide,
)
from tests.support.arithmetics import each_group

#: From the public repository of RFC 9380; see rfc9380.SOURCE.md.
RFC9380 = json.loads((Path(__file__).parents[1] / "vectors" / "rfc9380-expand-message-xmd-sha512.json").read_text())


@pytest.mark.parametrize("vector", RFC9380["tests"], ids=lambda vector: f"{vector['len_in_bytes']}-{vector['msg'][:8]}")
def test_rfc9380_expand_message_xmd_sha512(vector: dict[str, Any]) -> None:
    length = int(vector["len_in_bytes"], 16)
    output = expand_message_xmd(vector["msg"].encode(), RFC9380["DST"].encode(), length)
    assert output.hex() == vector["uniform_bytes"]


def test_rfc9380_long_domain_strings_are_hashed() -> None:
    """Section 5.3.3: a DST beyond 255 bytes is replaced by a hash of it."""
    long = b"D" * 256
    replaced = hashlib.sha512(b"H2C-OVERSIZE-DST-" + long).digest()
    assert expand_message_xmd(b"m", long, 64) == expand_message_xmd(b"m", replaced, 64)
    assert expand_message_xmd(b"m", long[:255], 64) != expand_message_xmd(b"m", long, 64)


def test_rfc9380_lengths_beyond_the_limit_are_refused() -> None:
    with pytest.raises(ValueError, match="too many bytes"):
        expand_message_xmd(b"", b"DST", 255 * 64 + 1)
    assert len(expand_message_xmd(b"", b"DST", 255 * 64)) == 255 * 64


def test_frames_are_what_the_specification_says() -> None:
    assert frame(b"ab") == bytes.fromhex("0000000000000002") + b"ab"
    assert u64(258) == bytes.fromhex("0000000000000102")
    written = frame(b"evoting/v1/x") + frame(b"a") + frame(b"")
    assert frames("evoting/v1/x", (b"a", b"")) == written
    assert sha("evoting/v1/x", b"a", b"") == hashlib.sha256(written).digest()
    assert wide("evoting/v1/x", b"a", b"") == hashlib.sha512(written).digest()
    assert stream("evoting/v1/x", b"a", b"", length=100) == hashlib.shake_256(written).digest(100)
    assert scalar("evoting/v1/x", b"a", b"") == int.from_bytes(hashlib.sha512(written).digest(), "little") % ORDER


@given(st.lists(st.binary(max_size=8), max_size=4), st.lists(st.binary(max_size=8), max_size=4))
def test_B5_no_two_lists_of_parts_share_bytes(first: list[bytes], second: list[bytes]) -> None:
    assert (frames("d", tuple(first)) == frames("d", tuple(second))) == (first == second)


def test_B5_moving_a_byte_over_a_boundary_changes_every_hash() -> None:
    for function in (sha, wide, scalar):
        assert function("evoting/v1/x", b"ab", b"c") != function("evoting/v1/x", b"a", b"bc")
        assert function("evoting/v1/x", b"ab") != function("evoting/v1/xa", b"b")
        assert function("evoting/v1/x", b"", b"a") != function("evoting/v1/x", b"a", b"")


@each_group
def test_hashing_to_the_group_is_expansion_and_map(group: Group) -> None:
    domain, messages = "evoting/v1/test", [frame(b"a"), frame(b"b"), b""]
    elements = hash_to_group(group, domain, *messages)
    uniform = b"".join(expand_message_xmd(message, domain.encode(), 64) for message in messages)
    assert elements == group.elements_from_uniform(uniform)
    assert len(hash_to_group(group, domain)) == 0


@each_group
def test_S6_generators_are_images_of_public_labels(group: Group) -> None:
    blinding, message = generators(group, 3)
    assert blinding == hash_to_group(group, "evoting/v1/generator", frame(b"blinding"))
    assert message[1:2] == hash_to_group(group, "evoting/v1/generator", frame(b"message") + frame(u64(2)))
    encoded = [blinding.encode(), *(message[i : i + 1].encode() for i in range(3)), group.generator().encode()]
    assert len(set(encoded)) == 5
    assert bytes(32) not in encoded


def test_both_arithmetics_give_the_same_generators() -> None:
    from crypto.group import load_group, native_available

    if not native_available():
        pytest.skip("the native arithmetic is not built here")
    first, second = (generators(load_group(name), 64) for name in ("native", "portable"))
    assert [part.encode() for part in first] == [part.encode() for part in second]
