"""A corrupt office and mixers that want a decryption which would show single votes: the trustee's own count refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evoting.office.opening import blobref
from evoting.record.election import read_blobref
from tests.evoting.trustees.trustee_support import Desk, run_until
from tests.support.small_election import SmallElection


class PlantedInput(SmallElection):
    """The office lets the mixers mix one voter's ballot among ciphertexts of its own making."""

    expected = "list, east: stage 1 did not mix the counted ballots"

    def mix(self) -> None:
        path = self.root / "lists" / "list.east.list"
        inputs = path.read_bytes()
        count = len(inputs) // 64 - 1
        known = self.group.elements_decode(self.code_book_bytes()["list"][:32], allow_identity=False)
        randomizers = self.group.powers(7, count)
        pads = self.key.generator_table.mul(randomizers)
        data = known + self.key.key_table.mul(randomizers)
        path.write_bytes(inputs[:64] + self.group.interleave_elements([pads, data]).encode())
        super().mix()


class OneBallotLess(SmallElection):
    """The office calls a counted ballot superseded, in the dispositions and everything after them."""

    expected = "the selection judges ballots otherwise than this trustee"

    def alter(self, kind: str, body: dict[str, object]) -> dict[str, object]:
        if kind != "selection":
            return body
        dispositions = bytearray(self.board.get_blob(read_blobref(body["dispositions"])))
        dispositions[dispositions.rindex(0)] = 1
        return {**body, "dispositions": blobref(self.board.put_blob(bytes(dispositions)))}


class SmallerGroup(SmallElection):
    """The office says that a group is to be counted on its own under another name."""

    expected = "the selection's tally groups are not those of the counted ballots"

    def alter(self, kind: str, body: dict[str, object]) -> dict[str, object]:
        if kind != "selection":
            return body
        groups: Any = body["groups"]
        first = groups[0]["groups"][0]
        changed = {**groups[0], "groups": [{**first, "ballots": 1}, *groups[0]["groups"][1:]]}
        return {**body, "groups": [changed, *groups[1:]]}


class OtherAggregate(SmallElection):
    """The office publishes as aggregate what is not the sum."""

    expected = "question, east: the aggregate is not the ballots' sum"

    def alter(self, kind: str, body: dict[str, object]) -> dict[str, object]:
        if kind != "aggregate":
            return body
        data = body["ciphertexts"]
        assert isinstance(data, bytes)
        return {**body, "ciphertexts": data[64:] + data[:64]}


class ReplacedOutput(SmallElection):
    """The last mixer puts a ciphertext that it chose in the place of a vote."""

    expected = "stage 2: "

    def shuffle(self, contest: str, group: str, stage: int, inputs: bytes, width: int) -> tuple[bytes, bytes]:
        outputs, proof = super().shuffle(contest, group, stage, inputs, width)
        return (outputs[64:] + outputs[:64] if stage == 2 else outputs), proof


@pytest.mark.parametrize("corrupt", [PlantedInput, OneBallotLess, SmallerGroup, OtherAggregate, ReplacedOutput])
def test_D6_list_that_does_not_come_from_the_counted_ballots(
    corrupt: type[SmallElection], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    election = corrupt(tmp_path / "election")
    steps = ["setup", "open", "issue", "vote", "close", "ledgers", "select", "aggregate", "mix"]
    record = run_until(election, steps)
    election.board.close()
    desk = Desk.of(tmp_path / "desk", election, 1, with_share=True)
    assert desk.decrypt(record) == 1
    error = capsys.readouterr().err
    assert error.startswith("evoting-trustee: error: decrypt.counted: ")
    assert corrupt.expected in error  # type: ignore[attr-defined]
    assert error.count("\n") == 1
    assert not desk.output.exists()
    # Nothing but the count notices: every entry is signed as it must be, and the mixes are a chain.
    assert desk.decrypt(record, None, "--verified") == 0


def test_the_count_of_an_honest_election_holds(tmp_path: Path) -> None:
    election = SmallElection(tmp_path / "election")
    record = run_until(election, ["setup", "open", "issue", "vote", "close", "ledgers", "select", "aggregate", "mix"])
    election.board.close()
    counted = Desk.of(tmp_path / "one", election, 1, with_share=True)
    trusting = Desk.of(tmp_path / "two", election, 2, with_share=True)
    assert counted.decrypt(record) == 0
    assert trusting.decrypt(record, None, "--verified") == 0
    assert counted.outputs().keys() == trusting.outputs().keys()
