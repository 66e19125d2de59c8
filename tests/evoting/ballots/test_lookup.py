"""B17: what the board shows under a pseudonym, before and after the close."""

from __future__ import annotations

import pytest

from evoting.ballots.ballot import decode_voter_entry, tracking_hash
from evoting.ballots.lookup import FoundEntry, find_entries
from tests.evoting.ballots.polling import OpenElection


def look_up(polling: OpenElection, entries: list[bytes], row: int, *, judged: bool = True) -> list[FoundEntry]:
    dispositions = polling.judge(entries).dispositions if judged else None
    pseudonym = polling.wallets["east"].pseudonyms[row]
    return list(find_entries(enumerate(entries, 6), pseudonym, dispositions))


def test_B17_a_silent_re_vote_by_malware_is_shown(polling: OpenElection) -> None:
    """The voter knows of one ballot; the look-up shows a later one that counts in its place."""
    mine = polling.ballot("east", 0, 0)
    entries = [mine, polling.ballot("east", 1, 0), polling.ballot("east", 0, 1)]
    found = look_up(polling, entries, 0)
    assert [(one.index, one.sequence, one.status) for one in found] == [(6, 0, "superseded"), (8, 1, "counted")]
    assert found[0].tracking == tracking_hash(decode_voter_entry(mine).body)
    assert found[1].tracking != found[0].tracking
    # Before the close the second entry is there as well.
    assert [one.status for one in look_up(polling, entries, 0, judged=False)] == ["not judged yet"] * 2


def test_everything_under_a_pseudonym_is_shown_with_its_fate(polling: OpenElection) -> None:
    ballot = polling.ballot("east", 0, 3)
    entries = [
        polling.challenged("east", 0),
        ballot,
        ballot,
        polling.ballot("east", 0, 2),
        polling.sign_ballot("east", 1, polling.body("east", 0, 4)[0]),
        polling.sign_challenge("east", 0, polling.body("east", 0)[0], b""),
        polling.ballot("east", 0, 9),
        polling.ballot("east", 1),
    ]
    assert [(one.kind, one.sequence, one.status) for one in look_up(polling, entries, 0)] == [
        ("challenge", 0, "challenged"),
        ("ballot", 3, "superseded"),
        ("ballot", 3, "rejected: duplicate"),
        ("ballot", 2, "rejected: sequence"),
        ("ballot", 4, "rejected: signature"),
        ("challenge", 0, "rejected: opening"),
        ("ballot", 9, "counted"),
    ]
    assert [one.status for one in look_up(polling, entries, 1)] == ["counted"]
    assert look_up(polling, entries, 5) == []


def test_a_malformed_entry_that_names_the_pseudonym_is_shown(polling: OpenElection) -> None:
    entries = [
        polling.edited(lambda body: body.update(sequence="x")),
        polling.edited(lambda body: body.update(style="north")),
        polling.sign_ballot("east", 0, b"\xff" + polling.wallets["east"].pseudonyms[0]),
    ]
    found = look_up(polling, entries, 0)
    assert [(one.index, one.sequence, one.status) for one in found] == [
        (6, None, "rejected: malformed"),
        (7, 0, "rejected: malformed"),
    ]


def test_a_pseudonym_inside_another_field_is_no_match(polling: OpenElection) -> None:
    mine = polling.wallets["east"].pseudonyms[0]

    def hide(body: dict[str, bytes]) -> None:
        body["credential"] = mine + bytes(16)

    assert look_up(polling, [polling.edited(hide, "east", 1)], 0) == []


def test_dispositions_must_be_one_for_each_entry(polling: OpenElection) -> None:
    entries = [polling.ballot("east", 0)]
    pseudonym = polling.wallets["east"].pseudonyms[0]
    for dispositions in (b"", b"\0\0"):
        with pytest.raises(ValueError, match="dispositions than ballots"):
            list(find_entries(enumerate(entries), pseudonym, dispositions))
    with pytest.raises(ValueError, match="77 is no disposition"):
        list(find_entries(enumerate(entries), pseudonym, b"\x4d"))
