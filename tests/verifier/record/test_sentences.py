"""Damaged encodings are named for what they are, and strictness does not rest on a library alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from nacl.signing import SigningKey

from verifier.record import ed25519
from verifier.record.cbor import decode
from verifier.record.errors import FormatError
from verifier.record.files import LogFiles, tile_path

# CBOR


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("", "truncated"),
        ("19", "truncated"),
        ("19ff", "truncated"),
        ("1b00ffffffffffff", "truncated"),
        ("44ffffff", "truncated"),
        ("64616161", "truncated"),
        ("8200", "truncated"),
        ("83f6f6", "truncated"),
        ("a16161", "truncated"),
        ("9affffffff", "truncated"),
        ("1c", "indefinite or reserved length at byte 0"),
        ("5f", "indefinite or reserved length at byte 0"),
        ("9f01ff", "indefinite or reserved length at byte 0"),
        ("81ff", "indefinite or reserved length at byte 1"),
        ("62c328", "text at byte 0 is not UTF-8"),
        ("8161ff", "text at byte 1 is not UTF-8"),
        ("1817", "byte 0 is not in its shortest form"),
        ("1b0020000000000000", "integer at byte 0 is not below 2\\^53"),
        ("c000", "a tag, float or simple value at byte 0"),
        ("a10102", "map key at byte 1 is not text"),
        ("a2616101616102", "map key at byte 4 is repeated or out of order"),
        ("81" * 17 + "00", "nesting deeper than 16"),
        ("0000", "1 bytes after the end"),
    ],
)
def test_the_defect_of_an_encoding_is_named(data: str, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        decode(bytes.fromhex(data))


# Ed25519

_KEY = SigningKey(bytes(range(32)))
_PUBLIC = bytes(_KEY.verify_key)
_SIGNATURE = _KEY.sign(b"message").signature
_L = 2**252 + 27742317777372353535851937790883648493
_NOT_ACCEPTABLE = [
    bytes(32),
    b"\x01" + bytes(31),
    (2**255 - 20).to_bytes(32, "little"),
    (2**255 - 19).to_bytes(32, "little"),
    (2**255 - 19 + 3).to_bytes(32, "little"),
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
]


@pytest.fixture
def permissive(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that accepts every signature: what is refused now, we refuse ourselves."""
    monkeypatch.setattr("nacl.bindings.crypto_sign_open", lambda signed, key: signed[64:])


@pytest.mark.usefixtures("permissive")
class TestWithoutTheLibrary:
    def test_a_proper_signature_is_accepted(self) -> None:
        assert ed25519.verify(_PUBLIC, b"message", _SIGNATURE)

    @pytest.mark.parametrize("point", _NOT_ACCEPTABLE)
    def test_points_of_small_order_or_another_encoding(self, point: bytes) -> None:
        assert not ed25519.verify(point, b"message", _SIGNATURE)
        assert not ed25519.verify(_PUBLIC, b"message", point + _SIGNATURE[32:])

    @pytest.mark.parametrize("scalar", [_L, _L + 1, 2**256 - 1])
    def test_responses_that_are_not_below_the_order(self, scalar: int) -> None:
        assert not ed25519.verify(_PUBLIC, b"message", _SIGNATURE[:32] + scalar.to_bytes(32, "little"))

    def test_other_lengths(self) -> None:
        for signature in (_SIGNATURE[:-1], _SIGNATURE + b"\0", b""):
            assert not ed25519.verify(_PUBLIC, b"message", signature)
        for key in (_PUBLIC[:-1], _PUBLIC + b"\0", b""):
            assert not ed25519.verify(key, b"message", _SIGNATURE)


def test_a_point_has_32_bytes() -> None:
    assert ed25519.is_acceptable_point(_PUBLIC)
    for other in (_PUBLIC + b"\0", _PUBLIC[:31] + b"", _PUBLIC[:16]):
        assert not ed25519.is_acceptable_point(other)


# Tiles


@pytest.mark.parametrize("bundle", [b"", b"\x00", b"\x00\x01a\x00", b"\x00\x01a\x00\x02b", b"\x00\x01a\xff\xffb"])
def test_a_bundle_that_ends_too_early_is_truncated(tmp_path: Path, bundle: bytes) -> None:
    path = tmp_path / tile_path("entries", 0, 2)
    path.parent.mkdir(parents=True)
    path.write_bytes(bundle)
    with pytest.raises(FormatError, match="entry bundle 0: truncated"):
        LogFiles(tmp_path, 2).read_bundle(0)


@pytest.mark.parametrize("length", [0, 32, 63, 65, 96])
def test_a_hash_tile_has_its_length(tmp_path: Path, length: int) -> None:
    path = tmp_path / tile_path("0", 0, 2)
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(length))
    with pytest.raises(FormatError, match=f"{length} bytes instead of 64"):
        LogFiles(tmp_path, 2).read_hash_tile(0, 0, 2)
