"""Signed notes, checkpoints, cosignatures and policies."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from verifier.record.errors import FormatError
from verifier.record.note import (
    ED25519_COSIGNATURE,
    ED25519_NOTE,
    VerifierKey,
    parse_checkpoint,
    parse_note,
    parse_vkey,
    read_cosignature,
    verify_note,
)
from verifier.record.policy import parse_policy
from verifier.record.trust import parse_trust_root

TEXT = b"log.example/one\n7\n" + base64.b64encode(bytes(range(32))) + b"\n"
LOG, WITNESS = SigningKey(bytes(range(32))), SigningKey(bytes(range(1, 33)))
LOG_KEY = VerifierKey("log.example/one", ED25519_NOTE, bytes(LOG.verify_key))
WITNESS_KEY = VerifierKey("witness.example", ED25519_COSIGNATURE, bytes(WITNESS.verify_key))


def _line(key: VerifierKey, signature: bytes) -> bytes:
    return f"\u2014 {key.name} {base64.b64encode(key.key_id + signature).decode()}\n".encode()


def _signed(text: bytes = TEXT, key: VerifierKey = LOG_KEY) -> bytes:
    return _line(key, LOG.sign(text).signature)


def _cosigned(time: int, text: bytes = TEXT) -> bytes:
    signature = WITNESS.sign(b"cosignature/v1\ntime %d\n" % time + text).signature
    return _line(WITNESS_KEY, time.to_bytes(8, "big") + signature)


def _vkey(key: VerifierKey) -> str:
    material = base64.b64encode(bytes([key.algorithm]) + key.public_key).decode()
    return f"{key.name}+{key.key_id.hex()}+{material}"


def test_a_signed_and_cosigned_checkpoint_is_read() -> None:
    checkpoint = parse_checkpoint(TEXT + b"\n" + _signed() + _cosigned(1700000000))
    assert (checkpoint.origin, checkpoint.size, checkpoint.root) == ("log.example/one", 7, bytes(range(32)))
    assert verify_note(checkpoint.note, LOG_KEY)
    cosignature = read_cosignature(checkpoint.note, WITNESS_KEY)
    assert cosignature is not None
    assert cosignature.timestamp == 1700000000


def test_signatures_over_other_bytes_do_not_hold() -> None:
    other = TEXT.replace(b"\n7\n", b"\n8\n")
    note = parse_note(other + b"\n" + _signed() + _cosigned(1700000000))
    assert not verify_note(note, LOG_KEY)
    assert read_cosignature(note, WITNESS_KEY) is None


def test_a_signature_under_another_name_is_not_the_logs() -> None:
    stranger = VerifierKey("log.example/two", ED25519_NOTE, LOG_KEY.public_key)
    assert not verify_note(parse_note(TEXT + b"\n" + _signed(key=stranger)), LOG_KEY)


def test_a_note_signature_is_no_cosignature_and_the_other_way_round() -> None:
    as_witness = VerifierKey(LOG_KEY.name, ED25519_COSIGNATURE, LOG_KEY.public_key)
    note = parse_note(TEXT + b"\n" + _line(as_witness, LOG.sign(TEXT).signature))
    assert not verify_note(note, as_witness)
    assert read_cosignature(note, as_witness) is None


def test_a_proper_cosignature_under_a_key_of_another_type_does_not_count() -> None:
    """The very bytes of a cosignature, by a key that is listed for signing notes."""
    key = VerifierKey(WITNESS_KEY.name, ED25519_NOTE, WITNESS_KEY.public_key)
    signature = WITNESS.sign(b"cosignature/v1\ntime 5\n" + TEXT).signature
    note = parse_note(TEXT + b"\n" + _line(key, (5).to_bytes(8, "big") + signature))
    assert read_cosignature(note, key) is None
    assert not verify_note(note, key)


@pytest.mark.parametrize(("time", "counts"), [(0, True), (2**63 - 1, True), (2**63, False), (2**64 - 1, False)])
def test_the_time_of_a_cosignature_is_below_2_to_the_63(time: int, counts: bool) -> None:
    note = parse_note(TEXT + b"\n" + _cosigned(time))
    assert (read_cosignature(note, WITNESS_KEY) is not None) == counts


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"\0", lambda data: data[:8]])
def test_a_cosignature_has_exactly_its_length(change: Callable[[bytes], bytes]) -> None:
    signature = WITNESS.sign(b"cosignature/v1\ntime 5\n" + TEXT).signature
    data = (5).to_bytes(8, "big") + signature
    assert read_cosignature(parse_note(TEXT + b"\n" + _line(WITNESS_KEY, data)), WITNESS_KEY) is not None
    assert read_cosignature(parse_note(TEXT + b"\n" + _line(WITNESS_KEY, change(data))), WITNESS_KEY) is None


def test_a_note_without_the_witness_has_no_cosignature_of_it() -> None:
    assert read_cosignature(parse_note(TEXT + b"\n" + _signed()), WITNESS_KEY) is None


def test_two_lines_of_one_key_are_refused() -> None:
    for lines in (_signed() + _signed(), _signed() + _cosigned(5) + _cosigned(6)):
        with pytest.raises(FormatError, match="two lines of one key"):
            parse_note(TEXT + b"\n" + lines)


@pytest.mark.parametrize(
    ("defect", "data"),
    [
        ("empty", b""),
        ("no signature", TEXT + b"\n"),
        ("no empty line", TEXT + _signed()),
        ("no final newline", TEXT + b"\n" + _signed()[:-1]),
        ("carriage returns", (TEXT + b"\n" + _signed()).replace(b"\n", b"\r\n")),
        ("control character", TEXT.replace(b"one", b"o\x1be") + b"\n" + _signed()),
        ("not UTF-8", TEXT.replace(b"one", b"o\xffe") + b"\n" + _signed()),
        ("hyphen instead of dash", TEXT + b"\n" + _signed().replace("\u2014".encode(), b"-")),
        ("two blanks", TEXT + b"\n" + _signed().replace(b"one ", b"one  ")),
        ("base64 with stray bits", TEXT + b"\n" + "\u2014 a AAAAAAB=\n".encode()),
        ("only a key id", TEXT + b"\n" + "\u2014 a AAAAAA==\n".encode()),
        ("text after signatures", TEXT + b"\n" + _signed() + b"more\n"),
        ("too many signatures", TEXT + b"\n" + _signed() * 300),
        ("megabytes", TEXT + b"\n" + _signed() * 100_000),
    ],
)
def test_hostile_notes_are_refused(defect: str, data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_note(data)


@pytest.mark.parametrize(
    ("defect", "text"),
    [
        ("extension line", TEXT + b"extension\n"),
        ("no root", b"log.example/one\n7\n"),
        ("empty origin", TEXT.replace(b"log.example/one", b"")),
        ("leading zero", TEXT.replace(b"\n7\n", b"\n07\n")),
        ("negative size", TEXT.replace(b"\n7\n", b"\n-7\n")),
        ("size of Arabic digits", TEXT.replace(b"\n7\n", "\n\u0667\n".encode())),
        ("size beyond everything", TEXT.replace(b"\n7\n", b"\n9999999999999999999\n")),
        ("short root", TEXT[:-5] + b"\n"),
    ],
)
def test_hostile_checkpoints_are_refused(defect: str, text: bytes) -> None:
    with pytest.raises(FormatError):
        parse_checkpoint(text + b"\n" + _signed(text))


@given(st.binary(max_size=400))
def test_arbitrary_bytes_never_raise_anything_else(data: bytes) -> None:
    for candidate in (data, TEXT + b"\n" + data, TEXT + b"\n" + _signed() + data):
        try:
            parse_checkpoint(candidate)
        except FormatError:
            continue


def test_published_vkeys() -> None:
    # The key of the example in C2SP signed-note, and of golang.org/x/mod/sumdb/note.
    key = parse_vkey("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    assert (key.name, key.algorithm) == ("PeterNeumann", ED25519_NOTE)
    text = (
        b"If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
        + "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgK"
        "vqfqdngotpRZb6KE6RyyBwJnAM=\n".encode()
    )
    assert verify_note(parse_note(text), key)


@pytest.mark.parametrize("change", [("c74f20a3", "c74f20a4"), ("+AR", "+Ah"), ("PeterNeumann", "Peter Neumann")])
def test_wrong_vkeys_are_refused(change: tuple[str, str]) -> None:
    with pytest.raises(FormatError):
        parse_vkey("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".replace(*change))


def _vkey_of(material: bytes, name: str = "log.example/one") -> str:
    """A key of any material, with the key id that belongs to it."""
    key_id = hashlib.sha256(name.encode() + b"\n" + material).digest()[:4]
    return f"{name}+{key_id.hex()}+{base64.b64encode(material).decode()}"


_POINT = bytes(LOG.verify_key)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not a verifier key"),
        ("log.example/one", "is not a verifier key"),
        ("log.example/one+00000000", "is not a verifier key"),
        (_vkey_of(b"\x01" + _POINT, ""), "is not a verifier key"),
        (_vkey_of(b"\x01" + _POINT, "log example"), "is not a verifier key"),
        (_vkey_of(b"\x01" + _POINT, "log\x1f"), "is not a verifier key"),
        (_vkey_of(b""), "is not an Ed25519 key"),
        (_vkey_of(b"\x01" + _POINT[:31]), "is not an Ed25519 key"),
        (_vkey_of(b"\x01" + _POINT + b"\0"), "is not an Ed25519 key"),
        (_vkey_of(b"\x02" + _POINT), "is not an Ed25519 key"),
        (_vkey_of(b"\x01" + _POINT).upper(), "the key id of .* is not that of its key"),
        (_vkey_of(b"\x01" + _POINT).replace("+", "+0", 1), "the key id of .* is not that of its key"),
        (_vkey_of(b"\x01" + b"\x01" + bytes(31)), "is of small order or not canonical"),
        (_vkey_of(b"\x01" + b"\xff" * 32), "is of small order or not canonical"),
    ],
)
def test_what_is_wrong_with_a_vkey_is_named(text: str, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        parse_vkey(text)


def _witness(number: int) -> VerifierKey:
    seed = SigningKey(number.to_bytes(32, "big"))
    return VerifierKey(f"w{number}.example", ED25519_COSIGNATURE, bytes(seed.verify_key))


_WITNESSES = "".join(f"witness W{number} {_vkey(_witness(number))}\n" for number in range(1, 7))
_HEAD = f"# a comment\n\nlog {_vkey(LOG_KEY)} https://log.example/\n{_WITNESSES}"
_NESTED = _HEAD + ("group parties 2 W1 W2 W3\n\tgroup\tcourts any W4 W5 \ngroup both all parties courts\nquorum both\n")


@pytest.mark.parametrize(
    ("cosigned", "reached"),
    [("W1 W2 W4", True), ("W1 W3 W5", True), ("W1 W2", False), ("W1 W4 W5", False), ("W6 W4 W1", False), ("", False)],
)
def test_a_quorum_of_groups(cosigned: str, reached: bool) -> None:
    assert parse_policy(_NESTED).is_satisfied(cosigned.split()) == reached


@pytest.mark.parametrize(
    ("words", "policy"),
    [
        ("exactly one quorum line", "\n"),
        ("exactly one quorum line", _HEAD),
        ("exactly one quorum line", _NESTED + "quorum W1\n"),
        ("the quorum 'W9' is not defined", _HEAD + "quorum W9\n"),
        ("the quorum 'W1' is not defined", f"quorum W1\n{_HEAD}"),
        ("the member 'g' of 'g' is not defined", _HEAD + "group g any g\nquorum g\n"),
        ("the member 'W1' of 'g' .* is in a group already", _HEAD + "group g 2 W1 W1\nquorum g\n"),
        ("the member 'W1' of 'h' .* is in a group already", _HEAD + "group g any W1\ngroup h any W1\nquorum g\n"),
        ("the threshold '0' of 'g'", _HEAD + "group g 0 W1 W2\nquorum g\n"),
        ("the threshold '01' of 'g'", _HEAD + "group g 01 W1 W2\nquorum g\n"),
        ("the threshold '3' of 'g'", _HEAD + "group g 3 W1 W2\nquorum g\n"),
        ("the member 'none' of 'g' is not defined", _HEAD + "group g any none\nquorum g\n"),
        ("'none' is defined twice or reserved", _HEAD + "group none any W1\nquorum none\n"),
        ("'none' is defined twice or reserved", _HEAD + f"witness none {_vkey(_witness(7))}\nquorum none\n"),
        ("'W1' is defined twice or reserved", _HEAD + f"witness W1 {_vkey(_witness(7))}\nquorum W1\n"),
        ("the key of .* is repeated", _HEAD + f"witness W7 {_vkey(_witness(1))}\nquorum W1\n"),
        ("the witness key of 'W7' has the wrong type", _HEAD + f"witness W7 {_vkey(LOG_KEY)}\nquorum W1\n"),
        ("the log key of .* has the wrong type", f"log {_vkey(_witness(1))}\nquorum none\n"),
        ("unknown line", _HEAD + "quorums W1\nquorum W1\n"),
        ("unknown line", _HEAD + "group g any\nquorum W1\n"),
        ("line 10: control character", _HEAD + "quorum W1\r\n"),
        ("line 1: control character", f"# a\x01\n{_NESTED}"),
        ("line 1: control character", f"# a\x7f\n{_NESTED}"),
        ("text that ends with a newline", ""),
        ("text that ends with a newline", _NESTED + "#"),
        ("text that ends with a newline", f"# \ud800\n{_NESTED}"),
        ("text that ends with a newline", f"# {chr(0xDFFF)}\n{_NESTED}"),
        ("more than 128 groups", _HEAD + "group g0 any W1\n"
            + "".join(f"group g{n} any g{n - 1}\n" for n in range(1, 1000)) + "quorum g999\n"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_policy_is_named(words: str, policy: str) -> None:
    with pytest.raises(FormatError, match=words):
        parse_policy(policy)


_TRUST = {"format": "evoting-trust-root/v1", "fingerprint": "ab" * 32, "policy": _NESTED}


def test_a_trust_root_is_read() -> None:
    assert parse_trust_root(json.dumps(_TRUST).encode()).fingerprint == b"\xab" * 32


@pytest.mark.parametrize(
    ("words", "data"),
    [
        ("not JSON in UTF-8", b""),
        ("not JSON in UTF-8", b"{"),
        ("not JSON in UTF-8", json.dumps(_TRUST).encode("utf-16")),
        ("not JSON in UTF-8", b"9" * 5_000),
        ("the members are not exactly", b"[]"),
        ("the members are not exactly", b"null"),
        ("the members are not exactly", json.dumps({**_TRUST, "more": 1}).encode()),
        ("the members are not exactly", json.dumps({"format": 1, "policy": 1}).encode()),
        ("a member is repeated", json.dumps(_TRUST).replace("{", '{"format": "evoting-trust-root/v1",', 1).encode()),
        ("the format .* is not", json.dumps({**_TRUST, "format": "evoting-trust-root/v2"}).encode()),
        ("the fingerprint is not 64 hex digits", json.dumps({**_TRUST, "fingerprint": "AB" * 32}).encode()),
        ("the fingerprint is not 64 hex digits", json.dumps({**_TRUST, "fingerprint": "ab" * 31}).encode()),
        ("the fingerprint is not 64 hex digits", json.dumps({**_TRUST, "fingerprint": "ab" * 32 + "\n"}).encode()),
        ("the fingerprint is not 64 hex digits", json.dumps({**_TRUST, "fingerprint": 7}).encode()),
        ("the policy is not text", json.dumps({**_TRUST, "policy": None}).encode()),
        ("nested too deeply", b"[" * 100_000),
        ("nested too deeply", b'{"a":' * 100_000),
    ],
)
def test_what_is_wrong_with_a_trust_root_is_named(words: str, data: bytes) -> None:
    with pytest.raises(FormatError, match=words):
        parse_trust_root(data)


def test_the_sample_logs_checkpoints_are_read() -> None:
    sample = Path(__file__).parents[2] / "vectors/tlog-tiles-sample"
    for size in range(16):
        assert parse_checkpoint((sample / f"checkpoint.{size}").read_bytes()).size == size
