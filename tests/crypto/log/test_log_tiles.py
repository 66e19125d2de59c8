"""Tile paths, bundles and frontiers; the sample log of tessera read and reproduced byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.log.checkpoint import verify_log_signature
from crypto.log.errors import LogFormatError
from crypto.log.merkle import (
    MAX_SIZE,
    hash_leaf,
    hash_leaves,
    prove_consistency,
    prove_inclusion,
    root_of_hashes,
    tree_root,
    verify_consistency,
    verify_inclusion,
)
from crypto.log.note import decode_note, decode_vkey
from crypto.log.tiles import (
    MAX_ENTRY_BYTES,
    TileFrontier,
    TileId,
    decode_bundle,
    encode_bundle,
    node_reader,
    parse_tile_path,
    tiles_of_size,
)

SAMPLE = Path(__file__).parents[2] / "vectors" / "tlog-tiles-sample"
SAMPLE_KEY = decode_vkey("example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx")


def sample_tile(tile: TileId) -> bytes:
    return (SAMPLE / tile.path()).read_bytes()


def sample_entries() -> list[bytes]:
    return decode_bundle((SAMPLE / "tile/entries/000.p/15").read_bytes(), 15)


@pytest.mark.parametrize("size", range(16))
def test_sample_checkpoint_is_signed_and_its_root_follows_from_the_tiles(size: int) -> None:
    data = (SAMPLE / f"checkpoint.{size}").read_bytes()
    note = decode_note(data)
    assert note.encode() == data
    checkpoint = verify_log_signature(note, SAMPLE_KEY)
    assert checkpoint.size == size
    assert checkpoint.encode_text() == note.text
    assert tree_root(size, node_reader(size, sample_tile)) == checkpoint.root
    assert TileFrontier.load(size, sample_tile).root() == checkpoint.root


@pytest.mark.parametrize("size", range(1, 16))
def test_sample_tiles_are_reproduced_byte_for_byte_from_the_entries(size: int) -> None:
    entries = sample_entries()[:size]
    frontier = TileFrontier()
    assert frontier.extend(hash_leaves(entries)) == []
    made = {tile.path(): data for tile, data in frontier.partial_tiles()}
    made[TileId(None, 0, size).path()] = encode_bundle(entries)
    assert set(made) == {tile.path() for tile in tiles_of_size(size)}
    for name, data in made.items():
        assert (SAMPLE / name).read_bytes() == data, name


@pytest.mark.parametrize(("old", "new"), [(a, b) for b in range(1, 16) for a in range(b)])
def test_sample_checkpoints_are_consistent(old: int, new: int) -> None:
    heads = [
        verify_log_signature(decode_note((SAMPLE / f"checkpoint.{size}").read_bytes()), SAMPLE_KEY)
        for size in (old, new)
    ]
    proof = prove_consistency(old, new, node_reader(new, sample_tile))
    verify_consistency(old, heads[0].root, new, heads[1].root, proof)


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (TileId(0, 1234067), "tile/0/x001/x234/067"),  # the example of C2SP tlog-tiles
        (TileId(0, 0), "tile/0/000"),
        (TileId(0, 999, 1), "tile/0/999.p/1"),
        (TileId(0, 1000, 255), "tile/0/x001/000.p/255"),
        (TileId(None, 273, 112), "tile/entries/273.p/112"),
        (TileId(6, 0, 1), "tile/6/000.p/1"),
    ],
)
def test_paths(tile: TileId, path: str) -> None:
    assert tile.path() == path
    assert parse_tile_path(path) == tile


@given(
    level=st.one_of(st.none(), st.integers(0, 5)),
    index=st.integers(0, 2**7 - 1) | st.integers(0, 10**13),
    width=st.integers(1, 256),
)
def test_paths_round_trip(level: int | None, index: int, width: int) -> None:
    tile = TileId(level, index % (MAX_SIZE >> 8 * ((level or 0) + 1)), width)
    assert parse_tile_path(tile.path()) == tile


@pytest.mark.parametrize(
    "path",
    [
        "tile/00/000",
        "tile/7/000",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/x001/x000",
        "tile/0/001/000",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/300",
        "tile/0/000.p/",
        "tile/data/000",
        "tile/0/000/",
        "/tile/0/000",
        "tile/0/٠٠٠",
        "tile/6/000",
        "tile/6/000.p/2",
        "tile/0/x999/x999/x999/x999/999",
        "tile/0/000\n",
    ],
)
def test_a_path_that_is_not_the_one_spelling_is_refused(path: str) -> None:
    with pytest.raises(LogFormatError):
        parse_tile_path(path)


def test_tiles_of_the_size_that_tlog_tiles_explains() -> None:
    """C2SP tlog-tiles: a tree of 70,000 entries, and one of 256."""
    tiles = list(tiles_of_size(70_000))
    hashes = [tile for tile in tiles if tile.level is not None]
    assert sum(tile.level == 0 and not tile.is_partial for tile in hashes) == 273
    assert TileId(0, 273, 112) in hashes
    assert TileId(1, 0) in hashes
    assert TileId(1, 1, 17) in hashes
    assert TileId(2, 0, 1) in hashes
    assert len(hashes) == 273 + 4
    assert len(tiles) == len(hashes) + 274
    assert list(tiles_of_size(256)) == [TileId(None, 0), TileId(0, 0), TileId(1, 0, 1)]
    assert list(tiles_of_size(0)) == []
    assert all(tile.end <= 70_000 for tile in tiles)


@settings(max_examples=60, deadline=None)
@given(entries=st.lists(st.binary(max_size=300), max_size=40))
def test_bundles_round_trip(entries: list[bytes]) -> None:
    assert decode_bundle(encode_bundle(entries), len(entries)) == entries


def test_bundle_holds_the_longest_entry_and_no_longer_one() -> None:
    longest = bytes(MAX_ENTRY_BYTES)
    assert decode_bundle(encode_bundle([longest, b""]), 2) == [longest, b""]
    with pytest.raises(ValueError, match="entry 1 has 65536 bytes"):
        encode_bundle([b"", bytes(MAX_ENTRY_BYTES + 1)])


@pytest.mark.parametrize(
    ("data", "width", "message"),
    [
        (b"\x00\x01a", 2, "before the length of its entry 1"),
        (b"\x00\x01a\x00", 2, "before the length of its entry 1"),
        (b"\x00\x02a", 1, "inside its entry 0"),
        (b"\x00\x01ab", 1, "1 bytes after its 1 entries"),
        (b"\x00\x00\x00\x00", 1, "2 bytes after its 1 entries"),
        (b"", 1, "before the length of its entry 0"),
    ],
)
def test_malformed_bundle_is_refused(data: bytes, width: int, message: str) -> None:
    with pytest.raises(LogFormatError, match=message):
        decode_bundle(data, width)


@pytest.fixture(scope="module")
def big() -> tuple[list[bytes], dict[str, bytes]]:
    """A log of 66,000 entries, three levels of tiles, all tiles in memory."""
    leaves = [hash_leaf(b"%d" % i) for i in range(66_000)]
    frontier, tiles = TileFrontier(), {}
    at = 0
    for step in (1, 254, 1, 1, 511, 65_000, 232):
        for tile, data in frontier.extend(b"".join(leaves[at : at + step])):
            tiles[tile.path()] = data
        at += step
        for tile, data in frontier.partial_tiles():
            tiles[tile.path()] = data
        assert frontier.root() == root_of_hashes(b"".join(leaves[:at]))
    assert at == frontier.size == 66_000
    return leaves, tiles


def test_frontier_makes_exactly_the_tiles_of_its_size(big: tuple[list[bytes], dict[str, bytes]]) -> None:
    leaves, tiles = big
    for tile in tiles_of_size(66_000):
        if tile.level is not None:
            span = 256**tile.level
            first = tile.index * 256 * span
            expected = b"".join(
                root_of_hashes(b"".join(leaves[at : at + span])) for at in range(first, first + tile.width * span, span)
            )
            assert tiles[tile.path()] == expected, tile.path()


def test_frontier_reloaded_from_its_tiles_goes_on_alike(big: tuple[list[bytes], dict[str, bytes]]) -> None:
    _, tiles = big
    loaded = TileFrontier.load(66_000, lambda tile: tiles[tile.path()])
    whole = TileFrontier()
    whole.extend(b"".join(big[0]))
    more = b"".join(hash_leaf(b"more %d" % i) for i in range(700))
    before = loaded.copy()
    assert loaded.extend(more) == whole.extend(more)
    assert loaded.partial_tiles() == whole.partial_tiles()
    assert loaded.root() == whole.root()
    assert before.size == 66_000
    assert before.root() != loaded.root()


@pytest.mark.parametrize("index", [0, 255, 256, 65_535, 65_536, 65_999])
def test_proofs_from_tiles_verify(index: int, big: tuple[list[bytes], dict[str, bytes]]) -> None:
    leaves, tiles = big
    node = node_reader(66_000, lambda tile: tiles[tile.path()])
    root = root_of_hashes(b"".join(leaves))
    verify_inclusion(leaves[index], index, 66_000, prove_inclusion(index, 66_000, node), root)
    old = index + 1
    proof = prove_consistency(old, 66_000, node)
    verify_consistency(old, root_of_hashes(b"".join(leaves[:old])), 66_000, root, proof)


def test_tile_of_wrong_length_is_refused() -> None:
    with pytest.raises(LogFormatError, match="31 bytes, not 32"):
        tree_root(1, node_reader(1, lambda _: bytes(31)))
    with pytest.raises(LogFormatError, match="33 bytes, not 32"):
        TileFrontier.load(1, lambda _: bytes(33))
