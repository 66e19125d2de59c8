"""Prepared pairs: each is handed out once, whatever happens in between."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from crypto.errors import InvalidProof
from crypto.group import load_group
from mix_net.errors import InputError, PairsError
from mix_net.pairs import pairs_left, prepare_pairs, take_pairs
from tests.mix_net.support import SeededRandomness

GROUP = load_group("native")
KEY = GROUP.generator().mul(GROUP.scalars([4711]))
PUBLIC_KEY = KEY.encode()


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    path = tmp_path / "pairs"
    prepare_pairs(GROUP, path, PUBLIC_KEY, 10, SeededRandomness("pairs"))
    return path


def test_pairs_encrypt_zero_and_come_in_order(pairs: Path) -> None:
    assert pairs_left(pairs, PUBLIC_KEY) == 10
    seen: list[int] = []
    for count in (3, 1, 6):
        taken = take_pairs(GROUP, pairs, PUBLIC_KEY, count)
        assert taken.pads == GROUP.generator().mul(taken.randomizers)
        assert taken.datas == KEY.mul(taken.randomizers)
        seen += taken.randomizers.to_ints()
    assert len(set(seen)) == 10
    assert pairs_left(pairs, PUBLIC_KEY) == 0


def test_taken_pairs_are_erased(pairs: Path) -> None:
    taken = take_pairs(GROUP, pairs, PUBLIC_KEY, 4)
    data = pairs.read_bytes()
    for randomizer in taken.randomizers.to_ints():
        assert randomizer.to_bytes(32, "little") not in data
    assert data[-6 * 96 :] != bytes(6 * 96)


def test_too_few_left_uses_nothing_up(pairs: Path) -> None:
    take_pairs(GROUP, pairs, PUBLIC_KEY, 7)
    before = pairs.read_bytes()
    with pytest.raises(PairsError, match="4 pairs are needed, 3 are left"):
        take_pairs(GROUP, pairs, PUBLIC_KEY, 4)
    assert pairs.read_bytes() == before


class PowerCut(BaseException):
    """Not an Exception, so that nothing on the way handles it."""


@pytest.mark.parametrize("survived", range(5))
def test_M10_crash_at_any_write_never_gives_a_pair_twice(
    pairs: Path, survived: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies before system call number ``survived`` of the four that taking makes."""
    first = take_pairs(GROUP, pairs, PUBLIC_KEY, 2).randomizers.to_ints()
    calls = 0

    def dying(real: object) -> object:
        def call(*arguments: object) -> object:
            nonlocal calls
            if calls == survived:
                raise PowerCut
            calls += 1
            return real(*arguments)  # type: ignore[operator]

        return call

    handed_out: list[int] = []
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", dying(os.pwrite))
        patch.setattr(os, "fsync", dying(os.fsync))
        with contextlib.suppress(PowerCut):
            handed_out = take_pairs(GROUP, pairs, PUBLIC_KEY, 3).randomizers.to_ints()
    assert bool(handed_out) == (survived == 4)
    later = take_pairs(GROUP, pairs, PUBLIC_KEY, pairs_left(pairs, PUBLIC_KEY)).randomizers.to_ints()
    assert len({*first, *handed_out, *later}) == len(first) + len(handed_out) + len(later)


@pytest.mark.parametrize("torn", range(0, 41, 8))
def test_M10_torn_cursor_write_never_moves_backwards(pairs: Path, torn: int) -> None:
    """Only the first ``torn`` bytes of a cursor slot reach the disk: the older slot counts, whose pairs are intact."""
    take_pairs(GROUP, pairs, PUBLIC_KEY, 2)
    before = pairs.read_bytes()
    take_pairs(GROUP, pairs, PUBLIC_KEY, 3)
    after = pairs.read_bytes()
    slot = 4096 if before[4096:4136] != after[4096:4136] else 8192
    pairs.write_bytes(before[:slot] + after[slot : slot + torn] + before[slot + torn :])
    assert pairs_left(pairs, PUBLIC_KEY) == (5 if torn == 40 else 8)


@pytest.mark.parametrize("where", ["magic", "key", "count", "cursors", "record", "short", "long", "empty"])
def test_damaged_files_are_refused(pairs: Path, where: str) -> None:
    data = pairs.read_bytes()
    damaged = {
        "magic": b"x" + data[1:],
        "key": data[:20] + bytes([data[20] ^ 1]) + data[21:],
        "count": data[:63] + b"\x09" + data[64:],
        "cursors": data[:4096] + bytes(8192) + data[12288:],
        "record": data[: 12288 + 40] + b"\xff" * 32 + data[12288 + 72 :],
        "short": data[:-1],
        "long": data + b"\0",
        "empty": b"",
    }
    pairs.write_bytes(damaged[where])
    with pytest.raises(PairsError):
        take_pairs(GROUP, pairs, PUBLIC_KEY, 1)


def test_file_of_another_key_is_refused(pairs: Path) -> None:
    with pytest.raises(PairsError, match="another public key"):
        take_pairs(GROUP, pairs, GROUP.generator().encode(), 1)


def test_file_that_others_can_read_is_refused(pairs: Path) -> None:
    pairs.chmod(0o644)
    with pytest.raises(InputError, match="open to other accounts"):
        take_pairs(GROUP, pairs, PUBLIC_KEY, 1)


def test_existing_file_is_never_overwritten(pairs: Path) -> None:
    before = pairs.read_bytes()
    with pytest.raises(PairsError, match="exists already"):
        prepare_pairs(GROUP, pairs, PUBLIC_KEY, 1, SeededRandomness("again"))
    assert pairs.read_bytes() == before


def test_bad_public_key_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidProof):
        prepare_pairs(GROUP, tmp_path / "pairs", bytes(32), 1, SeededRandomness("bad"))
    assert list(tmp_path.iterdir()) == []
