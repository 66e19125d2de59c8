"""C7: however often one credential casts, and in whatever order the board takes it in, one ballot counts."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from evoting.ballots.dispositions import describe_disposition
from tests.evoting.ballots.polling import OpenElection
from tests.evoting.ballots.second_judge import objections

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
