"""C7: however often one credential casts, and in whatever order the board takes it in, one ballot counts."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from evoting.ballots.dispositions import describe_disposition
from tests.evoting.ballots.polling import OpenElection
from tests.evoting.ballots.second_judge import objections
from tests.support.small_election import SmallElection

CASTS = 100


@pytest.mark.parametrize("sequences", ["all the same", "all different", "some twice"])
def test_C7_100_parallel_casts_with_one_credential_count_once(polling: OpenElection, sequences: str) -> None:
    numbers = {
        "all the same": [0] * CASTS,
        "all different": list(range(CASTS)),
        "some twice": [number // 2 for number in range(CASTS)],
    }[sequences]
    # The board orders what arrives at once as it likes; a shuffle stands for that, with another voter in between.
    random.Random(7).shuffle(numbers)
    with ThreadPoolExecutor(8) as pool:
        entries = list(pool.map(lambda number: polling.ballot("east", 0, number), numbers))
    entries.insert(CASTS // 2, polling.ballot("east", 1))
    judged = polling.judge(entries).dispositions
    assert objections(polling, entries, judged) == {}
    fates = [describe_disposition(byte) for byte in judged]
    assert fates.pop(CASTS // 2) == "counted"
    told = Counter(fates)
    assert told["counted"] == 1
    assert sum(told.values()) == CASTS
    # The one that counts has the highest number that was cast: nobody can push an older ballot over it.
    assert numbers[fates.index("counted")] == max(numbers)
    # The verifier objects to a second one.
    second = next(at for at, fate in enumerate(fates) if fate != "counted")
    second += second >= CASTS // 2
    assert objections(polling, entries, judged[:second] + b"\0" + judged[second + 1 :])


class Flooded(SmallElection):
    """One voter casts a hundred ballots at a time, beside everybody else's."""

    def epochs(self) -> list[list[bytes]]:
        with ThreadPoolExecutor(8) as pool:
            casts = list(pool.map(lambda number: self.cast("east", [0], number // 2)[0], range(CASTS)))
        others = range(1, self.ballots_per_style)
        return [casts, [*self.cast("east", others), *self.cast("west", [0, *others])]]


@pytest.mark.slow
def test_C7_100_parallel_casts_are_one_vote_in_the_published_result(tmp_path: Path) -> None:
    election = Flooded(tmp_path).run()
    report = tmp_path / "report.json"
    command = ["run", election.record_path, "--trust-root", election.trust_root_path, "--json", report]
    done = subprocess.run([sys.executable, "-m", "verifier.cli", *map(str, command)], capture_output=True, check=False)
    assert (done.returncode, done.stdout.decode().split()[-1]) == (0, "VERIFIED")
    (east,) = [row for row in json.loads(report.read_text())["accounting"] if row["style"] == "east"]
    assert (east["appended"], east["counted"]) == (CASTS + election.ballots_per_style - 1, election.ballots_per_style)
    assert sum(row["count"] for row in east["rejected"]) + east["superseded"] == CASTS - 1
