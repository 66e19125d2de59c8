"""Aggregates and mix inputs: exactly the counted ballots, group by group, whatever the size of chunks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from crypto import cbor
from crypto.elgamal import decode_ciphertexts
from evoting.ballots.ballot import decode_voter_entry
from evoting.ballots.dispositions import COUNTED, SUPERSEDED
from evoting.office import lists as module
from evoting.office.groups import TallyGroup, merge_groups
from evoting.office.lists import list_path, write_lists
from tests.evoting.ballots.polling import STYLES, OpenElection

CONTESTS = ("question", "list", "ranking")


@pytest.fixture(scope="module")
def entries(polling: OpenElection) -> list[bytes]:
    """Six ballots, of which the second is superseded, between a challenge and a rejected one."""
    return [
        polling.challenged("west", 4),
        polling.ballot("east", 0, 0),
        polling.ballot("west", 0, 0),
        polling.ballot("east", 0, 1),
        polling.sign_ballot("east", 1, polling.body("east", 2)[0]),
        polling.ballot("east", 3, 0),
        polling.ballot("west", 1, 0),
    ]


def ciphertexts(entry: bytes, contest: str) -> bytes:
    body = cbor.decode(decode_voter_entry(entry).body)
    assert isinstance(body, dict)
    return bytes(body["contests"][CONTESTS.index(contest)]["ciphertexts"])


def sum_of(polling: OpenElection, rows: Sequence[bytes]) -> bytes:
    """Component-wise sums of rows of three ciphertexts, one row after the other."""
    group = polling.group
    pads, data = group.identity(3), group.identity(3)
    for row in rows:
        pairs = decode_ciphertexts(group, row)
        pads, data = pads + pairs.pads, data + pairs.data
    return group.interleave_elements([pads, data]).encode()


def groups_of(counted: Mapping[str, int], minimum: int) -> dict[str, list[TallyGroup]]:
    return {contest: merge_groups(counted, STYLES, minimum) for contest in CONTESTS}


@pytest.mark.parametrize("chunk", [1, 3, 100])
@pytest.mark.parametrize("minimum", [1, 3])
def test_lists_hold_exactly_the_counted_ballots_in_log_order(
    polling: OpenElection,
    entries: list[bytes],
    tmp_path: Path,
    chunk: int,
    minimum: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "CHUNK", chunk)
    selection = polling.judge(entries)
    assert [byte for byte in selection.dispositions if byte in (COUNTED, SUPERSEDED)] == [1, 0, 0, 0, 0]
    groups = groups_of({style: account.counted for style, account in selection.accounts.items()}, minimum)
    steps: list[int] = []
    aggregates = write_lists(polling.context, groups, entries, selection.dispositions, tmp_path, steps.append)
    members = {"east": [3, 5], "west": [2, 6]} if minimum == 1 else {"east": [2, 3, 5, 6]}
    for group, rows in members.items():
        assert aggregates["question", group] == sum_of(polling, [ciphertexts(entries[row], "question") for row in rows])
        for contest in ("list", "ranking"):
            expected = b"".join(ciphertexts(entries[row], contest) for row in rows)
            assert list_path(tmp_path, (contest, group)).read_bytes() == expected
    assert aggregates.keys() == {("question", group) for group in members}
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        f"{contest}.{group}.list" for contest in ("list", "ranking") for group in members
    )
    assert sum(steps) == 4


def test_D10_a_withheld_group_has_no_list_and_no_aggregate(
    polling: OpenElection, entries: list[bytes], tmp_path: Path
) -> None:
    selection = polling.judge(entries)
    groups = groups_of({style: account.counted for style, account in selection.accounts.items()}, 50)
    assert {group.status for members in groups.values() for group in members} == {"withheld"}
    assert write_lists(polling.context, groups, entries, selection.dispositions, tmp_path) == {}
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_no_list_behind(polling: OpenElection, entries: list[bytes], tmp_path: Path) -> None:
    selection = polling.judge(entries)
    groups = groups_of({"east": 2, "west": 2}, 1)
    with pytest.raises(ValueError, match="longer"):
        write_lists(polling.context, groups, entries[:-1], selection.dispositions, tmp_path)
    assert list(tmp_path.iterdir()) == []
