"""Bounds and forms that only hostile input reaches: each is refused by its own rule."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from verifier.record import files, manifest, note, policy, trust
from verifier.record.cbor import decode, encode
from verifier.record.errors import FormatError, UnreadableError
from verifier.record.files import hash_file, map_file, read_file
from verifier.record.manifest import decode_manifest
from verifier.record.manifest_rules import violations
from verifier.record.merkle import EMPTY_ROOT
from verifier.record.note import ED25519_NOTE, VerifierKey, parse_checkpoint, parse_vkey
from verifier.record.policy import parse_policy
from verifier.record.results import decode_result
from verifier.record.schema import octets
from verifier.record.trust import load_trust_root

_VECTORS = Path(__file__).parents[3] / "docs/spec/vectors"
_MANIFEST = bytes.fromhex(json.loads((_VECTORS / "manifest.json").read_text())["valid"][0]["cbor"])
_CHECKPOINT = json.loads((_VECTORS / "log.json").read_text())["checkpoints"][0]["note"]
_SMALL_ORDER = [bytes(32), b"\x01" + bytes(31), b"\xed" + b"\xff" * 30 + b"\x7f"]


# Manifest


def test_a_manifest_beyond_its_size_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "MAX_MANIFEST_BYTES", len(_MANIFEST))
    decode_manifest(_MANIFEST)
    monkeypatch.setattr(manifest, "MAX_MANIFEST_BYTES", len(_MANIFEST) - 1)
    with pytest.raises(FormatError, match="too many"):
        decode_manifest(_MANIFEST)


@pytest.mark.parametrize("text", [" x", "x ", "e\u0301", "\u212b"])
def test_a_title_has_one_form(text: str) -> None:
    """Blanks at the ends, and texts that are not in form C, look like others."""
    content: Any = decode(_MANIFEST)
    content["title"][next(iter(content["title"]))] = text
    with pytest.raises(FormatError, match="in form C"):
        decode_manifest(encode(content))


@pytest.mark.parametrize("key", _SMALL_ORDER)
def test_a_role_key_of_small_order_is_refused(key: bytes) -> None:
    content: Any = decode(_MANIFEST)
    content["roles"][0]["key"] = key
    assert any("small order" in sentence for sentence in violations(decode_manifest(encode(content))))


def test_a_referendum_is_no_mixed_contest() -> None:
    content: Any = decode(_MANIFEST)
    share = {"fraction": [1, 2], "of": "valid", "strict": True}
    rule = {"kind": "referendum", "against-all": "ignore", "turnout": share, "adoption": share}
    for contest in content["contests"]:
        if contest["kind"] == "mixed":
            contest["rule"] = rule
    assert any("needs a homomorphic contest" in sentence for sentence in violations(decode_manifest(encode(content))))


# Result

_OUTCOME: dict[str, Any] = {
    "status": "decided", "elected": [], "seats": [], "vacant": 0, "advance": [], "adopted": None, "ties": [],
    "steps": [["turnout", "", [1, -1]]],
}  # fmt: skip
_GROUP: dict[str, Any] = {
    "group": "east", "styles": ["east"], "counted": 1, "status": "tallied", "counts": None,
    "rankings": [[[0, 1], 1]], "invalid": 0,
}  # fmt: skip


def _result(group: dict[str, Any], outcome: dict[str, Any]) -> bytes:
    contest: Any = {
        "contest": "c", "groups": [_GROUP | group], "totals": None, "withdrawn": [], "outcome": _OUTCOME | outcome,
    }  # fmt: skip
    return encode({"format": "evoting-result/v1", "fingerprint": bytes(32), "contests": [contest]})


def test_a_result_of_the_schema_is_read() -> None:
    assert decode_result(_result({}, {}))["contests"][0]["outcome"] == _OUTCOME


@pytest.mark.parametrize(
    ("words", "group", "outcome"),
    [
        ("an integer is expected", {}, {"steps": [["turnout", "", [True]]]}),
        ("an integer is expected", {}, {"steps": [["turnout", "", ["1"]]]}),
        ("name, subject and values", {}, {"steps": [["turnout", ""]]}),
        ("name, subject and values", {}, {"steps": [["turnout", "", [], []]]}),
        ("name, subject and values", {}, {"steps": [{}]}),
        ("name, subject and values", {}, {"steps": ["abc"]}),
        ("an array of two is expected", {"rankings": [[[0, 1]]]}, {}),
        ("an array of two is expected", {"rankings": [[[0, 1], 1, 1]]}, {}),
        ("an array of two is expected", {"rankings": ["ab"]}, {}),
    ],
)
def test_steps_and_rankings_have_their_form(words: str, group: dict[str, Any], outcome: dict[str, Any]) -> None:
    with pytest.raises(FormatError, match=words):
        decode_result(_result(group, outcome))


def test_a_steps_integer_is_below_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """The encoding bounds integers already; the schema of the result keeps its own bound all the same."""
    from verifier.record import results

    data = _result({}, {"steps": [["turnout", "", [-9]]]})
    decode_result(data)
    monkeypatch.setattr(results, "_INT", 9)
    with pytest.raises(FormatError, match="an integer is expected"):
        decode_result(data)


# Notes, policy, trust root


@pytest.mark.parametrize("point", _SMALL_ORDER)
def test_a_verifier_key_of_small_order_is_refused(point: bytes) -> None:
    key = VerifierKey("log.example", ED25519_NOTE, point)
    text = f"log.example+{key.key_id.hex()}+{base64.b64encode(bytes([ED25519_NOTE]) + point).decode()}"
    with pytest.raises(FormatError, match="small order"):
        parse_vkey(text)


def test_the_empty_log_has_the_empty_trees_root() -> None:
    origin, _, root, *rest = _CHECKPOINT.split("\n")
    with pytest.raises(FormatError, match="empty tree"):
        parse_checkpoint("\n".join([origin, "0", root if root[0] != "4" else "A" * 43 + "=", *rest]).encode())
    empty = base64.b64encode(EMPTY_ROOT).decode()
    assert parse_checkpoint("\n".join([origin, "0", empty, *rest]).encode()).size == 0


def _vkey(name: str, algorithm: int) -> str:
    from nacl.signing import SigningKey

    key = VerifierKey(name, algorithm, bytes(SigningKey.generate().verify_key))
    return f"{name}+{key.key_id.hex()}+{base64.b64encode(bytes([algorithm]) + key.public_key).decode()}"


@pytest.mark.parametrize("name", ["Log.Example", "log_example", "log.example/", "log.example//x"])
def test_a_log_key_is_named_by_an_origin(name: str) -> None:
    with pytest.raises(FormatError, match="not an origin"):
        parse_policy(f"log {_vkey(name, ED25519_NOTE)}\nquorum none\n")


@pytest.mark.parametrize("name", ["", "a b", "a\u00a0b", "a\u2003b", "a\u3000b", "a\tb", "a\x01b"])
def test_a_key_has_a_name_without_spaces(name: str) -> None:
    """The key id is right for the name, so that only its form is wrong."""
    with pytest.raises(FormatError, match="is not a verifier key"):
        parse_vkey(_vkey(name, ED25519_NOTE))
    parse_vkey(_vkey("a-b", ED25519_NOTE))


@pytest.mark.parametrize("name", ["", "a+b", "a\u00a0b", "a\u2003b"])
def test_a_signature_line_has_a_key_name(name: str) -> None:
    line = base64.b64encode(bytes(68)).decode()
    note.parse_note(f"text\n\n\u2014 a-b {line}\n".encode())
    with pytest.raises(FormatError, match="is not a signature line"):
        note.parse_note(f"text\n\n\u2014 {name} {line}\n".encode())


def _note(text: str, *lines: str) -> bytes:
    return (text + "\n" + "".join(line + "\n" for line in lines)).encode()


_LINE = "\u2014 a-b " + base64.b64encode(bytes(68)).decode()


def test_a_note_beyond_its_size_is_refused() -> None:
    spare = note.MAX_NOTE_BYTES - len(_note("\n", _LINE))
    note.parse_note(_note("x" * spare + "\n", _LINE))
    with pytest.raises(FormatError, match="is too long"):
        note.parse_note(_note("x" * (spare + 1) + "\n", _LINE))


def test_a_note_has_not_more_signatures_than_anybody_makes() -> None:
    lines = [f"\u2014 n{number} {base64.b64encode(bytes(5)).decode()}" for number in range(note.MAX_SIGNATURES + 1)]
    assert len(note.parse_note(_note("text\n", *lines[1:])).signatures) == note.MAX_SIGNATURES
    with pytest.raises(FormatError, match="but not too many"):
        note.parse_note(_note("text\n", *lines))


@pytest.mark.parametrize("data", [_LINE + "\n", "text\n" + _LINE + "\n", "text\n\n" + _LINE, "\n"])
def test_signature_lines_follow_an_empty_line_and_end(data: str) -> None:
    with pytest.raises(FormatError, match="after an empty line"):
        note.parse_note(data.encode())


@pytest.mark.parametrize("line", ["\u2014 a-b", "\u2014", _LINE + " AAAA", _LINE + " ", _LINE.replace("\u2014", "-")])
def test_a_signature_line_has_three_parts(line: str) -> None:
    with pytest.raises(FormatError, match="is not a signature line"):
        note.parse_note(_note("text\n", line))


def test_a_policy_without_quorum_lets_two_views_stand() -> None:
    log = f"log {_vkey('log.example', ED25519_NOTE)}\n"
    witnesses = "".join(f"witness w{i} {_vkey(f'w{i}', note.ED25519_COSIGNATURE)}\n" for i in range(4))
    assert parse_policy(f"{log}quorum none\n").is_split()
    assert parse_policy(f"{log}{witnesses}group half 2 w0 w1 w2 w3\nquorum half\n").is_split()
    assert not parse_policy(f"{log}{witnesses}group most 3 w0 w1 w2 w3\nquorum most\n").is_split()
    assert not parse_policy(f"{log}{witnesses}quorum w0\n").is_split()


def test_an_origin_has_at_most_255_characters() -> None:
    _, *rest = _CHECKPOINT.split("\n")
    assert parse_checkpoint("\n".join(["a" * 255, *rest]).encode()).origin == "a" * 255
    with pytest.raises(FormatError, match="is not an origin"):
        parse_checkpoint("\n".join(["a" * 256, *rest]).encode())


def test_a_policy_beyond_its_size_is_refused() -> None:
    text = f"log {_vkey('log.example', ED25519_NOTE)}\nquorum none\n"
    comment = "#" * (policy.MAX_POLICY_BYTES - len(text) - 1) + "\n"
    parse_policy(text + comment)
    with pytest.raises(FormatError, match="too long"):
        parse_policy(text + "#" + comment)


def test_a_trust_root_beyond_its_size_is_refused(tmp_path: Path) -> None:
    members = {"format": "evoting-trust-root/v1", "fingerprint": "ab" * 32}
    content = json.dumps(members | {"policy": f"log {_vkey('log.example', ED25519_NOTE)}\nquorum none\n"})
    path = tmp_path / "trust-root.json"
    path.write_text(content.ljust(trust._MAX_BYTES))
    load_trust_root(path)
    path.write_text(content.ljust(trust._MAX_BYTES + 1))
    with pytest.raises(UnreadableError, match="too long"):
        load_trust_root(path)


# Files that change or fail while they are read


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 101)
    return path


def test_a_file_that_grows_while_it_is_read_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_open_regular", lambda path: (os.open(path, os.O_RDONLY), 100))
    with pytest.raises(FormatError, match="grew"):
        read_file(file, 100)


@pytest.mark.parametrize("read", [lambda path: read_file(path, 1000), hash_file, map_file])
def test_a_file_whose_reading_fails_is_refused_in_words(
    file: Path, read: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The descriptor cannot be read, as on a broken disk."""
    real = os.open

    def broken(path: Path) -> tuple[int, int]:
        descriptor = real(path.parent, os.O_RDONLY)  # reading a directory fails with an OSError
        return descriptor, 101

    monkeypatch.setattr(files, "_open_regular", broken)
    monkeypatch.setattr(os, "fdopen", lambda descriptor, mode: _Broken(descriptor))
    with pytest.raises(FormatError, match="file: "):
        read(file)


class _Broken:
    """A file object whose descriptor gives an error."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __enter__(self) -> _Broken:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def read(self, count: int) -> bytes:
        return os.read(self._descriptor, count)


@pytest.mark.parametrize("size", [1, 5])
def test_bytes_beyond_their_bounds_are_refused(size: int) -> None:
    bounded = octets(minimum=2, maximum=4)
    assert [bounded(bytes(fitting), "field") for fitting in (2, 4)] == [bytes(2), bytes(4)]
    with pytest.raises(FormatError, match=f"field: {size} bytes are out of bounds"):
        bounded(bytes(size), "field")


def test_bytes_without_an_upper_bound_may_be_long() -> None:
    assert octets(minimum=2)(bytes(5000), "field") == bytes(5000)
