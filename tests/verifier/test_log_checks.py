"""``log.root`` and ``log.consistency`` on a log of several levels of tiles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey

from tests.support.small_election import SmallElection
from tests.verifier.edited import Edited
from verifier.checks.log import log_consistency, log_root
from verifier.record.merkle import EMPTY_ROOT, leaf_hash, root_of
from verifier.state import State

SIZE = 600


@pytest.fixture
def long(edited: Edited) -> Edited:
    """The record, followed by complaints up to the size."""
    body: Any = {"number": "1", "subject": "x", "document": None, "time": 1_700_000_003}
    complaint = edited.sign("complaint", body, "officer-1")
    edited.entries += [complaint] * (SIZE - len(edited.entries))
    return edited


def _root(edited: Edited, size: int) -> bytes:
    return root_of([leaf_hash(raw) for raw in edited.entries[:size]])


def test_the_long_log_passes(long: Edited) -> None:
    assert list(log_root(long.state())) == []


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("tile/1/000.p/2", "hash tile 1/0 is not"),
        ("tile/0/001", "hash tile 0/1 holds another hash"),
        ("tile/0/002.p/88", "hash tile 0/2 holds another hash"),
    ],
)
def test_L5_a_bit_flipped_in_a_hash_tile_of_any_level(long: Edited, path: str, words: str) -> None:
    state = long.state()
    data = bytearray((long.root / path).read_bytes())
    data[33] ^= 1
    (long.root / path).write_bytes(data)
    (failure,) = log_root(state)
    assert words in failure.sentence
    assert failure.entry is None


@pytest.mark.parametrize("path", ["tile/1/000.p/2", "tile/0/001", "tile/entries/001"])
def test_a_missing_or_cut_tile_is_named(long: Edited, path: str) -> None:
    for content in (None, b"", b"\x00"):
        state = long.state()
        (long.root / path).unlink()
        if content is not None:
            (long.root / path).write_bytes(content)
        assert list(log_root(state))


def test_L5_a_bit_flipped_in_an_entry_names_the_entry(long: Edited) -> None:
    state = long.state()
    path = long.root / "tile/entries/001"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    failures = list(log_root(state))
    assert "another root hash" in failures[0].sentence
    assert [failure.entry for failure in failures[1:2]] == [511]


@pytest.mark.parametrize("size", [0, 1, 53, 255, 256, 257, 512, SIZE])
def test_every_older_checkpoint_of_this_log_is_a_prefix(long: Edited, size: int) -> None:
    state = long.state()
    state.settings.older = [("older", long.checkpoint(size, _root(long, size) if size else EMPTY_ROOT))]
    assert list(log_consistency(state)) == []


def _older(state: State, data: bytes) -> list[str]:
    state.settings.older = [("older", data)]
    return [failure.sentence for failure in log_consistency(state)]


def test_L6_checkpoints_that_are_no_prefix_are_refused(long: Edited, election: SmallElection, tmp_path: Path) -> None:
    state, root = long.state(), _root(long, 300)
    assert "another root hash" in _older(state, long.checkpoint(300, bytes(32)))[0]
    assert "has only 600" in _older(state, long.checkpoint(601, root))[0]
    assert "not signed by the log" in _older(state, long.checkpoint(300, root, SigningKey.generate()))[0]
    assert "of another log" in _older(state, long.checkpoint(300, root, origin="log.example/other"))[0]
    assert "a note must" in _older(state, b"no checkpoint")[0]
    assert _older(state, long.checkpoint(300, root)) == []
