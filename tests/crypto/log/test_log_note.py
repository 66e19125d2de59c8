"""Signed notes and vkeys against golang.org/x/mod/sumdb/note, RFC 8032 and Wycheproof."""

from __future__ import annotations

import base64
import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.log.errors import InvalidNoteSignature, LogError, LogFormatError
from crypto.log.note import (
    COSIGNATURE_KEY,
    MAX_NOTE_BYTES,
    NOTE_KEY,
    NoteSignature,
    NoteSigningKey,
    VerifierKey,
    decode_base64,
    decode_decimal,
    decode_note,
    decode_vkey,
    is_key_name,
    sign_note,
    verify_ed25519,
    verify_note_signature,
)

VECTORS_DIR = Path(__file__).parents[2] / "vectors"
NOTES: dict[str, Any] = json.loads((VECTORS_DIR / "signed-note.json").read_text())
RFC_8032: list[dict[str, str]] = json.loads((VECTORS_DIR / "rfc8032-ed25519.json").read_text())["tests"]
WYCHEPROOF = [
    (group["publicKey"]["pk"], test)
    for group in json.loads((VECTORS_DIR / "wycheproof-ed25519.json").read_text())["testGroups"]
    for test in group["tests"]
]

PETER = decode_vkey(NOTES["peter"]["vkey"])
ENOCH = decode_vkey(NOTES["enoch"]["vkey"])
TEXT: str = NOTES["text"]
SIGNED = TEXT + "\n" + NOTES["peter"]["line"] + NOTES["enoch"]["line"]


def test_published_note_is_signed_byte_for_byte() -> None:
    seed = base64.b64decode(NOTES["peter"]["seed_material"])[1:]
    key = NoteSigningKey("PeterNeumann", NOTE_KEY, seed)
    assert key.verifier == PETER
    assert sign_note(TEXT, [key]).encode().decode() == TEXT + "\n" + NOTES["peter"]["line"]
    assert "PeterNeumann" in repr(key)
    assert base64.b64encode(seed).decode() not in repr(key)
    assert seed.hex() not in repr(key)
    assert repr(seed) not in repr(key)


def test_published_note_with_two_signatures_verifies() -> None:
    note = decode_note(SIGNED.encode())
    assert note.encode().decode() == SIGNED
    assert note.text == TEXT
    for line, key in zip(note.signatures, (PETER, ENOCH), strict=True):
        assert note.signature_by(key) == line
        verify_note_signature(note.text, line, key)
        with pytest.raises(InvalidNoteSignature):
            verify_note_signature(note.text.replace("cryptography", "blockchain"), line, key)


def test_example_of_c2sp_signed_note_is_parsed() -> None:
    """Its key is not published; its text has an empty line, and the last empty line counts."""
    data = NOTES["c2sp_example"].encode()
    note = decode_note(data)
    assert note.text.endswith("\n\ned è subito sera.\n")
    assert [line.name for line in note.signatures] == ["quasimodo.example/salvatore"]
    assert note.signatures[0].key_id.hex() == "367ba04b"
    assert len(note.signatures[0].signature) == 64
    assert note.encode() == data


@pytest.mark.parametrize("vkey", [NOTES["peter"]["vkey"], NOTES["enoch"]["vkey"], NOTES["cosignature_vkey"]])
def test_vkeys_round_trip(vkey: str) -> None:
    assert decode_vkey(vkey).encode() == vkey


def test_every_part_and_every_change_of_a_vkey_is_refused() -> None:
    vkey = NOTES["peter"]["vkey"]
    for start in range(len(vkey)):
        for stop in range(start + 1, len(vkey) + 1):
            if (start, stop) != (0, len(vkey)):
                with pytest.raises(LogFormatError):
                    decode_vkey(vkey[start:stop])
    for at in range(len(vkey)):
        with pytest.raises(LogFormatError):
            decode_vkey(vkey[:at] + chr(ord(vkey[at]) + 1) + vkey[at + 1 :])


@pytest.mark.parametrize("name", NOTES["bad_vkeys"])
def test_published_bad_vkey_is_refused(name: str) -> None:
    with pytest.raises(LogFormatError):
        decode_vkey(NOTES["bad_vkeys"][name])


@pytest.mark.parametrize("name", NOTES["bad_notes"])
def test_published_bad_note_is_refused(name: str) -> None:
    with pytest.raises(LogFormatError):
        decode_note(NOTES["bad_notes"][name].encode())


def test_note_that_is_no_utf8_is_refused() -> None:
    with pytest.raises(LogFormatError, match="UTF-8"):
        decode_note(b"\xff" + SIGNED.encode())


@pytest.mark.parametrize(
    ("defect", "line"),
    [
        ("two signatures by one key", NOTES["peter"]["line"] * 2),
        ("canonical", NOTES["peter"]["line"].replace("nAM=", "nAN=")),
        ("not base64", NOTES["peter"]["line"].replace("x08go", "x0!go")),
        ("no signature line", NOTES["peter"]["line"].replace("\u2014", "-")),
        ("no signature line", "\u2014 PeterNeumann x08goA==\n"),
        ("no signature line", "\u2014 Peter+Neumann x08go/ZJ\n"),
        ("no signature line", "\u2014  x08go/ZJ\n"),
        ("not base64", "\u2014 PeterNeumann  x08go/ZJkuA=\n"),
        ("no signature line", "\u2014 Peter\u00a0Neumann x08go/ZJ\n"),
        ("newline", NOTES["peter"]["line"] + "x"),
    ],
)
def test_malformed_signature_line_is_refused(defect: str, line: str) -> None:
    with pytest.raises(LogFormatError, match=defect):
        decode_note((TEXT + "\n" + line).encode())


def test_limits_of_a_note() -> None:
    lines = [NoteSignature(f"key{i}", bytes(4), b"x").encode() for i in range(257)]
    assert len(decode_note((TEXT + "\n" + "".join(lines[:256])).encode()).signatures) == 256
    with pytest.raises(LogFormatError, match="257 signatures"):
        decode_note((TEXT + "\n" + "".join(lines)).encode())
    with pytest.raises(LogFormatError, match="more than"):
        decode_note(bytes(MAX_NOTE_BYTES + 1))


def test_a_line_is_another_keys_unless_name_and_id_match() -> None:
    note = decode_note(SIGNED.encode())
    line = note.signatures[0]
    renamed = VerifierKey("OtherName", NOTE_KEY, PETER.public_key)
    retyped = VerifierKey(PETER.name, COSIGNATURE_KEY, PETER.public_key)
    for key in (renamed, retyped, ENOCH):
        assert note.signature_by(key) != line
        with pytest.raises(InvalidNoteSignature, match="is not by the note key"):
            verify_note_signature(note.text, line, key)


@pytest.mark.parametrize("case", RFC_8032, ids=range(len(RFC_8032)))
def test_rfc_8032_vectors(case: dict[str, str]) -> None:
    message, signature = bytes.fromhex(case["message"]), bytes.fromhex(case["signature"])
    key = NoteSigningKey("rfc8032.example", NOTE_KEY, bytes.fromhex(case["secret"]))
    assert key.verifier.public_key.hex() == case["public"]
    assert key.sign_message(message) == signature
    verify_ed25519(key.verifier, signature, message)
    with pytest.raises(InvalidNoteSignature):
        verify_ed25519(key.verifier, signature, message + b"x")


@pytest.mark.parametrize(("public_key", "case"), WYCHEPROOF, ids=[f"tc{test['tcId']}" for _, test in WYCHEPROOF])
def test_wycheproof_vectors(public_key: str, case: dict[str, Any]) -> None:
    key = VerifierKey("wycheproof.example", NOTE_KEY, bytes.fromhex(public_key))
    message, signature = bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"])
    if case["result"] == "valid":
        verify_ed25519(key, signature, message)
    else:
        with pytest.raises(InvalidNoteSignature):
            verify_ed25519(key, signature, message)


def test_public_key_of_small_order_verifies_nothing() -> None:
    """With the identity as key, R = S = 0 would satisfy the equation for every message."""
    identity = b"\x01" + bytes(31)
    with pytest.raises(InvalidNoteSignature):
        verify_ed25519(VerifierKey("weak.example", NOTE_KEY, identity), identity + bytes(32), b"any message")


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_a_note_that_encodes_to_them_or_are_refused(data: bytes) -> None:
    with contextlib.suppress(LogError):
        assert decode_note(data).encode() == data


@given(
    text=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40).map(lambda text: text + "\n"),
    seeds=st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=3, unique=True),
)
def test_notes_round_trip(text: str, seeds: list[bytes]) -> None:
    keys = [NoteSigningKey(f"key.example/{i}", NOTE_KEY, seed) for i, seed in enumerate(seeds)]
    note = sign_note(text, keys)
    assert decode_note(note.encode()) == note
    for line, key in zip(note.signatures, keys, strict=True):
        verify_note_signature(text, line, key.verifier)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u2003b", "a\tb", "a\u0085b", "a\u3000"])
def test_bad_key_names(name: str) -> None:
    assert not is_key_name(name)
    with pytest.raises(LogFormatError):
        VerifierKey(name, NOTE_KEY, bytes(32))


def test_signing_is_refused_for_a_text_that_is_none_and_a_cosignature_key() -> None:
    key = NoteSigningKey("key.example", NOTE_KEY, bytes(32))
    for text in ("no newline", "control\x01\n", "carriage\r\n"):
        with pytest.raises(ValueError, match="newline"):
            sign_note(text, [key])
    with pytest.raises(ValueError, match="no plain note key"):
        sign_note("text\n", [NoteSigningKey("key.example", COSIGNATURE_KEY, bytes(32))])


@pytest.mark.parametrize("text", ["QQ==\n", "QQ", "QR==", "Q Q=", "QQ=", "QQ===", "Q-_=", "é"])
def test_base64_that_is_not_canonical_is_refused(text: str) -> None:
    with pytest.raises(LogFormatError):
        decode_base64(text, "value")


@pytest.mark.parametrize("text", ["", "00", "01", "+1", "-1", "1 ", "1_0", "٣", "11", "99999999999999999999", "0x1"])
def test_decimal_that_is_not_canonical_is_refused(text: str) -> None:
    with pytest.raises(LogFormatError):
        decode_decimal(text, "value", 10)
