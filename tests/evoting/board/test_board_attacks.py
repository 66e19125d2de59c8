"""Attacks on a finished record, and the audit that names what is wrong."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto.log.checkpoint import Checkpoint
from crypto.log.cosignature import cosign
from crypto.log.errors import LogError, QuorumNotReached
from crypto.log.merkle import hash_leaf, hash_leaves, root_of_hashes
from crypto.log.note import Note, NoteSignature, decode_note
from crypto.log.tiles import decode_bundle, encode_bundle, tiles_of_size
from evoting.board.audit import audit_log
from evoting.board.errors import RecordCorrupt
from tests.crypto.log.log_parties import LOG, NOW, POLICY, WITNESSES
from tests.evoting.board.board_places import ENTRIES, Place, checkpoint_at, cosigned_publish, finished_record


@pytest.fixture
def finished(tmp_path: Path) -> Place:
    return finished_record(Place(tmp_path / "board"))


def test_honest_record_passes_the_audit(finished: Place) -> None:
    trusted = audit_log(
        finished.record, POLICY, NOW, earlier=[checkpoint_at(300), checkpoint_at(0), checkpoint_at(1100)]
    )
    assert trusted.checkpoint.size == 1100
    assert set(trusted.times) == {"w1", "w2", "w3"}


def every_log_file(finished: Place) -> Iterator[Path]:
    for tile in tiles_of_size(1100):
        yield finished.record / tile.path()


def test_L5_one_bit_flipped_in_any_tile_or_bundle(finished: Place) -> None:
    for path in every_log_file(finished):
        data = path.read_bytes()
        for at in {0, 1, len(data) // 2, len(data) - 1}:
            path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            with pytest.raises(RecordCorrupt):
                audit_log(finished.record, POLICY, NOW)
        for damaged in (data[:-1], data + b"\x00", b""):
            path.write_bytes(damaged)
            with pytest.raises(RecordCorrupt):
                audit_log(finished.record, POLICY, NOW)
        path.write_bytes(data)
    audit_log(finished.record, POLICY, NOW)


def rebuild(finished: Place, base: Path, entries: list[bytes]) -> Place:
    """The corrupt log's own work: another history, correctly hashed, signed and even cosigned."""
    forged = Place(base)
    with forged.create() as board:
        board.append(entries)
        cosigned_publish(board)
        board.prune()
    return forged


def test_L6_edited_history_is_caught_by_an_older_checkpoint(finished: Place, tmp_path: Path) -> None:
    forged = rebuild(finished, tmp_path / "forged", [*ENTRIES[:7], b"edited", *ENTRIES[8:]])
    audit_log(forged.record, POLICY, NOW)  # flawless by itself
    with pytest.raises(RecordCorrupt, match="does not contain the earlier checkpoint of size 300"):
        audit_log(forged.record, POLICY, NOW, earlier=[checkpoint_at(300)])


def test_L6_shortened_history_is_caught_by_an_older_checkpoint(finished: Place, tmp_path: Path) -> None:
    forged = rebuild(finished, tmp_path / "forged", ENTRIES[:299])
    with pytest.raises(RecordCorrupt, match="earlier checkpoint has size 300, the record only 299"):
        audit_log(forged.record, POLICY, NOW, earlier=[checkpoint_at(300)])


def test_earlier_checkpoint_that_the_log_never_signed_is_named(finished: Place) -> None:
    forged = Note(checkpoint_at(300).text, (NoteSignature(LOG.name, LOG.verifier.key_id, bytes(64)),))
    with pytest.raises(RecordCorrupt, match="earlier checkpoint: the signature of"):
        audit_log(finished.record, POLICY, NOW, earlier=[forged])


def test_L7_record_without_quorum(finished: Place) -> None:
    path = finished.record / "checkpoint"
    note = decode_note(path.read_bytes())
    path.write_bytes(Note(note.text, note.signatures[:3]).encode())
    with pytest.raises(QuorumNotReached):
        audit_log(finished.record, POLICY, NOW)
    path.write_bytes(note.encode())
    with pytest.raises(QuorumNotReached, match="dated in the future: w1, w2, w3"):
        audit_log(finished.record, POLICY, NOW - 3600)


def test_L10_entries_replaced_by_the_nodes_above_them(finished: Place, tmp_path: Path) -> None:
    """Two leaves become one entry of 64 bytes that spells out their hashes: without prefixes the root would hold."""
    pair = hash_leaf(ENTRIES[0]) + hash_leaf(ENTRIES[1])
    record = finished.record
    bundle = decode_bundle((record / "tile/entries/000").read_bytes())
    (record / "tile/entries/000").write_bytes(encode_bundle([pair, *bundle[1:]]))
    with pytest.raises(RecordCorrupt, match="tile/0/000 is not the hashes"):
        audit_log(record, POLICY, NOW)
    # The hash tile is adapted as well: now the tree above does not fit.
    tile = (record / "tile/0/000").read_bytes()
    (record / "tile/0/000").write_bytes(hash_leaf(pair) + tile[32:])
    with pytest.raises(RecordCorrupt):
        audit_log(record, POLICY, NOW)
    # And a record of fewer entries whose leaves are the nodes of the first level has another root.
    nodes = [hash_leaf(a) + hash_leaf(b) for a, b in zip(ENTRIES[::2], ENTRIES[1::2], strict=True)]
    assert root_of_hashes(hash_leaves(nodes)) != root_of_hashes(hash_leaves(ENTRIES))


def test_whole_log_rehashed_but_not_signed(finished: Place, tmp_path: Path) -> None:
    """All files of another history under the honest checkpoint: only the root shows it."""
    forged = rebuild(finished, tmp_path / "forged", [*ENTRIES[:1099], b"edited"])
    shutil.copyfile(finished.record / "checkpoint", forged.record / "checkpoint")
    with pytest.raises(RecordCorrupt, match="do not hash to the root of the checkpoint"):
        audit_log(forged.record, POLICY, NOW)


@pytest.mark.parametrize(
    "name",
    [
        "tile/0/004.p/75",
        "tile/0/005",
        "tile/2/000.p/1",
        "tile/entries/000.p/3",
        "README",
        "blob/sha256/00/aa",
        ".tmp/x",
    ],
)
def test_file_that_does_not_belong_to_the_record(finished: Place, name: str) -> None:
    path = finished.record / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    with pytest.raises(RecordCorrupt, match="does not belong"):
        audit_log(finished.record, POLICY, NOW)


def test_missing_file_and_link_are_named(finished: Place) -> None:
    path = finished.record / "tile/entries/001"
    data = path.read_bytes()
    path.unlink()
    with pytest.raises(RecordCorrupt, match="tile/entries/001 is missing"):
        audit_log(finished.record, POLICY, NOW)
    (finished.base / "elsewhere").write_bytes(data)
    path.symlink_to(finished.base / "elsewhere")
    with pytest.raises(RecordCorrupt, match="no regular file"):
        audit_log(finished.record, POLICY, NOW)


def test_hostile_size_does_not_cost_time_or_memory(finished: Place) -> None:
    huge = Checkpoint(LOG.name, 2**48, bytes(32)).sign(LOG)
    lines = tuple(cosign(huge.text, witness, NOW) for witness in WITNESSES)
    (finished.record / "checkpoint").write_bytes(Note(huge.text, (*huge.signatures, *lines)).encode())
    with pytest.raises(RecordCorrupt, match="too few"):
        audit_log(finished.record, POLICY, NOW)


def test_hostile_checkpoint_files(finished: Place) -> None:
    for data in (b"", b"\x00" * 300_000, b"\xff\xfe", b"text\n", "\u2014 a b\n".encode()):
        (finished.record / "checkpoint").write_bytes(data)
        with pytest.raises((RecordCorrupt, LogError)):
            audit_log(finished.record, POLICY, NOW)
