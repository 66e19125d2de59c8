"""A trustee's files around a small election, and its command line in this process."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from crypto.dkg.files import KeyShareFile
from crypto.log.note import NOTE_KEY
from evoting.board.keys import generate_key
from evoting.trustees.cli import main
from evoting.trustees.store import TrusteeStore
from tests.support.small_election import SmallElection


@dataclass(frozen=True)
class Desk:
    """One trustee's desk: key file, private directory, and an output directory."""

    root: Path
    election: SmallElection
    index: int

    @property
    def key(self) -> Path:
        return self.root / "role.key"

    @property
    def store(self) -> TrusteeStore:
        return TrusteeStore(self.root / "private")

    @property
    def output(self) -> Path:
        return self.root / "output"

    @classmethod
    def of(cls, root: Path, election: SmallElection, index: int, *, with_share: bool) -> Desk:
        root.mkdir(parents=True)
        desk = cls(root, election, index)
        name = f"trustee-{index}"
        generate_key(desk.key, name, NOTE_KEY, seed=bytes(election.keys[name]))
        if with_share:
            completed = election.trustee_completion[index - 1]
            digest = hashlib.sha256(completed.transcript).digest()
            with desk.store.locked():
                desk.store.save_share(KeyShareFile.of(election.trustee_parameters, completed, digest))
        return desk

    def own_files(self) -> list[str]:
        return ["--key", str(self.key), "--private", str(self.store.root)]

    def decrypt(self, record: Path, trust_root: Path | None = None, *more: str) -> int:
        """``evoting-trustee decrypt``; returns the exit code."""
        return main(
            [
                "decrypt",
                "--record",
                str(record),
                "--trust-root",
                str(trust_root or self.election.trust_root_path),
                "--output",
                str(self.output),
                "--now",
                str(self.election.clock + 100),
                *self.own_files(),
                *more,
            ]
        )

    def outputs(self) -> dict[str, bytes]:
        return read_tree(self.output)


def read_tree(root: Path) -> dict[str, bytes]:
    """Every file below a directory."""
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def run_until(election: SmallElection, steps: Iterable[str]) -> Path:
    """Run steps of an election, publish, and give a copy of the record as it is then."""
    last = ""
    for last in steps:
        getattr(election, last)()
    election.publish()
    if last != "setup":
        election.write_trust_root()
    copy = election.root / f"record-after-{last}"
    shutil.copytree(election.record_path, copy)
    return copy
