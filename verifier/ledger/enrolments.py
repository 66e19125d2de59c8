"""The enrolment log: which passkey counts for which position; docs/spec/05-credentials.md sections 5.3 and 5.12.

Chunks of the log are decoded, and their signatures verified, by worker processes; the rules that depend on what came
before are applied here, in log order, to a table of one row for each position, which is a file and not memory.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from verifier.failure import Failure, Failures
from verifier.hashing import frames
from verifier.ledger.framed import Chunk, Framed
from verifier.ledger.inputs import Roll
from verifier.ledger.passkeys import NO_PASSKEY, Passkey, read_passkey
from verifier.ledger.schemas import ENROLMENT_ENTRY, ENROLMENTS
from verifier.record import ed25519
from verifier.record.errors import FormatError
from verifier.record.schema import decode_as
from verifier.state import Progress
from verifier.stream.pool import run_tasks

#: A position's enrolment: its passkey, the log entry that it came with, and that of the position's first.
ROW = np.dtype([("kind", "u1"), ("credential", "u1", 32), ("key", "u1", 64), ("entry", "<u8"), ("since", "<u8")])

#: Why an enrolment has no effect.
OFF_ROLL = "its position is not on the roll"
OTHER_STYLE = "the roll has another ballot style at its position"
BAD_KEY = "its key is not in one of the two encodings"
TOO_LATE = "it is later than the enrolment entry"
NOT_IN_PERSON = "its position has an earlier one and it was not confirmed in person"


@dataclass(frozen=True)
class EnrolmentContext:
    """What workers need."""

    file: Framed
    roll: Roll
    origin: str  # of the enrolment log
    signers: tuple[tuple[str, str, bytes], ...]  # member of the entry, role id and key
    latest: int  # time of the last enrolment entry


@dataclass(frozen=True)
class Enrolment:
    """One enrolment as a worker saw it."""

    entry: int
    position: int
    in_person: bool
    passkey: Passkey | None
    objection: str | None


@dataclass
class EnrolmentChunk:
    """What a chunk of the log gives."""

    failures: Failures = field(default_factory=Failures)
    enrolments: list[Enrolment] = field(default_factory=list)


def judge_enrolments(context: EnrolmentContext, chunk: Chunk) -> EnrolmentChunk:
    """Decode a chunk of the log; what an entry without both signatures says is not heard."""
    result, styles = EnrolmentChunk(), context.roll.indices()
    for index, raw in enumerate(context.file.items(chunk), chunk.first):
        try:
            entry = decode_as(raw, ENROLMENT_ENTRY, "entry")
            body = decode_as(entry["body"], ENROLMENTS, "body")
        except FormatError as error:
            result.failures.add(Failure(f"enrolment log: {error}", entry=index))
            continue
        unsigned = _unsigned(context, entry, index)
        result.failures.merge(Failures(unsigned))
        if not unsigned:
            items = body["enrolments"]
            result.enrolments += [_enrolment(context, styles, index, item) for item in items]
    return result


def _unsigned(context: EnrolmentContext, entry: dict[str, Any], index: int) -> list[Failure]:
    message = frames(("evoting/v1/enrolment", context.origin, entry["body"]))
    return [
        Failure(f"enrolment log: the signature of the {member} does not hold", entry=index, role=role)
        for member, role, key in context.signers
        if not ed25519.verify(key, message, entry[member])
    ]


def _enrolment(context: EnrolmentContext, styles: NDArray[np.uint16], index: int, item: dict[str, Any]) -> Enrolment:
    passkey = read_passkey(item["credential"], item["algorithm"], item["key"])
    objection = None
    if item["position"] >= context.roll.size:
        objection = OFF_ROLL
    elif context.roll.styles[int(styles[item["position"]])] != item["style"]:
        objection = OTHER_STYLE
    elif passkey is None:
        objection = BAD_KEY
    elif item["time"] > context.latest:
        objection = TOO_LATE
    return Enrolment(index, item["position"], item["method"] == "in-person", passkey, objection)


class Enrolments:
    """The enrolments that count.

    Attributes:
        path: file of the table, one ``ROW`` for each position.
        earlier: passkeys that counted at an earlier checkpoint of a MODEL election, by position.
        without_effect: how many enrolments had none, by reason.
        boundary: size of the log at its first checkpoint.
    """

    def __init__(self, path: Path, size: int, boundaries: Sequence[int]) -> None:
        self.path = path
        self.failures = Failures()
        self.earlier: dict[int, list[Passkey]] = {}
        self.without_effect: Counter[str] = Counter()
        self.boundary = boundaries[0] if boundaries else 0
        self._boundaries = sorted(boundaries)
        self._table: Any = np.memmap(path, dtype=ROW, mode="w+", shape=(size,))

    def add(self, chunk: EnrolmentChunk) -> None:
        """Apply the rules to the next enrolments of the log."""
        self.failures.merge(chunk.failures)
        for enrolment in chunk.enrolments:
            objection = enrolment.objection
            if objection is None:
                row = self._table[enrolment.position]
                if row["kind"] != NO_PASSKEY and not enrolment.in_person:
                    objection = NOT_IN_PERSON
                elif enrolment.passkey is not None:
                    self._put(enrolment, enrolment.passkey)
            if objection is not None:
                self.without_effect[objection] += 1

    def _put(self, enrolment: Enrolment, passkey: Passkey) -> None:
        row = self._table[enrolment.position]
        since = enrolment.entry
        if row["kind"] != NO_PASSKEY:
            since = int(row["since"])
            # Where a checkpoint lies between the two, the earlier one counted there.
            before, now = (bisect_right(self._boundaries, entry) for entry in (int(row["entry"]), enrolment.entry))
            if before != now:
                self.earlier.setdefault(enrolment.position, []).append(passkey_of(row))
        row["kind"] = passkey.kind
        row["credential"] = np.frombuffer(passkey.credential, dtype=np.uint8)
        row["key"] = np.frombuffer(passkey.key.ljust(64, b"\0"), dtype=np.uint8)
        row["entry"], row["since"] = enrolment.entry, since

    def flush(self) -> None:
        """Everything is in the file."""
        self._table.flush()


def passkey_of(row: Any) -> Passkey:
    """The passkey in a row of the table."""
    key = row["key"].tobytes()
    return Passkey(int(row["kind"]), row["credential"].tobytes(), key[: 32 if row["kind"] == 1 else 64])


def read_enrolments(
    context: EnrolmentContext,
    chunks: Sequence[Chunk],
    boundaries: Sequence[int],
    path: Path,
    jobs: int,
    progress: Progress,
) -> Enrolments:
    """Judge the whole log.

    Args:
        boundaries: sizes of the log at the checkpoints of the record, ascending.
        path: where the table goes.
    """
    enrolments = Enrolments(path, context.roll.size, boundaries)
    progress.start("judging enrolments", sum(chunk.count for chunk in chunks))
    for chunk, judged in zip(chunks, run_tasks(judge_enrolments, context, chunks, jobs), strict=True):
        enrolments.add(judged)
        progress.advance(chunk.count)
    enrolments.flush()
    return enrolments
