"""The counted set as a whole: accounting, precedence and duplicates, whatever the order and the size of chunks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evoting.ballots.dispositions import CHALLENGED, COUNTED, REASONS, SUPERSEDED
from evoting.office import duplicates
from evoting.office import selection as module
from evoting.office.duplicates import PrefixIndex
from evoting.office.selection import Selection, select
from tests.evoting.ballots.cases import CASES
from tests.evoting.ballots.polling import CHALLENGES, STYLES, OpenElection


@pytest.fixture(scope="module")
def all_entries(polling: OpenElection) -> list[bytes]:
    """One of every case there is."""
    return [entry for case in CASES.values() for entry in case.make(polling)]


@pytest.fixture(scope="module")
def whole(polling: OpenElection, all_entries: list[bytes]) -> Selection:
    return polling.judge(all_entries)


def test_the_accounting_identity_holds_for_every_style(whole: Selection, all_entries: list[bytes]) -> None:
    """appended = counted + superseded + challenged + rejected, and what has no style is malformed."""
    for account in whole.accounts.values():
        assert account.appended == (
            account.counted + account.superseded + account.challenged + sum(account.rejected.values())
        )
    assert sum(account.appended for account in whole.accounts.values()) + whole.malformed == len(all_entries)
    assert Counter(whole.dispositions)[COUNTED] == sum(account.counted for account in whole.accounts.values())
    assert list(whole.accounts) == list(STYLES)
    for style, byte in zip(whole.styles, whole.dispositions, strict=True):
        assert style is not None or byte == REASONS["malformed"]


def test_an_account_is_published_in_the_order_of_the_bytes(whole: Selection) -> None:
    encoded = whole.accounts["east"].encode("east")
    reasons = [item["reason"] for item in encoded["rejected"]]  # type: ignore[attr-defined]
    assert reasons == sorted(reasons, key=REASONS.__getitem__)
    assert all(item["count"] > 0 for item in encoded["rejected"])  # type: ignore[attr-defined]


def test_each_counted_pseudonym_is_counted_once(polling: OpenElection, all_entries: list[bytes]) -> None:
    from crypto import cbor
    from evoting.ballots.ballot import decode_voter_entry

    dispositions = polling.judge(all_entries).dispositions
    pseudonyms = [
        cbor.decode(decode_voter_entry(entry).body)["pseudonym"]  # type: ignore[index]
        for entry, byte in zip(all_entries, dispositions, strict=True)
        if byte == COUNTED
    ]
    assert len(set(pseudonyms)) == len(pseudonyms) > 1


@pytest.mark.parametrize("chunk", [1, 7])
def test_the_size_of_chunks_changes_nothing(
    polling: OpenElection, all_entries: list[bytes], whole: Selection, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", chunk)
    seen: list[int] = []
    part = all_entries[:40]
    again = select(polling.context, lambda: iter(part), list(STYLES), CHALLENGES, seen.append)
    assert again.dispositions == polling.judge(part).dispositions
    assert sum(seen) == len(part)
    assert max(seen) <= chunk


def test_equal_prefixes_alone_make_no_duplicate(
    polling: OpenElection, all_entries: list[bytes], whole: Selection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With prefixes of one byte instead of eight nearly every entry is suspected; the verdict stays."""

    class ShortPrefixes(PrefixIndex):
        def add(self, elements: bytes) -> None:
            self._prefixes.append(np.frombuffer(elements, dtype=np.uint8)[::32].astype(np.uint64))
            self._counts.append(len(elements) // 32)

    monkeypatch.setattr(module, "PrefixIndex", ShortPrefixes)
    assert polling.judge(all_entries) == whole


def test_nothing_suspected_means_no_duplicate_is_found(
    polling: OpenElection, all_entries: list[bytes], whole: Selection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparison in full sees only what the index names, so the index must name them all."""
    monkeypatch.setattr(duplicates.PrefixIndex, "suspects", lambda self: iter(()))
    assert REASONS["duplicate"] not in polling.judge(all_entries).dispositions
    assert REASONS["duplicate"] in whole.dispositions


ELEMENTS = st.lists(st.integers(0, 6), max_size=5)


@given(st.lists(ELEMENTS, max_size=6))
def test_the_index_names_exactly_the_entries_that_share_a_prefix(entries: Sequence[Sequence[int]]) -> None:
    index = PrefixIndex()
    for number, values in enumerate(entries):
        # Equal first eight bytes, all else different.
        index.add(b"".join(bytes([value]) * 8 + bytes([number]) * 24 for value in values))
    counts = Counter(value for values in entries for value in values)
    expected = [number for number, values in enumerate(entries) if any(counts[value] > 1 for value in values)]
    assert list(index.suspects()) == expected


def test_an_empty_election(polling: OpenElection) -> None:
    selection = polling.judge([])
    assert (selection.dispositions, selection.malformed) == (b"", 0)
    assert all(account.appended == 0 for account in selection.accounts.values())


@pytest.fixture(scope="module")
def numbered(polling: OpenElection) -> list[tuple[int, int, bytes]]:
    """Valid ballots of two voters with sequence numbers 0 to 3, each made once."""
    return [(row, number, polling.ballot("east", row, number)) for row in (0, 1) for number in range(4)]


@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_B15_in_any_order_the_highest_of_a_rising_sequence_counts(
    polling: OpenElection, numbered: list[tuple[int, int, bytes]], data: st.DataObject
) -> None:
    """Against a model of three lines; an entry twice is a duplicate, which comes first."""
    order = data.draw(st.lists(st.sampled_from(numbered), min_size=1, max_size=8))
    expected: list[int] = []
    highest: dict[int, tuple[int, int]] = {}
    accepted: set[tuple[int, int]] = set()
    for place, (row, number, _) in enumerate(order):
        if (row, number) in accepted:
            expected.append(REASONS["duplicate"])
        elif row in highest and number <= highest[row][0]:
            expected.append(REASONS["sequence"])
        else:
            if row in highest:
                expected[highest[row][1]] = SUPERSEDED
            highest[row] = (number, place)
            accepted.add((row, number))
            expected.append(COUNTED)
    assert list(polling.judge([entry for _, _, entry in order]).dispositions) == expected


def test_the_limit_of_challenges_is_the_manifests(polling: OpenElection) -> None:
    entries = [polling.challenged("west", 2) for _ in range(2)]
    for limit, last in ((0, REASONS["excess"]), (1, REASONS["excess"]), (2, CHALLENGED)):
        selection = select(polling.context, lambda: entries, list(STYLES), limit)
        assert selection.dispositions[-1] == last
