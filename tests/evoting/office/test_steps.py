"""The office's steps: what a batch, a close and a selection may be, and that a step done again does nothing twice."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path

import pytest

from crypto.entry import ballot_order
from crypto.errors import DecodeError
from evoting.definition import Manifest
from evoting.errors import RecordError
from evoting.office import steps
from tests.support.small_election import SmallElection
from tests.support.small_manifest import CLOSES, OPENS


@pytest.fixture
def election(tmp_path: Path) -> SmallElection:
    """Open, with credentials, nothing cast."""
    election = SmallElection(tmp_path)
    for step in ("setup", "open", "issue"):
        getattr(election, step)()
    return election


def append(election: SmallElection, entries: list[bytes], time: int = OPENS + 10, signer: str = "ballot-box") -> None:
    steps.append_epoch(election.record, entries, {signer: election.keys[signer]}, time)


def test_a_batch_is_sorted_counted_and_numbered(election: SmallElection) -> None:
    before = election.board.size
    entries = election.cast("east", range(4))
    append(election, sorted(entries, key=ballot_order, reverse=True))
    append(election, [], OPENS + 10)
    stored = list(election.board.read_entries(before, election.board.size))
    assert stored[:4] == sorted(entries, key=ballot_order)
    bodies = [entry.body for entry in election.record.entries("epoch")]
    assert bodies == [
        {"number": 0, "time": OPENS + 10, "entries": 4},
        {"number": 1, "time": OPENS + 10, "entries": 0},
    ]


def test_a_batch_that_no_verifier_would_accept_is_not_appended(election: SmallElection) -> None:
    entries = election.cast("east", [0])
    append(election, entries, OPENS + 100)
    size = election.board.size
    with pytest.raises(RecordError, match="outside of the voting time"):
        append(election, entries, OPENS - 1)
    with pytest.raises(RecordError, match="outside of the voting time"):
        append(election, entries, CLOSES + 1)
    with pytest.raises(RecordError, match="before the last one"):
        append(election, entries, OPENS + 99)
    with pytest.raises(RecordError, match="must be signed by 1 ballot-box"):
        append(election, entries, OPENS + 100, signer="officer-1")
    with pytest.raises(DecodeError, match="not a ballot or challenge"):
        append(election, [*entries, b"\xa0"], OPENS + 100)
    with pytest.raises(RecordError, match="allows 1000 ballots"):
        append(election, entries * 1000, OPENS + 100)
    assert election.board.size == size


def test_a_ballot_longer_than_the_manifest_allows_is_not_appended(tmp_path: Path) -> None:
    class Short(SmallElection):
        @cached_property
        def manifest(self) -> Manifest:
            manifest = super().manifest
            return replace(manifest, limits=replace(manifest.limits, entry_bytes=4000))

    election = Short(tmp_path)
    for step in ("setup", "open", "issue"):
        getattr(election, step)()
    size = election.board.size
    with pytest.raises(RecordError, match="4001 bytes; the manifest allows 4000"):
        append(election, [bytes(4001)])
    assert election.board.size == size


def test_a_batch_may_come_until_the_extended_end(election: SmallElection) -> None:
    from evoting.office.notices import post_extension

    post_extension(election.record, election.officers, CLOSES + 60, "flood", OPENS + 5)
    append(election, election.cast("east", [0]), CLOSES + 60)
    with pytest.raises(RecordError, match="outside of the voting time"):
        append(election, election.cast("east", [1]), CLOSES + 61)


def test_L8_nothing_is_taken_in_after_the_close(election: SmallElection) -> None:
    append(election, election.cast("east", [0]))
    steps.close_election(election.record, election.officers, CLOSES)
    assert election.record.only("close").body == {"ballots": 1, "challenges": 0, "epochs": 1, "time": CLOSES}
    size = election.board.size
    with pytest.raises(RecordError, match="out of its phase"):
        append(election, election.cast("east", [1]), OPENS + 20)
    with pytest.raises(RecordError, match="already"):
        steps.close_election(election.record, election.officers, CLOSES)
    assert election.board.size == size


def test_a_terminal_out_there_holds_up_the_close(election: SmallElection) -> None:
    from evoting.office.notices import post_terminal_exclusion

    election.post("terminal-opening", {"terminal": "terminal-1", "unit": "west-1", "time": OPENS}, "terminal-1")
    with pytest.raises(RecordError, match="terminal-1 has not delivered"):
        steps.close_election(election.record, election.officers, CLOSES)
    post_terminal_exclusion(election.record, election.officers, "terminal-1", 2, "stolen", OPENS + 1)
    steps.close_election(election.record, election.officers, CLOSES)


def test_the_selection_waits_for_k_issuers(election: SmallElection) -> None:
    append(election, election.cast("east", [0]))
    steps.close_election(election.record, election.officers, CLOSES)
    selection = steps.judge_all(election.record)
    with pytest.raises(RecordError, match="0 issuers have stated"):
        steps.post_selection(election.record, election.officers, selection, CLOSES)
    election.ledgers()
    steps.post_selection(election.record, election.officers, selection, CLOSES)


def test_aggregates_interrupted_between_two_entries_are_completed(
    election: SmallElection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Doing the step again must not post an aggregate twice."""
    election.vote()
    election.close()
    election.ledgers()
    election.select()
    post = type(election.record).post

    def stop_after_one(record: object, kind: str, *rest: object) -> object:
        if kind == "aggregate" and election.record.entries("aggregate"):
            raise KeyboardInterrupt
        return post(record, kind, *rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(type(election.record), "post", stop_after_one)
        with pytest.raises(KeyboardInterrupt):
            steps.post_aggregates(election.record, election.officers, election.root / "lists")
    assert len(election.record.entries("aggregate")) == 1
    for _ in range(2):
        steps.post_aggregates(election.record, election.officers, election.root / "lists")
    places = [(entry.body["contest"], entry.body["group"]) for entry in election.record.entries("aggregate")]
    assert places == [("question", "east"), ("question", "west")]
