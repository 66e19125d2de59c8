"""Reading a record: entries by kind, blobs, bindings, and one line where something is not as it should be."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crypto import cbor
from crypto.entry import RoleEntry, election_fingerprint
from crypto.errors import CryptoError
from crypto.log.note import NOTE_KEY, NoteSigningKey
from evoting.board.store import Board
from evoting.errors import EvotingError, RecordError
from evoting.office.status import describe_status
from evoting.record.election import (
    ElectionRecord,
    ElectionView,
    PublishedCopy,
    is_challenge_entry,
    is_voter_entry,
    member,
    member_bytes,
    member_integer,
    read_blobref,
)
from tests.support.small_election import SmallElection


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> SmallElection:
    return SmallElection(tmp_path_factory.mktemp("finished")).run()


def test_a_published_copy_reads_as_the_board_does(finished: SmallElection) -> None:
    view = ElectionView(PublishedCopy(finished.record_path))
    record = finished.record
    assert view.entries() == record.entries()
    assert list(view.indexed_voter_entries()) == list(record.indexed_voter_entries())
    assert view.voter_count == record.voter_count == 14
    assert view.fingerprint == finished.fingerprint
    assert view.manifest == finished.manifest
    assert view.ballot_context().election == finished.fingerprint
    indices = [index for index, _ in view.indexed_voter_entries()]
    stored = list(PublishedCopy(finished.record_path).read_entries(0, 100 and indices[-1] + 1))
    assert [stored[index] for index in indices] == list(view.voter_entries())


def test_what_was_appended_since_is_seen(tmp_path: Path) -> None:
    election = SmallElection(tmp_path)
    record = election.record
    assert record.entries() == []
    assert record.binding.for_type("manifest") == bytes(32)
    with pytest.raises(RecordError, match="no opening entry yet"):
        _ = record.fingerprint
    election.setup()
    assert record.binding.for_type("opening") == election.manifest_hash
    election.open()
    opening = record.only("opening")
    assert record.binding.for_type("close") == election_fingerprint(opening.raw)
    election.issue()
    election.vote()
    assert record.voter_count == 14
    # Twice the same question, without reading anything twice.
    assert len(record.entries("epoch")) == 2


def test_ballots_and_challenges_are_told_without_decoding(finished: SmallElection) -> None:
    source = PublishedCopy(finished.record_path)
    for entry in source.read_entries(0, source.size):
        kind = cbor.decode(entry)["type"]  # type: ignore[index]
        assert is_voter_entry(entry) == (kind in ("ballot", "challenge"))
        assert is_challenge_entry(entry) == (kind == "challenge")


@given(st.binary(max_size=20), st.sampled_from([b"\xa3\x64body", b"\xa4\x64body", b""]))
def test_telling_them_reads_no_further_than_the_entry(data: bytes, start: bytes) -> None:
    assert not is_voter_entry((start + data)[:18])


def test_members_of_a_body() -> None:
    entry = RoleEntry("opening", {"a": {"b": b"x", "n": 5, "t": True}}, (), b"", b"")
    assert member(entry, "a", "b") == member_bytes(entry, "a", "b") == b"x"
    assert member_integer(entry, "a", "n") == 5
    for path in (("c",), ("a", "c"), ("a", "b", "c")):
        with pytest.raises(RecordError, match="the opening entry has no"):
            member(entry, *path)
    with pytest.raises(RecordError, match="is no byte string"):
        member_bytes(entry, "a", "n")
    for path in (("a", "b"), ("a", "t")):
        with pytest.raises(RecordError, match="is no integer"):
            member_integer(entry, *path)


@pytest.mark.parametrize(
    "value",
    [None, b"", [], {}, {"hash": bytes(32)}, {"hash": bytes(31), "length": 1}, {"hash": bytes(32), "length": -1},
     {"hash": bytes(32), "length": True}, {"hash": "x" * 32, "length": 1}, {"hash": bytes(32), "length": 1, "more": 0}],
)  # fmt: skip
def test_what_is_no_blob_reference_is_refused(value: object) -> None:
    with pytest.raises(RecordError, match="names a blob"):
        read_blobref(value)


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_foreign_record_gives_an_error_and_no_traceback(
    finished: SmallElection, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """A log of entries that are signed by nobody, with members changed at will, published by somebody."""
    root = tmp_path_factory.mktemp("foreign")
    source = PublishedCopy(finished.record_path)
    entries = list(source.read_entries(0, source.size))
    odd: st.SearchStrategy[Any] = st.sampled_from(
        [None, True, 0, -1, 2**53 - 1, "", "x", b"", bytes(32), [], {}, [{}], [[]], {"x": []}]
    )
    for _ in range(data.draw(st.integers(1, 4))):
        number = data.draw(st.integers(0, len(entries) - 1))
        value = cbor.decode(entries[number])
        if not isinstance(value, dict) or is_voter_entry(entries[number]):
            continue
        body = cbor.decode(value["body"])
        assert isinstance(body, dict)
        name = data.draw(st.sampled_from(sorted(body)))
        inner = body[name]
        if isinstance(inner, list) and inner and isinstance(inner[0], dict):
            inner = inner[0]
        if isinstance(inner, dict) and inner and data.draw(st.booleans()):
            inner[data.draw(st.sampled_from(sorted(inner)))] = data.draw(odd)
        else:
            body[name] = data.draw(odd)
        entries[number] = cbor.encode({**value, "body": cbor.encode(body)})
    with Board.create(root / "record", root / "state", NoteSigningKey("log.example/x", NOTE_KEY, bytes(32))) as board:
        board.append(entries)
        board.publish()
    shutil.copytree(finished.record_path / "blob", root / "record" / "blob")
    view = ElectionView(PublishedCopy(root / "record"))
    for question in (
        lambda: describe_status(view),
        lambda: view.ballot_context(),
        lambda: view.closing_time(),
        lambda: view.blob(view.only("selection"), "dispositions"),
    ):
        with suppress(EvotingError, CryptoError):
            question()


def test_the_first_entry_must_be_a_manifest_that_is_valid(tmp_path: Path) -> None:
    election = SmallElection(tmp_path)
    record = ElectionRecord(election.board)
    ref = election.board.put_blob(b"\xa0")
    body = {"format": "evoting-record/v1", "manifest": {"hash": ref.hash, "length": ref.length}}
    with pytest.raises(EvotingError, match="format"):
        record.post("manifest", body, election.officers)
    assert election.board.size == 0
