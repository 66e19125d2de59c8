"""From decryption factors to the result: whatever trustees post, the office names the bad ones and counts on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crypto import cbor
from evoting.errors import RecordError
from evoting.office.tally import list_bytes, post_result
from evoting.record.election import read_blobref
from tests.support.small_election import SmallElection

BEFORE = ("setup", "open", "issue", "vote", "close", "ledgers", "select", "aggregate", "mix")


class Count(SmallElection):
    """An election before its decryption; ``corrupt`` trustees post factors that do not hold."""

    corrupt: tuple[int, ...] = ()

    def factors(self, contest: str, group: str, trustee: int, data: bytes) -> tuple[bytes, bytes]:
        factors, proof = super().factors(contest, group, trustee, data)
        if trustee in self.corrupt:
            factors = self.key.generator_table.mul(
                self.group.scalars_wide(os.urandom(64 * (len(factors) // 32)))
            ).encode()
        return factors, proof


def counted(root: Path, present: tuple[int, ...], corrupt: tuple[int, ...]) -> Count:
    election = Count(root)
    election.trustees_present, election.corrupt = present, corrupt
    for step in (*BEFORE, "decrypt"):
        getattr(election, step)()
    return election


def lists_of(election: SmallElection) -> list[dict[str, object]]:
    ref = read_blobref(election.record.only("result").body["lists"])
    value = cbor.decode(election.board.get_blob(ref))
    assert isinstance(value, list)
    return value


def test_D5_a_bad_factor_beside_enough_good_ones_is_left_out_by_name(tmp_path: Path) -> None:
    election = counted(tmp_path, (1, 2, 3), (2,))
    result = post_result(election.record, election.officers, election.now())
    assert {(tuple(one["used"]), tuple(one["left-out"])) for one in lists_of(election)} == {  # type: ignore[arg-type]
        ((1, 3), (2,))
    }
    question = next(entry for entry in result.contests if entry.contest.id == "question")
    assert question.totals is not None
    # Rows 0 to 5 of each style choose yes, no, against all, nothing, yes, no.
    assert question.totals.counts == (4, 4, 2)
    assert question.totals.blank == 2


def test_D5_the_totals_do_not_depend_on_who_decrypts(tmp_path: Path) -> None:
    """Three elections with the same choices; seats may differ, since a tie is resolved by the fingerprint."""
    results = []
    for number, present in enumerate([(1, 2), (2, 3), (1, 2, 3)]):
        election = counted(tmp_path / str(number), present, ())
        result = post_result(election.record, election.officers, election.now())
        results.append([(entry.contest.id, entry.totals) for entry in result.contests])
        assert {tuple(one["used"]) for one in lists_of(election)} == {present}  # type: ignore[arg-type]
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize(("present", "corrupt"), [((1,), ()), ((1, 3), (3,)), ((), ())])
def test_D4_too_few_valid_decryptions_give_no_result(
    tmp_path: Path, present: tuple[int, ...], corrupt: tuple[int, ...]
) -> None:
    election = counted(tmp_path, present, corrupt)
    size = election.board.size
    blame = "; the factors of trustee 3 do not hold" if corrupt else ""
    with pytest.raises(RecordError, match=f"{len(present) - len(corrupt)} of 2 needed decryptions are there{blame}$"):
        post_result(election.record, election.officers, election.now())
    assert election.board.size == size


def test_D4_one_trustee_cannot_post_twice(tmp_path: Path) -> None:
    election = counted(tmp_path, (1,), ())
    entry = election.record.entries("decryption")[0]
    with pytest.raises(RecordError, match="trustee 1 already"):
        election.record.post_signed(entry.raw)


def test_a_list_that_is_not_there_yet_is_named(tmp_path: Path) -> None:
    election = SmallElection(tmp_path)
    for step in BEFORE[:7]:
        getattr(election, step)()
    contests = election.manifest.contest_by_id
    with pytest.raises(RecordError, match="question, group east: there is no aggregate yet"):
        list_bytes(election.record, contests["question"], "east")
    with pytest.raises(RecordError, match="list, group west: the last of 2 mixes is missing"):
        list_bytes(election.record, contests["list"], "west")


def test_D10_small_groups_are_counted_together_or_not_at_all(tmp_path: Path) -> None:
    """Two voters in each style make one group of four; of one voter in each nothing is shown."""

    class Small(SmallElection):
        ballots_per_style = 2

    election: SmallElection = Small(tmp_path / "merged")
    for step in (*BEFORE, "decrypt"):
        getattr(election, step)()
    result = post_result(election.record, election.officers, election.now())
    assert [[(group.group, group.counted) for group in entry.groups] for entry in result.contests] == [
        [("east", 4)]
    ] * 3

    class Tiny(SmallElection):
        ballots_per_style = 1

    election = Tiny(tmp_path / "withheld")
    for step in (*BEFORE, "decrypt"):
        getattr(election, step)()
    result = post_result(election.record, election.officers, election.now())
    assert {group.status for entry in result.contests for group in entry.groups} == {"withheld"}
    assert all(entry.totals is None for entry in result.contests)
    assert election.record.entries("aggregate", "mix", "decryption") == []
