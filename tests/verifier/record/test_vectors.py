"""The worked vectors of docs/spec for manifest and log, read by the verifier's own code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crypto.group import load_group
from verifier.checks.checkpoint import checkpoint_quorum, checkpoint_signature, checkpoint_times
from verifier.checks.registry import NotRun
from verifier.equations.parameters import code_elements
from verifier.record.cbor import Value, decode, encode
from verifier.record.errors import FormatError
from verifier.record.files import LogFiles, tile_path, tiles_of
from verifier.record.manifest import codes_of, decode_manifest
from verifier.record.manifest_rules import violations
from verifier.record.merkle import leaf_hash, root_of
from verifier.record.note import parse_checkpoint, parse_vkey
from verifier.record.policy import parse_policy

_DIRECTORY = Path(__file__).parents[3] / "docs/spec/vectors"
_MANIFEST = json.loads((_DIRECTORY / "manifest.json").read_text())
_LOG = json.loads((_DIRECTORY / "log.json").read_text())
_ENTRIES = [b"entry %d" % number for number in range(300)]


@pytest.mark.parametrize("vector", _MANIFEST["valid"], ids=lambda vector: vector["name"])
def test_valid_manifests_with_hash_and_code_books(vector: dict[str, Any]) -> None:
    data = bytes.fromhex(vector["cbor"])
    manifest = decode_manifest(data)
    assert encode(decode(data)) == data
    assert manifest.hash.hex() == vector["sha256"]
    assert violations(manifest) == []
    books = {name: codes_of(contest) for name, contest in manifest.contests.items() if contest["kind"] == "mixed"}
    assert books == vector["codes"]
    group = load_group()
    for contest, codes in books.items():
        elements = code_elements(group, manifest.hash, contest, codes[:3])
        assert len(group.elements_decode(elements, allow_identity=False)) == len(codes[:3])


def _value(item: Any) -> Value:
    """A value as the vectors write it: bytes are {"bytes": hex}."""
    if isinstance(item, dict):
        if item.keys() == {"bytes"}:
            return bytes.fromhex(item["bytes"])
        return {name: _value(member) for name, member in item.items()}
    return [_value(member) for member in item] if isinstance(item, list) else item


@pytest.mark.parametrize("vector", _MANIFEST["invalid"], ids=lambda vector: vector["name"])
def test_invalid_manifests_are_refused_at_the_place(vector: dict[str, Any]) -> None:
    content: Any = decode(bytes.fromhex(_MANIFEST["valid"][0]["cbor"]))
    for change in vector["changes"]:
        *path, last = change["at"]
        target = content
        for step in path:
            target = target[step]
        target[last] = _value(change["value"])
    try:
        sentences = violations(decode_manifest(encode(content)))
    except FormatError as error:
        sentences = [str(error)]
    # The sentence names the field, or the list that it is in.
    field = vector["path"].replace("[", ".").split(".")[0]
    assert any(sentence.removeprefix("manifest.").startswith(field) for sentence in sentences), sentences


def _bundle(entries: list[bytes]) -> bytes:
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def test_the_files_of_the_log_of_300_entries() -> None:
    leaves = [leaf_hash(entry) for entry in _ENTRIES]
    files = {
        "tile/0/000": b"".join(leaves[:256]),
        "tile/0/001.p/44": b"".join(leaves[256:]),
        "tile/1/000.p/1": root_of(leaves[:256]),
        "tile/entries/000": _bundle(_ENTRIES[:256]),
        "tile/entries/001.p/44": _bundle(_ENTRIES[256:]),
    }
    found = {item["path"]: (item["length"], item["sha256"]) for item in _LOG["files"]}
    assert found == {path: (len(data), hashlib.sha256(data).hexdigest()) for path, data in files.items()}
    log = LogFiles(Path("nowhere"), 300)
    assert log.expected_paths() == {"checkpoint", *files}
    assert log.expected_count() == 1 + len(files)


@pytest.mark.parametrize("vector", _LOG["checkpoints"], ids=lambda vector: str(vector["size"]))
def test_checkpoints(vector: dict[str, Any]) -> None:
    checkpoint = parse_checkpoint(vector["note"].encode())
    assert (checkpoint.size, checkpoint.root.hex()) == (vector["size"], vector["root"])
    assert root_of([leaf_hash(entry) for entry in _ENTRIES[: checkpoint.size]]) == checkpoint.root


class _AtTime:
    """What the checkpoint checks ask of a state where there are no entries."""

    def __init__(self, checkpoint: str, now: int) -> None:
        self.checkpoint = parse_checkpoint(checkpoint.encode())
        self.trust = type("Trust", (), {"policy": parse_policy(_LOG["policy"])})
        self.settings = type("Settings", (), {"now": now})
        self.entries: list[object] = []

    @property
    def opening(self) -> object:
        raise NotRun("order.counts")


@pytest.mark.parametrize("vector", _LOG["evaluations"], ids=lambda vector: vector["what"])
def test_evaluations_of_the_policy(vector: dict[str, Any]) -> None:
    state: Any = _AtTime(vector["checkpoint"], vector["now"])
    failed = []
    for name, function in (
        ("checkpoint.signature", checkpoint_signature),
        ("checkpoint.quorum", checkpoint_quorum),
        ("checkpoint.times", checkpoint_times),
    ):
        try:
            if list(function(state)):
                failed.append(name)
        except NotRun:
            assert "checkpoint.quorum" in failed
    assert failed == ([vector["fails"]] if vector["fails"] else [])


_READERS: dict[str, Callable[[str], object]] = {
    "vkey": parse_vkey,
    "checkpoint": lambda text: parse_checkpoint(text.encode()),
    "policy": parse_policy,
}


@pytest.mark.parametrize(
    "vector", [v for v in _LOG["refused"] if v["kind"] in _READERS], ids=lambda v: f"{v['kind']}: {v['reason']}"
)
def test_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        _READERS[vector["kind"]](vector["text"])


@pytest.mark.parametrize("vector", [v for v in _LOG["refused"] if v["kind"] == "bundle"], ids=lambda v: v["reason"])
def test_refused_bundles(vector: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / tile_path("entries", 0, vector["width"])
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes.fromhex(vector["hex"]))
    with pytest.raises(FormatError):
        LogFiles(tmp_path, vector["width"]).read_bundle(0)


def test_paths() -> None:
    assert list(_LOG["paths"].values()) == [
        tile_path("0", 1234067),
        tile_path("1", 1, 17),
        tile_path("entries", 70123, 9),
    ]
    # Paths are only ever made, never parsed, so what must be refused is simply never expected.
    expected = {path for level in ("0", "1") for path in tiles_of(level, 300)}
    assert not expected & {vector["text"] for vector in _LOG["refused"] if vector["kind"] == "path"}
