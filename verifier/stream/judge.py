"""Second pass: every ballot and challenge against what the office claims of it.

One task is a run of bundles. Entries are sorted into batches by kind and style, batches go to the equations, and what
comes back is compared with the claims. Only sums, counts and a few columns leave the chunk.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crypto.errors import DecodeError
from crypto.group import load_group, load_pairing_group
from verifier.equations.ballots import add_sums, ciphertext_sums, verify_ballots
from verifier.equations.challenges import verify_openings
from verifier.equations.interface import Election, StyleShape
from verifier.failure import Failure, Failures, RowFailure
from verifier.record.files import TILE_WIDTH, LogFiles
from verifier.stream import claims
from verifier.stream.duplicates import spill
from verifier.stream.rows import Located, RowSet, read_rows
from verifier.stream.scan import BALLOT, CHALLENGE

#: What is remembered of an entry in order to judge precedence and numbers at the end.
VOTER = np.dtype(
    [
        ("pseudonym", "<u8", 4),
        ("sequence", "<u8"),
        ("ordinal", "<u4"),
        ("style", "<u4"),
        ("claim", "u1"),
        ("kind", "u1"),
    ]
)


@dataclass(frozen=True)
class JudgeContext:
    """What all tasks share."""

    log: LogFiles
    election: Election
    styles: Mapping[str, StyleShape]
    arithmetic: str
    spill_directory: Path
    spill_keys: NDArray[np.uint64]
    randomness: Callable[[int], bytes] = os.urandom


@dataclass(frozen=True)
class JudgeTask:
    """A run of bundles, with the scan's kinds and the claims of its ballots and challenges."""

    bundles: tuple[int, int]
    kinds: bytes
    claims: bytes
    first_ordinal: int


@dataclass(frozen=True)
class MixedRows:
    """Counted ciphertexts of a mixed contest in log order, with the number of each row's style."""

    styles: NDArray[np.uint32]
    rows: bytes


@dataclass
class JudgeChunk:
    """What a task gives back."""

    failures: dict[str, Failures] = field(default_factory=dict)
    counts: dict[str | None, NDArray[np.int64]] = field(default_factory=dict)  # by style, then by claim
    sums: dict[tuple[str, str], bytes] = field(default_factory=dict)  # by contest and style, over counted ballots
    mixed: dict[str, MixedRows] = field(default_factory=dict)
    voters: NDArray[np.void] = field(default_factory=lambda: np.empty(0, dtype=VOTER))
    rows: int = 0

    def fail(self, check: str, failure: Failure) -> None:
        """Note a failure of a check."""
        self.failures.setdefault(check, Failures()).add(failure)

    def count(self, style: str | None, claimed: NDArray[np.uint8]) -> None:
        """Count claims of a style."""
        found = np.bincount(claimed, minlength=256)
        self.counts[style] = self.counts[style] + found if style in self.counts else found


def judge_chunk(context: JudgeContext, task: JudgeTask) -> JudgeChunk:
    """Judge the ballots and challenges of a chunk; hostile bytes become failures."""
    chunk = JudgeChunk()
    located = _locate(context.log, task)
    chunk.rows = len(located)
    sets, malformed = read_rows(located, context.election.fingerprint, context.styles)
    for row in malformed:
        chunk.count(row.style, np.array([row.claim], dtype=np.uint8))
        _compare(chunk, row.claim, "malformed", Failure(row.sentence, entry=row.entry, equation="malformed"))
    accepted = [rows for rows in sets if not rows.defective]
    for rows in sets:
        _judge_rows(context, rows, _verify(context, rows), chunk)
    spill(context.spill_directory, [part for rows in accepted for part in rows.components()], context.spill_keys)
    numbers = {style: number for number, style in enumerate(context.styles)}
    if accepted:
        chunk.voters = np.concatenate([_voters(rows, numbers[rows.batch.style.id]) for rows in accepted])
    _collect_mixed(accepted, numbers, chunk)
    return chunk


def _locate(log: LogFiles, task: JudgeTask) -> list[Located]:
    """The raw ballots and challenges of the chunk that have a claim (those after ``close`` have none)."""
    located: list[Located] = []
    first = task.bundles[0] * TILE_WIDTH
    for bundle in range(*task.bundles):
        start = bundle * TILE_WIDTH
        kinds = task.kinds[start - first : start - first + TILE_WIDTH]
        if BALLOT not in kinds and CHALLENGE not in kinds:
            continue
        for offset, raw in enumerate(log.read_bundle(bundle)):
            number = len(located)
            if kinds[offset] in (BALLOT, CHALLENGE) and number < len(task.claims):
                located.append(Located(raw, start + offset, task.first_ordinal + number, task.claims[number]))
    return located


def _verify(context: JudgeContext, rows: RowSet) -> list[RowFailure]:
    group, pairing = load_group(context.arithmetic), load_pairing_group(context.arithmetic)
    return verify_ballots(rows.batch, context.election, group, pairing, context.randomness)


def _judge_rows(context: JudgeContext, rows: RowSet, failures: Sequence[RowFailure], chunk: JudgeChunk) -> None:
    """Compare the equations' verdict on every row of a set with the claims."""
    chunk.count(rows.batch.style.id, rows.claims)
    failed = {failure.row: failure for failure in failures}
    for row, failure in failed.items():
        _compare(chunk, int(rows.claims[row]), failure.reason, _located(failure, rows))
    if rows.defective:
        for row, claim in enumerate(rows.claims.tolist()):
            if row not in failed:
                _compare(chunk, claim, None, Failure("nothing is wrong with it", entry=int(rows.entries[row])))
        return
    _judge_kind(rows, chunk)
    if rows.batch.kind == "challenge":
        _judge_openings(context, rows, failed.keys(), chunk)
    _sum_counted(context, rows, [row for row, failure in failed.items() if failure.reason == "malformed"], chunk)


def _located(failure: RowFailure, rows: RowSet) -> Failure:
    return Failure(failure.sentence, entry=int(rows.entries[failure.row]), equation=failure.equation)


def _compare(chunk: JudgeChunk, claim: int, reason: str | None, failure: Failure) -> None:
    """Report where a claim is not the first reason that applies (None: no reason up to the proofs)."""
    if claims.REASONS.get(claim) == reason:
        return
    if claim in claims.ACCEPTED and reason is not None:
        chunk.fail(claims.CHECK_OF_REASON[reason], failure)
        return
    name = claims.NAMES.get(claim, "nothing known")
    found = f"the reason is {reason}: {failure.sentence}" if reason else failure.sentence
    sentence = f"claimed {name}, but {found}"
    chunk.fail("accounting.dispositions", Failure(sentence, entry=failure.entry, equation=failure.equation))


def _judge_kind(rows: RowSet, chunk: JudgeChunk) -> None:
    """A ballot is not disposed of as a challenge, nor the other way round."""
    possible = claims.BALLOT_CLAIMS if rows.batch.kind == "ballot" else claims.CHALLENGE_CLAIMS
    for row in np.flatnonzero(~np.isin(rows.claims, list(possible))):
        name = claims.NAMES.get(int(rows.claims[row]), f"disposition {rows.claims[row]}")
        sentence = f"claimed {name}, which is not a disposition of a {rows.batch.kind}"
        chunk.fail("accounting.dispositions", Failure(sentence, entry=int(rows.entries[row])))


def _judge_openings(context: JudgeContext, rows: RowSet, failed: Collection[int], chunk: JudgeChunk) -> None:
    """Openings of challenges are tested after duplicates, so not where a duplicate is claimed."""
    wrong = _opening_failures(context, rows)
    for row, claim in enumerate(rows.claims.tolist()):
        failure = wrong.get(row)
        if row in failed:
            continue
        if claim in (claims.CHALLENGED, claims.EXCESS) and failure is not None:
            _compare(chunk, claim, "opening", _located(failure, rows))
        if claim == claims.OPENING and failure is None:
            _compare(chunk, claim, None, Failure("its opening is right", entry=int(rows.entries[row])))


def _opening_failures(context: JudgeContext, rows: RowSet) -> dict[int, RowFailure]:
    if rows.opening_defects:
        return {
            row: RowFailure(row, "opening", "opening.form", defect) for row, defect in enumerate(rows.opening_defects)
        }
    group = load_group(context.arithmetic)
    failures = verify_openings(rows.batch, rows.openings, context.election, group, context.randomness)
    return {failure.row: failure for failure in failures}


def _sum_counted(context: JudgeContext, rows: RowSet, malformed: Sequence[int], chunk: JudgeChunk) -> None:
    """Sums of the counted ballots of a set, by homomorphic contest."""
    counted = rows.claims == claims.COUNTED
    if rows.batch.kind != "ballot" or not counted.any():
        return
    well_formed = counted.copy()
    well_formed[list(malformed)] = False
    for shape, contest in zip(rows.batch.style.contests, rows.batch.contests, strict=True):
        if shape.kind != "homomorphic":
            continue
        key = (shape.id, rows.batch.style.id)
        try:
            sums = _sums(context, contest.ciphertexts, counted, shape.options)
        except DecodeError:  # what cannot be added up was reported as malformed
            sums = _sums(context, contest.ciphertexts, well_formed, shape.options)
        previous = chunk.sums.get(key)
        group = load_group(context.arithmetic)
        chunk.sums[key] = sums if previous is None else add_sums([previous, sums], group)


def _sums(context: JudgeContext, ciphertexts: bytes, chosen: NDArray[np.bool_], options: int) -> bytes:
    matrix = np.frombuffer(ciphertexts, dtype=np.uint8).reshape(len(chosen), -1)
    data = ciphertexts if chosen.all() else matrix[chosen].tobytes()
    return ciphertext_sums(data, options, load_group(context.arithmetic))


def _voters(rows: RowSet, style: int) -> NDArray[np.void]:
    voters = np.empty(len(rows.claims), dtype=VOTER)
    voters["pseudonym"] = np.frombuffer(rows.batch.pseudonyms, dtype="<u8").reshape(-1, 4)
    voters["sequence"] = rows.sequences
    voters["ordinal"] = rows.ordinals
    voters["style"] = style
    voters["claim"] = rows.claims
    voters["kind"] = BALLOT if rows.batch.kind == "ballot" else CHALLENGE
    return voters


def _collect_mixed(sets: Sequence[RowSet], numbers: Mapping[str, int], chunk: JudgeChunk) -> None:
    """Counted rows of every mixed contest in log order, across styles."""
    parts: dict[str, list[tuple[NDArray[np.uint32], int, NDArray[np.uint8]]]] = defaultdict(list)
    for rows in sets:
        counted = np.flatnonzero(rows.claims == claims.COUNTED)
        if rows.batch.kind != "ballot" or not len(counted):
            continue
        for shape, contest in zip(rows.batch.style.contests, rows.batch.contests, strict=True):
            if shape.kind == "mixed":
                matrix = np.frombuffer(contest.ciphertexts, dtype=np.uint8).reshape(len(rows.claims), -1)
                parts[shape.id].append((rows.ordinals[counted], numbers[rows.batch.style.id], matrix[counted]))
    for contest_id, pieces in parts.items():
        ordinals = np.concatenate([piece[0] for piece in pieces])
        styles = np.concatenate([np.full(len(piece[0]), piece[1], dtype=np.uint32) for piece in pieces])
        matrix = np.concatenate([piece[2] for piece in pieces])
        order = np.argsort(ordinals, kind="stable")
        chunk.mixed[contest_id] = MixedRows(styles[order], matrix[order].tobytes())
