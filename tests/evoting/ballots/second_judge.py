"""The verifier's judgement of the same entries: other hands, other code."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from crypto.group import load_group, load_pairing_group
from crypto.proofs.disjunctive import ChoiceLayout
from tests.evoting.ballots.polling import CHALLENGES, OpenElection
from verifier.equations.interface import ContestShape, Election, StyleShape
from verifier.record.entries import split_voter_entry
from verifier.state import Silent
from verifier.stream.scan import BALLOT, CHALLENGE
from verifier.stream.voters import judge_voters


@dataclass(frozen=True)
class MemoryLog:
    """Entries as the verifier reads them from bundles."""

    entries: tuple[bytes, ...]

    @property
    def size(self) -> int:
        return len(self.entries)

    @property
    def bundles(self) -> int:
        return -(-len(self.entries) // 256)

    def read_bundle(self, bundle: int) -> list[bytes]:
        return list(self.entries[256 * bundle : 256 * bundle + 256])


def verifier_styles(polling: OpenElection) -> dict[str, StyleShape]:
    """The verifier's own description of the ballot styles."""
    shapes = {}
    for style in polling.shapes.values():
        contests = []
        for position, contest in enumerate(style.contests):
            layout = contest.layout
            if isinstance(layout, ChoiceLayout):
                sizes = (layout.options, layout.minimum, layout.maximum)
                contests.append(ContestShape(contest.id, "homomorphic", position, *sizes))
            else:
                book = polling.books[contest.id].encode()
                contests.append(ContestShape(contest.id, "mixed", position, width=layout.width, code_book=book))
        shapes[style.id] = StyleShape(style.id, tuple(contests), polling.context.issuance_keys[style.id].encode())
    return shapes


def objections(
    polling: OpenElection, entries: Sequence[bytes], dispositions: bytes, arithmetic: str | None = None
) -> dict[str, list[str]]:
    """What the verifier finds wrong with dispositions, by check; empty where it agrees with every one."""
    kinds = []
    for entry in entries:
        outer = split_voter_entry(entry)
        assert outer is not None, "the verifier does not see a ballot or challenge here"
        kinds.append(BALLOT if outer.type == "ballot" else CHALLENGE)
    group = load_group(arithmetic)
    with tempfile.TemporaryDirectory(prefix="evoting-test-") as directory:
        state: Any = SimpleNamespace(
            log=MemoryLog(tuple(entries)),
            scan=SimpleNamespace(kinds=bytearray(kinds)),
            settings=SimpleNamespace(
                chunk=4096, jobs=1, arithmetic=group.name, randomness=os.urandom, progress=Silent()
            ),
            temporary=SimpleNamespace(name=directory),
            group=group,
            pairing=load_pairing_group(arithmetic),
            election=Election(polling.fingerprint, polling.manifest_hash, polling.joint_key()),
            fingerprint=polling.fingerprint,
            styles=verifier_styles(polling),
            manifest=SimpleNamespace(limits={"challenges": CHALLENGES}),
            dispositions=dispositions,
            voter_indices=np.arange(len(entries), dtype=np.int64),
        )
        voters = judge_voters(state)
    return {
        check: [f"entry {failure.entry}: {failure.sentence}" for failure in failures.listed]
        for check, failures in voters.failures.items()
        if failures.total
    }
