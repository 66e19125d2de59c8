"""The sequencer and its record: contents, refusals, old copies, tampering."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from crypto.log.checkpoint import decode_checkpoint_text
from crypto.log.cosignature import cosign
from crypto.log.errors import InvalidNoteSignature
from crypto.log.merkle import verify_consistency
from crypto.log.note import NoteSigningKey, decode_note
from crypto.log.proof import decode_receipt, verify_receipt
from crypto.log.tiles import tiles_of_size
from evoting.board.errors import BoardError, BoardLocked, CosignatureRefused, RecordCorrupt, StaleState
from evoting.board.layout import BlobRef, parse_blob_path, record_files
from evoting.board.reader import RecordReader
from evoting.board.state import HEAD
from evoting.board.store import Board
from tests.crypto.log.log_parties import LOG, NOW, POLICY, WITNESSES, key
from tests.evoting.board.board_places import (
    ENTRIES,
    WITNESS_KEYS,
    Place,
    checkpoint_at,
    cosigned_publish,
    finished_record,
)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "board")


@pytest.fixture
def finished(place: Place) -> Place:
    return finished_record(place)


def test_indices_entries_and_root(place: Place) -> None:
    with place.create() as board:
        assert board.append([]) == range(0)
        assert board.append(ENTRIES[:1]) == range(1)
        assert board.append(iter(ENTRIES[1:700])) == range(1, 700)
        assert list(board.read_entries(0, 700)) == ENTRIES[:700]
        assert list(board.read_entries(250, 520)) == ENTRIES[250:520]
        assert list(board.read_entries(699, 700)) == ENTRIES[699:700]
        assert list(board.read_entries(512, 512)) == []
        for start, stop in ((0, 701), (-1, 3), (5, 4)):
            with pytest.raises(ValueError, match="no entries"):
                list(board.read_entries(start, stop))
        assert board.published is None
        assert board.publish() == checkpoint_at(700)


def test_publishing_again_changes_nothing(place: Place) -> None:
    with place.create() as board:
        board.append(ENTRIES[:5])
        note = cosigned_publish(board)
        before = place.files()
        assert board.publish() == note
        assert place.files() == before


def test_empty_log_can_be_published(place: Place) -> None:
    with place.create() as board:
        note = board.publish()
        assert decode_checkpoint_text(note.text).size == 0
        board.prune()
    assert list(record_files(place.record)) == ["checkpoint"]


def test_final_record_is_exactly_its_canonical_files(finished: Place) -> None:
    names = set(record_files(finished.record))
    blobs = {name for name in names if parse_blob_path(name)}
    assert names - blobs == {tile.path() for tile in tiles_of_size(1100)} | {"checkpoint"}
    assert len(blobs) == 1
    directories = [path for path in finished.record.rglob("*") if path.is_dir()]
    assert all(any(path.iterdir()) for path in directories)
    assert not (finished.record / ".tmp").exists()


def test_record_does_not_depend_on_how_it_was_appended(finished: Place, tmp_path: Path) -> None:
    other = Place(tmp_path / "other")
    with other.create() as board:
        for entry in ENTRIES[:300]:
            board.append([entry])
            if len(entry) % 2:
                board.publish()
        board.append(ENTRIES[300:])
        board.put_blob(b"blob")
        cosigned_publish(board)
        board.prune()
    assert {name: (other.record / name).read_bytes() for name in record_files(other.record)} == {
        name: (finished.record / name).read_bytes() for name in record_files(finished.record)
    }


def test_log_goes_on_after_pruning_and_reopening(finished: Place) -> None:
    with finished.open() as board:
        assert board.size == 1100
        assert board.published is not None
        assert len(board.published.signatures) == 4
        board.append([b"one more"])
        proof_from = board.head
        assert proof_from is not None
        board.publish()
        assert board.head is not None
        verify_consistency(1100, proof_from.root, 1101, board.head.root, board.consistency_proof(1100))


def test_every_prefix_that_was_published_stays_readable_until_pruning(place: Place) -> None:
    with place.create() as board:
        heads = []
        for size in (1, 3, 255, 256, 257, 600):
            board.append(ENTRIES[board.size : size])
            heads.append(decode_checkpoint_text(board.publish().text))
        reader = RecordReader(place.record)
        for head in heads:
            for tile in tiles_of_size(head.size):
                assert (place.record / tile.path()).is_file()
            assert list(reader.entries(0, head.size, head.size)) == ENTRIES[: head.size]


def test_receipts_of_the_board_and_of_a_mirror_are_the_same_and_verify(finished: Place) -> None:
    with finished.open() as board:
        for index in (0, 255, 256, 1023, 1024, 1099):
            receipt = board.receipt(index, b"extra")
            assert RecordReader(finished.record).receipt(index, b"extra") == receipt
            verify_receipt(decode_receipt(receipt.encode()), ENTRIES[index], POLICY, NOW)
        board.append([b"not yet published"])
        with pytest.raises(BoardError, match="entry 1100 is not under"):
            board.receipt(1100)


def test_committed_but_unpublished_entries_survive_reopening(place: Place) -> None:
    with place.create() as board:
        board.append(ENTRIES[:300])
        board.publish()
        board.append(ENTRIES[300:650])
    with place.open() as board:
        assert list(board.read_entries(0, board.size)) == ENTRIES[:650]
        assert board.head == decode_checkpoint_text(checkpoint_at(300).text)
        assert board.publish() == checkpoint_at(650)


def test_opening_changes_no_file_of_the_record(finished: Place) -> None:
    before = finished.files()
    finished.open().close()
    assert finished.files() == before


def test_two_writers_are_impossible(place: Place, tmp_path: Path) -> None:
    with place.create():
        with pytest.raises(BoardLocked):
            place.open()
        shutil.copytree(place.state, tmp_path / "copied state")
        with pytest.raises(BoardLocked):
            Board.open(place.record, tmp_path / "copied state", LOG)
    place.open().close()


def test_create_refuses_what_is_there_already(finished: Place, tmp_path: Path) -> None:
    before = finished.files()
    with pytest.raises(BoardError, match="holds a log already"):
        finished.create()
    with pytest.raises(BoardError, match="holds a log already"):
        Board.create(finished.record, tmp_path / "new state", LOG)
    with pytest.raises(BoardError, match="holds a log already"):
        Board.create(tmp_path / "new record", finished.state, LOG)
    assert finished.files() == before


def test_open_without_a_log_or_with_the_key_of_another(finished: Place, tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="cannot be opened"):
        Board.open(tmp_path / "nothing", tmp_path / "nowhere", LOG)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BoardError, match="cannot be read"):
        Board.open(finished.record, tmp_path / "empty", LOG)
    with pytest.raises(BoardError, match="is the state of the log"):
        Board.open(finished.record, finished.state, key("other.example/log"))
    with pytest.raises(RecordCorrupt, match="not by this log"):
        Board.open(finished.record, finished.state, NoteSigningKey(LOG.name, 1, bytes(32)))


@pytest.mark.parametrize("appended", [1, 300])
def test_L3_O2_state_from_a_backup_refuses_to_sign(place: Place, tmp_path: Path, appended: int) -> None:
    with place.create() as board:
        board.append(ENTRIES[:100])
        board.publish()
    backup = tmp_path / "backup"
    shutil.copytree(place.state, backup)
    with place.open() as board:
        board.append(ENTRIES[100 : 100 + appended])
        board.publish()
    shutil.rmtree(place.state)
    shutil.copytree(backup, place.state)
    before = place.files()
    with pytest.raises(StaleState, match=f"has signed size {100 + appended}, but its state knows only 100"):
        place.open()
    assert place.files() == before


def test_L3_O2_whole_machine_from_a_backup_refuses_when_a_witness_knows_more(place: Place, tmp_path: Path) -> None:
    with place.create() as board:
        board.append(ENTRIES[:100])
        board.publish()
    backup = place.copy(tmp_path / "backup")
    with place.open() as board:
        board.append(ENTRIES[100:101])
        seen_by_witness = board.publish()
    before = backup.files()
    with pytest.raises(StaleState, match="signed size 101"):
        backup.open(known=(seen_by_witness,))
    assert backup.files() == before
    place.open(known=(seen_by_witness, checkpoint_at(100))).close()


def test_L3_state_of_another_history_refuses_to_sign(place: Place, tmp_path: Path) -> None:
    """Same size, other entries: what a restored copy would make if it were let go on."""
    with place.create() as board:
        board.append(ENTRIES[:100])
        board.publish()
    fork = place.copy(tmp_path / "fork")
    with place.open() as board:
        board.append([b"here"])
        ours = board.publish()
    with fork.open() as board:
        board.append([b"there"])
        theirs = board.publish()
    assert ours != theirs
    with pytest.raises(StaleState, match="another root of size 101"):
        place.open(known=(theirs,))
    shutil.copytree(fork.record, place.record, dirs_exist_ok=True)
    with pytest.raises(StaleState, match="another root of size 101"):
        place.open()


def test_record_from_a_backup_refuses_instead_of_signing_over_the_gap(place: Place, tmp_path: Path) -> None:
    with place.create() as board:
        board.append(ENTRIES[:100])
        board.publish()
    backup = tmp_path / "backup"
    shutil.copytree(place.record, backup)
    with place.open() as board:
        board.append(ENTRIES[100:600])
        board.publish()
    shutil.rmtree(place.record)
    shutil.copytree(backup, place.record)
    before = place.files()
    with pytest.raises(RecordCorrupt, match="tile/0/000 cannot be read"):
        place.open()
    assert place.files() == before


def test_deleted_state_is_not_made_anew(finished: Place) -> None:
    (finished.state / HEAD).unlink()
    with pytest.raises(BoardError, match="head cannot be read"):
        finished.open()
    with pytest.raises(BoardError, match="holds a log already"):
        finished.create()


def test_truncated_or_changed_state_is_noticed(place: Place) -> None:
    with place.create() as board:
        board.append(ENTRIES[:300])
        board.publish()
    head = (place.state / HEAD).read_bytes()
    for cut in range(len(head)):
        (place.state / HEAD).write_bytes(head[:cut])
        if head[:cut].count(b"\n") == 4 and cut == head.index(b"\n\n") + 1:
            expected: type[BoardError] = StaleState  # a state that never signed, beside a record that is signed
        else:
            expected = RecordCorrupt
        with pytest.raises(expected):
            place.open()
    (place.state / HEAD).write_bytes(head)
    tail = place.state / "tail-300"
    entries = tail.read_bytes()
    tail.write_bytes(entries.replace(b"entry 299", b"entry 298"))
    with pytest.raises(RecordCorrupt, match="do not hash to the committed root"):
        place.open()
    tail.write_bytes(entries[:-1])
    with pytest.raises(RecordCorrupt, match="bundle ends inside"):
        place.open()
    tail.write_bytes(entries)
    place.open().close()


def test_cosignatures_are_merged_replaced_when_newer_and_checked(place: Place) -> None:
    with place.create() as board:
        with pytest.raises(BoardError, match="nothing is published"):
            board.add_cosignatures([], WITNESS_KEYS, NOW)
        board.append(ENTRIES[:3])
        text = board.publish().text
        first, second = cosign(text, WITNESSES[2], NOW), cosign(text, WITNESSES[0], NOW)
        unknown = cosign(text, NoteSigningKey("unknown.example", 4, bytes(32)), NOW)
        board.add_cosignatures([first, unknown], WITNESS_KEYS, NOW)
        note = board.add_cosignatures([second], WITNESS_KEYS, NOW)
        assert note.signatures == (*checkpoint_at(3).signatures, second, first)
        newer = cosign(text, WITNESSES[2], NOW + 5)
        board.add_cosignatures([newer], WITNESS_KEYS, NOW)
        board.add_cosignatures([first], WITNESS_KEYS, NOW)
        assert board.published is not None
        assert board.published.signatures[2] == newer
        before = place.files()
        with pytest.raises(CosignatureRefused, match="future"):
            board.add_cosignatures([cosign(text, WITNESSES[3], NOW + 301)], WITNESS_KEYS, NOW)
        stale = cosign(checkpoint_at(2).text, WITNESSES[3], NOW)
        with pytest.raises(InvalidNoteSignature):
            board.add_cosignatures([stale], WITNESS_KEYS, NOW)
        assert place.files() == before
    assert decode_note((place.record / "checkpoint").read_bytes()).signatures == (
        *checkpoint_at(3).signatures,
        second,
        newer,
    )


def test_prune_needs_a_checkpoint_over_everything_and_refuses_foreign_files(place: Place) -> None:
    with place.create() as board:
        board.append(ENTRIES[:3])
        with pytest.raises(BoardError, match="publish before pruning"):
            board.prune()
        board.publish()
        (place.record / "index.html").write_text("foreign")
        with pytest.raises(RecordCorrupt, match="index.html is no file of a record"):
            board.prune()
        assert (place.record / "index.html").exists()


def test_prune_removes_blobs_that_no_entry_names(place: Place) -> None:
    with place.create() as board:
        named, orphan = board.put_blob(b"named"), board.put_blob(b"orphan")
        board.publish()
        board.prune()
        assert board.get_blob(orphan) == b"orphan"
        board.prune([named])
        assert board.get_blob(named) == b"named"
        with pytest.raises(RecordCorrupt, match="cannot be read"):
            board.get_blob(orphan)
        assert board.put_blob(b"again").length == 5


def test_blobs_are_stored_by_content(place: Place, tmp_path: Path) -> None:
    big = os.urandom(5_000_000)
    (tmp_path / "source").write_bytes(big)
    with place.create() as board:
        ref = board.put_blob(tmp_path / "source")
        assert ref == board.put_blob(big)
        assert board.get_blob(ref) == big
        path = place.record / ref.path()
        assert path.relative_to(place.record).as_posix() == f"blob/sha256/{ref.hash.hex()[:2]}/{ref.hash.hex()}"
        path.write_bytes(big[:-1])
        with pytest.raises(RecordCorrupt, match="is not the blob"):
            board.get_blob(ref)
        assert board.put_blob(big) == ref  # a damaged blob is repaired by storing it again
        assert board.get_blob(ref) == big
        for wrong in (BlobRef(ref.hash, ref.length + 1), BlobRef(ref.hash, ref.length - 1)):
            with pytest.raises(RecordCorrupt):
                board.get_blob(wrong)
        assert board.get_blob(board.put_blob(b"")) == b""
