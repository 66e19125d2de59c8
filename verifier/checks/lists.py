"""The lists that are mixed and decrypted: one for every contest and tallied group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from verifier.checks.registry import NotRun
from verifier.equations.ballots import add_sums
from verifier.equations.decryption import verify_factors
from verifier.equations.interface import PostedFactors
from verifier.failure import Failure
from verifier.record.entries import RoleEntry
from verifier.record.files import map_file
from verifier.tally_groups import TallyGroup

if TYPE_CHECKING:
    from verifier.state import State

#: Rows that are copied at a time.
_ROWS = 1 << 16


@dataclass
class TallyList:
    """One contest in one tallied group, with every entry about it."""

    state: State
    contest: Mapping[str, Any]
    group: TallyGroup

    @property
    def name(self) -> str:
        """For sentences."""
        return f"contest {self.contest['id']}, group {self.group.id}"

    @property
    def is_mixed(self) -> bool:
        """Whether it goes through the mixers."""
        return bool(self.contest["kind"] == "mixed")

    def entries(self, kind: str) -> list[RoleEntry]:
        """Entries of a type about this list, in log order."""
        return [
            entry
            for entry in self.state.of(kind)
            if (entry.fields["contest"], entry.fields["group"]) == (self.contest["id"], self.group.id)
        ]

    # -- mixing --------------------------------------------------------------------------------------------------------

    @cached_property
    def stages(self) -> dict[int, RoleEntry]:
        """Mix entries by stage."""
        return {entry.fields["stage"]: entry for entry in reversed(self.entries("mix"))}

    @cached_property
    def rows(self) -> memoryview:
        """The counted ciphertexts of the group in log order: the input of stage 1."""
        voters, contest = self.state.voters, self.contest["id"]
        source = voters.mixed_files.get(contest)
        if source is None:
            return memoryview(b"")
        numbers = {style: number for number, style in enumerate(self.state.manifest.styles)}
        mine = np.array([numbers[style] for style in self.group.styles], dtype=np.uint32)
        wanted = np.isin(np.concatenate(voters.mixed_styles[contest]), mine)
        size = 64 * int(self.contest["width"])
        rows = np.frombuffer(map_file(source), dtype=np.uint8).reshape(-1, size)
        path = Path(self.state.temporary.name) / f"input-{contest}-{self.group.id}"
        with path.open("wb") as file:
            for first in range(0, len(rows), _ROWS):
                file.write(rows[first : first + _ROWS][wanted[first : first + _ROWS]].tobytes())
        return map_file(path)

    def stage_input(self, stage: int) -> memoryview:
        """What a stage must take: the counted rows, or the output of the stage before."""
        if stage == 1:
            return self.rows
        if stage - 1 not in self.stages:
            raise NotRun("mix.chain", f"{self.name}: stage {stage - 1} is missing")
        return self.state.blob_view(self.stages[stage - 1].fields["output"])

    # -- decryption ----------------------------------------------------------------------------------------------------

    @cached_property
    def aggregate(self) -> bytes:
        """The sums of a homomorphic contest's counted rows."""
        contest = self.contest["id"]
        sums = [self.state.voters.sums.get((contest, style)) for style in self.group.styles]
        found = [part for part in sums if part is not None]
        if not found:
            raise NotRun("ballots.encoding", f"{self.name}: no ballot can be added up")
        return add_sums(found, self.state.group)

    @cached_property
    def ciphertexts(self) -> bytes | memoryview:
        """What is decrypted: the aggregate, or the last mix's output."""
        if not self.is_mixed:
            return self.aggregate
        return self.stage_input(int(self.state.manifest.raw["mixers"]) + 1)

    @cached_property
    def posted(self) -> dict[int, tuple[RoleEntry, PostedFactors]]:
        """Decryption entries by trustee, with their factors."""
        found = {}
        for entry in reversed(self.entries("decryption")):
            trustee = entry.fields["trustee"]
            try:
                factors: bytes | memoryview = self.state.blob_view(entry.fields["factors"])
            except NotRun:
                factors = b""
            key = self.state.verification_key(trustee)
            found[trustee] = (
                entry,
                PostedFactors(trustee, key, entry.fields["list"], factors, entry.fields["proof"]),
            )
        return dict(sorted(found.items()))

    @cached_property
    def defects(self) -> dict[int, list[Failure]]:
        """What is wrong with each trustee's entry (an empty list: it is valid)."""
        defects = {}
        for trustee, (_, posted) in self.posted.items():
            defects[trustee] = verify_factors(
                posted,
                fingerprint=self.state.fingerprint,
                contest=self.contest["id"],
                group_id=self.group.id,
                ciphertexts=self.ciphertexts,
                group=self.state.group,
            )
        return defects

    @cached_property
    def published(self) -> dict[str, Any]:
        """What the result says about this list."""
        for item in self.state.lists:
            if (item["contest"], item["group"]) == (self.contest["id"], self.group.id):
                return item
        raise NotRun("decryption.trustees", f"{self.name}: the result does not say how it was decrypted")

    @property
    def used(self) -> list[PostedFactors]:
        """The factors that the result says it used."""
        posted = self.posted
        if not set(self.published["used"]) <= posted.keys():
            raise NotRun("decryption.trustees", f"{self.name}: a used trustee has no decryption entry")
        return [posted[trustee][1] for trustee in self.published["used"]]

    @cached_property
    def plaintexts(self) -> memoryview:
        """The plaintexts blob of a mixed list."""
        if self.published["plaintexts"] is None:
            raise NotRun("plaintexts.codes", f"{self.name}: no plaintexts are named")
        return self.state.blob_view(self.published["plaintexts"])

    @property
    def count(self) -> int:
        """Number of ciphertexts of the list."""
        return len(self.ciphertexts) // 64


def tally_lists(state: State) -> Iterator[TallyList]:
    """Every list, contests in the manifest's order and groups in theirs."""
    if state.tally_lists is None:
        state.tally_lists = [
            TallyList(state, contest, group)
            for name, contest in state.manifest.contests.items()
            for group in state.groups[name]
            if group.status == "tallied"
        ]
    yield from state.tally_lists
