"""What the auditor's checks work on: record, enrolment log and ledgers, each read when the first check asks for it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from verifier.checks.registry import NotRun
from verifier.failure import Failure, Failures
from verifier.hashing import sha
from verifier.ledger.enrolments import EnrolmentContext, Enrolments, read_enrolments
from verifier.ledger.entries import LedgerChunk, LedgerContext, judge_chunk
from verifier.ledger.framed import Framed, LedgerFile, Whole, read_through
from verifier.ledger.inputs import Officer, Officers, Roll
from verifier.ledger.passkeys import RelyingParty
from verifier.record.entries import RoleEntry
from verifier.record.errors import FormatError
from verifier.record.note import Checkpoint, parse_checkpoint
from verifier.state import State
from verifier.stream.pool import run_tasks

DAY = 86_400
#: Clocks may differ by this much.
ALLOWANCE_SECONDS = 300


@dataclass(frozen=True)
class Inputs:
    """What the auditor was given besides the record."""

    roll: Roll
    log: Framed
    ledgers: tuple[LedgerFile, ...]
    officers: Officers | None
    require_cosigned: bool = False


@dataclass
class Ledger:
    """One issuer's ledger, read and judged.

    Attributes:
        whole: size, root, and the root at the size of the record's statement.
        failures: of the checks of single entries, by check.
        repeated: entries whose position an earlier entry has.
        held: for each position, whether an entry has it.
        hashes: request hash of each position that is held, 32 bytes each; a file, not memory.
        counts: credentials and terminal ones among them, by style as the requests state it.
    """

    file: LedgerFile
    role: str
    whole: Whole
    held: NDArray[np.bool_]
    hashes: Any
    failures: dict[str, Failures] = field(default_factory=dict)
    repeated: Failures = field(default_factory=Failures)
    by_passkey: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=bool))
    counts: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, chunk: LedgerChunk) -> None:
        """What the next entries give."""
        for check, failures in chunk.failures.items():
            self.failures.setdefault(check, Failures()).merge(failures)
        rows = zip(chunk.entries, chunk.positions, chunk.styles, chunk.terminals, chunk.hashes, strict=True)
        for entry, position, style, terminal, hash_ in rows:
            count, terminals = self.counts.get(style, (0, 0))
            self.counts[style] = (count + 1, terminals + terminal)
            if position >= len(self.held):
                continue  # not on the roll, which is a failure of its own
            if self.held[position]:
                sentence = f"position {position} has an earlier entry"
                self.repeated.add(Failure(sentence, entry=entry, role=self.role))
                continue
            self.held[position] = True
            self.by_passkey[position] = not terminal
            self.hashes[position] = np.frombuffer(hash_, dtype=np.uint8)


class Audit:
    """An audit under way.

    A value that cannot be had raises ``NotRun`` with the name of the check that reports why.
    """

    def __init__(self, record: State, inputs: Inputs) -> None:
        self.record = record
        self.inputs = inputs
        self.settings = record.settings

    # -- the record ----------------------------------------------------------------------------------------------------

    @cached_property
    def origin(self) -> str:
        """Origin of the election's log."""
        return str(self.record.opening.fields["origin"])

    @cached_property
    def party(self) -> RelyingParty:
        """The voting host."""
        origin = self.record.manifest.raw["origins"]["voting"]
        if origin is None:
            raise NotRun("audit.record", "the manifest names no voting origin")
        return RelyingParty(origin, hashlib.sha256((urlsplit(origin).hostname or "").encode()).digest())

    @cached_property
    def enrolment_entries(self) -> list[RoleEntry]:
        """The enrolment entry that the opening names and, in a MODEL election, those after it."""
        entries, wanted = self.record.of("enrolment"), self.record.opening.fields["enrolment"]
        for number, entry in enumerate(entries):
            if sha("evoting/v1/entry-hash", entry.raw) == wanted:
                return entries[number:] if self.record.manifest.is_model else [entry]
        raise NotRun("audit.record", "the enrolment entry that the opening names is not there")

    def statement(self, issuer: int) -> RoleEntry | None:
        """The ledger statement of an issuer, where the record has one."""
        return next((entry for entry in self.record.of("ledger") if entry.fields["issuer"] == issuer), None)

    def statement_checkpoint(self, issuer: int) -> Checkpoint | None:
        """The checkpoint in it, where there is one that can be read."""
        entry = self.statement(issuer)
        try:
            return None if entry is None else read_checkpoint(entry.fields["checkpoint"])
        except FormatError:
            return None

    def issuer_role(self, issuer: int) -> str:
        """Role id of an issuer, to blame."""
        roles = self.record.manifest.roles_of("issuer")
        return next((role.id for role in roles if role.index == issuer), f"issuer {issuer}")

    @cached_property
    def issuance_dates(self) -> tuple[int, int]:
        """First and last day on which something can have been issued."""
        opened = self.record.opening.fields["time"]
        closes = self.record.by_type.get("close")
        ended = closes[0].fields["time"] if closes else self.settings.now
        if self.inputs.officers is not None and self.inputs.officers.period is not None:
            period = self.inputs.officers.period
            opened, ended = max(opened, period[0]), min(ended, period[1])
        return (opened - ALLOWANCE_SECONDS) // DAY, (ended + ALLOWANCE_SECONDS) // DAY

    # -- the enrolment log ---------------------------------------------------------------------------------------------

    def enrolment_checkpoints(self) -> Iterator[tuple[RoleEntry, Checkpoint]]:
        """The checkpoints of the record that can be read."""
        for entry in self.enrolment_entries:
            try:
                yield entry, read_checkpoint(entry.fields["checkpoint"])
            except FormatError:
                continue

    @cached_property
    def log(self) -> Whole:
        """The enrolment log, read to its end."""
        sizes = [checkpoint.size for _, checkpoint in self.enrolment_checkpoints()]
        return read_through(self.inputs.log, sizes, self.settings.chunk, self.settings.progress)

    @cached_property
    def enrolments(self) -> Enrolments:
        """What counts of it."""
        signers = tuple(
            (kind, role.id, role.key)
            for kind in ("identity-provider", "registrar")
            for role in self.record.manifest.roles_of(kind)[:1]
        )
        latest = self.enrolment_entries[-1].fields["time"]
        context = EnrolmentContext(self.inputs.log, self.inputs.roll, f"{self.origin}/enrolment", signers, latest)
        sizes = [checkpoint.size for _, checkpoint in self.enrolment_checkpoints()]
        path = Path(self.record.temporary.name) / "enrolments"
        return read_enrolments(context, self.log.chunks, sizes, path, self.settings.jobs, self.settings.progress)

    # -- the ledgers ---------------------------------------------------------------------------------------------------

    @cached_property
    def officers(self) -> Mapping[bytes, Officer] | None:
        """Officers whose passkey their role's key signed."""
        if self.inputs.officers is None:
            return None
        return {one.passkey.credential: one for one in self.inputs.officers.officers if self.is_vouched_for(one)}

    def is_vouched_for(self, officer: Officer) -> bool:
        """Whether a passkey is signed by the officer's key in the manifest."""
        role = self.record.manifest.roles.get(officer.role)
        return role is not None and role.kind == "officer" and officer.is_signed(role.key)

    @cached_property
    def ledgers(self) -> Sequence[Ledger]:
        """Every ledger, judged."""
        return [self._judge(number, file) for number, file in enumerate(self.inputs.ledgers)]

    @cached_property
    def wholes(self) -> Sequence[Whole]:
        """Every ledger, read to its end and not yet judged."""
        return [self._whole(file) for file in self.inputs.ledgers]

    def _whole(self, file: LedgerFile) -> Whole:
        stated = self.statement_checkpoint(file.issuer)
        sizes = [] if stated is None else [stated.size]
        return read_through(file.items, sizes, self.settings.chunk, self.settings.progress)

    def _judge(self, number: int, file: LedgerFile) -> Ledger:
        roles = self.record.manifest.roles_of("identity-provider")
        if not roles:
            raise NotRun("audit.record", "the manifest has no identity provider")
        whole, size = self.wholes[number], self.inputs.roll.size
        context = LedgerContext(
            file.items,
            self.issuer_role(file.issuer),
            file.fingerprint,
            self.inputs.roll,
            str(self.enrolments.path),
            self.enrolments.earlier,
            self.enrolments.boundary,
            self.officers,
            self.party,
            roles[0].key,
            self.issuance_dates,
            self.settings.arithmetic,
        )
        path = Path(self.record.temporary.name) / f"ledger-{number}"
        hashes = np.memmap(path, dtype=np.uint8, mode="w+", shape=(size, 32))
        ledger = Ledger(file, context.role, whole, np.zeros(size, dtype=bool), hashes)
        ledger.by_passkey = np.zeros(size, dtype=bool)
        self.settings.progress.start(f"judging the ledger of {context.role}", whole.size)
        judged = run_tasks(judge_chunk, context, whole.chunks, self.settings.jobs)
        for chunk, result in zip(whole.chunks, judged, strict=True):
            ledger.add(result)
            self.settings.progress.advance(chunk.count)
        return ledger

    def found(self, check: str) -> Failures:
        """Failures of a check that looks at single entries, over all ledgers."""
        failures = Failures()
        for ledger in self.ledgers:
            failures.merge(ledger.failures.get(check, Failures()))
        return failures


def read_checkpoint(text: str) -> Checkpoint:
    """A checkpoint that an entry of the record holds as text."""
    return parse_checkpoint(text.encode("utf-8", "surrogatepass"))
