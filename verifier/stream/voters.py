"""The second pass as a whole: chunks to judge, their results put together, precedence and duplicates at the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from verifier.equations.ballots import add_sums
from verifier.failure import Failure, Failures
from verifier.record.files import TILE_WIDTH
from verifier.stream import claims
from verifier.stream.judge import VOTER, JudgeChunk, JudgeContext, JudgeTask, judge_chunk
from verifier.stream.pool import run_tasks
from verifier.stream.precedence import wrong_excess, wrong_sequences
from verifier.stream.repeats import find_repeats
from verifier.stream.scan import bundle_runs

if TYPE_CHECKING:
    from verifier.state import State


@dataclass
class Voters:
    """What all ballots and challenges together give."""

    failures: dict[str, Failures] = field(default_factory=dict)
    counts: dict[str | None, NDArray[np.int64]] = field(default_factory=dict)
    sums: dict[tuple[str, str], bytes] = field(default_factory=dict)
    mixed_files: dict[str, Path] = field(default_factory=dict)
    mixed_styles: dict[str, list[NDArray[np.uint32]]] = field(default_factory=dict)
    table: NDArray[np.void] = field(default_factory=lambda: np.empty(0, dtype=VOTER))

    def of(self, check: str) -> Failures:
        """Failures found for a check."""
        return self.failures.get(check, Failures())

    def fail(self, check: str, failure: Failure) -> None:
        """Note a failure of a check."""
        self.failures.setdefault(check, Failures()).add(failure)

    def counted(self, style: str) -> int:
        """Counted ballots of a style."""
        return int(self.counts[style][claims.COUNTED]) if style in self.counts else 0


def judge_voters(state: State) -> Voters:
    """Run the second pass over the log."""
    directory = Path(state.temporary.name)
    keys = np.frombuffer(state.settings.randomness(32), dtype="<u8") | np.uint64(1)
    context = JudgeContext(state.log, state.election, state.styles, state.settings.arithmetic, directory, keys)
    claimed = padded_claims(state)
    tasks = _tasks(state, claimed)
    voters, tables = Voters(), []
    state.settings.progress.start("verifying ballots", len(state.voter_indices))
    for chunk in run_tasks(judge_chunk, context, tasks, state.settings.jobs):
        _add(voters, chunk, directory, state)
        tables.append(chunk.voters)
        state.settings.progress.advance(chunk.rows)
    if tables:
        voters.table = np.concatenate(tables)
    _judge_repeats(state, voters, claimed, directory, keys)
    _judge_precedence(state, voters)
    return voters


def padded_claims(state: State) -> bytes:
    """One disposition for each ballot and challenge; ``MISSING`` where the blob is too short."""
    blob, count = state.dispositions, len(state.voter_indices)
    return blob[:count] + bytes([claims.MISSING]) * (count - len(blob))


def _tasks(state: State, claimed: bytes) -> list[JudgeTask]:
    tasks, indices = [], state.voter_indices
    for start, end in bundle_runs(state.log, state.settings.chunk):
        first, last = np.searchsorted(indices, (start * TILE_WIDTH, end * TILE_WIDTH))
        if first < last:
            kinds = bytes(state.scan.kinds[start * TILE_WIDTH : end * TILE_WIDTH])
            tasks.append(JudgeTask((start, end), kinds, claimed[first:last], int(first)))
    return tasks


def _add(voters: Voters, chunk: JudgeChunk, directory: Path, state: State) -> None:
    for check, failures in chunk.failures.items():
        voters.failures.setdefault(check, Failures()).merge(failures)
    for style, counts in chunk.counts.items():
        voters.counts[style] = voters.counts[style] + counts if style in voters.counts else counts
    for key, sums in chunk.sums.items():
        previous = voters.sums.get(key)
        voters.sums[key] = sums if previous is None else add_sums([previous, sums], state.group)
    for contest, mixed in chunk.mixed.items():
        path = voters.mixed_files.setdefault(contest, directory / f"rows-{contest}")
        with path.open("ab") as file:
            file.write(mixed.rows)
        voters.mixed_styles.setdefault(contest, []).append(mixed.styles)


def _judge_repeats(state: State, voters: Voters, claimed: bytes, directory: Path, keys: NDArray[np.uint64]) -> None:
    indices = state.voter_indices
    repeats = find_repeats(directory, keys, state.log, indices, claimed, state.fingerprint, state.styles)
    for ordinal, repeat in sorted(repeats.items()):
        entry, other = int(indices[ordinal]), int(indices[repeat.other])
        where = "within itself" if other == entry else f"of entry {other}"
        failure = Failure(f"repeats a pad or commitment {where}", entry=entry)
        claim = claimed[ordinal]
        if claim in claims.ACCEPTED:
            voters.fail("ballots.duplicate", failure)
        elif claim != claims.DUPLICATE:
            sentence = f"claimed {claims.NAMES.get(claim)}, but it {failure.sentence}"
            voters.fail("accounting.dispositions", Failure(sentence, entry=entry))
        pair = {claim, claimed[repeat.other]}
        if claims.COUNTED in pair and pair & claims.OPENED:
            voters.fail("challenges.uncounted", Failure(f"one of a challenged and a counted ballot {where}", entry))
    for ordinal in np.sort(voters.table["ordinal"][voters.table["claim"] == claims.DUPLICATE]).tolist():
        if ordinal not in repeats:
            sentence = "claimed rejected (duplicate), but it repeats nothing of an earlier entry"
            voters.fail("accounting.dispositions", Failure(sentence, entry=int(indices[ordinal])))


def _judge_precedence(state: State, voters: Voters) -> None:
    indices = state.voter_indices
    for ordinal, claim, sentence in wrong_sequences(voters.table):
        check = "accounting.dispositions" if claim == claims.SEQUENCE else "ballots.sequence"
        voters.fail(check, Failure(sentence, entry=int(indices[ordinal])))
    for ordinal, claim, sentence in wrong_excess(voters.table, state.manifest.limits["challenges"]):
        check = "accounting.dispositions" if claim == claims.EXCESS else "challenges.uncounted"
        voters.fail(check, Failure(sentence, entry=int(indices[ordinal])))
