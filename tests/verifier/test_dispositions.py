"""What the office claims of ballots and challenges, against what they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from evoting.ballots.build import cast_ballots, challenge_ballots
from tests.support.small_election import SmallElection
from tests.verifier.edited import Edited
from tests.verifier.edits import insert, sentences
from verifier.record.cbor import encode
from verifier.record.entries import split_voter_entry
from verifier.record.files import TILE_WIDTH
from verifier.stream import claims
from verifier.stream.scan import Scan, order_hash, scan_chunk

CHECKS_OF_VOTERS = (
    "ballots.encoding", "ballots.credential", "ballots.signature", "ballots.proof", "ballots.duplicate",
    "ballots.sequence", "accounting.dispositions", "challenges.opening", "challenges.uncounted",
)  # fmt: skip


def voters(edited: Edited) -> list[int]:
    """Indices of ballots and challenges."""
    return [index for index, raw in enumerate(edited.entries) if split_voter_entry(raw) is not None]


def dispose(edited: Edited, changes: dict[int, int]) -> None:
    """Claim something else of some entries, given by their indices."""
    ref = edited.body("selection")["dispositions"]
    path = edited.root / "blob/sha256" / ref["hash"].hex()[:2] / ref["hash"].hex()
    blob = bytearray(path.read_bytes())
    for index, claim in changes.items():
        blob[voters(edited).index(index)] = claim
    edited.set("selection", "dispositions", value=edited.blob(bytes(blob)))


def failing(edited: Edited) -> dict[str, list[str]]:
    """What the checks of ballots and challenges find."""
    found = {name: sentences(edited, name) for name in CHECKS_OF_VOTERS}
    return {name: failures for name, failures in found.items() if failures}


@pytest.mark.parametrize("claim", [16, 17, 18, 19, 20, 21])
def test_a_valid_ballot_is_not_rejected(edited: Edited, claim: int) -> None:
    """A corrupt office claims a defect that the ballot has not."""
    index = voters(edited)[5]
    dispose(edited, {index: claim})
    found = failing(edited)
    assert "accounting.dispositions" in found
    assert any(f"claimed rejected ({claims.REASONS[claim]})" in text for text in found["accounting.dispositions"])


@pytest.mark.parametrize("claim", [16, 17, 18, 19, 20, 22, 23])
def test_a_valid_challenge_is_not_rejected(edited: Edited, claim: int) -> None:
    index = edited.at("challenge")
    dispose(edited, {index: claim})
    found = failing(edited)
    assert list(found) == ["accounting.dispositions"]
    assert f"claimed rejected ({claims.REASONS[claim]})" in found["accounting.dispositions"][0]


@pytest.mark.parametrize(
    ("kind", "claim"), [("ballot", 2), ("ballot", 22), ("ballot", 23), ("challenge", 0), ("challenge", 21)]
)
def test_a_ballot_is_no_challenge_and_a_challenge_no_ballot(edited: Edited, kind: str, claim: int) -> None:
    dispose(edited, {edited.at(kind): claim})
    assert any(f"of a {kind}" in text for text in failing(edited)["accounting.dispositions"])


def _again(edited: Edited, kind: str, claims_of_copy: int) -> None:
    """Append a copy of an entry to the last batch, in its place, and account for it."""
    copy = edited.entries[edited.at(kind)]
    end = edited.at("epoch", 1)
    start = edited.at("epoch", 0) + 1
    batch = sorted([*edited.entries[start:end], copy], key=order_hash)
    edited.entries[start:end] = batch
    ref = edited.body("selection")["dispositions"]
    path = edited.root / "blob/sha256" / ref["hash"].hex()[:2] / ref["hash"].hex()
    blob = bytearray(path.read_bytes())
    blob.insert(voters(edited).index(start + batch.index(copy)), claims_of_copy)
    edited.set("selection", "dispositions", value=edited.blob(bytes(blob)))


def test_a_copy_rejected_as_duplicate_is_accepted(edited: Edited) -> None:
    _again(edited, "ballot", claims.DUPLICATE)
    assert failing(edited) == {}


def test_a_copy_rejected_for_a_later_reason_is_a_duplicate_first(edited: Edited) -> None:
    _again(edited, "ballot", claims.SEQUENCE)
    (sentence,) = failing(edited)["accounting.dispositions"]
    assert "claimed rejected (sequence), but it repeats" in sentence


def test_a_copied_challenge_is_a_duplicate(edited: Edited) -> None:
    _again(edited, "challenge", claims.CHALLENGED)
    assert list(failing(edited)) == ["ballots.duplicate"]


def test_a_challenged_ballot_that_is_cast_is_named_twice(election: SmallElection, edited: Edited) -> None:
    """The device hands in the challenged ciphertexts as a ballot; the office counts it."""
    part, built = election.build("west", [1], 0)
    (challenge,) = challenge_ballots(election.key, part, built, np.random.bytes)
    (ballot,) = cast_ballots(election.key, part, built, np.random.bytes)
    end = edited.at("epoch", 0)
    insert(edited, end, challenge)
    ref = edited.body("selection")["dispositions"]
    path = edited.root / "blob/sha256" / ref["hash"].hex()[:2] / ref["hash"].hex()
    blob = bytearray(path.read_bytes())
    at = voters(edited).index(end)
    blob[at:at] = [claims.CHALLENGED]
    insert(edited, edited.at("epoch", 1), ballot)
    at = voters(edited).index(edited.at("epoch", 1) - 1)
    blob[at:at] = [claims.COUNTED]
    edited.set("selection", "dispositions", value=edited.blob(bytes(blob)))
    found = failing(edited)
    assert {"ballots.duplicate", "challenges.uncounted"} <= found.keys()


def test_a_challenge_beyond_the_allowed_number_is_named(election: SmallElection, edited: Edited) -> None:
    limit = election.manifest.limits.challenges
    end = edited.at("epoch", 0)
    more = [election.challenge("west", [2])[0] for _ in range(limit + 1)]
    insert(edited, end, *more)
    ref = edited.body("selection")["dispositions"]
    path = edited.root / "blob/sha256" / ref["hash"].hex()[:2] / ref["hash"].hex()
    blob = bytearray(path.read_bytes())
    at = voters(edited).index(end)
    blob[at:at] = [claims.CHALLENGED] * (limit + 1)
    edited.set("selection", "dispositions", value=edited.blob(bytes(blob)))
    found = failing(edited)
    assert list(found) == ["challenges.uncounted"]
    assert f"has {limit} challenges before it" in found["challenges.uncounted"][0]


def one_selection_too_few(chosen: np.ndarray) -> np.ndarray:
    return chosen.reshape(1, -1)[:, :-1]


def another_selection(chosen: np.ndarray) -> np.ndarray:
    other = chosen.copy()
    other.flat[0] ^= 1
    return other


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (one_selection_too_few, "not one selection and randomizer for each ciphertext"),
        (another_selection, "selections and randomizers do not encrypt to the ciphertexts"),
    ],
)
def test_a_challenge_that_opens_to_something_else_is_named_or_rejected(
    election: SmallElection, edited: Edited, change: Callable[[np.ndarray], np.ndarray], words: str
) -> None:
    """Signed and proved as it should be; only the opening is not that of the ballot."""
    part, built = election.build("west", [1], 0)
    opened = replace(built, selections=[change(built.selections[0]), *built.selections[1:]])
    (challenge,) = challenge_ballots(election.key, part, opened, np.random.bytes)
    end = edited.at("epoch", 0)
    insert(edited, end, challenge)
    ref = edited.body("selection")["dispositions"]
    path = edited.root / "blob/sha256" / ref["hash"].hex()[:2] / ref["hash"].hex()
    blob = bytearray(path.read_bytes())
    blob.insert(voters(edited).index(end), claims.CHALLENGED)
    edited.set("selection", "dispositions", value=edited.blob(bytes(blob)))
    found = failing(edited)
    assert list(found) == ["challenges.opening"]
    assert words in found["challenges.opening"][0]
    dispose(edited, {end: claims.OPENING})
    assert failing(edited) == {}


def test_order_is_compared_across_chunks() -> None:
    """A batch that descends exactly where one chunk of the scan ends and the next begins."""

    class Log:
        def __init__(self, entries: list[bytes]) -> None:
            self.entries = entries

        def width(self, bundle: int) -> int:
            return TILE_WIDTH

        def read_bundle(self, bundle: int) -> list[bytes]:
            return self.entries[TILE_WIDTH * bundle : TILE_WIDTH * (bundle + 1)]

        def read_hash_tile(self, level: int, index: int, width: int) -> bytes:
            return bytes(32 * width)

    def ballots(count: int) -> list[bytes]:
        raw = [encode({"type": "ballot", "body": b"%d" % n, "signature": bytes(64)}) for n in range(count)]
        return sorted(raw, key=order_hash)

    entries = ballots(2 * TILE_WIDTH)
    for swap, expected in ((False, []), (True, [TILE_WIDTH])):
        if swap:
            entries[TILE_WIDTH - 1], entries[TILE_WIDTH] = entries[TILE_WIDTH], entries[TILE_WIDTH - 1]
        scan = Scan()
        for bundle in range(2):
            scan.add(scan_chunk(Log(entries), (bundle, bundle + 1)))  # type: ignore[arg-type]
        assert [index for index in scan.unsorted if index == TILE_WIDTH] == expected
