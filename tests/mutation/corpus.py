"""The tampered records, made once: mutants are judged by what the verifier says of the same files."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from crypto.group import set_threads
from tests.mutation.sources import CORPUS, hash_sources
from tests.tampered.case import Case
from tests.tampered.cases import CASES
from tests.tampered.run import write_case


class Written:
    """A record on disk, as far as tests of the verifier look at it."""

    def __init__(self, directory: Path) -> None:
        self.record_path = directory / "record"
        self.trust_root_path = directory / "trust-root.json"
        self._older = [
            directory / name for name in json.loads((directory / "expected.json").read_text())["checkpoints"]
        ]

    def older_checkpoints(self) -> list[Path]:
        """Checkpoints that the verifier is given besides."""
        return self._older


def _write(name: str, directory: Path) -> None:
    set_threads(1)
    (case,) = [case for case in CASES if case.__name__ == name]
    write_case(case, directory)


def make_corpus(directory: Path, jobs: int, *, keep: bool = False) -> None:
    """Write every case that is not there yet; all anew where the sources that make them changed, unless ``keep``."""
    stamp, current = directory / "stamp", hash_sources(CORPUS)
    if not stamp.exists() or (stamp.read_text() != current and not keep):
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        stamp.write_text(current)
    missing = [case.__name__ for case in CASES if not (directory / case.__name__ / "expected.json").exists()]
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        for name in missing:
            shutil.rmtree(directory / name, ignore_errors=True)
        list(pool.map(_write, missing, [directory / name for name in missing]))


def read_instead_of_write(directory: Path) -> object:
    """What stands in for ``write_case`` while mutants are judged."""

    def write_case(case: type[Case], _: Path) -> Written:
        return Written(directory / case.__name__)

    return write_case
