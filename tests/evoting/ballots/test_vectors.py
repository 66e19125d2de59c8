"""The specification's worked ballots are what this code makes, and what it judges as they say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from crypto.elgamal import EncryptionKey
from crypto.group import load_group, load_pairing_group
from evoting.ballots.check import BallotContext, judge_entries
from tests.evoting.ballots import make_vectors
from tests.support.arithmetics import NAMES


@pytest.mark.parametrize("name", make_vectors.VECTORS)
def test_the_files_are_what_this_code_makes(name: str) -> None:
    written = (make_vectors.DIRECTORY / f"{name}.json").read_text("utf-8")
    assert make_vectors.encode(make_vectors.VECTORS[name]()) == written


def read(name: str) -> Any:
    return json.loads((make_vectors.DIRECTORY / f"{name}.json").read_text("utf-8"))


@pytest.mark.parametrize("arithmetic", NAMES)
def test_both_arithmetics_judge_them_as_they_say(arithmetic: str) -> None:
    group, pairing = load_group(arithmetic), load_pairing_group(arithmetic)
    vector = read("ballot-cast")
    context = BallotContext(
        bytes.fromhex(vector["fingerprint"]),
        {"city": make_vectors.STYLE},
        EncryptionKey.decode(group, bytes.fromhex(vector["key"])),
        pairing,
        {"city": pairing.g2_decode(bytes.fromhex(vector["issuance-key"]))},
        {
            contest["id"]: group.elements_decode(bytes.fromhex(contest["code-book"]), allow_identity=False)
            for contest in vector["contests"]
            if contest["kind"] == "mixed"
        },
    )
    valid = [*vector["ballots"], *read("ballot-challenge")["challenges"]]
    rows = judge_entries(context, [bytes.fromhex(ballot["entry"]) for ballot in valid])
    assert [(row.reason, row.opens) for row in rows] == [(None, True)] * 5
    invalid = read("ballot-invalid")["ballots"]
    rows = judge_entries(context, [bytes.fromhex(ballot["entry"]) for ballot in invalid])
    assert [row.reason for row in rows] == [ballot["reason"] for ballot in invalid]
