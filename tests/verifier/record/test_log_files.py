"""Tiles, bundles and the Merkle tree, on a log from outside this project and on hostile files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.record.errors import FormatError
from verifier.record.files import LogFiles, hash_file, hash_levels, map_file, read_file, tile_path, walk
from verifier.record.merkle import EMPTY_ROOT, leaf_hash, node_hash, root_of
from verifier.record.note import parse_checkpoint
from verifier.stream.scan import Scan, scan_chunk

#: transparency-dev/tessera, testdata/log (see tests/vectors).
SAMPLE = Path(__file__).parents[2] / "vectors/tlog-tiles-sample"


@pytest.mark.parametrize("size", range(1, 16))
def test_root_and_hash_tile_of_every_size_of_the_sample_log(size: int) -> None:
    checkpoint = parse_checkpoint((SAMPLE / f"checkpoint.{size}").read_bytes())
    log = LogFiles(SAMPLE, checkpoint.size)
    leaves = [leaf_hash(entry) for entry in log.read_bundle(0)]
    assert checkpoint.size == size
    assert root_of(leaves) == checkpoint.root
    assert log.read_hash_tile(0, 0, size) == b"".join(leaves)


def test_the_empty_tree_of_the_sample_log() -> None:
    checkpoint = parse_checkpoint((SAMPLE / "checkpoint.0").read_bytes())
    assert (checkpoint.size, checkpoint.root) == (0, EMPTY_ROOT)


def test_scanning_the_sample_log_gives_its_root() -> None:
    checkpoint = parse_checkpoint((SAMPLE / "checkpoint").read_bytes())
    scan = Scan()
    scan.add(scan_chunk(LogFiles(SAMPLE, checkpoint.size), (0, 1)))
    assert root_of(scan.roots) == checkpoint.root
    assert not scan.wrong_tiles
    assert not scan.unreadable


def _recursive_root(entries: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word by word."""
    if len(entries) <= 1:
        return leaf_hash(entries[0]) if entries else EMPTY_ROOT
    split = 1 << ((len(entries) - 1).bit_length() - 1)
    return node_hash(_recursive_root(entries[:split]), _recursive_root(entries[split:]))


@given(st.integers(0, 600))
def test_the_root_by_levels_is_that_of_the_recursive_definition(count: int) -> None:
    entries = [number.to_bytes(2, "big") for number in range(count)]
    leaves = [leaf_hash(entry) for entry in entries]
    assert root_of(leaves) == _recursive_root(entries)
    assert root_of([root_of(leaves[at : at + 256]) for at in range(0, count, 256)]) == _recursive_root(entries)


@pytest.mark.parametrize(
    ("index", "width", "path"),
    [
        (0, 256, "tile/entries/000"),
        (999, 1, "tile/entries/999.p/1"),
        (1000, 256, "tile/entries/x001/000"),
        (1234067, 255, "tile/entries/x001/x234/067.p/255"),
    ],
)
def test_tile_paths(index: int, width: int, path: str) -> None:
    assert tile_path("entries", index, width) == path


@pytest.mark.parametrize(("size", "levels"), [(0, []), (255, [255]), (256, [256, 1]), (70000, [70000, 273, 1])])
def test_levels(size: int, levels: list[int]) -> None:
    assert hash_levels(size) == levels


def _log(tmp_path: Path, size: int, bundle: bytes) -> LogFiles:
    path = tmp_path / tile_path("entries", 0, size)
    path.parent.mkdir(parents=True)
    path.write_bytes(bundle)
    return LogFiles(tmp_path, size)


@pytest.mark.parametrize(
    ("defect", "bundle"),
    [
        ("empty", b""),
        ("truncated length", b"\x00\x01a\x00"),
        ("length beyond the end", b"\x00\x01a\xff\xffb"),
        ("one entry too few", b"\x00\x01a"),
        ("one entry too many", b"\x00\x01a\x00\x01b\x00\x01c"),
        ("a byte after the last entry", b"\x00\x01a\x00\x01b\x00"),
    ],
)
def test_hostile_bundles_are_refused(tmp_path: Path, defect: str, bundle: bytes) -> None:
    with pytest.raises(FormatError):
        _log(tmp_path, 2, bundle).read_bundle(0)


def test_a_bundle_of_two_entries_is_read(tmp_path: Path) -> None:
    assert _log(tmp_path, 2, b"\x00\x01a\x00\x00").read_bundle(0) == [b"a", b""]


@pytest.mark.parametrize("read", [lambda path: read_file(path, 100), map_file, hash_file])
def test_pipes_links_directories_and_missing_files_are_refused(tmp_path: Path, read: object) -> None:
    (tmp_path / "file").write_bytes(b"data")
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe", "missing", "."):
        with pytest.raises(FormatError):
            read(tmp_path / name)  # type: ignore[operator]


def test_a_file_beyond_the_limit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(FormatError, match="more than 100"):
        read_file(path, 100)


def test_walking_reports_links_and_follows_none(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/file").touch()
    (tmp_path / "a/loop").symlink_to("..")
    assert sorted(walk(tmp_path)) == [("a/file", True), ("a/loop", False)]
