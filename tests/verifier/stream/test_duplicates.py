"""Equal values are found however they are spread over chunks and buckets, and different ones never."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from tests.verifier.stream.test_templates import FINGERPRINT, STYLES, ballot
from verifier.record.files import LogFiles, tile_path
from verifier.stream import claims
from verifier.stream.duplicates import spill, suspects, value_hashes
from verifier.stream.repeats import find_repeats
from verifier.stream.rows import Located, read_rows

KEYS = np.array([3, 5, 7, 2**63 + 9], dtype=np.uint64)


def test_only_equal_values_are_suspects(tmp_path: Path) -> None:
    values = [random.Random(number).randbytes(32) for number in range(1000)]
    values[700], values[3] = values[20], values[999]
    for first in range(0, 1000, 100):
        part = b"".join(values[first : first + 100])
        spill(tmp_path, [(part, np.arange(first // 10, first // 10 + 10, dtype=np.uint32))], KEYS)
    found = {int(ordinal) for suspect in suspects(tmp_path) for ordinal in suspect.ordinals}
    assert found == {2, 70, 0, 99}
    hashes = {int(value) for suspect in suspects(tmp_path) for value in suspect.hashes}
    assert hashes == set(value_hashes(values[20] + values[3], KEYS).tolist())


def test_hash_depends_on_every_word() -> None:
    base = bytes(32)
    assert len({int(value_hashes(base[:at] + b"\x01" + base[at + 1 :], KEYS)[0]) for at in range(32)}) == 32


def repeats(tmp_path: Path, entries: list[bytes], claimed: list[int], keys: np.ndarray = KEYS) -> dict[int, int]:
    bundle = b"".join(len(raw).to_bytes(2, "big") + raw for raw in entries)
    path = tmp_path / tile_path("entries", 0, len(entries))
    path.parent.mkdir(parents=True)
    path.write_bytes(bundle)
    located = [Located(raw, number, number, claimed[number]) for number, raw in enumerate(entries)]
    sets, _ = read_rows(located, FINGERPRINT, STYLES)
    spilled = tmp_path / "spill"
    spilled.mkdir()
    for rows in sets:
        spill(spilled, list(rows.components()), keys)
    indices = np.arange(len(entries))
    log = LogFiles(tmp_path, len(entries))
    found = find_repeats(spilled, keys, log, indices, bytes(claimed), FINGERPRINT, STYLES)
    return {ordinal: repeat.other for ordinal, repeat in found.items()}


def with_component(raw: bytes, source: bytes, at: int, target: int) -> bytes:
    """Copy 32 bytes of one ballot's ciphertexts or commitments into another's."""
    found = read_rows([Located(source, 0, 0, 0)], FINGERPRINT, STYLES)[0][0].batch.contests[0]
    value = (found.ciphertexts + found.commitments)[32 * at : 32 * at + 32]
    mine = read_rows([Located(raw, 0, 0, 0)], FINGERPRINT, STYLES)[0][0].batch.contests[0]
    old = (mine.ciphertexts + mine.commitments)[32 * target : 32 * target + 32]
    assert raw.count(old) == 1
    return raw.replace(old, value)


BALLOTS = [ballot(STYLES["east"], 0, seed) for seed in range(6)]


def test_a_copied_pad_or_commitment_is_found_as_pad_or_commitment(tmp_path: Path) -> None:
    for number, (source, target) in enumerate([(2, 0), (2, 8), (9, 0), (9, 8)]):
        changed = with_component(BALLOTS[4], BALLOTS[1], source, target)
        folder = tmp_path / str(number)
        assert repeats(folder, [*BALLOTS[:4], changed, BALLOTS[5]], [0] * 6) == {4: 1}


def test_second_components_may_be_anything(tmp_path: Path) -> None:
    """Their authors need not know them: whoever took another voter's would have that ballot rejected."""
    for number, (source, target) in enumerate([(3, 3), (2, 3), (3, 0), (9, 3), (3, 8)]):
        changed = with_component(BALLOTS[4], BALLOTS[1], source, target)
        folder = tmp_path / str(number)
        assert repeats(folder, [*BALLOTS[:4], changed, BALLOTS[5]], [0] * 6) == {}


def test_an_opening_beyond_the_limit_reserves_its_ballot(tmp_path: Path) -> None:
    entries = [BALLOTS[0], BALLOTS[1], BALLOTS[1]]
    assert repeats(tmp_path / "a", entries, [0, claims.EXCESS, 0]) == {2: 1}
    assert repeats(tmp_path / "b", entries, [0, claims.OPENING, 0]) == {}


def test_a_repetition_within_one_ballot_is_found(tmp_path: Path) -> None:
    changed = with_component(BALLOTS[2], BALLOTS[2], 0, 4)
    assert repeats(tmp_path, [*BALLOTS[:2], changed, *BALLOTS[3:]], [0] * 6) == {2: 2}


def test_what_is_rejected_blocks_nobody_behind_it(tmp_path: Path) -> None:
    entries = [BALLOTS[0], BALLOTS[1], BALLOTS[1], BALLOTS[1]]
    assert repeats(tmp_path / "a", entries, [0, claims.SEQUENCE, 0, 0]) == {3: 2}
    assert repeats(tmp_path / "b", entries, [0, 0, claims.DUPLICATE, claims.DUPLICATE]) == {2: 1, 3: 1}


@pytest.mark.parametrize("weak", [np.zeros(4, dtype=np.uint64), np.array([2**63, 0, 0, 0], dtype=np.uint64)])
def test_different_values_of_equal_hash_are_no_repetition(tmp_path: Path, weak: np.ndarray) -> None:
    assert repeats(tmp_path, BALLOTS, [0] * 6, weak) == {}
